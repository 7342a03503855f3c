/** The requests of a link that await their replies, and the one timer that finds which are overdue. */
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import type { ReadRequest } from './reply.ts';

export interface Exchange {
  readonly request: ReadRequest;
  readonly sent_ms: number;
  readonly due_ms: number;
  /** Another request was in flight at some time between this one and its reply. */
  is_pipelined: boolean;
  /** Nothing else is in flight beside it, on purpose. */
  readonly is_alone: boolean;
  readonly onOverdue: () => void;
  /** The connection is gone. False: the request is sent again on the next one. */
  readonly onLost: (reason: string) => boolean;
}

export class InFlight {
  readonly #clock: Clock;
  /** In no order. */
  readonly #exchanges: Exchange[] = [];
  #timer: TimerHandle | undefined;
  #timer_at_ms = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#exchanges.length;
  }

  /**
   * The timer is not set and cleared with each request, but checks when it fires what is overdue then, and is
   * set on for the rest.
   */
  add(exchange: Exchange): void {
    if (this.#exchanges.length > 0) {
      exchange.is_pipelined = true;
      for (const other of this.#exchanges) other.is_pipelined = true;
    }
    this.#exchanges.push(exchange);
    if (!this.#timer || this.#timer_at_ms > exchange.due_ms) this.#setTimer(exchange.due_ms);
  }

  remove(exchange: Exchange): void {
    const place = this.#exchanges.indexOf(exchange);
    if (place < 0) return;
    const last = this.#exchanges.pop();
    if (last && last !== exchange) this.#exchanges[place] = last;
  }

  /** The connection is gone: none of them gets its reply. True: for one of them at least that is final. */
  lose(reason: string): boolean {
    let is_final = false;
    for (const exchange of [...this.#exchanges]) if (exchange.onLost(reason)) is_final = true;
    return is_final;
  }

  stop(): void {
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #setTimer(at_ms: number): void {
    this.#clock.clearTimer(this.#timer);
    this.#timer_at_ms = at_ms;
    const delay_ms = Math.max(0, Math.ceil(at_ms - this.#clock.monoMs()));
    this.#timer = this.#clock.setTimer(() => this.#onTimer(), delay_ms);
  }

  #onTimer(): void {
    this.#timer = undefined;
    const now_ms = this.#clock.monoMs();
    for (const exchange of [...this.#exchanges]) if (exchange.due_ms <= now_ms) exchange.onOverdue();
    let next_ms = Number.POSITIVE_INFINITY;
    for (const { due_ms } of this.#exchanges) next_ms = Math.min(next_ms, due_ms);
    if (next_ms < Number.POSITIVE_INFINITY && (!this.#timer || this.#timer_at_ms > next_ms))
      this.#setTimer(next_ms);
  }
}
