/** The open-circuit curve as low-rate tests show it: the middle of its branches and half the gap, over temperature. */

import { placeIn } from '../interpolate.ts';
import type { Chemistry } from '../model/cell-model.ts';
import type { Branch, OcvTest } from './low-rate.ts';

/** Steps of the grid below; from -10 % to 105 %. */
const STEP = 0.0025;
const BEGIN = -0.1;
const COUNT = 461;

/** Where only one branch was measured; V. */
const USUAL_HALF_GAP_V: Readonly<Record<Chemistry, number>> = {
  lfp: 0.01,
  nmc: 0.004,
  nca: 0.004,
  lco: 0.004,
  lmo: 0.004,
  lto: 0.005,
};

interface Curve {
  readonly temperature_c: number;
  readonly middle_v: Float64Array;
  readonly half_gap_v: Float64Array;
}

export class OcvBase {
  readonly #curves: readonly Curve[];
  readonly #temperatures: readonly number[];
  readonly #place = { index: 0, share: 0 };

  /** `ohm`: the resistance to a steady current, which the tests' own currents are corrected by. */
  constructor(
    tests: readonly OcvTest[],
    chemistry: Chemistry,
    ohm: (temperature_c: number, soc: number) => number,
  ) {
    const byTemperature = Map.groupBy(tests, ({ temperature_c }) => Math.round(temperature_c));
    this.#curves = [...byTemperature.values()]
      .map(group => meanCurve(group.map(test => curveOf(test, chemistry, ohm))))
      .sort((a, b) => a.temperature_c - b.temperature_c);
    this.#temperatures = this.#curves.map(({ temperature_c }) => temperature_c);
  }

  get temperatures_c(): readonly number[] {
    return this.#temperatures;
  }

  middleV(temperature_c: number, soc: number): number {
    return this.#at('middle_v', temperature_c, soc);
  }

  halfGapV(temperature_c: number, soc: number): number {
    return this.#at('half_gap_v', temperature_c, soc);
  }

  #at(what: 'middle_v' | 'half_gap_v', temperature_c: number, soc: number): number {
    placeIn(this.#temperatures, temperature_c, this.#place);
    const { index, share } = this.#place;
    const x = Math.min(COUNT - 1.0001, Math.max(0, (soc - BEGIN) / STEP));
    const i = Math.floor(x);
    const below = line(this.#curves[index][what], i, x - i);
    return share === 0 ? below : below * (1 - share) + line(this.#curves[index + 1][what], i, x - i) * share;
  }
}

const line = (values: Float64Array, i: number, share: number) =>
  values[i] * (1 - share) + values[i + 1] * share;

function curveOf(
  test: OcvTest,
  chemistry: Chemistry,
  ohm: (temperature_c: number, soc: number) => number,
): Curve {
  const { temperature_c, discharge, charge } = test;
  const down = discharge && onGrid(discharge, soc => ohm(temperature_c, soc));
  const up = charge && onGrid(charge, soc => ohm(temperature_c, soc));
  const middle_v = new Float64Array(COUNT);
  const half_gap_v = new Float64Array(COUNT);
  const usual = USUAL_HALF_GAP_V[chemistry];
  for (let i = 0; i < COUNT; i++) {
    const low = down?.[i] ?? Number.NaN;
    const high = up?.[i] ?? Number.NaN;
    half_gap_v[i] = Number.isFinite(low + high) ? Math.min(0.06, Math.max(0, (high - low) / 2)) : Number.NaN;
    middle_v[i] = Number.isFinite(low) ? low : high;
  }
  fill(half_gap_v, usual);
  for (let i = 0; i < COUNT; i++)
    middle_v[i] += Number.isFinite(down?.[i] ?? Number.NaN) ? half_gap_v[i] : -half_gap_v[i];
  extend(middle_v);
  return { temperature_c, middle_v, half_gap_v };
}

/** Without the drop of its own current; NaN where the branch was not measured. */
function onGrid(branch: Branch, ohm: (soc: number) => number): Float64Array {
  const { soc, voltage_v, current_a } = branch;
  const out = new Float64Array(COUNT).fill(Number.NaN);
  const last = soc.length - 1;
  let at = 0;
  for (let i = 0; i < COUNT; i++) {
    const s = BEGIN + i * STEP;
    if (s < soc[0] - 1e-9 || s > soc[last] + 1e-9) continue;
    while (at < last - 1 && soc[at + 1] < s) at++;
    const width = soc[at + 1] - soc[at];
    const share = width > 0 ? Math.min(1, Math.max(0, (s - soc[at]) / width)) : 0;
    out[i] = voltage_v[at] * (1 - share) + voltage_v[at + 1] * share - current_a * ohm(s);
  }
  return out;
}

/** The nearest known value; `usual` where there is none at all. */
function fill(values: Float64Array, usual: number): void {
  let known = values.find(value => Number.isFinite(value)) ?? usual;
  for (let i = 0; i < values.length; i++)
    if (Number.isFinite(values[i])) known = values[i];
    else values[i] = known;
}

/** Goes on beyond both ends with the slope that it has there. */
function extend(values: Float64Array): void {
  let first = values.findIndex(value => Number.isFinite(value));
  let last = values.findLastIndex(value => Number.isFinite(value));
  if (first < 0) return;
  first = Math.min(first, last - 8);
  last = Math.max(last, first + 8);
  const low = Math.max(0, (values[first + 8] - values[first]) / 8);
  const high = Math.max(0, (values[last] - values[last - 8]) / 8);
  for (let i = first - 1; i >= 0; i--) values[i] = values[i + 1] - low;
  for (let i = last + 1; i < values.length; i++) values[i] = values[i - 1] + high;
}

function meanCurve(curves: readonly Curve[]): Curve {
  const mean = (of: (curve: Curve) => Float64Array) =>
    Float64Array.from(
      { length: COUNT },
      (_, i) => curves.reduce((sum, curve) => sum + of(curve)[i], 0) / curves.length,
    );
  return {
    temperature_c: curves.reduce((sum, { temperature_c }) => sum + temperature_c, 0) / curves.length,
    middle_v: mean(curve => curve.middle_v),
    half_gap_v: mean(curve => curve.half_gap_v),
  };
}
