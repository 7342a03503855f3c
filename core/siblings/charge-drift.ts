/**
 * Cells that lose charge faster than their siblings, by self-discharge or a short within: of each cell the estimated
 * state of charge against the median of its siblings, as the mean of each day, and how that falls with the days of a
 * fortnight. What all estimates of a pack are off by, they are off by alike.
 *
 * A cell of less capacity swings further with the state of charge of the pack, so that is taken out: the fall is what
 * remains beside it in a linear regression, and it has to be certain.
 */
import { DAYS_KEPT, DayMeans, dayOf, fromSteps, inSteps } from './day-means.ts';
import { medianOf, SD_PER_MAD } from './median.ts';

const SAMPLE_MS = 5 * 60_000;
/** A less certain estimate is not used. */
const MAX_SD_PCT = 3;
const LEAST_CELLS = 4;
/** Days that are looked back, that are needed, and the samples (three hours) that make one. */
const SPAN_DAYS = 14;
const ENOUGH_DAYS = 8;
const DAY_SAMPLES = 36;
/** A cell leaks that loses so many standard deviations of its siblings more, and this. */
const LEAK_SD = 6;
export const LEAK_PCT_PER_DAY = 0.1;
/** It no longer does when less than this share of that is left. */
const WELL_SHARE = 0.7;
/** Of so many of its own standard errors it must be as well. */
const SURE_SE = 6;
/** Below it cells do not differ, they are estimated. */
const LEAST_SD_PCT = 0.005;
/** Of the squares of its state of charge, in %. */
const LEAST_CHARGE_2 = 1;
const HOURS = 24;
/** Of a percent, as it is stored. */
const STEPS_PER_PCT = 1000;

export interface LeakingCell {
  /** Counting from 0. */
  readonly cell: number;
  /** Of its capacity, more than its siblings lose: above zero. */
  readonly lost_pct_per_day: number;
  /** The current that would do it. */
  readonly leak_ma: number;
  /** How much siblings differ, one standard deviation. */
  readonly usual_pct_per_day: number;
}

interface Fall {
  readonly cell: number;
  /** In % a day, and its standard error. */
  readonly slope: number;
  readonly error: number;
}

export class ChargeDrift {
  readonly #cell_count: number;
  readonly #days: DayMeans;
  readonly #deviations: Float64Array;
  readonly #known: Uint32Array;
  readonly #scratch: Float32Array;
  #sampled_ms = Number.NaN;
  #leaking: readonly LeakingCell[] = [];
  #nominal_ah = Number.NaN;

  constructor(cell_count: number) {
    this.#cell_count = cell_count;
    // The last is the median of the cells.
    this.#days = new DayMeans(cell_count + 1);
    this.#deviations = new Float64Array(cell_count + 1);
    this.#known = new Uint32Array(cell_count + 1);
    this.#known[cell_count] = 1;
    this.#scratch = new Float32Array(cell_count);
  }

  /** Cells that leak, the worst first; the same array until a day changes it. */
  get leaking(): readonly LeakingCell[] {
    return this.#leaking;
  }

  get hasAny(): boolean {
    return this.#days.numbers.some(day => !Number.isNaN(day));
  }

