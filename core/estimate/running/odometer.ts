/**
 * What went through a pack since it was counted: charge and energy each way, and how long it stood at which temperature
 * and state of charge.
 */
import { PackMetric } from '../../metrics.ts';
import type { PackReading } from '../../reading/pack-reading.ts';
import { GAP_S } from '../series/series.ts';
import { goodValue, packTemperature } from './good-values.ts';

/** Upper ends of the bands but the last, which is open. */
export const TEMPERATURE_BANDS_C = [0, 10, 20, 30, 40, 50] as const;
export const SOC_BANDS_PCT = [20, 40, 60, 80] as const;
const ROWS = TEMPERATURE_BANDS_C.length + 1;
const COLUMNS = SOC_BANDS_PCT.length + 1;
/** Bands of hours: by temperature, in each of these by state of charge. */
export const BAND_COUNT = ROWS * COLUMNS;

/** As it is stored: version 1. Hours by band; what has no known temperature or charge is in `hours` alone. */
export interface StoredOdometer {
  readonly since_ms: number;
  readonly ah_in: number;
  readonly ah_out: number;
  readonly kwh_in: number;
  readonly kwh_out: number;
  readonly hours: number;
  readonly band_hours: readonly number[];
}

export class Odometer {
  /** Wall time of the first reading; NaN: none yet. */
  since_ms = Number.NaN;
  ah_in = 0;
  ah_out = 0;
  kwh_in = 0;
  kwh_out = 0;
  hours = 0;
  readonly band_hours = new Float64Array(BAND_COUNT);
  #last_ms = Number.NaN;
  #last_a = Number.NaN;
  #last_w = Number.NaN;

  start(): void {
    this.since_ms = Number.NaN;
    this.ah_in = this.ah_out = this.kwh_in = this.kwh_out = this.hours = 0;
    this.band_hours.fill(0);
    this.#last_ms = Number.NaN;
  }

  /** A fresh reading, judged. `soc_pct`: the best that is known; NaN: nothing is. */
  take(reading: PackReading, soc_pct: number): void {
    if (Number.isNaN(this.since_ms)) this.since_ms = reading.t_ms;
    const a = goodValue(reading, PackMetric.current_a);
    const w = a * goodValue(reading, PackMetric.voltage_v);
    const dt_s = (reading.mono_ms - this.#last_ms) / 1000;
    // What runs in a gap is counted by nobody.
    if (dt_s > 0 && dt_s <= GAP_S) {
      const hours = dt_s / 3600;
      this.hours += hours;
      this.#count((a + this.#last_a) / 2, (w + this.#last_w) / 2, hours);
      const band = bandOf(packTemperature(reading), soc_pct);
      if (band >= 0) this.band_hours[band] += hours;
    }
    this.#last_ms = reading.mono_ms;
    this.#last_a = a;
    this.#last_w = w;
  }

  toJSON(): StoredOdometer {
    const { since_ms, ah_in, ah_out, kwh_in, kwh_out, hours } = this;
    return {
      since_ms: Number.isNaN(since_ms) ? 0 : since_ms,
      ah_in: rounded(ah_in),
      ah_out: rounded(ah_out),
      kwh_in: rounded(kwh_in),
      kwh_out: rounded(kwh_out),
      hours: rounded(hours),
      band_hours: Array.from(this.band_hours, rounded),
    };
  }

  /** False: it is not one, and nothing is taken over. */
  restore(stored: StoredOdometer | undefined): boolean {
    if (!isOdometer(stored)) return false;
    this.since_ms = stored.since_ms > 0 ? stored.since_ms : Number.NaN;
    this.ah_in = stored.ah_in;
    this.ah_out = stored.ah_out;
    this.kwh_in = stored.kwh_in;
    this.kwh_out = stored.kwh_out;
    this.hours = stored.hours;
    this.band_hours.set(stored.band_hours);
    return true;
  }

  #count(a: number, w: number, hours: number): void {
    if (a > 0) this.ah_in += a * hours;
    if (a < 0) this.ah_out -= a * hours;
    if (w > 0) this.kwh_in += (w * hours) / 1000;
    if (w < 0) this.kwh_out -= (w * hours) / 1000;
  }
}

function isOdometer(stored: StoredOdometer | undefined): stored is StoredOdometer {
  if (typeof stored !== 'object' || stored === null) return false;
  const { since_ms, ah_in, ah_out, kwh_in, kwh_out, hours, band_hours } = stored;
  return (
    [since_ms, ah_in, ah_out, kwh_in, kwh_out, hours].every(isCount) &&
    Array.isArray(band_hours) &&
    band_hours.length === BAND_COUNT &&
    band_hours.every(isCount)
  );
}

const isCount = (value: unknown) => typeof value === 'number' && value >= 0;
/** Finer is noise, and takes room. */
const rounded = (value: number) => Math.round(value * 10_000) / 10_000;

function bandOf(temperature_c: number, soc_pct: number): number {
  if (Number.isNaN(temperature_c) || Number.isNaN(soc_pct)) return -1;
  return indexIn(TEMPERATURE_BANDS_C, temperature_c) * COLUMNS + indexIn(SOC_BANDS_PCT, soc_pct);
}

function indexIn(ends: readonly number[], value: number): number {
  let index = 0;
  while (index < ends.length && value >= ends[index]) index++;
  return index;
}
