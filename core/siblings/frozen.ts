/**
 * Values that have stopped moving while their siblings in the pack go on: a sensor that hangs, a converter that
 * repeats itself. Held against what is usual for this device: the least step by which its values move, and how often
 * each of them does. Typed arrays only; nothing is allocated by an observation.
 */
import { Quality } from '../reading/quality.ts';

/** Still for a shorter time is no matter. */
const LEAST_MS = 5 * 60_000;
/** One that was never seen to move may be a cell on the flat of its curve. */
const LEAST_MS_UNSEEN = 30 * 60_000;
/** It should have moved so many times meanwhile, by how often it used to. */
const MOVES_MISSED = 12;
/** New values at which the neighbours must have stood elsewhere: one outlier of all is none. */
const LEAST_AWAY = 5;
/** Steps of the device by which the neighbours must have moved away. */
const AWAY_STEPS = 4;
const MIN_CELLS = 3;
/** Weight of the newest in how often a value moves. */
const LEARNING = 1 / 16;

export class FrozenWatch {
  /** 1 for each value that is held to be frozen. */
  readonly frozen: Uint8Array;
  /** How many are. */
  count = 0;
  /** Monotonic time at which each value was reported that has not moved since; NaN: never reported. */
  readonly since_ms: Float64Array;
  readonly #least_move: number;
  readonly #resolution: number;
  readonly #held: Float32Array;
  readonly #updated_ms: Float64Array;
  readonly #still: Uint32Array;
  readonly #moves_per_update: Float32Array;
  readonly #median_then: Float32Array;
  readonly #away: Uint32Array;
  readonly #sorted: Float32Array;
  /** The least step seen of any value: what this device resolves. */
  #step = Number.POSITIVE_INFINITY;
  #good = 0;

  /** `least_move`: the neighbours must move by this at least; `resolution`: less is no movement. Both in the values' unit. */
  constructor(length: number, least_move: number, resolution: number) {
    this.#least_move = least_move;
    this.#resolution = resolution;
    this.frozen = new Uint8Array(length);
    this.since_ms = new Float64Array(length).fill(Number.NaN);
    this.#held = new Float32Array(length);
    this.#updated_ms = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
    this.#still = new Uint32Array(length);
    this.#moves_per_update = new Float32Array(length);
    this.#median_then = new Float32Array(length);
    this.#away = new Uint32Array(length);
    this.#sorted = new Float32Array(length);
  }

  /** Takes the values of one moment; `updated_ms`: when each was reported. What was not updated is no sign of anything. */
  observe(values: Float32Array, quality: Uint8Array, updated_ms: Float64Array): void {
    const median = this.#median(values, quality);
    if (Number.isNaN(median)) return;
    const away = Math.max(this.#least_move, AWAY_STEPS * this.#step);
    for (let i = 0; i < values.length; i++) {
      if (quality[i] !== Quality.good || updated_ms[i] <= this.#updated_ms[i]) continue;
      this.#updated_ms[i] = updated_ms[i];
      const moved = Math.abs(values[i] - this.#held[i]);
      if (Number.isNaN(this.since_ms[i])) this.#hold(i, values[i], median, updated_ms[i]);
      else if (moved >= this.#resolution / 2) {
        if (moved < this.#step) this.#step = moved;
        const rate = 1 / (this.#still[i] + 1);
        const known = this.#moves_per_update[i];
        this.#moves_per_update[i] = known === 0 ? rate : known + (rate - known) * LEARNING;
        this.#hold(i, values[i], median, updated_ms[i]);
      } else {
        this.#still[i]++;
        const gone = Math.abs(median - this.#median_then[i]);
        if (gone < away) continue;
        this.#away[i]++;
        if (this.frozen[i] || this.#away[i] < LEAST_AWAY) continue;
        if (
          this.#isOverdue(i, updated_ms[i] - this.since_ms[i], gone / away) &&
          this.#standsApart(values[i], median)
        ) {
          this.frozen[i] = 1;
          this.count++;
        }
      }
    }
  }

  #isOverdue(i: number, still_ms: number, times_away: number): boolean {
    const rate = this.#moves_per_update[i];
    if (rate === 0) return still_ms >= LEAST_MS_UNSEEN && times_away >= 3;
    return still_ms >= LEAST_MS && this.#still[i] * rate >= MOVES_MISSED;
  }

  /** One that says what its neighbours say is not held to be wrong. */
  #standsApart(value: number, median: number): boolean {
    return Math.abs(value - median) > 2.5 * this.#step;
  }

  #hold(i: number, value: number, median: number, updated_ms: number): void {
    this.count -= this.frozen[i];
    this.frozen[i] = 0;
    this.since_ms[i] = updated_ms;
    this.#held[i] = value;
    this.#still[i] = 0;
    this.#away[i] = 0;
    this.#median_then[i] = median;
  }

  /** Of the good values; NaN while they are too few, or others than before. */
  #median(values: Float32Array, quality: Uint8Array): number {
    let good = 0;
    for (let i = 0; i < values.length; i++) {
      const isGood = quality[i] === Quality.good;
      this.#sorted[i] = isGood ? values[i] : Number.POSITIVE_INFINITY;
      if (isGood) good++;
    }
    if (good < MIN_CELLS) return Number.NaN;
    this.#sorted.sort();
    const median = this.#sorted[(good - 1) >> 1];
    if (good !== this.#good) {
      this.#good = good;
      // The middle of other values is no movement.
      this.#median_then.fill(median);
      this.#away.fill(0);
    }
    return median;
  }
}
