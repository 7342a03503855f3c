/**
 * Reads one device over ISO-TP beside others who may do the same. One request at a time, and none where somebody else
 * asks: two who ask at once disturb each other. Replies are taken whoever asked for them.
 */
import type { Clock, TimerHandle } from '../../../core/clock/clock.ts';
import { type CanBus, type CanFrame, type CanId, EXACT_MASK } from '../can-bus.ts';
import { type IsoTpLink, type IsoTpRead, replyKey } from './iso-tp-reads.ts';
import { Reassembler, Step } from './reassembler.ts';
import { CONTINUE_TO_SEND, flowControl, singleFrame } from './segments.ts';

/** So long nobody else may have asked before we do, and so long we stop once somebody does. */
const QUIET_BEFORE_MS = 10_000;
const HOLD_BACK_MS = 100_000;
/** To the first frame of a reply; once the device says that it takes longer; and between the frames of one. */
const REPLY_MS = 1000;
const PENDING_MS = 5000;
const MAX_PENDING = 12;
/** A device that has not answered so often in a row is asked this seldom. */
const MANY_UNANSWERED = 5;
const UNANSWERED_PAUSE_MS = 5000;
const BUSY_MS = 1000;
const CONDITIONS_MS = 60_000;
/** What testers ask all devices of a vehicle with, 11 and 29 bits (ISO 15765-4, section 10.3). */
const FUNCTIONAL_ID = 0x7df;
const FUNCTIONAL_ID_29 = 0x18db33f1;

const NEGATIVE = 0x7f;
/** Negative response codes (ISO 14229-1, annex A.1). */
const BUSY = 0x21;
const PENDING = 0x78;
/** Service, sub-function or identifier that this device does not have. */
const NOT_HERE = [0x11, 0x12, 0x31];

interface Turn {
  readonly read: IsoTpRead;
  due_mono_ms: number;
  isRefused: boolean;
}

export type OnReply = (read: IsoTpRead, message: Uint8Array, length: number, rx_mono_ms: number) => void;

export class EcuReader {
  readonly counters = {
    iso_tp_requests: 0,
    iso_tp_replies: 0,
    iso_tp_refused: 0,
    iso_tp_unanswered: 0,
    iso_tp_broken: 0,
    iso_tp_foreign_requests: 0,
  };
  readonly link: IsoTpLink;
  readonly #bus: CanBus;
  readonly #clock: Clock;
  readonly #onReply: OnReply;
  readonly #turns: readonly Turn[];
  readonly #byKey: ReadonlyMap<number, IsoTpRead>;
  readonly #incoming: Reassembler;
  #asked: Turn | undefined;
  #deadline_mono_ms = 0;
  #pending = 0;
  #unanswered = 0;
  #ask_from_mono_ms = Number.POSITIVE_INFINITY;
  #foreign_mono_ms = Number.NEGATIVE_INFINITY;
  #isUp: () => boolean = () => false;
  #timer: TimerHandle | undefined;

  constructor(bus: CanBus, clock: Clock, link: IsoTpLink, onReply: OnReply) {
    this.link = link;
    this.#bus = bus;
    this.#clock = clock;
    this.#onReply = onReply;
    this.#turns = link.reads.map(read => ({ read, due_mono_ms: 0, isRefused: false }));
    this.#byKey = new Map(link.reads.map(read => [read.reply_key, read]));
    this.#incoming = new Reassembler(link.reply_address);
  }

  /** Ids whose frames `take` wants. */
  ids(): CanId[] {
    const { request_id, reply_id, extended } = this.link;
    const functional = extended ? FUNCTIONAL_ID_29 : FUNCTIONAL_ID;
    return [request_id, reply_id, functional].map(id => ({ id, extended, mask: EXACT_MASK }));
  }

