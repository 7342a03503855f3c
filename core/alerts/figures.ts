/**
 * What rules judge, taken from a reading once, whatever the number of rules: extremes of the cells, and what is derived
 * from the values of a pack. Good values alone; NaN: there is none. Allocates nothing.
 */
import {
  CELL_METRICS,
  CellMetric,
  type CellMetricName,
  decimalsOf,
  PACK_METRICS,
  PackMetric,
} from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import { restCurrentOf } from '../reading/rest-current.ts';
import { DERIVED, type DerivedName } from './derived.ts';
import type { Condition, During, Limit, LimitTable, ThresholdRule } from './rule.ts';
import { isTable } from './rule.ts';

/** What a rule judges, in words and with its unit. */
export function ruleQuantity({ on }: Pick<ThresholdRule, 'on'>): {
  label: string;
  unit: string;
  decimals: number;
} {
  if (on.metric in DERIVED) return DERIVED[on.metric as DerivedName];
  const metric =
    on.scope === 'cell'
      ? CELL_METRICS[CellMetric[on.metric]]
      : PACK_METRICS[PackMetric[on.metric as keyof typeof PackMetric]];
  return { label: metric.label.toLowerCase(), unit: metric.unit, decimals: Math.min(3, decimalsOf(metric)) };
}

/** What a device reports of its cells together, where it reports no single cell: [lowest, highest]. */
const REPORTED_EXTREMES: Partial<Record<CellMetricName, readonly [number, number]>> = {
  voltage_v: [PackMetric.cell_voltage_min_v, PackMetric.cell_voltage_max_v],
  temperature_c: [PackMetric.cell_temperature_min_c, PackMetric.cell_temperature_max_c],
};
const CELL_NAMES = Object.keys(CellMetric) as CellMetricName[];

/** What a rule judges, looked up once: names cost more than the judging. */
export interface Figure {
  readonly of: 'lowest' | 'highest' | 'pack' | DerivedName;
  /** CellMetric of the extremes, PackMetric of the pack. */
  readonly metric: number;
}

export interface CauseCell {
  /** Counting from 0. */
  readonly cell: number;
  /** CellMetric of the value. */
  readonly metric: number;
  readonly value: number;
}
export interface Causes extends CauseCell {
  readonly other?: CauseCell | undefined;
}

/** A limit, likewise. */
export type ReadyLimit =
  | number
  | { readonly metric: number; readonly times: number; readonly plus: number }
  | LimitTable;

export function readyLimit(limit: Limit): ReadyLimit {
  if (typeof limit === 'number' || isTable(limit)) return limit;
  return { metric: PackMetric[limit.of], times: limit.times, plus: limit.plus ?? 0 };
}

export function figureOf({ on, direction }: Pick<ThresholdRule, 'on' | 'direction'>): Figure {
  if (on.scope === 'cell')
    return { of: direction === 'above' ? 'highest' : 'lowest', metric: CellMetric[on.metric] };
  return isDerived(on.metric) ? { of: on.metric, metric: -1 } : { of: 'pack', metric: PackMetric[on.metric] };
}

/** Voltages have settled by then, as far as a comparison of cells needs it. */
const REST_MS = 60_000;
/** An estimate lies within so many standard deviations. */
const SD_OF_BAND = 2;
/** Over so long a rise is measured. */
const RISE_MS = 60_000;

export class PackFigures {
  /** By CellMetric. */
  readonly #lowest = new Float64Array(CELL_METRICS.length);
  readonly #highest = new Float64Array(CELL_METRICS.length);
  readonly #lowest_cell = new Int32Array(CELL_METRICS.length);
  readonly #highest_cell = new Int32Array(CELL_METRICS.length);
  readonly #good_count = new Int32Array(CELL_METRICS.length);
  #metrics: readonly number[] = [];
  #reading: PackReading | undefined;
  #current_a = Number.NaN;
  #rest_a = Number.NaN;
  #rest_since_ms = Number.NaN;
  #rise_from_ms = Number.NaN;
  #rise_from_c = Number.NaN;
  #rise_c_per_min = Number.NaN;

  constructor() {
    this.#lowest.fill(Number.NaN);
    this.#highest.fill(Number.NaN);
  }

  /** CellMetrics that rules judge. */
  judgeCells(metrics: readonly number[]): void {
    this.#metrics = [...new Set([CellMetric.voltage_v, CellMetric.temperature_c, ...metrics])];
  }

