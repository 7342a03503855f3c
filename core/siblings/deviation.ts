/**
 * How each cell's voltage stands against its siblings, learnt over hours: at rest, while charging and while discharging
 * apart, as a weak cell is low in one of them before it is in all. A cell is weak that is lower than its siblings by far
 * more than they differ among themselves, quarter of an hour after quarter of an hour.
 *
 * Robust in three steps. Deviations are from the median of the cells at the same moment. What is kept of 15 minutes is
 * their mean, so that cells that are read at different moments of a round, and differ under load for that alone, come out
 * even. And of the last four hours the median is taken, so that no single one decides. How much siblings differ is the
 * median absolute deviation of those that are lower than the median (Rousseeuw and Croux, Alternatives to the Median
 * Absolute Deviation, 1993, section 1): a group of cells that stands higher, of another make, makes no other cell weak.
 */
import { CellMetric, PackMetric } from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import { restCurrentOf } from '../reading/rest-current.ts';
import { medianOf, SD_PER_MAD } from './median.ts';

export const STATES = ['rest', 'charging', 'discharging'] as const;
export type CellState = (typeof STATES)[number];

const WINDOW_MS = 15 * 60_000;
/** Windows that are kept of each state. */
const KEPT = 16;
/** So many say something of a cell. */
const ENOUGH = 8;
/** Readings in a window; with fewer it does not count. */
const LEAST_READINGS = 10;
const LEAST_CELLS = 4;
/** A cell is weak that is lower than so many standard deviations of its siblings, and than this. */
const WEAK_SD = 6;
const WEAK_V = 0.02;
/** It no longer is when less than this share of that is left. */
const WELL_SHARE = 0.7;
/** Below it cells do not differ, they are measured. */
const LEAST_SD_V = 0.001;
/** What one reading may say at most. */
const MAX_DEVIATION_V = 0.5;
/** Patterns of fewer cells, or that differ less, are no face; those of one pack correlate by more than this. */
const LEAST_COMPARED = 8;
const TELLING_V = 0.002;
const SAME_PACK = 0.2;
export const DAYS_KEPT = 42;
const DAY_MS = 86_400_000;

/** Of one cell, found weak. */
export interface WeakCell {
  /** Counting from 0. */
  readonly cell: number;
  /** The state in which it is furthest from its siblings, and by how much: below zero. */
  readonly state: CellState;
  readonly deviation_v: number;
  /** How much siblings differ in that state, one standard deviation. */
  readonly usual_v: number;
  /** Of its deviation; undefined while fewer than five days are known. */
  readonly per_day_v: number | undefined;
}

/** Of one state: the newest windows, and the one under way. */
class StateWindows {
  /** Window-major. */
  readonly means: Float32Array;
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
  /** Windows kept so far, and where the next one goes. */
  filled = 0;
  next = 0;
  readings = 0;

  constructor(cell_count: number) {
    this.means = new Float32Array(cell_count * KEPT).fill(Number.NaN);
    this.sums = new Float64Array(cell_count);
    this.counts = new Uint32Array(cell_count);
  }

  add(cell: number, deviation_v: number): void {
    this.sums[cell] += deviation_v;
    this.counts[cell]++;
  }

  /** Keeps what was gathered, where it is enough, and begins the next one. */
  close(): boolean {
    const isEnough = this.readings >= LEAST_READINGS;
    if (isEnough) {
      const at = this.next * this.sums.length;
      for (let cell = 0; cell < this.sums.length; cell++)
        this.means[at + cell] = this.counts[cell] > 0 ? this.sums[cell] / this.counts[cell] : Number.NaN;
      this.next = (this.next + 1) % KEPT;
      if (this.filled < KEPT) this.filled++;
    }
    this.sums.fill(0);
    this.counts.fill(0);
    this.readings = 0;
    return isEnough;
  }

  forget(): void {
    this.means.fill(Number.NaN);
    this.filled = this.next = 0;
  }
}

