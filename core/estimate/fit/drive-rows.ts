/** A drive or load cycle made ready for the fit: where the cell stood at each row, and its current as branches see it. */
import { chargeOf, GAP_S, type Series } from '../series/series.ts';

export interface DriveRows {
  readonly name: string;
  readonly length: number;
  readonly soc: Float64Array;
  readonly current_a: Float64Array;
  readonly voltage_v: Float64Array;
  readonly temperature_c: Float64Array;
  /** How many seconds a row stands for; 0 where it tells nothing (missing, or after a gap). */
  readonly span_s: Float64Array;
  readonly dt_s: Float64Array;
  /** The mean current since the row before, by the counter. */
  readonly mean_a: Float64Array;
}

/** So long after a gap the voltage still knows what flowed in it, and we do not. */
const SETTLE_S = 900;

/** `soc`: of each row. */
export function driveRows(series: Series, soc: Float64Array, temperature_c: number): DriveRows {
  const { length, time_s, current_a, voltage_v } = series;
  const ah = chargeOf(series);
  const span_s = new Float64Array(length);
  const dt_s = new Float64Array(length);
  const mean_a = new Float64Array(length);
  const temperature = new Float64Array(length);
  let last_c = temperature_c;
  let settled_s = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < length; i++) {
    if (Number.isFinite(series.temperature_c[i])) last_c = series.temperature_c[i];
    temperature[i] = last_c;
    dt_s[i] = i === 0 ? 0 : time_s[i] - time_s[i - 1];
    mean_a[i] = dt_s[i] > 0 ? ((ah[i] - ah[i - 1]) * 3600) / dt_s[i] : current_a[i];
    if (dt_s[i] > GAP_S && Math.abs(mean_a[i]) > 1e-3) settled_s = time_s[i] + SETTLE_S;
    const isKnown = Number.isFinite(current_a[i]) && Number.isFinite(voltage_v[i]) && Number.isFinite(soc[i]);
    if (isKnown && time_s[i] >= settled_s) span_s[i] = Math.min(Math.max(dt_s[i], 0.1), 60);
  }
  return {
    name: series.name,
    length,
    soc,
    current_a,
    voltage_v,
    temperature_c: temperature,
    span_s,
    dt_s,
    mean_a,
  };
}

/** The current behind a resistance and capacitance of `tau_s`: what the voltage of that branch follows. */
export function filteredCurrent(rows: DriveRows, tau_s: number): Float64Array {
  const filtered = new Float64Array(rows.length);
  for (let i = 1; i < rows.length; i++)
    filtered[i] = filterStep(
      filtered[i - 1],
      rows.current_a[i - 1],
      rows.current_a[i],
      rows.mean_a[i],
      rows.dt_s[i],
      tau_s,
    );
  return filtered;
}

/** Exact for a current that ran straight from `a0` to `a1`; across a gap for the mean current. */
function filterStep(f: number, a0: number, a1: number, mean_a: number, dt_s: number, tau_s: number): number {
  if (dt_s <= 0) return f;
  const keep = Math.exp(-dt_s / tau_s);
  if (dt_s > GAP_S || !Number.isFinite(a0) || !Number.isFinite(a1)) return keep * f + (1 - keep) * mean_a;
  return keep * f + (1 - keep) * a0 + (a1 - a0) * (1 - (tau_s / dt_s) * (1 - keep));
}

/** -1 on the discharge branch to 1 on the charge branch. */
export function hysteresisOf(
  rows: DriveRows,
  rate: number,
  capacity_ah: number,
  begin: number,
): Float64Array {
  const h = new Float64Array(rows.length);
  let now = begin;
  for (let i = 0; i < rows.length; i++) {
    const share = Math.abs((rows.mean_a[i] * rows.dt_s[i]) / 3600 / capacity_ah);
    const keep = Math.exp(-rate * share);
    if (Number.isFinite(keep)) now = keep * now + (1 - keep) * Math.sign(rows.mean_a[i]);
    h[i] = now;
  }
  return h;
}
