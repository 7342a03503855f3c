/**
 * The terminal of the demo: however many lines of the log a slow start brings, address and login are the last that
 * stands there.
 */
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';

/** From the welcome on; later lines are of a demo that runs. */
const START_LASTS_MS = 120_000;
/** Lines often come in bursts; the address is shown once after them. */
const QUIET_MS = 5000;

export class DemoScreen {
  readonly #clock: Clock;
  readonly #write: (text: string) => void;
  #reminder = '';
  #welcomed_mono_ms = 0;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, write: (text: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  /** `reminder` is said again after lines that pushed the welcome up. */
  welcome(text: string, reminder: string): void {
    this.#write(text);
    this.#reminder = reminder;
    this.#welcomed_mono_ms = this.#clock.monoMs();
  }

  /** A line of the log. */
  line(text: string): void {
    this.#write(text);
    if (this.#reminder === '' || this.#clock.monoMs() - this.#welcomed_mono_ms > START_LASTS_MS) return;
    this.#clock.clearTimer(this.#timer);
    this.#timer = this.#clock.setTimer(() => this.#write(this.#reminder), QUIET_MS);
  }

  stop(): void {
    this.#clock.clearTimer(this.#timer);
    this.#reminder = '';
  }
}
