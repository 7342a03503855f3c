/** A cell model as data from a voltage fit, with how far it is off where it was held against measurements. */
import type { CellModel, Chemistry, Grid } from '../model/cell-model.ts';
import type { DriveRows } from './drive-rows.ts';
import type { OcvBase } from './ocv-base.ts';
import { KNOTS_C, KNOTS_SOC, type VoltageFit } from './voltage-fit.ts';

/** Dense at both ends, where curves bend. */
export const OCV_SOC: readonly number[] = [
  ...[0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08],
  ...Array.from({ length: 41 }, (_, i) => Math.round((0.1 + i * 0.02) * 1000) / 1000),
  ...[0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 1],
];

export interface FittedCell {
  readonly name: string;
  readonly chemistry: Chemistry;
  readonly origin: readonly string[];
  readonly licence: string;
  readonly nominal_ah: number;
  readonly min_v: number;
  readonly max_v: number;
  readonly capacity: CellModel['capacity'];
  readonly base: OcvBase;
  readonly fit: VoltageFit;
  readonly hysteresis_rate: number;
  readonly rows: readonly DriveRows[];
  readonly hysteresis: readonly Float64Array[];
  /** The curve is another cell's, bent: it is off for longer and further than the residuals show. */
  readonly isLent: boolean;
}

export function modelOfFit(cell: FittedCell): CellModel {
  const { base, fit } = cell;
  const temperatures = [...new Set([...KNOTS_C, ...base.temperatures_c.map(Math.round)])].sort(
    (a, b) => a - b,
  );
  const axis = (soc: number) => 1 - fit.stretch * (1 - soc);
  const middle_v = temperatures.map(c =>
    rising(OCV_SOC.map(soc => base.middleV(c, axis(soc)) + fit.correctionV(c, soc))),
  );
  const half_gap_v = temperatures.map(c =>
    OCV_SOC.map(soc => round(Math.max(0, base.halfGapV(c, axis(soc)) * fit.gap_factor), 4)),
  );
  const ohms = (element: number): Grid =>
    KNOTS_C.map(c => KNOTS_SOC.map(soc => Number(fit.ohm(element, c, soc).toPrecision(4))));
  return {
    format: 'bms-gateway-cell-model/1',
    name: cell.name,
    chemistry: cell.chemistry,
    origin: [...cell.origin],
    licence: cell.licence,
    verified: cell.rows.length > 0,
    nominal_ah: cell.nominal_ah,
    min_v: cell.min_v,
    max_v: cell.max_v,
    capacity: cell.capacity,
    ocv: { temperature_c: temperatures, soc: [...OCV_SOC], middle_v, half_gap_v },
    hysteresis_rate: cell.hysteresis_rate,
    resistance: {
      temperature_c: [...KNOTS_C],
      soc: [...KNOTS_SOC],
      series_ohm: ohms(0),
      branches: fit.time_constants_s.map((time_constant_s, i) => ({ time_constant_s, ohm: ohms(i + 1) })),
    },
    error: cell.isLent ? lentErrors(errorsOf(cell)) : errorsOf(cell),
  };
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));

/** An open-circuit voltage never falls while the cell fills. */
function rising(values: number[]): number[] {
  for (let i = 1; i < values.length; i++) values[i] = Math.max(values[i], values[i - 1] + 1e-5);
  return values.map(value => round(value, 5));
}

/** What a model is off by where nothing says so. */
const UNKNOWN_SLOW_V = 0.015;
const UNKNOWN_SHARE = 0.35;
/** No fit is better than this on another day. */
const LEAST_SLOW_V = 0.0035;
const LEAST_FAST_V = 0.002;
const LEAST_SHARE = 0.08;
const COLDER_V = 0.012;
const WARMER_V = 0.0005;
const SLOW_S = 60;

/** Residuals against a state of charge that was itself estimated look better than the model is. */
const LENT_SLOW_V = 0.01;
const LENT_SHARE = 0.12;

function lentErrors(error: CellModel['error']): CellModel['error'] {
  return {
    ...error,
    slow_v: error.slow_v.map(v => round(v + LENT_SLOW_V, 4)),
    resistance_share: error.resistance_share.map(share => Math.max(share, LENT_SHARE)),
  };
}

interface Moments {
  slow: number;
  fast: number;
  share: number;
  weight: number;
}

/** By knots of temperature; knots without measurements near them take the error of the nearest, and more. */
function errorsOf({ rows, hysteresis, fit }: FittedCell): CellModel['error'] {
  const sums: Moments[] = KNOTS_C.map(() => ({ slow: 0, fast: 0, share: 0, weight: 0 }));
  rows.forEach((drive, d) => {
    const residuals = fit.residuals(drive, hysteresis[d]);
    let mean = 0;
    for (let i = 0; i < drive.length; i++) {
      const off_v = residuals[i];
      if (Number.isNaN(off_v) || drive.soc[i] < 0.08) continue;
      const span_s = drive.span_s[i];
      mean += (off_v - mean) * Math.min(1, span_s / SLOW_S);
      const c = drive.temperature_c[i];
      const nearest = KNOTS_C.reduce(
        (best, knot, k) => (Math.abs(knot - c) < Math.abs(KNOTS_C[best] - c) ? k : best),
        0,
      );
      const sum = sums[nearest];
      const drop_v = 0.02 + Math.abs(drive.current_a[i]) * fit.ohm(0, c, drive.soc[i]);
      sum.slow += span_s * mean ** 2;
      sum.fast += span_s * (off_v - mean) ** 2;
      sum.share += span_s * Math.min(1, (off_v / drop_v) ** 2);
      sum.weight += span_s;
    }
  });
  const known = sums.map((sum, k) => ({ ...sum, k })).filter(({ weight }) => weight > 600);
  const at = (k: number) => {
    if (known.length === 0) {
      const colder = Math.max(0, (25 - KNOTS_C[k]) / 10);
      return { slow: UNKNOWN_SLOW_V + COLDER_V * colder, fast: 0.004, share: UNKNOWN_SHARE };
    }
    const near = known.reduce((best, one) => (Math.abs(one.k - k) < Math.abs(best.k - k) ? one : best));
    // Beyond the coldest and warmest of them it is an extrapolation; towards the cold it goes wrong quickly.
    const colder = Math.max(0, known[0].k - k);
    const warmer = Math.max(0, k - known[known.length - 1].k);
    const apart = Math.abs(near.k - k) + colder;
    const beyond_v = COLDER_V * colder + WARMER_V * warmer;
    const of = (sum: number) => Math.sqrt(sum / near.weight);
    return {
      slow: Math.max(LEAST_SLOW_V, of(near.slow)) * (1 + 0.4 * apart) + beyond_v,
      fast: Math.max(LEAST_FAST_V, of(near.fast)),
      share: Math.min(0.6, Math.max(LEAST_SHARE, of(near.share) / 2) + 0.12 * apart),
    };
  };
  const all = KNOTS_C.map((_, k) => at(k));
  return {
    temperature_c: [...KNOTS_C],
    slow_v: all.map(({ slow }) => round(slow, 4)),
    fast_v: all.map(({ fast }) => round(fast, 4)),
    resistance_share: all.map(({ share }) => round(share, 3)),
  };
}
