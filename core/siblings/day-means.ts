/** Of each member the mean of each day, for weeks: what trends are made of, and what is judged by days. */
import { medianOf } from './median.ts';

export const DAYS_KEPT = 42;
const DAY_MS = 86_400_000;
/** A trend needs so many. */
const TREND_DAYS = 5;

export const dayOf = (t_ms: number) => Math.floor(t_ms / DAY_MS);

export class DayMeans {
  readonly #members: number;
  /** Day-major, as a ring. */
  readonly means: Float32Array;
  readonly numbers = new Float64Array(DAYS_KEPT).fill(Number.NaN);
  /** Windows that went into a day. */
  readonly counts = new Uint32Array(DAYS_KEPT);

  constructor(member_count: number) {
    this.#members = member_count;
    this.means = new Float32Array(member_count * DAYS_KEPT).fill(Number.NaN);
  }

  /** A window of this day, as sums and counts by member. */
  add(t_ms: number, sums: Float64Array, counts: Uint32Array): void {
    const day = dayOf(t_ms);
    const at = ((day % DAYS_KEPT) + DAYS_KEPT) % DAYS_KEPT;
    if (this.numbers[at] !== day) {
      this.numbers[at] = day;
      this.counts[at] = 0;
      this.means.fill(Number.NaN, at * this.#members, (at + 1) * this.#members);
    }
    const before = this.counts[at]++;
    for (let member = 0; member < this.#members; member++) {
      if (counts[member] === 0) continue;
      const mean = sums[member] / counts[member];
      const known = this.means[at * this.#members + member];
      this.means[at * this.#members + member] = Number.isNaN(known)
        ? mean
        : known + (mean - known) / (before + 1);
    }
  }

  /** Days before `day`, at most `days` before it, that are made of enough windows: the median of each member over them. */
  mediansInto(medians: Float32Array, day: number, days: number, enough: number, least_windows: number): void {
    const scratch = new Float32Array(days);
    const places = this.placesOf(day - days, day, least_windows);
    for (let member = 0; member < this.#members; member++) {
      let count = 0;
      for (const at of places) {
        const mean = this.means[at * this.#members + member];
        if (!Number.isNaN(mean)) scratch[count++] = mean;
      }
      medians[member] = count >= enough ? medianOf(scratch, count) : Number.NaN;
    }
  }

  /** Where the days stand, from `from_day` on and before `to_day`, that are made of enough windows. */
  placesOf(from_day: number, to_day: number, least_windows: number): number[] {
    const places: number[] = [];
    for (let at = 0; at < DAYS_KEPT; at++)
      if (this.numbers[at] >= from_day && this.numbers[at] < to_day && this.counts[at] >= least_windows)
        places.push(at);
    return places;
  }

  /** The median of the slopes between days (Theil and Sen); undefined while too few are known. */
  perDay(member: number): number | undefined {
    const days: [number, number][] = [];
    for (let at = 0; at < DAYS_KEPT; at++) {
      const value = this.means[at * this.#members + member];
      if (!Number.isNaN(value)) days.push([this.numbers[at], value]);
    }
    if (days.length < TREND_DAYS) return undefined;
    const slopes = days.flatMap(([day, value]) =>
      days.flatMap(([later, after]) => (later > day ? [(after - value) / (later - day)] : [])),
    );
    return medianOf(Float32Array.from(slopes), slopes.length);
  }

  forget(): void {
    this.means.fill(Number.NaN);
    this.numbers.fill(Number.NaN);
    this.counts.fill(0);
  }
}

/** As whole numbers of a step, null where nothing is known: shorter in a document than what floats look like. */
export function inSteps(values: Float32Array, steps_per_unit: number): (number | null)[] {
  return Array.from(values, value => (Number.isNaN(value) ? null : Math.round(value * steps_per_unit)));
}

export function fromSteps(
  stored: readonly (number | null)[],
  into: Float32Array,
  steps_per_unit: number,
): void {
  for (let i = 0; i < into.length; i++) {
    const value = stored[i];
    into[i] = typeof value === 'number' ? value / steps_per_unit : Number.NaN;
  }
}
