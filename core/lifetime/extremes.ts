/** The highest and lowest of what a pack ever showed, with when and where: good values alone. */
import { CellMetric, PackMetric } from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import type { Edges } from './edges.ts';

export const EXTREMES = [
  'cell_voltage_v',
  'temperature_c',
  'pack_voltage_v',
  'current_a',
  'soc_pct',
  'cell_spread_v',
] as const;
export type ExtremeName = (typeof EXTREMES)[number];

/** As it is stored: version 1. `no`: of which cell or sensor, counting from 1; null: of the pack. */
export interface StoredExtreme {
  readonly value: number;
  readonly t_ms: number;
  readonly no: number | null;
}
export type StoredExtremes = {
  readonly [Name in ExtremeName]: {
    readonly lowest: StoredExtreme | null;
    readonly highest: StoredExtreme | null;
  };
};

const SIDES = [
  ['lowest', -1],
  ['highest', 1],
] as const;
const SLOTS = EXTREMES.length * SIDES.length;
const PACK_VALUES = [
  [2, PackMetric.voltage_v],
  [3, PackMetric.current_a],
  [4, PackMetric.soc_pct],
] as const;
const SPREAD = 5;

export class Extremes {
  /** By extreme, lowest and highest. */
  readonly #values = new Float64Array(SLOTS).fill(Number.NaN);
  readonly #times_ms = new Float64Array(SLOTS);
  readonly #numbers = new Uint16Array(SLOTS);

  /** A fresh reading, judged. Allocates nothing. */
  take(reading: PackReading, edges: Edges): void {
    const { t_ms, values, value_quality, sensors } = reading;
    const { lowest_cell: low, highest_cell: high, coldest_sensor, hottest_sensor } = edges;
    const voltages = reading.column(CellMetric.voltage_v);
    this.#takeBoth(0, t_ms, voltages, low, high);
    this.#takeBoth(1, t_ms, sensors, coldest_sensor, hottest_sensor);
    for (const [i, metric] of PACK_VALUES)
      if (value_quality[metric] === Quality.good)
        for (let side = 0; side < 2; side++) this.#keep(i, side, t_ms, values[metric], 0);
    if (low >= 0 && low !== high)
      for (let side = 0; side < 2; side++)
        this.#keep(SPREAD, side, t_ms, voltages[high] - voltages[low], low + 1);
  }

  toJSON(): StoredExtremes {
    return Object.fromEntries(
      EXTREMES.map((name, i) => [name, { lowest: this.#stored(i, 0), highest: this.#stored(i, 1) }]),
    ) as unknown as StoredExtremes;
  }

  /** False: they are none, and nothing is taken over. */
  restore(stored: StoredExtremes | undefined): boolean {
    if (!stored || !EXTREMES.every(name => SIDES.every(([side]) => isExtreme(stored[name]?.[side]))))
      return false;
    for (const [i, name] of EXTREMES.entries())
      for (const [s, [side]] of SIDES.entries()) {
        const one = stored[name][side];
        const at = i * SIDES.length + s;
        this.#values[at] = one?.value ?? Number.NaN;
        this.#times_ms[at] = one?.t_ms ?? 0;
        this.#numbers[at] = one?.no ?? 0;
      }
    return true;
  }

  /** Another pack. */
  start(): void {
    this.#values.fill(Number.NaN);
  }

  #takeBoth(i: number, t_ms: number, values: ArrayLike<number>, low: number, high: number): void {
    if (low < 0) return;
    this.#keep(i, 0, t_ms, values[low], low + 1);
    this.#keep(i, 1, t_ms, values[high], high + 1);
  }

  #keep(i: number, side: number, t_ms: number, value: number, no: number): void {
    const at = i * SIDES.length + side;
    const sign = SIDES[side][1];
    // As it is stored, so that a restart finds it again.
    const rounded = Math.round(value * 10_000) / 10_000;
    if (sign * rounded <= sign * this.#values[at]) return;
    this.#values[at] = rounded;
    this.#times_ms[at] = t_ms;
    this.#numbers[at] = no;
  }

  #stored(i: number, side: number): StoredExtreme | null {
    const at = i * SIDES.length + side;
    if (Number.isNaN(this.#values[at])) return null;
    const no = this.#numbers[at] === 0 ? null : this.#numbers[at];
    return { value: this.#values[at], t_ms: this.#times_ms[at], no };
  }
}

function isExtreme(stored: StoredExtreme | null | undefined): boolean {
  if (stored === null) return true;
  return (
    typeof stored === 'object' &&
    Number.isFinite(stored.value) &&
    Number.isFinite(stored.t_ms) &&
    (stored.no === null || Number.isInteger(stored.no))
  );
}