  /** Why nothing is asked now; undefined: it is. */
  holdingBack(mono_ms: number): string | undefined {
    if (!(mono_ms - this.#foreign_mono_ms < HOLD_BACK_MS)) return undefined;
    const id = this.link.request_id.toString(16).toUpperCase();
    return `another tester asks this device (id ${id}): only its replies are read, until it was quiet for ${HOLD_BACK_MS / 1000} s`;
  }

  /** `isUp`: no request goes out while it is not. `quiet_ms`: so long nobody else may have asked before. */
  start(isUp: () => boolean, quiet_ms = QUIET_BEFORE_MS): void {
    this.stop();
    if (!this.#bus.send) return;
    const now = this.#clock.monoMs();
    this.#isUp = isUp;
    this.#ask_from_mono_ms = now + quiet_ms;
    for (const turn of this.#turns) {
      turn.due_mono_ms = now;
      turn.isRefused = false;
    }
    this.#schedule(quiet_ms);
  }

  stop(): void {
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#asked = undefined;
    this.#ask_from_mono_ms = Number.POSITIVE_INFINITY;
  }

  /** Takes a frame of the bus; true: it is the device's. */
  take({ id, extended, data, length, rx_mono_ms }: CanFrame): boolean {
    const { link } = this;
    if (extended !== link.extended) return false;
    if (id === link.reply_id) {
      this.#takeReply(data, length, rx_mono_ms);
      return true;
    }
    if (id === link.request_id || id === (extended ? FUNCTIONAL_ID_29 : FUNCTIONAL_ID))
      this.#holdBack(rx_mono_ms);
    return false;
  }

  /** Whoever asks now gets the bus. What we asked may still be answered, and is taken, but not urged on. */
  #holdBack(mono_ms: number): void {
    this.counters.iso_tp_foreign_requests++;
    this.#foreign_mono_ms = mono_ms;
    this.#asked = undefined;
    this.#ask_from_mono_ms = Math.max(this.#ask_from_mono_ms, mono_ms + HOLD_BACK_MS);
  }

  #takeReply(data: Uint8Array, length: number, rx_mono_ms: number): void {
    const step = this.#incoming.take(data, length, rx_mono_ms);
    if (step === Step.broken) this.counters.iso_tp_broken++;
    if (this.#asked) this.#deadline_mono_ms = Math.max(this.#deadline_mono_ms, rx_mono_ms + REPLY_MS);
    if (step === Step.begun && this.#asked) this.#send(flowControl(CONTINUE_TO_SEND, ...this.#form()));
    if (step === Step.broken && this.#asked) this.#finish(rx_mono_ms, this.#asked.read.interval_ms);
    if (step === Step.whole) this.#takeMessage(rx_mono_ms);
  }

  #takeMessage(rx_mono_ms: number): void {
    const { message, length } = this.#incoming;
    if (message[0] === NEGATIVE) {
      if (length >= 3 && message[1] === this.#asked?.read.request[0])
        this.#takeRefusal(message[2], rx_mono_ms);
      return;
    }
    const read = this.#byKey.get(replyKey(message, length));
    if (!read) return;
    this.counters.iso_tp_replies++;
    if (this.#asked?.read === read) {
      this.#unanswered = 0;
      this.#finish(rx_mono_ms, read.interval_ms);
    }
    this.#onReply(read, message, length, rx_mono_ms);
  }

  #takeRefusal(code: number, rx_mono_ms: number): void {
    if (!this.#asked) return;
    this.#unanswered = 0;
    if (code === PENDING && this.#pending++ < MAX_PENDING) {
      this.#deadline_mono_ms = rx_mono_ms + PENDING_MS;
      return;
    }
    this.counters.iso_tp_refused++;
    this.#asked.isRefused = NOT_HERE.includes(code);
    this.#finish(rx_mono_ms, code === BUSY || code === PENDING ? BUSY_MS : CONDITIONS_MS);
  }

  /** The transaction is over; its turn comes again after so long. */
  #finish(mono_ms: number, again_ms: number): void {
    if (!this.#asked) return;
    this.#asked.due_mono_ms = mono_ms + again_ms;
    this.#asked = undefined;
    this.#ask_from_mono_ms = Math.max(this.#ask_from_mono_ms, mono_ms + this.link.pause_ms);
  }

  #schedule(wait_ms: number): void {
    this.#timer = this.#clock.setTimer(() => {
      const now = this.#clock.monoMs();
      // What was asked meanwhile was not heard.
      if (!this.#isUp()) this.#ask_from_mono_ms = Math.max(this.#ask_from_mono_ms, now + QUIET_BEFORE_MS);
      if (this.#asked && now >= this.#deadline_mono_ms) this.#giveUp(now);
      if (!this.#asked && now >= this.#ask_from_mono_ms) this.#ask(now);
      this.#schedule(this.#nextWait(now));
    }, wait_ms);
  }

  #nextWait(now: number): number {
    const { pause_ms } = this.link;
    if (this.#asked) return Math.max(1, Math.min(pause_ms, this.#deadline_mono_ms - now));
    const due = this.#next()?.due_mono_ms ?? Number.POSITIVE_INFINITY;
    return Math.max(pause_ms, Math.min(1000, Math.max(due, this.#ask_from_mono_ms) - now));
  }

  #giveUp(now: number): void {
    this.counters.iso_tp_unanswered++;
    this.#unanswered++;
    this.#finish(now, this.#asked?.read.interval_ms ?? 0);
    if (this.#unanswered >= MANY_UNANSWERED) this.#ask_from_mono_ms = now + UNANSWERED_PAUSE_MS;
  }

  #next(): Turn | undefined {
    let first: Turn | undefined;
    for (const turn of this.#turns)
      if (!turn.isRefused && (!first || turn.due_mono_ms < first.due_mono_ms)) first = turn;
    return first;
  }

  #ask(now: number): void {
    // A reply that somebody else asked for is not cut off by another request.
    if (this.#incoming.isUnderWay(now)) return;
    const turn = this.#next();
    if (!turn || turn.due_mono_ms > now) return;
    const frame = singleFrame(turn.read.request, ...this.#form());
    if (!frame) return;
    // A bus within the process brings the reply before `send` returns.
    this.#asked = turn;
    this.#pending = 0;
    this.#deadline_mono_ms = now + REPLY_MS;
    if (this.#send(frame)) this.counters.iso_tp_requests++;
    else this.#asked = undefined;
  }

  #send(data: Uint8Array): boolean {
    const { request_id: id, extended } = this.link;
    return this.#bus.send?.({ id, extended, data, length: data.length }) ?? false;
  }

  #form(): [address: number | undefined, padding: number] {
    return [this.link.request_address, this.link.padding];
  }
}