export class SiblingDeviation {
  readonly #cell_count: number;
  readonly #states: readonly StateWindows[];
  /** Mean deviation of each day, day-major, as a ring. */
  readonly #days: Float32Array;
  readonly #day_numbers = new Float64Array(DAYS_KEPT).fill(Number.NaN);
  readonly #day_counts = new Uint32Array(DAYS_KEPT);
  readonly #scratch: Float32Array;
  readonly #medians: Float32Array;
  readonly #window_scratch = new Float32Array(KEPT);
  #window_from_ms = Number.NaN;
  #last_ms = Number.NaN;
  /** After a gap another pack may stand in this place. */
  #may_be_other = false;
  #weak: readonly WeakCell[] = [];
  /** How many times another pack was found in this place since the start. */
  swaps = 0;

  constructor(cell_count: number) {
    this.#cell_count = cell_count;
    this.#states = STATES.map(() => new StateWindows(cell_count));
    this.#days = new Float32Array(cell_count * DAYS_KEPT).fill(Number.NaN);
    this.#scratch = new Float32Array(cell_count);
    this.#medians = new Float32Array(cell_count);
  }

  /** Weak cells, the weakest first; the same array until a window changes it. */
  get weak(): readonly WeakCell[] {
    return this.#weak;
  }

  /** Whether anything was learnt. */
  get hasAny(): boolean {
    return this.#states.some(({ filled }) => filled > 0);
  }

  /** Whether any state was seen for long enough to judge. */
  get hasEnough(): boolean {
    return this.#states.some(({ filled }) => filled >= ENOUGH);
  }

