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
import { DAYS_KEPT, DayMeans, fromSteps, inSteps } from './day-means.ts';
import { medianOf, SD_PER_MAD } from './median.ts';
import { Windows } from './windows.ts';

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
/** Of a volt, as it is stored. */
const STEPS_PER_V = 10_000;

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

export class SiblingDeviation {
  readonly #cell_count: number;
  readonly #states: readonly Windows[];
  readonly #days: DayMeans;
  readonly #scratch: Float32Array;
  readonly #medians: Float32Array;
  #window_from_ms = Number.NaN;
  #last_ms = Number.NaN;
  /** After a gap another pack may stand in this place. */
  #may_be_other = false;
  #weak: readonly WeakCell[] = [];
  /** How many times another pack was found in this place since the start. */
  swaps = 0;

  constructor(cell_count: number) {
    this.#cell_count = cell_count;
    this.#states = STATES.map(() => new Windows(cell_count, KEPT));
    this.#days = new DayMeans(cell_count);
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
    this.#days.forget();
    this.#weak = [];
  }

  #closeWindow(t_ms: number): void {
    let isNew = false;
    for (const state of this.#states) {
      if (this.#may_be_other && state.readings >= LEAST_READINGS) {
        this.#may_be_other = false;
        if (this.#isOther(state)) this.forget();
      }
      if (state.readings > 0) this.#days.add(t_ms, state.sums, state.counts);
      if (state.close(LEAST_READINGS)) isNew = true;
    }
    this.#window_from_ms = t_ms;
    if (isNew) this.#weak = this.#findWeak();
  }

  /** Whether the window under way looks nothing like those before it: cells of another pack. */
  #isOther(state: Windows): boolean {
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
        found.set(cell, { cell, state: STATES[s], deviation_v, usual_v, per_day_v: this.#days.perDay(cell) });
      }
    }
    if (found.size === 0 && this.#weak.length === 0) return this.#weak;
    // Where most are weak, none is: something else is the matter.
    if (found.size > this.#cell_count / 4) return [];
    return [...found.values()].sort((a, b) => a.deviation_v - b.deviation_v);
  }

  /** Of each cell the median over the windows; returns how much the lower cells usually differ. */
  #takeMedians(state: Windows): number {
    state.mediansInto(this.#medians, ENOUGH);
    let lower = 0;
    for (let cell = 0; cell < this.#cell_count; cell++)
      if (this.#medians[cell] <= 0) this.#scratch[lower++] = -this.#medians[cell];
    return Math.max(LEAST_SD_V, SD_PER_MAD * medianOf(this.#scratch, lower) || 0);
  }

  /** What a restart needs, as numbers of a tenth of a millivolt. */
  toJSON(): StoredDeviation {
    return {
      version: 1,
      cell_count: this.#cell_count,
      states: this.#states.map(({ means, filled, next }) => ({
        filled,
        next,
        means: inSteps(means, STEPS_PER_V),
      })),
      day_numbers: [...this.#days.numbers].map(day => (Number.isNaN(day) ? null : day)),
      days: inSteps(this.#days.means, STEPS_PER_V),
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
      fromSteps(means, state.means, STEPS_PER_V);
    }
    for (const [at, day] of day_numbers.entries()) this.#days.numbers[at] = day ?? Number.NaN;
    this.#days.counts.fill(1);
    this.#may_be_other = true;
    fromSteps(days, this.#days.means, STEPS_PER_V);
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