  /** Takes the figures of a reading, which must stay as it is until the next call. */
  take(reading: PackReading): void {
    this.#reading = reading;
    for (let i = 0; i < this.#metrics.length; i++) this.#takeExtremes(reading, this.#metrics[i]);
    this.#current_a = this.pack(PackMetric.current_a);
    this.#rest_a = restCurrentOf(reading);
    // Without a current nobody knows: neither rest nor load.
    if (!(Math.abs(this.#current_a) <= this.#rest_a)) this.#rest_since_ms = Number.NaN;
    else if (Number.isNaN(this.#rest_since_ms)) this.#rest_since_ms = reading.mono_ms;
    this.#takeRise(reading.mono_ms);
  }

  /** The value that a rule judges: the one furthest towards its limits. */
  value({ of, metric }: Figure): number {
    if (of === 'highest') return this.#highest[metric];
    if (of === 'lowest') return this.#lowest[metric];
    return of === 'pack' ? this.pack(metric) : this.#derived(of);
  }

  /** The cell it belongs to, counting from 0; -1: the pack. */
  cell({ of, metric }: Figure): number {
    if (of === 'highest') return this.#highest_cell[metric];
    return of === 'lowest' ? this.#lowest_cell[metric] : -1;
  }

  /** The cells that a figure of the whole pack comes from: the one to look at first, and the other end of a spread. */
  causes({ of }: Figure): Causes | undefined {
    const { voltage_v, temperature_c } = CellMetric;
    if (of === 'temperature_rise_c_per_min')
      return this.#end(temperature_c, this.#highest_cell[temperature_c]);
    if (of !== 'cell_voltage_spread_v' && of !== 'cell_temperature_spread_c') return undefined;
    const metric = of === 'cell_voltage_spread_v' ? voltage_v : temperature_c;
    const [low, high] = [this.#lowest_cell[metric], this.#highest_cell[metric]];
    // Of temperatures the hot end is the one that matters; of voltages the one that stands alone.
    const middle = (this.#highest[metric] + this.#lowest[metric]) / 2;
    const isHigh = metric === temperature_c || this.#mean(metric) < middle;
    const first = this.#end(metric, isHigh ? high : low);
    return first && { ...first, other: this.#end(metric, isHigh ? low : high) };
  }

  #end(metric: number, cell: number): CauseCell | undefined {
    const reading = this.#reading;
    return reading && cell >= 0 ? { cell, metric, value: reading.column(metric)[cell] } : undefined;
  }

  /** Of good values. */
  #mean(metric: number): number {
    const reading = this.#reading;
    if (!reading) return Number.NaN;
    const quality = reading.columnQuality(metric);
    let sum = 0;
    for (const [cell, value] of reading.column(metric).entries())
      if (quality[cell] === Quality.good) sum += value;
    return sum / this.#good_count[metric];
  }

  /** How many cells lie beyond a limit. */
  cellsBeyond({ of, metric }: Figure, limit: number): number {
    const reading = this.#reading;
    if (!reading || (of !== 'highest' && of !== 'lowest')) return 0;
    const column = reading.column(metric);
    const quality = reading.columnQuality(metric);
    let beyond = 0;
    for (let cell = 0; cell < column.length; cell++)
      if (quality[cell] === Quality.good && (of === 'highest' ? column[cell] > limit : column[cell] < limit))
        beyond++;
    return beyond;
  }

  /** A value of the pack, of good quality. */
  pack(metric: number): number {
    const reading = this.#reading;
    return reading?.value_quality[metric] === Quality.good ? reading.values[metric] : Number.NaN;
  }

  /** Undefined: nobody knows, as there is no good current. */
  isDuring(during: During): boolean | undefined {
    const current_a = this.#current_a;
    const rest_a = this.#rest_a;
    if (Number.isNaN(current_a)) return undefined;
    if (during === 'charging') return current_a > rest_a;
    if (during === 'discharging') return current_a < -rest_a;
    if (during === 'load') return Math.abs(current_a) > rest_a;
    return this.#reading !== undefined && this.#reading.mono_ms - this.#rest_since_ms >= REST_MS;
  }

  /** What a limit is at this moment for a value of `cell`; NaN: what it depends on is not known. */
  limit(limit: ReadyLimit, cell: number): number {
    if (typeof limit === 'number') return limit;
    if ('metric' in limit) return this.pack(limit.metric) * limit.times + limit.plus;
    const first = this.#condition(limit.over[0], cell);
    const second = limit.over.length > 1 ? this.#condition(limit.over[1], cell) : 0;
    if (Number.isNaN(first) || Number.isNaN(second)) return limit.otherwise ?? Number.NaN;
    return tableLimit(limit, first, second);
  }

  #condition(condition: Condition, cell: number): number {
    if (condition === 'current_a') return this.#current_a;
    if (condition === 'c_rate') return this.#current_a / this.pack(PackMetric.capacity_full_ah);
    if (condition === 'soc_pct') return this.pack(PackMetric.soc_pct);
    const reading = this.#reading;
    const own = CellMetric.temperature_c;
    if (cell >= 0 && reading?.columnQuality(own)[cell] === Quality.good) return reading.column(own)[cell];
    const of_pack = this.pack(PackMetric.temperature_c);
    return Number.isNaN(of_pack) ? this.#lowest[own] : of_pack;
  }

  #derived(name: DerivedName): number {
    const { voltage_v, temperature_c } = CellMetric;
    if (name === 'cell_voltage_spread_v') return this.#spread(voltage_v);
    if (name === 'cell_temperature_spread_c') return this.#spread(temperature_c);
    if (name === 'temperature_rise_c_per_min') return this.#rise_c_per_min;
    if (name === 'charge_current_a') return Math.max(0, this.#current_a);
    if (name === 'discharge_current_a') return Math.max(0, -this.#current_a);
    if (name === 'soc_apart_pct') return this.#socApart();
    const reading = this.#reading;
    if (!reading) return Number.NaN;
    return (
      untrusted(reading.value_quality) + untrusted(reading.cell_quality) + untrusted(reading.sensor_quality)
    );
  }

  /** How far the device's figure lies outside of what the estimate allows. */
  #socApart(): number {
    const apart = Math.abs(this.pack(PackMetric.soc_pct) - this.pack(PackMetric.estimated_soc_pct));
    const beyond = apart - SD_OF_BAND * this.pack(PackMetric.estimated_soc_sd_pct);
    return Number.isNaN(beyond) ? Number.NaN : Math.max(0, beyond);
  }

  /** Of one cell alone there is none. */
  #spread(metric: number): number {
    return this.#good_count[metric] === 1 ? Number.NaN : this.#highest[metric] - this.#lowest[metric];
  }

  #takeExtremes(reading: PackReading, metric: number): void {
    const column = reading.column(metric);
    const quality = reading.columnQuality(metric);
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    let lowest_cell = -1;
    let highest_cell = -1;
    let good = 0;
    for (let cell = 0; cell < column.length; cell++) {
      if (quality[cell] !== Quality.good) continue;
      const value = column[cell];
      good++;
      if (value < lowest) {
        lowest = value;
        lowest_cell = cell;
      }
      if (value > highest) {
        highest = value;
        highest_cell = cell;
      }
    }
    const reported = lowest_cell < 0 ? REPORTED_EXTREMES[CELL_NAMES[metric]] : undefined;
    this.#lowest[metric] = lowest_cell >= 0 ? lowest : reported ? this.pack(reported[0]) : Number.NaN;
    this.#highest[metric] = lowest_cell >= 0 ? highest : reported ? this.pack(reported[1]) : Number.NaN;
    this.#good_count[metric] = good;
    this.#lowest_cell[metric] = lowest_cell;
    this.#highest_cell[metric] = highest_cell;
  }

  #takeRise(mono_ms: number): void {
    const hottest = this.#highest[CellMetric.temperature_c];
    const now_c = Number.isNaN(hottest) ? this.pack(PackMetric.temperature_c) : hottest;
    const passed_ms = mono_ms - this.#rise_from_ms;
    if (passed_ms < RISE_MS) return;
    // After a gap nobody knows how the temperature came about.
    this.#rise_c_per_min =
      passed_ms < 3 * RISE_MS ? ((now_c - this.#rise_from_c) / passed_ms) * 60_000 : Number.NaN;
    this.#rise_from_ms = mono_ms;
    this.#rise_from_c = now_c;
  }
}

function isDerived(metric: string): metric is DerivedName {
  return metric in DERIVED;
}

function untrusted(quality: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < quality.length; i++)
    if (quality[i] === Quality.stale || quality[i] === Quality.suspect) count++;
  return count;
}

/** Linear between the values of a table, at its edge beyond it. */
function tableLimit({ at, limits }: LimitTable, first: number, second: number): number {
  const row = indexBefore(at[0], first);
  const share = shareBetween(at[0], row, first);
  const next = Math.min(row + 1, at[0].length - 1);
  return (1 - share) * rowLimit(at, limits[row], second) + share * rowLimit(at, limits[next], second);
}

function rowLimit(
  at: readonly (readonly number[])[],
  row: number | readonly number[],
  second: number,
): number {
  if (typeof row === 'number') return row;
  const column = indexBefore(at[1], second);
  const share = shareBetween(at[1], column, second);
  return (1 - share) * row[column] + share * row[Math.min(column + 1, row.length - 1)];
}

function indexBefore(values: readonly number[], value: number): number {
  let index = 0;
  while (index < values.length - 1 && values[index + 1] <= value) index++;
  return index;
}

function shareBetween(values: readonly number[], index: number, value: number): number {
  if (index >= values.length - 1 || value <= values[index]) return 0;
  return (value - values[index]) / (values[index + 1] - values[index]);
}
