/** A clock that notices steps of the wall clock at the very reading that shows them, before anybody uses it as a stamp. */
import type { Clock, TimerHandle } from './clock.ts';

/** A smaller step is no correction: readings are as near as that anyway. */
export const STEP_MS = 1000;
/** Both times are read within this, or the process was held up in between and they say nothing of each other. */
const TOGETHER_MS = 20;
const MAX_TRIES = 10;

export class WatchedClock implements Clock {
  readonly #inner: Clock;
  /** Wall less monotonic time when it was last read, and when the last step was reported. */
  #offset_ms: number;
  #client_clock_ms: number;
  /** Called with each step. Must not throw. */
  onStep: (step_ms: number) => void = () => {};

  constructor(inner: Clock) {
    this.#inner = inner;
    this.#offset_ms = this.#read().offset_ms;
    this.#client_clock_ms = this.#offset_ms;
  }

  /** Wall less monotonic time at the last reading of the wall clock. */
  get offset_ms(): number {
    return this.#offset_ms;
  }

  wallMs(): number {
    const { wall_ms, offset_ms, together } = this.#read();
    if (together) {
      this.#offset_ms = offset_ms;
      const step_ms = offset_ms - this.#client_clock_ms;
      if (Math.abs(step_ms) >= STEP_MS) {
        this.#client_clock_ms = offset_ms;
        this.onStep(step_ms);
      }
    }
    return wall_ms;
  }

  monoMs(): number {
    return this.#inner.monoMs();
  }

  setTimer(fn: () => void, delay_ms: number): TimerHandle {
    return this.#inner.setTimer(fn, delay_ms);
  }

  clearTimer(handle: TimerHandle | undefined): void {
    this.#inner.clearTimer(handle);
  }

  #read(): { wall_ms: number; offset_ms: number; together: boolean } {
    for (let tries = 1; ; tries++) {
      const before_ms = this.#inner.monoMs();
      const wall_ms = this.#inner.wallMs();
      const together = this.#inner.monoMs() - before_ms <= TOGETHER_MS;
      if (together || tries === MAX_TRIES)
        return { wall_ms, offset_ms: Math.round(wall_ms - before_ms), together };
    }
  }
}
