/**
 * The replies of one device, put together from their frames, whoever asked for them. A consecutive frame out of order,
 * or late, ends its message: a gap is never patched. Allocates nothing per frame.
 */
import { FrameKind, frameKind, MAX_MESSAGE_BYTES } from './segments.ts';

/** Between two frames of a message: N_Cr (ISO 15765-2, section 9.8). */
const NEXT_FRAME_MS = 1000;

/** What a frame has brought. */
export const Step = {
  /** Nothing: a frame of no message, or of one that is under way. */
  none: 0,
  /** A longer message begins; its sender waits for flow control. */
  begun: 1,
  /** `message` holds a whole one. */
  whole: 2,
  /** A message ended without being whole. */
  broken: 3,
} as const;
export type Step = (typeof Step)[keyof typeof Step];

export class Reassembler {
  /** Valid up to `length`, until the next frame. */
  readonly message = new Uint8Array(MAX_MESSAGE_BYTES);
  length = 0;
  readonly #address: number | undefined;
  #received = 0;
  #next_number = 0;
  #last_frame_ms = 0;
  #isUnderWay = false;

  /** `address`: the first byte of every frame for us, with extended addressing. */
  constructor(address: number | undefined) {
    this.#address = address;
  }

  /** Whether a message is under way, and was not given up. */
  isUnderWay(mono_ms: number): boolean {
    return this.#isUnderWay && mono_ms - this.#last_frame_ms <= NEXT_FRAME_MS;
  }

  take(data: Uint8Array, length: number, rx_mono_ms: number): Step {
    const at = this.#address === undefined ? 0 : 1;
    if (at === 1 && data[0] !== this.#address) return Step.none;
    switch (frameKind(data, length, at)) {
      case FrameKind.single:
        return this.#takeSingle(data, length, at);
      case FrameKind.first:
        return this.#takeFirst(data, length, at, rx_mono_ms);
      case FrameKind.consecutive:
        return this.#takeConsecutive(data, length, at, rx_mono_ms);
      default:
        return Step.none;
    }
  }

  #takeSingle(data: Uint8Array, length: number, at: number): Step {
    // Longer than 8 bytes, on CAN FD, the length stands in the byte behind.
    const isLong = length > 8 && data[at] === 0;
    const begin = isLong ? at + 2 : at + 1;
    const size = isLong ? data[at + 1] : data[at] & 0xf;
    if (size === 0 || begin + size > length) return Step.none;
    this.#isUnderWay = false;
    for (let i = 0; i < size; i++) this.message[i] = data[begin + i];
    this.length = size;
    return Step.whole;
  }

  #takeFirst(data: Uint8Array, length: number, at: number, rx_mono_ms: number): Step {
    const wasUnderWay = this.#isUnderWay;
    this.#isUnderWay = false;
    const size = length > at + 1 ? ((data[at] & 0xf) << 8) | data[at + 1] : 0;
    // 0: a 32-bit length follows; no battery sends so much. Or it would have fitted into a single frame.
    if (size <= length - at - 1) return wasUnderWay ? Step.broken : Step.none;
    this.length = size;
    this.#received = 0;
    this.#append(data, at + 2, length);
    this.#next_number = 1;
    this.#last_frame_ms = rx_mono_ms;
    this.#isUnderWay = true;
    return Step.begun;
  }

  #takeConsecutive(data: Uint8Array, length: number, at: number, rx_mono_ms: number): Step {
    // Of a message whose first frame was not received, or that was given up.
    if (!this.#isUnderWay) return Step.none;
    const isNext = (data[at] & 0xf) === this.#next_number;
    const missing = this.length - this.#received;
    const isWhole = length - at - 1 >= Math.min(missing, 7 - at);
    if (!isNext || !isWhole || rx_mono_ms - this.#last_frame_ms > NEXT_FRAME_MS) {
      this.#isUnderWay = false;
      return Step.broken;
    }
    this.#append(data, at + 1, length);
    this.#next_number = (this.#next_number + 1) & 0xf;
    this.#last_frame_ms = rx_mono_ms;
    if (this.#received < this.length) return Step.none;
    this.#isUnderWay = false;
    return Step.whole;
  }

  #append(data: Uint8Array, from: number, to: number): void {
    const end = Math.min(to, from + this.length - this.#received);
    for (let i = from; i < end; i++) this.message[this.#received++] = data[i];
  }
}
