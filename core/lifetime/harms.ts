/**
 * What harms a battery, counted as it passes: how often, how long, and how far it went. The kinds are those that
 * Regulation (EU) 2023/1542, Annex VII part B (4) names: deep discharges, extreme temperatures, charging in these.
 */
import { GAP_S } from '../estimate/series/series.ts';
import { CellMetric, PackMetric } from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import { restCurrentOf } from '../reading/rest-current.ts';
import type { Edges } from './edges.ts';

export const HARMS = [
  'deep_discharge',
  'over_charge',
  'high_temperature',
  'low_temperature',
  'cold_charge',
  'hot_charge',
] as const;
export type HarmName = (typeof HARMS)[number];

export interface HarmLimit {
  /** V or °C. */
  readonly limit: number;
  /** It is over once the value is back by so much. */
  readonly hysteresis: number;
  /** While discharging it begins here: a cold cell under load sags without being empty. */
  readonly under_load?: number;
}
/** Without a limit nothing is counted. */
export type HarmLimits = { readonly [Name in HarmName]?: HarmLimit };

/** As it is stored: version 1. */
export interface StoredHarm {
  readonly count: number;
  readonly seconds: number;
  /** The furthest beyond, when (wall time), and of which cell or sensor, counting from 1; null: there was none. */
  readonly worst: number | null;
  readonly worst_ms: number | null;
  readonly worst_no: number | null;
  readonly is_on: boolean;
}
export type StoredHarms = { readonly [Name in HarmName]: StoredHarm };

class Harm {
  count = 0;
  seconds = 0;
  worst = Number.NaN;
  worst_ms = 0;
  worst_no = 0;
  is_on = false;

  /** `sign`: 1 for limits that are crossed upwards. */
  take(
    t_ms: number,
    dt_s: number,
    sign: number,
    value: number,
    no: number,
    limit: number,
    hysteresis: number,
  ) {
    if (Number.isNaN(value)) return;
    const was_on = this.is_on;
    this.is_on = sign * value > sign * limit - (was_on ? hysteresis : 0);
    // The time between two readings that both show it.
    if (was_on && this.is_on) this.seconds += dt_s;
    if (!this.is_on) return;
    if (!was_on) this.count++;
    // As it is stored, so that a restart finds it again.
    const rounded = Math.round(value * 1000) / 1000;
    if (!(sign * rounded <= sign * this.worst)) {
      this.worst = rounded;
      this.worst_ms = t_ms;
      this.worst_no = no;
    }
  }

  toJSON(): StoredHarm {
    const { count, seconds, worst, worst_ms, worst_no, is_on } = this;
    if (count === 0) return { count, seconds: 0, worst: null, worst_ms: null, worst_no: null, is_on };
    return {
      count,
      seconds: Math.round(seconds),
      worst,
      worst_ms,
      worst_no,
      is_on,
    };
  }

  restore(stored: StoredHarm): void {
    this.count = stored.count;
    this.seconds = stored.seconds;
    this.worst = stored.worst ?? Number.NaN;
    this.worst_ms = stored.worst_ms ?? 0;
    this.worst_no = stored.worst_no ?? 0;
    this.is_on = stored.is_on;
  }
}

export class Harms {
  readonly #limits: HarmLimits;
  readonly #harms = HARMS.map(() => new Harm());
  #last_ms = Number.NaN;

  constructor(limits: HarmLimits) {
    this.#limits = limits;
  }

  /** A fresh reading, judged; good values alone are taken. Allocates nothing. */
  take(reading: PackReading, edges: Edges): void {
    const { t_ms, mono_ms, values, value_quality } = reading;
    const gap_s = (mono_ms - this.#last_ms) / 1000;
    const dt_s = gap_s > 0 && gap_s <= GAP_S ? gap_s : 0;
    this.#last_ms = mono_ms;
    const voltages = reading.column(CellMetric.voltage_v);
    const hasCurrent = value_quality[PackMetric.current_a] === Quality.good;
    const current_a = values[PackMetric.current_a];
    const rest_a = restCurrentOf(reading);
    const isCharging = hasCurrent && current_a > rest_a;
    const isDischarging = hasCurrent && current_a < -rest_a;
    this.#judge(0, t_ms, dt_s, -1, voltages, edges.lowest_cell, isDischarging);
    this.#judge(1, t_ms, dt_s, 1, voltages, edges.highest_cell, false);
    this.#judge(2, t_ms, dt_s, 1, reading.sensors, edges.hottest_sensor, false);
    this.#judge(3, t_ms, dt_s, -1, reading.sensors, edges.coldest_sensor, false);
    if (isCharging) {
      this.#judge(4, t_ms, dt_s, -1, reading.sensors, edges.coldest_sensor, false);
      this.#judge(5, t_ms, dt_s, 1, reading.sensors, edges.hottest_sensor, false);
    } else if (hasCurrent) this.#harms[4].is_on = this.#harms[5].is_on = false;
  }

  toJSON(): StoredHarms {
    return Object.fromEntries(
      HARMS.map((name, i) => [name, this.#harms[i].toJSON()]),
    ) as unknown as StoredHarms;
  }

  /** False: they are none, and nothing is taken over. */
  restore(stored: StoredHarms | undefined): boolean {
    if (!stored || !HARMS.every(name => isHarm(stored[name]))) return false;
    for (const [i, name] of HARMS.entries()) this.#harms[i].restore(stored[name]);
    return true;
  }

  /** Another pack. */
  start(): void {
    for (const [i, harm] of this.#harms.entries()) harm.restore(NONE[HARMS[i]]);
    this.#last_ms = Number.NaN;
  }

  #judge(
    i: number,
    t_ms: number,
    dt_s: number,
    sign: number,
    values: ArrayLike<number>,
    at: number,
    isUnderLoad: boolean,
  ): void {
    const limit = this.#limits[HARMS[i]];
    if (!limit || at < 0) return;
    const from = isUnderLoad ? (limit.under_load ?? limit.limit) : limit.limit;
    this.#harms[i].take(t_ms, dt_s, sign, values[at], at + 1, from, limit.hysteresis);
  }
}

const NONE = new Harms({}).toJSON();

function isHarm(stored: StoredHarm | undefined): stored is StoredHarm {
  if (typeof stored !== 'object' || stored === null) return false;
  const { count, seconds, worst, worst_ms, worst_no, is_on } = stored;
  const isNumber = (value: unknown) =>
    value === null || (typeof value === 'number' && Number.isFinite(value));
  return (
    Number.isInteger(count) &&
    count >= 0 &&
    typeof seconds === 'number' &&
    seconds >= 0 &&
    [worst, worst_ms, worst_no].every(isNumber) &&
    typeof is_on === 'boolean'
  );
}