  /** Whether enough days are known to say something. */
  get hasEnough(): boolean {
    let days = 0;
    for (const count of this.#days.counts) if (count >= DAY_SAMPLES) days++;
    return days >= ENOUGH_DAYS;
  }

  /** Estimates of the cells and their standard deviations, in %, NaN where there is none. Samples them. */
  learn(t_ms: number, nominal_ah: number, soc_pct: Float32Array, sd_pct: Float32Array): void {
    if (Math.abs(t_ms - this.#sampled_ms) < SAMPLE_MS) return;
    const isNewDay = dayOf(t_ms) !== dayOf(this.#sampled_ms);
    this.#sampled_ms = t_ms;
    this.#nominal_ah = nominal_ah;
    if (isNewDay) this.#leaking = this.#find(dayOf(t_ms));
    let good = 0;
    for (let cell = 0; cell < this.#cell_count; cell++) {
      const isKnown = sd_pct[cell] <= MAX_SD_PCT && !Number.isNaN(soc_pct[cell]);
      this.#known[cell] = isKnown ? 1 : 0;
      if (isKnown) this.#scratch[good++] = soc_pct[cell];
    }
    if (good < LEAST_CELLS || good < this.#cell_count / 2) return;
    const median = medianOf(this.#scratch, good);
    for (let cell = 0; cell < this.#cell_count; cell++) this.#deviations[cell] = soc_pct[cell] - median;
    this.#deviations[this.#cell_count] = median;
    this.#days.add(t_ms, this.#deviations, this.#known);
  }

  /** Another pack stands in this place. */
  forget(): void {
    this.#days.forget();
    this.#leaking = [];
  }

  #find(day: number): readonly LeakingCell[] {
    const places = this.#days.placesOf(day - SPAN_DAYS, day, DAY_SAMPLES);
    const all: Fall[] = [];
    for (let cell = 0; cell < this.#cell_count; cell++) {
      const fall = this.#fallOf(cell, places);
      if (fall) all.push(fall);
    }
    if (all.length < LEAST_CELLS) return this.#leaking.length === 0 ? this.#leaking : [];
    const middle = medianOf(
      Float32Array.from(all, ({ slope }) => slope),
      all.length,
    );
    const usual = medianOf(
      Float32Array.from(all, ({ slope }) => Math.abs(slope - middle)),
      all.length,
    );
    const usual_pct_per_day = Math.max(LEAST_SD_PCT, SD_PER_MAD * usual);
    const limit = Math.max(LEAK_PCT_PER_DAY, LEAK_SD * usual_pct_per_day);
    const found = all.filter(({ cell, slope, error }) => {
      const share = this.#leaking.some(known => known.cell === cell) ? WELL_SHARE : 1;
      return middle - slope > share * Math.max(limit, SURE_SE * error);
    });
    // Where many fall, they are two groups, and neither leaks.
    if (found.length > this.#cell_count / 4) return [];
    if (found.length === 0 && this.#leaking.length === 0) return this.#leaking;
    return found
      .map(({ cell, slope }) => {
        const lost_pct_per_day = middle - slope;
        const leak_ma = ((lost_pct_per_day / 100) * this.#nominal_ah * 1000) / HOURS;
        return { cell, lost_pct_per_day, leak_ma, usual_pct_per_day };
      })
      .sort((a, b) => b.lost_pct_per_day - a.lost_pct_per_day);
  }

  /** By the day, beside what the state of charge of the pack explains; undefined: too few days are known. */
  #fallOf(cell: number, places: readonly number[]): Fall | undefined {
    const { means, numbers } = this.#days;
    const members = this.#cell_count + 1;
    const known = places.filter(at => !Number.isNaN(means[at * members + cell]));
    if (known.length < ENOUGH_DAYS) return undefined;
    const mean = (of: (at: number) => number) => known.reduce((sum, at) => sum + of(at), 0) / known.length;
    const day = (at: number) => numbers[at];
    const charge = (at: number) => means[at * members + this.#cell_count];
    const deviation = (at: number) => means[at * members + cell];
    const [day_0, charge_0, deviation_0] = [mean(day), mean(charge), mean(deviation)];
    let [dd, cc, dc, dy, cy, yy] = [0, 0, 0, 0, 0, 0];
    for (const at of known) {
      const [d, c, y] = [day(at) - day_0, charge(at) - charge_0, deviation(at) - deviation_0];
      dd += d * d;
      cc += c * c;
      dc += d * c;
      dy += d * y;
      cy += c * y;
      yy += y * y;
    }
    // A pack that is always as full: nothing of it can be explained by that.
    const charge_2 = Math.max(cc, LEAST_CHARGE_2);
    const both = dd * charge_2 - dc * dc;
    if (!(both > 0)) return undefined;
    const slope = (dy * charge_2 - cy * dc) / both;
    const of_charge = (cy * dd - dy * dc) / both;
    const left = Math.max(0, yy - slope * dy - of_charge * cy);
    return { cell, slope, error: Math.sqrt(((left / (known.length - 3)) * charge_2) / both) };
  }

  /** What a restart needs, in thousandths of a percent. */
  toJSON(): StoredDrift {
    return {
      version: 1,
      day_numbers: [...this.#days.numbers].map(day => (Number.isNaN(day) ? null : day)),
      day_samples: [...this.#days.counts],
      days: inSteps(this.#days.means, STEPS_PER_PCT),
      leaking: this.#leaking.map(({ cell }) => cell),
      nominal_ah: Number.isNaN(this.#nominal_ah) ? null : this.#nominal_ah,
    };
  }

  /** False: it is of another number of cells, or of a later version; nothing is taken over. */
  restore(stored: StoredDrift): boolean {
    const { version, day_numbers, day_samples, days, leaking, nominal_ah } = stored;
    const isWhole =
      version === 1 &&
      [day_numbers, day_samples, days, leaking].every(Array.isArray) &&
      day_numbers.length === DAYS_KEPT &&
      day_samples.length === DAYS_KEPT &&
      days.length === (this.#cell_count + 1) * DAYS_KEPT;
    if (!isWhole) return false;
    for (const [at, day] of day_numbers.entries()) {
      this.#days.numbers[at] = day ?? Number.NaN;
      this.#days.counts[at] = day_samples[at];
    }
    fromSteps(days, this.#days.means, STEPS_PER_PCT);
    this.#nominal_ah = nominal_ah ?? Number.NaN;
    // Known ones are held to less, so that a restart clears nothing.
    this.#leaking = leaking.map(cell => ({
      cell,
      lost_pct_per_day: 0,
      leak_ma: 0,
      usual_pct_per_day: 0,
    }));
    const newest = this.#days.numbers.reduce((newest, day) => (day > newest ? day : newest), -1);
    this.#leaking = this.#find(newest);
    return true;
  }
}

/** As it is stored: version 1. */
export interface StoredDrift {
  readonly version: 1;
  readonly day_numbers: readonly (number | null)[];
  readonly day_samples: readonly number[];
  /** Day by day, of each cell and then their median, in thousandths of a percent; null where nothing is known. */
  readonly days: readonly (number | null)[];
  readonly leaking: readonly number[];
  readonly nominal_ah: number | null;
}

/** "Cell 7 loses 0.31 % of its charge a day more than its siblings, as a leak of 13 mA would; they differ by 0.02 %" */
export function leakText({ cell, lost_pct_per_day, leak_ma, usual_pct_per_day }: LeakingCell): string {
  return (
    `Cell ${cell + 1} loses ${lost_pct_per_day.toFixed(2)} % of its charge a day more than its siblings, ` +
    `as a leak of ${leakSize(leak_ma)} would; they differ by ${usual_pct_per_day.toFixed(2)} %`
  );
}

export function leakSize(leak_ma: number): string {
  return `${leak_ma.toFixed(leak_ma < 9.95 ? 1 : 0)} mA`;
}
