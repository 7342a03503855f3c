/**
 * The fit of a cell's voltage to what was measured: resistances by temperature and state of charge, and what the
 * low-rate curve must be corrected by. The current behind each branch is known once its time constant is, so that the
 * voltage is linear in everything else: one solution of least squares, with priors where the data decide nothing
 * (smooth in state of charge, Arrhenius-like in temperature, none of them negative).
 */

import { placeIn } from '../interpolate.ts';
import { type DriveRows, filteredCurrent } from './drive-rows.ts';
import { LeastSquares } from './least-squares.ts';
import type { OcvBase } from './ocv-base.ts';

export const KNOTS_C: readonly number[] = [-30, -20, -10, 0, 10, 20, 30, 40, 50] as const;
export const KNOTS_SOC: readonly number[] = [
  0, 0.03, 0.07, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 1,
];
const NC = KNOTS_C.length;
const NS = KNOTS_SOC.length;

/** Resistance follows temperature as a reaction does, where nothing was measured: activation energy over the gas constant. */
const ACTIVATION_K = 3000;
const ZERO_C_IN_K = 273.15;
const REFERENCE_K = 25 + ZERO_C_IN_K;
/** What the voltage of a good fit is off by, and for how long at a time. */
const ERROR_V = 0.005;
const CORRELATED_S = 60;
/** Of the correction to the curve: how large, and how different from knot to knot. */
const CORRECTION_V = 0.012;
const CORRECTION_STEP_V = 0.006;

export interface VoltageFit {
  readonly time_constants_s: readonly number[];
  readonly stretch: number;
  readonly cost: number;
  /** By element (0: in series, then each branch), knot of temperature and of state of charge. */
  ohm(element: number, temperature_c: number, soc: number): number;
  correctionV(temperature_c: number, soc: number): number;
  /** What the half gap is multiplied by. */
  readonly gap_factor: number;
  /** Measured minus modelled at each row. */
  residuals(rows: DriveRows, hysteresis: Float64Array): Float64Array;
}

export interface FitInput {
  readonly rows: readonly DriveRows[];
  readonly hysteresis: readonly Float64Array[];
  readonly base: OcvBase;
  /** Nominal resistance, for priors: about 50 mV at 1C. */
  readonly usual_ohm: number;
  readonly time_constants_s: readonly number[];
  /** Share of the low-rate test's axis that one of the drives' axis is. */
  readonly stretch: number;
  /** Only every so many rows: for a search. */
  readonly every: number;
  /** How far the gap between the branches may differ from that of the low-rate test, as a share. */
  readonly gap_sd: number;
  /** How much further than usual the curve may be bent. */
  readonly correction_factor: number;
}

const knot = (element: number, c: number, s: number) => (element * NC + c) * NS + s;

