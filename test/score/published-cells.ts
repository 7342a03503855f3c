/** Cell models from published curves, not held against measurements: formulas as they stand in their sources. */

import { OCV_SOC } from '../../core/estimate/fit/model-of-fit.ts';
import type { CellModel, Chemistry } from '../../core/estimate/model/cell-model.ts';

const KNOTS_C = [-20, -10, 0, 10, 20, 30, 40, 50];
const KNOTS_SOC = [0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1];
/** Where a source gives a resistance at one temperature only: so much less a degree. */
const ARRHENIUS_PER_C = 0.03;

interface Published {
  readonly name: string;
  readonly chemistry: Chemistry;
  readonly origin: readonly string[];
  readonly nominal_ah: number;
  readonly min_v: number;
  readonly max_v: number;
  ocv(soc: number): number;
  /** At 25 °C. */
  readonly series_ohm: (soc: number) => number;
  readonly branches: readonly { readonly time_constant_s: number; readonly ohm: (soc: number) => number }[];
}

const NMC_POSITIVE = (y: number) =>
  -0.809 * y +
  4.4875 -
  0.0428 * Math.tanh(18.5138 * (y - 0.5542)) -
  17.7326 * Math.tanh(15.789 * (y - 0.3117)) +
  17.5842 * Math.tanh(15.9308 * (y - 0.312));
const NMC_532 = (y: number) =>
  4.3452 -
  1.6518 * y +
  1.6225 * y ** 2 -
  2.0843 * y ** 3 +
  3.5146 * y ** 4 -
  2.2166 * y ** 5 -
  0.5623e-4 * Math.exp(109.451 * y - 100.006);
const GRAPHITE = (x: number) =>
  0.063 +
  0.8 * Math.exp(-75 * (x + 0.007)) -
  0.012 * Math.tanh((x - 0.127) / 0.016) -
  0.0118 * Math.tanh((x - 0.155) / 0.016) -
  0.0035 * Math.tanh((x - 0.22) / 0.02) -
  0.0095 * Math.tanh((x - 0.19) / 0.013) -
  0.0145 * Math.tanh((x - 0.49) / 0.02) -
  0.08 * Math.tanh((x - 1.03) / 0.055);
const CHEN_2020 =
  'Chen, Brosa Planella, O’Regan, Gastol, Widanage, Kendrick: Development of Experimental Techniques for Parameterization of Multi-scale Lithium-ion Battery Models, J. Electrochem. Soc. 167 (2020) 080534';

const PUBLISHED: readonly Published[] = [
  {
    name: 'LCO, polymer (published)',
    chemistry: 'lco',
    origin: [
      'Chen, Rincon-Mora: Accurate Electrical Battery Model Capable of Predicting Runtime and I-V Performance, IEEE Trans. Energy Conversion 21 (2006) 504-511: curve and resistances of an 850 mAh cell',
    ],
    nominal_ah: 0.85,
    min_v: 2.7,
    max_v: 4.25,
    ocv: s => -1.031 * Math.exp(-35 * s) + 3.685 + 0.2156 * s - 0.1178 * s * s + 0.3201 * s ** 3,
    series_ohm: s => 0.1562 * Math.exp(-24.37 * s) + 0.07446,
    branches: [
      { time_constant_s: 33, ohm: s => 0.3208 * Math.exp(-29.14 * s) + 0.04669 },
      { time_constant_s: 223, ohm: s => Math.min(1, 6.603 * Math.exp(-155.2 * s)) + 0.04984 },
    ],
  },
  {
    name: 'NMC 532 with graphite (published)',
    chemistry: 'nmc',
    origin: [
      'Mohtat, Lee, Sulzer, Siegel, Stefanopoulou: Differential Expansion and Voltage Model for Li-ion Batteries at Practical Charging Rates, J. Electrochem. Soc. 167 (2020) 110561: curves and limits of the electrodes of a 5 Ah cell',
      'Resistances: usual values',
    ],
    nominal_ah: 5,
    min_v: 2.7,
    max_v: 4.25,
    ocv: s => NMC_532(0.8907 + (0.0335 - 0.8907) * s) - GRAPHITE(0.0017 + (0.8333 - 0.0017) * s),
    series_ohm: s => 0.02 * (1 + Math.exp(-20 * s)),
    branches: [
      { time_constant_s: 20, ohm: s => 0.007 * (1 + 2 * Math.exp(-15 * s)) },
      { time_constant_s: 600, ohm: s => 0.012 * (1 + 3 * Math.exp(-15 * s)) },
    ],
  },
  {
    name: 'LTO with NMC (published)',
    chemistry: 'lto',
    origin: [
      'Ohzuku, Ueda, Yamamoto: Zero-Strain Insertion Material of Li[Li1/3Ti5/3]O4, J. Electrochem. Soc. 142 (1995) 1431: flat at 1.55 V',
      `${CHEN_2020}: curve of the positive electrode`,
      'Ends of the curve and resistances: usual values',
    ],
    nominal_ah: 20,
    min_v: 1.5,
    max_v: 2.9,
    ocv: s =>
      NMC_POSITIVE(0.9084 + (0.33 - 0.9084) * s) -
      1.55 -
      0.6 * Math.exp(-40 * s) +
      0.08 * Math.exp(-40 * (1 - s)),
    series_ohm: s => 0.0008 * (1 + Math.exp(-20 * s)),
    branches: [
      { time_constant_s: 15, ohm: s => 0.0003 * (1 + Math.exp(-15 * s)) },
      { time_constant_s: 500, ohm: s => 0.0004 * (1 + Math.exp(-15 * s)) },
    ],
  },
];

const digits = (value: number, count: number) => Number(value.toPrecision(count));

export function publishedModels(): CellModel[] {
  return PUBLISHED.map(cell => {
    const grid = (ohm: (soc: number) => number) =>
      KNOTS_C.map(c => KNOTS_SOC.map(s => digits(ohm(s) * Math.exp(-ARRHENIUS_PER_C * (c - 25)), 4)));
    let last = 0;
    const middle = OCV_SOC.map(s => {
      last = Math.max(last + 1e-5, cell.ocv(s));
      return digits(last, 6);
    });
    return {
      format: 'bms-gateway-cell-model/1',
      name: cell.name,
      chemistry: cell.chemistry,
      origin: [...cell.origin],
      licence: 'facts from the publications named',
      verified: false,
      nominal_ah: cell.nominal_ah,
      min_v: cell.min_v,
      max_v: cell.max_v,
      capacity: { temperature_c: [25], ah: [cell.nominal_ah] },
      ocv: {
        temperature_c: [25],
        soc: [...OCV_SOC],
        middle_v: [middle],
        half_gap_v: [OCV_SOC.map(() => 0.004)],
      },
      hysteresis_rate: 20,
      resistance: {
        temperature_c: KNOTS_C,
        soc: KNOTS_SOC,
        series_ohm: grid(cell.series_ohm),
        branches: cell.branches.map(({ time_constant_s, ohm }) => ({ time_constant_s, ohm: grid(ohm) })),
      },
      error: { temperature_c: [25], slow_v: [0.025], fast_v: [0.005], resistance_share: [0.35] },
    };
  });
}
