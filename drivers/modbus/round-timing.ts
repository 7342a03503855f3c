/**
 * When the rounds of a line begin. Readings are taken at each multiple of the interval of the wall clock; a round that
 * ends just before such a moment gives values as fresh as can be. So the units of a line are asked in turn as long
 * before it as their last rounds took, with a margin.
 */
import type { Clock } from '../../core/clock/clock.ts';

/** So many turns of the whole line are remembered. */
const REMEMBERED = 32;
/** A round that ends too late makes a reading repeat the one before: worse than values that are older. */
const MISS_COST = 2;
/** Before anything is measured. */
const FIRST_SHARE = 0.25;
const MARGIN_SHARE = 0.1;
const MIN_MARGIN_MS = 5;
const MAX_MARGIN_MS = 100;
const MARGIN_OF_INTERVAL = 0.02;

export class RoundTiming {
  readonly #clock: Clock;
  readonly #interval_ms: number;
  readonly #margin_ms: number;
  /** How long the line took from the beginning of a turn of all units to its end, a ring. */
  readonly #taken_ms = new Float64Array(REMEMBERED);
  readonly #sorted_ms = new Float64Array(REMEMBERED);
  #turns = 0;
  #lead_ms: number;
  /** Begin of the turn that is next or under way, shared by all units. */
  #start_ms = Number.NEGATIVE_INFINITY;
  /** The turn that is being measured. */
  #measured_start_ms = Number.NaN;
  #measured_ms = 0;

  constructor(clock: Clock, interval_ms: number) {
    this.#clock = clock;
    this.#interval_ms = interval_ms;
    this.#margin_ms = Math.min(MAX_MARGIN_MS, Math.max(MIN_MARGIN_MS, MARGIN_OF_INTERVAL * interval_ms));
    this.#lead_ms = FIRST_SHARE * interval_ms;
  }

  /** How long before the moment the first unit is asked. */
  get lead_ms(): number {
    return this.#lead_ms;
  }

  /** Monotonic time at which the unit's next round is due whose last one was due at `last_ms`. May have passed. */
  nextStart(last_ms: number): number {
    // Half an interval apart at least, however the wall clock and the lead have moved meanwhile.
    const start_ms = this.#next(last_ms + this.#interval_ms / 2, this.#lead_ms);
    if (Math.abs(start_ms - this.#start_ms) >= this.#interval_ms / 4) this.#start_ms = start_ms;
    return this.#start_ms;
  }

  /** Monotonic time of the first moment from `from_ms` on: right after it the line has most time to spare. */
  nextMoment(from_ms: number): number {
    return this.#next(from_ms, 0);
  }

  /** A round that was due with the turn of `start_ms`, and began at `began_ms` to wait for the line, has ended. */
  onRound(start_ms: number, began_ms: number, now_ms: number): void {
    if (start_ms !== this.#measured_start_ms) {
      if (!Number.isNaN(this.#measured_start_ms)) this.#learn();
      this.#measured_start_ms = start_ms;
      this.#measured_ms = 0;
    }
    this.#measured_ms = Math.max(this.#measured_ms, now_ms - began_ms);
  }

  #next(from_ms: number, lead_ms: number): number {
    const mono_ms = this.#clock.monoMs();
    const start_ms = mono_ms - (this.#clock.wallMs() % this.#interval_ms) - lead_ms;
    return start_ms + Math.ceil((from_ms - start_ms) / this.#interval_ms) * this.#interval_ms;
  }

  /** The lead with which values are youngest on the whole: what is remembered says how often it would not suffice. */
  #learn(): void {
    this.#taken_ms[this.#turns++ % REMEMBERED] = this.#measured_ms;
    const known = Math.min(this.#turns, REMEMBERED);
    const sorted_ms = this.#sorted_ms.subarray(0, known);
    sorted_ms.set(this.#taken_ms.subarray(0, known));
    sorted_ms.sort();
    let best_ms = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < known; i++) {
      const misses = (known - 1 - i) / known;
      const cost = sorted_ms[i] + misses * MISS_COST * this.#interval_ms;
      if (cost >= least) continue;
      least = cost;
      best_ms = sorted_ms[i];
    }
    this.#lead_ms = best_ms * (1 + MARGIN_SHARE) + this.#margin_ms;
  }
}
