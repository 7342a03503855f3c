/** The simulation's time, which also knows whether the sync waits for the centre or for time to pass. */
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { EXCHANGE_TIMEOUT_MS } from '../../daemon/upstream/client.ts';

export class SimClock extends ManualClock {
  readonly #exchanges = new Set<unknown>();
  onExchangeOver: () => void = () => {};

  /** For those who ask the centre nothing, however long they wait. */
  readonly aside: Clock = {
    wallMs: () => this.wallMs(),
    monoMs: () => this.monoMs(),
    setTimer: (fn, delay_ms) => super.setTimer(fn, delay_ms),
    clearTimer: handle => super.clearTimer(handle),
  };

  /** The sync has asked the centre something and waits for the answer. */
  get isExchanging(): boolean {
    return this.#exchanges.size > 0;
  }

  override setTimer(fn: () => void, delay_ms: number): TimerHandle {
    if (delay_ms !== EXCHANGE_TIMEOUT_MS) return super.setTimer(fn, delay_ms);
    const handle = super.setTimer(() => {
      this.#over(handle);
      fn();
    }, delay_ms);
    this.#exchanges.add(handle.timer);
    return handle;
  }

  override clearTimer(handle: TimerHandle | undefined): void {
    super.clearTimer(handle);
    this.#over(handle);
  }

  #over(handle: TimerHandle | undefined): void {
    if (handle && this.#exchanges.delete(handle.timer)) this.onExchangeOver();
  }
}