export function fitVoltage(input: FitInput): VoltageFit {
  const { rows, hysteresis, base, time_constants_s, stretch, every } = input;
  const elements = 1 + time_constants_s.length;
  const correction = elements;
  const gap = knot(elements + 1, 0, 0);
  const size = gap + 1;
  const filtered = rows.map(drive => time_constants_s.map(tau_s => filteredCurrent(drive, tau_s)));
  const least = new LeastSquares(size);
  const indices = new Int32Array(4 * (elements + 1) + 1);
  const factors = new Float64Array(indices.length);
  const place_c = { index: 0, share: 0 };
  const place_s = { index: 0, share: 0 };

  const equation = (drive: DriveRows, currents: readonly Float64Array[], h: number, i: number): number => {
    const { temperature_c, soc, current_a } = drive;
    placeIn(KNOTS_C, temperature_c[i], place_c);
    placeIn(KNOTS_SOC, soc[i], place_s);
    let n = 0;
    const add = (element: number, factor: number) => {
      for (let c = 0; c < 2; c++)
        for (let s = 0; s < 2; s++) {
          indices[n] = knot(element, place_c.index + c, place_s.index + s);
          factors[n++] =
            factor * (c ? place_c.share : 1 - place_c.share) * (s ? place_s.share : 1 - place_s.share);
        }
    };
    for (let element = 0; element < elements; element++) {
      const a = element === 0 ? current_a[i] : currents[element - 1][i];
      add(element, a * thermal(temperature_c[i]));
    }
    add(correction, 1);
    indices[n] = gap;
    factors[n++] = base.halfGapV(temperature_c[i], 1 - stretch * (1 - soc[i])) * h;
    return n;
  };
  const targetV = ({ voltage_v, temperature_c, soc }: DriveRows, i: number) =>
    voltage_v[i] - base.middleV(temperature_c[i], 1 - stretch * (1 - soc[i]));

  rows.forEach((drive, d) => {
    for (let i = 0; i < drive.length; i += every) {
      if (drive.span_s[i] === 0) continue;
      const n = equation(drive, filtered[d], hysteresis[d][i], i);
      const weight = (drive.span_s[i] * every) / CORRELATED_S / ERROR_V ** 2;
      least.add(indices, factors, n, targetV(drive, i), weight);
    }
  });
  addPriors(least, elements, input, gap);
  const x = solveNotNegative(least, elements);

  const modelled = (drive: DriveRows, currents: readonly Float64Array[], h: number, i: number): number => {
    const n = equation(drive, currents, h, i);
    let sum = 0;
    for (let j = 0; j < n; j++) sum += factors[j] * x[indices[j]];
    return sum;
  };
  let cost = 0;
  rows.forEach((drive, d) => {
    for (let i = 0; i < drive.length; i += every) {
      if (drive.span_s[i] === 0) continue;
      const off_v = targetV(drive, i) - modelled(drive, filtered[d], hysteresis[d][i], i);
      // Grows slower where the fit is far off: a few bad minutes must not decide.
      cost += ((drive.span_s[i] * every) / CORRELATED_S) * Math.log1p((off_v / ERROR_V) ** 2);
    }
  });
  const at = (element: number, temperature_c: number, soc: number) => {
    placeIn(KNOTS_C, temperature_c, place_c);
    placeIn(KNOTS_SOC, soc, place_s);
    const { index: c, share: u } = place_c;
    const { index: s, share: v } = place_s;
    const row = (k: number) => x[knot(element, k, s)] * (1 - v) + x[knot(element, k, s + 1)] * v;
    return row(c) * (1 - u) + row(c + 1) * u;
  };
  return {
    time_constants_s,
    stretch,
    cost,
    ohm: (element, temperature_c, soc) =>
      Math.max(0, at(element, temperature_c, soc)) * thermal(temperature_c),
    correctionV: (temperature_c, soc) => at(correction, temperature_c, soc),
    gap_factor: x[gap],
    residuals(drive, h) {
      const currents = time_constants_s.map(tau_s => filteredCurrent(drive, tau_s));
      return Float64Array.from({ length: drive.length }, (_, i) =>
        drive.span_s[i] === 0 ? Number.NaN : targetV(drive, i) - modelled(drive, currents, h[i], i),
      );
    },
  };
}

const thermal = (temperature_c: number) =>
  Math.exp(ACTIVATION_K * (1 / (temperature_c + ZERO_C_IN_K) - 1 / REFERENCE_K));

function addPriors(least: LeastSquares, elements: number, input: FitInput, gap: number): void {
  const { usual_ohm, gap_sd, correction_factor: bend } = input;
  const prior = (indices: number[], factors: number[], value: number, sd: number) =>
    least.add(indices, factors, indices.length, value, 1 / sd ** 2);
  for (let element = 0; element <= elements; element++) {
    const isCorrection = element === elements;
    const usual = isCorrection ? 0 : element === 0 ? usual_ohm / 2 : usual_ohm / 2 / (elements - 1);
    const size = isCorrection ? CORRECTION_V * bend : usual * 2;
    const step_s = isCorrection ? CORRECTION_STEP_V * bend : usual * 0.1;
    const step_c = isCorrection ? (CORRECTION_V * bend) / 3 : usual * 0.4;
    for (let c = 0; c < NC; c++)
      for (let s = 0; s < NS; s++) {
        prior([knot(element, c, s)], [1], usual, size);
        if (s > 0 && s < NS - 1)
          prior(
            [knot(element, c, s - 1), knot(element, c, s), knot(element, c, s + 1)],
            [0.5, -1, 0.5],
            0,
            step_s,
          );
        if (c > 0) prior([knot(element, c - 1, s), knot(element, c, s)], [-1, 1], 0, step_c * 1.5);
        if (c > 0 && c < NC - 1)
          prior(
            [knot(element, c - 1, s), knot(element, c, s), knot(element, c + 1, s)],
            [0.5, -1, 0.5],
            0,
            step_c / 2,
          );
      }
  }
  prior([gap], [1], 1, gap_sd);
}

/** Again with those at zero that came out below it. */
function solveNotNegative(least: LeastSquares, elements: number): Float64Array {
  let x = least.solve();
  for (let round = 0; round < 6; round++) {
    let added = 0;
    for (let i = 0; i < knot(elements, 0, 0); i++) {
      if (x[i] >= -1e-6) continue;
      least.add([i], [1], 1, 0, 1e12);
      added++;
    }
    if (added === 0) break;
    x = least.solve();
  }
  return x;
}
