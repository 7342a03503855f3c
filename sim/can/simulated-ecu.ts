/** The battery's side of ISO-TP: a simulated device that answers read requests as real ones do. */
import type { CanFrame } from '../../drivers/can/can-bus.ts';
import type { IsoTpLink, IsoTpRead } from '../../drivers/can/iso-tp/iso-tp-reads.ts';
import { FlowStatus, FrameKind, frameKind, framesOf } from '../../drivers/can/iso-tp/segments.ts';
import type { SentFrame } from '../../drivers/can/virtual-bus.ts';

/** Request out of range: no such identifier (ISO 14229-1, annex A.1). */
const OUT_OF_RANGE = 0x31;
const NEGATIVE = 0x7f;
/** What replies are filled up with. */
const PADDING = 0xaa;

export class SimulatedEcu {
  readonly #link: IsoTpLink;
  readonly #send: (frame: SentFrame) => boolean;
  /** A reply as the encoder makes it; undefined: there is nothing to report now. */
  readonly #replyTo: (read: IsoTpRead) => Uint8Array | undefined;
  /** Frames that wait for flow control. */
  #waiting: Uint8Array[] = [];

  constructor(
    link: IsoTpLink,
    send: (frame: SentFrame) => boolean,
    replyTo: (read: IsoTpRead) => Uint8Array | undefined,
  ) {
    this.#link = link;
    this.#send = send;
    this.#replyTo = replyTo;
  }

  take({ id, extended, data, length }: CanFrame): void {
    const { request_id, request_address } = this.#link;
    if (id !== request_id || extended !== this.#link.extended) return;
    if (request_address !== undefined && data[0] !== request_address) return;
    const at = request_address === undefined ? 0 : 1;
    const kind = frameKind(data, length, at);
    if (kind === FrameKind.flow_control) this.#goOn(data, at);
    if (kind === FrameKind.single)
      this.#answer(data.slice(at + 1, Math.min(length, at + 1 + (data[at] & 0xf))));
  }

  #answer(request: Uint8Array): void {
    // A request ends what was being sent.
    this.#waiting = [];
    const { reads, reply_address } = this.#link;
    const read = reads.find(one => one.request.every((byte, i) => byte === request[i]));
    const reply = read && this.#replyTo(read);
    if (!read || !reply) {
      const refusal = Uint8Array.of(NEGATIVE, request[0] ?? 0, OUT_OF_RANGE);
      for (const frame of framesOf(refusal, reply_address, PADDING)) this.#put(frame);
      return;
    }
    const [first, ...rest] = framesOf(reply, reply_address, PADDING);
    this.#waiting = rest;
    this.#put(first);
  }

  /** Sends as many as the tester takes: a block, or all. */
  #goOn(data: Uint8Array, at: number): void {
    if ((data[at] & 0xf) !== FlowStatus.continue_to_send) return;
    const block = data[at + 1] === 0 ? this.#waiting.length : data[at + 1];
    for (const frame of this.#waiting.splice(0, block)) this.#put(frame);
  }

  #put(data: Uint8Array): void {
    const { reply_id: id, extended } = this.#link;
    this.#send({ id, extended, data, length: data.length });
  }
}
