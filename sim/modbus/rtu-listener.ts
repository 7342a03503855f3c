/**
 * The unit's side of Modbus RTU on a stream of bytes: finds requests, answers those for units that are there,
 * keeps silent for all others and for what the check sum refuses, as units on a shared line do.
 * Source: MODBUS over Serial Line V1.02, 2.5.1; MODBUS Application Protocol V1.1b3, 6.
 */
import type { Duplex } from 'node:stream';
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { crcFits, encodeRtu } from '../../drivers/modbus/rtu/crc.ts';
import type { AnswerUnit } from '../serve/bridge.ts';

export interface RtuListenerOptions {
  readonly answer: AnswerUnit;
  /** The unit in the reply, where a device answers as another than was asked (Daly). */
  readonly replyUnit: (unit: number) => number;
  readonly clock: Clock;
  readonly counters: { requests: number; replies: number; stray_bytes: number };
}

const MAX_FRAME_BYTES = 256;
/** After this long without a byte what has come so far is no longer the beginning of a request. */
const SILENCE_MS = 50;
const MIN_FRAME_BYTES = 4;
/** Unit, function, address, count or value, check sum. */
const PLAIN_REQUEST_BYTES = 8;

export class RtuListener {
  readonly #stream: Duplex;
  readonly #options: RtuListenerOptions;
  #bytes = new Uint8Array(0);
  #silence: TimerHandle | undefined;

  constructor(stream: Duplex, options: RtuListenerOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('data', (bytes: Uint8Array) => this.#receive(bytes));
    stream.once('close', () => options.clock.clearTimer(this.#silence));
  }

  #receive(bytes: Uint8Array): void {
    const { clock, counters } = this.#options;
    clock.clearTimer(this.#silence);
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = this.#takeRequests(joined);
    if (this.#bytes.length > MAX_FRAME_BYTES) {
      counters.stray_bytes += this.#bytes.length - MAX_FRAME_BYTES;
      this.#bytes = this.#bytes.slice(-MAX_FRAME_BYTES);
    }
    if (this.#bytes.length > 0) this.#silence = clock.setTimer(() => this.#onSilence(), SILENCE_MS);
  }

  /** Answers every whole request; returns what may become one. */
  #takeRequests(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    let at = 0;
    while (bytes.length - at >= MIN_FRAME_BYTES) {
      const length = requestBytes(bytes, at);
      if (length === undefined || at + length > bytes.length) break;
      if (crcFits(bytes, at, length)) {
        this.#answer(bytes.slice(at, at + length));
        at += length;
      } else {
        this.#options.counters.stray_bytes++;
        at++;
      }
    }
    return new Uint8Array(bytes.subarray(at));
  }

  /** A request of a function whose length nobody knows ends with silence. Noise may stand before a good one. */
  #onSilence(): void {
    const { counters } = this.#options;
    let bytes = this.#bytes;
    while (bytes.length >= MIN_FRAME_BYTES) {
      if (crcFits(bytes, 0, bytes.length)) {
        this.#answer(bytes);
        bytes = bytes.subarray(bytes.length);
      } else {
        counters.stray_bytes++;
        bytes = this.#takeRequests(bytes.subarray(1));
      }
    }
    counters.stray_bytes += bytes.length;
    this.#bytes = new Uint8Array(0);
  }

  #answer(frame: Uint8Array): void {
    const { answer, replyUnit, counters } = this.#options;
    counters.requests++;
    const unit = frame[0];
    const reply = answer(unit, frame.subarray(1, frame.length - 2));
    if (reply === undefined || reply === 'absent' || this.#stream.destroyed) return;
    counters.replies++;
    this.#stream.write(encodeRtu(replyUnit(unit), reply));
  }
}

/** Of the request that begins here; undefined where its function does not say or has not come yet. */
function requestBytes(bytes: Uint8Array, at: number): number | undefined {
  const code = bytes[at + 1];
  if (code >= 1 && code <= 6) return PLAIN_REQUEST_BYTES;
  if (code !== 15 && code !== 16) return undefined;
  return bytes.length - at > 6 ? 9 + bytes[at + 6] : undefined;
}
