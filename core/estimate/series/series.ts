/** A recording of one cell: columns of equal length, as a file or the gateway's history holds it. */

export interface Series {
  /** Named in messages. */
  readonly name: string;
  readonly length: number;
  /** Ascending; irregular steps and gaps are allowed. */
  readonly time_s: Float64Array;
  /** Positive while charging; NaN where it is missing, as in every column below. */
  readonly current_a: Float64Array;
  readonly voltage_v: Float64Array;
  readonly temperature_c: Float64Array;
  /** The signed ampere-hour counter of a test bench, if it has one. */
  readonly counter_ah?: Float64Array | undefined;
  /** The reference of a measured set, 0 to 1; fits and scores read it, estimators never. */
  readonly soc_ref?: Float64Array | undefined;
}

/** The rows at `rows`, in that order. */
export function pickRows(series: Series, rows: ArrayLike<number>): Series {
  const pick = (column: Float64Array) => Float64Array.from(rows, row => column[row]);
  return {
    name: series.name,
    length: rows.length,
    time_s: pick(series.time_s),
    current_a: pick(series.current_a),
    voltage_v: pick(series.voltage_v),
    temperature_c: pick(series.temperature_c),
    counter_ah: series.counter_ah && pick(series.counter_ah),
    soc_ref: series.soc_ref && pick(series.soc_ref),
  };
}

/** A step longer than this is a gap: what flowed meanwhile is not known from the currents at its ends. */
export const GAP_S = 90;

/** Ampere-hours since the first row: by the counter where there is one, else by the currents. */
export function chargeOf(series: Series): Float64Array {
  const { length, time_s, current_a, counter_ah } = series;
  const ah = new Float64Array(length);
  if (counter_ah?.every(Number.isFinite)) return counter_ah.map(value => value - counter_ah[0]);
  let last = Number.isFinite(current_a[0]) ? current_a[0] : 0;
  for (let i = 1; i < length; i++) {
    const now = Number.isFinite(current_a[i]) ? current_a[i] : last;
    const dt_s = time_s[i] - time_s[i - 1];
    const mean = dt_s > GAP_S ? Math.min(Math.abs(last), Math.abs(now)) * Math.sign(now) : (last + now) / 2;
    ah[i] = ah[i - 1] + (mean * dt_s) / 3600;
    last = now;
  }
  return ah;
}
