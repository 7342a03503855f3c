/** Virtual CAN nodes on a CAN interface of the kernel: what they send goes out, what others send reaches them. */
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { CanBus } from '../../drivers/can/can-bus.ts';
import type { SentFrame, VirtualCanBus, VirtualCanNode } from '../../drivers/can/virtual-bus.ts';
import type { Bridge } from '../serve/bridge.ts';

/** Frames that wait while the interface takes none; beyond, new ones are dropped and counted. */
const MAX_WAITING_FRAMES = 1024;
/** A full interface is tried again after this long. */
const RETRY_MS = 2;
const OPEN_TIMEOUT_MS = 2000;
const EVERY_ID = [
  { id: 0, extended: false, mask: 0 },
  { id: 0, extended: true, mask: 0 },
];

export class CanBridge implements Bridge {
  readonly place: string;
  readonly #counters = { frames_sent: 0, frames_dropped: 0, frames_received: 0 };
  readonly #virtual: VirtualCanBus;
  readonly #outside: CanBus;
  readonly #clock: Clock;
  #node: VirtualCanNode | undefined;
  #waiting: SentFrame[] = [];
  #timer: TimerHandle | undefined;
  #closed = false;

  constructor(virtual: VirtualCanBus, outside: CanBus, clock: Clock) {
    this.place = outside.name;
    this.#virtual = virtual;
    this.#outside = outside;
    this.#clock = clock;
  }

  get counters(): Record<string, number> {
    return { ...this.#counters };
  }

  async open(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let reason: string | undefined;
    const timer = this.#clock.setTimer(
      () => reject(new GatewayError('CAN_UNAVAILABLE', reason ?? `${this.place}: does not come up`)),
      OPEN_TIMEOUT_MS,
    );
    await this.#outside.open(EVERY_ID, {
      onFrame: frame => {
        this.#counters.frames_received++;
        this.#node?.send(frame);
      },
      onState: (state, why) => {
        reason = why;
        if (state !== 'down') resolve();
      },
    });
    await promise.finally(() => this.#clock.clearTimer(timer));
    if (!this.#closed) this.#node = this.#virtual.attach(frame => this.#send(frame));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#node?.detach();
    this.#clock.clearTimer(this.#timer);
    await this.#outside.close();
  }

  #send(frame: SentFrame): void {
    if (this.#waiting.length === 0 && this.#outside.send?.(frame)) {
      this.#counters.frames_sent++;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING_FRAMES) {
      this.#counters.frames_dropped++;
      return;
    }
    const { id, extended, data, length } = frame;
    this.#waiting.push({ id, extended, data: data.slice(0, length), length });
    this.#timer ??= this.#clock.setTimer(() => this.#drain(), RETRY_MS);
  }

  #drain(): void {
    this.#timer = undefined;
    let sent = 0;
    while (sent < this.#waiting.length && this.#outside.send?.(this.#waiting[sent])) sent++;
    this.#counters.frames_sent += sent;
    this.#waiting = this.#waiting.slice(sent);
    if (this.#waiting.length > 0) this.#timer = this.#clock.setTimer(() => this.#drain(), RETRY_MS);
  }
}