  /** Takes a fresh reading. Allocates nothing, but when a window closes. */
  learn(reading: PackReading): void {
    const { t_ms } = reading;
    // A clock that was set back, or a gap: what was gathered is of no window.
    const hasGap = !(t_ms - this.#last_ms >= 0 && t_ms - this.#last_ms < WINDOW_MS);
    if (hasGap || t_ms - this.#window_from_ms >= WINDOW_MS) this.#closeWindow(t_ms);
    if (hasGap && !Number.isNaN(this.#last_ms)) this.#may_be_other = true;
    this.#last_ms = t_ms;
    const state = this.#states[stateOf(reading)];
    const column = reading.column(CellMetric.voltage_v);
    const quality = reading.columnQuality(CellMetric.voltage_v);
    let good = 0;
    for (let cell = 0; cell < this.#cell_count; cell++)
      if (quality[cell] === Quality.good) this.#scratch[good++] = column[cell];
    if (good < LEAST_CELLS || good < this.#cell_count / 2) return;
    const median = medianOf(this.#scratch, good);
    state.readings++;
    for (let cell = 0; cell < this.#cell_count; cell++) {
      if (quality[cell] !== Quality.good) continue;
      const deviation_v = column[cell] - median;
      state.add(cell, Math.max(-MAX_DEVIATION_V, Math.min(MAX_DEVIATION_V, deviation_v)));
    }
  }

  /** Another pack stands in this place: what was learnt is of the one before. */
  forget(): void {
    this.swaps++;
    for (const state of this.#states) state.forget();
    this.#days.fill(Number.NaN);
    this.#day_numbers.fill(Number.NaN);
    this.#weak = [];
  }

  #closeWindow(t_ms: number): void {
    let isNew = false;
    for (const state of this.#states) {
      if (this.#may_be_other && state.readings >= LEAST_READINGS) {
        this.#may_be_other = false;
        if (this.#isOther(state)) this.forget();
      }
      if (state.readings > 0) this.#takeDay(state, t_ms);
      if (state.close()) isNew = true;
    }
    this.#window_from_ms = t_ms;
    if (isNew) this.#weak = this.#findWeak();
  }

  /** Whether the window under way looks nothing like those before it: cells of another pack. */
  #isOther(state: StateWindows): boolean {
    if (state.filled < ENOUGH || this.#cell_count < LEAST_COMPARED) return false;
    this.#takeMedians(state);
    let [count, before, now, before2, now2, both] = [0, 0, 0, 0, 0, 0];
    for (let cell = 0; cell < this.#cell_count; cell++) {
      const x = this.#medians[cell];
      const y = state.sums[cell] / state.counts[cell];
      if (Number.isNaN(x) || Number.isNaN(y)) continue;
      count++;
      before += x;
      now += y;
      before2 += x * x;
      now2 += y * y;
      both += x * y;
    }
    const [spread_before, spread_now] = [before2 - before ** 2 / count, now2 - now ** 2 / count];
    // Cells that hardly differ look like any others.
    if (spread_before / count < TELLING_V ** 2 || spread_now / count < TELLING_V ** 2) return false;
    const correlation = (both - (before * now) / count) / Math.sqrt(spread_before * spread_now);
    return correlation < SAME_PACK;
  }

  #takeDay(state: StateWindows, t_ms: number): void {
    const day = Math.floor(t_ms / DAY_MS);
    const at = ((day % DAYS_KEPT) + DAYS_KEPT) % DAYS_KEPT;
    if (this.#day_numbers[at] !== day) {
      this.#day_numbers[at] = day;
      this.#day_counts[at] = 0;
      this.#days.fill(Number.NaN, at * this.#cell_count, (at + 1) * this.#cell_count);
    }
    const before = this.#day_counts[at]++;
    for (let cell = 0; cell < this.#cell_count; cell++) {
      if (state.counts[cell] === 0) continue;
      const mean = state.sums[cell] / state.counts[cell];
      const known = this.#days[at * this.#cell_count + cell];
      this.#days[at * this.#cell_count + cell] = Number.isNaN(known)
        ? mean
        : known + (mean - known) / (before + 1);
    }
  }

  #findWeak(): readonly WeakCell[] {
    const found = new Map<number, WeakCell>();
    for (const [s, state] of this.#states.entries()) {
      if (state.filled < ENOUGH) continue;
      const usual_v = this.#takeMedians(state);
      for (let cell = 0; cell < this.#cell_count; cell++) {
        const deviation_v = this.#medians[cell];
        const isKnown = this.#weak.some(weak => weak.cell === cell);
        const limit_v = Math.max(WEAK_V, WEAK_SD * usual_v) * (isKnown ? WELL_SHARE : 1);
        if (!(deviation_v < -limit_v)) continue;
        const before = found.get(cell);
        if (before && before.deviation_v <= deviation_v) continue;
        found.set(cell, { cell, state: STATES[s], deviation_v, usual_v, per_day_v: this.#perDay(cell) });
      }
    }
    if (found.size === 0 && this.#weak.length === 0) return this.#weak;
    // Where most are weak, none is: something else is the matter.
    if (found.size > this.#cell_count / 4) return [];
    return [...found.values()].sort((a, b) => a.deviation_v - b.deviation_v);
  }

  /** Of each cell the median over the windows; returns how much the lower cells usually differ. */
  #takeMedians(state: StateWindows): number {
    for (let cell = 0; cell < this.#cell_count; cell++) {
      let count = 0;
      for (let window = 0; window < state.filled; window++) {
        const mean = state.means[window * this.#cell_count + cell];
        if (!Number.isNaN(mean)) this.#window_scratch[count++] = mean;
      }
      this.#medians[cell] = count >= ENOUGH ? medianOf(this.#window_scratch, count) : Number.NaN;
    }
    let lower = 0;
    for (let cell = 0; cell < this.#cell_count; cell++)
      if (this.#medians[cell] <= 0) this.#scratch[lower++] = -this.#medians[cell];
    return Math.max(LEAST_SD_V, SD_PER_MAD * medianOf(this.#scratch, lower) || 0);
  }

  /** The median of the slopes between days (Theil and Sen), V per day. */
  #perDay(cell: number): number | undefined {
    const days: [number, number][] = [];
    for (let at = 0; at < DAYS_KEPT; at++) {
      const value = this.#days[at * this.#cell_count + cell];
      if (!Number.isNaN(value)) days.push([this.#day_numbers[at], value]);
    }
    if (days.length < 5) return undefined;
    const slopes = days.flatMap(([day, value]) =>
      days.flatMap(([later, after]) => (later > day ? [(after - value) / (later - day)] : [])),
    );
    return medianOf(Float32Array.from(slopes), slopes.length);
  }

  /** What a restart needs, as numbers of a tenth of a millivolt. */
  toJSON(): StoredDeviation {
    return {
      version: 1,
      cell_count: this.#cell_count,
      states: this.#states.map(({ means, filled, next }) => ({ filled, next, means: tenths(means) })),
      day_numbers: [...this.#day_numbers].map(day => (Number.isNaN(day) ? null : day)),
      days: tenths(this.#days),
    };
  }

  /** False: it is of another number of cells, or of a later version; nothing is taken over. */
  restore(stored: StoredDeviation): boolean {
    const { version, cell_count, states, day_numbers, days } = stored;
    const isWhole =
      version === 1 &&
      cell_count === this.#cell_count &&
      states.length === STATES.length &&
      states.every(({ means }) => means.length === cell_count * KEPT) &&
      day_numbers.length === DAYS_KEPT &&
      days.length === cell_count * DAYS_KEPT;
    if (!isWhole) return false;
    for (const [s, { filled, next, means }] of states.entries()) {
      const state = this.#states[s];
      state.filled = Math.min(filled, KEPT);
      state.next = next % KEPT;
      fromTenths(means, state.means);
    }
    for (const [at, day] of day_numbers.entries()) this.#day_numbers[at] = day ?? Number.NaN;
    this.#day_counts.fill(1);
    this.#may_be_other = true;
    fromTenths(days, this.#days);
    this.#weak = this.#findWeak();
    return true;
  }
}

/** As it is stored: version 1. Deviations in tenths of a millivolt, null where nothing is known. */
export interface StoredDeviation {
  readonly version: 1;
  readonly cell_count: number;
  readonly states: readonly {
    readonly filled: number;
    readonly next: number;
    readonly means: readonly (number | null)[];
  }[];
  readonly day_numbers: readonly (number | null)[];
  readonly days: readonly (number | null)[];
}

const tenths = (volts: Float32Array) =>
  Array.from(volts, value => (Number.isNaN(value) ? null : Math.round(value * 10_000)));

function fromTenths(stored: readonly (number | null)[], into: Float32Array): void {
  for (let i = 0; i < into.length; i++) {
    const value = stored[i];
    into[i] = typeof value === 'number' ? value / 10_000 : Number.NaN;
  }
}

/** Index into STATES. Without a good current it counts as rest: nobody knows better. */
function stateOf(reading: PackReading): number {
  if (reading.value_quality[PackMetric.current_a] !== Quality.good) return 0;
  const current_a = reading.values[PackMetric.current_a];
  const rest_a = restCurrentOf(reading);
  return current_a > rest_a ? 1 : current_a < -rest_a ? 2 : 0;
}

/** "Cell 7 stands 38 mV below its siblings while discharging (they differ by 4 mV), growing 2 mV a day". */
export function weakCellText({ cell, state, deviation_v, usual_v, per_day_v }: WeakCell): string {
  const mv = (volts: number) => `${Math.abs(volts * 1000).toFixed(Math.abs(volts) < 0.0095 ? 1 : 0)} mV`;
  const when = state === 'rest' ? 'at rest' : `while ${state}`;
  const text = `Cell ${cell + 1} stands ${mv(deviation_v)} below its siblings ${when}; they differ by ${mv(usual_v)}`;
  if (per_day_v === undefined) return text;
  if (per_day_v > -0.0002) return `${text}. It is not growing`;
  return `${text}. It grows by ${mv(per_day_v)} a day`;
}
