/** LFP from the charge traces of the ESSL1 cells (MIT): the curve is that of a C/2 charge without its drop. */
import { OCV_SOC } from '../../core/estimate/fit/model-of-fit.ts';
import type { CellModel } from '../../core/estimate/model/cell-model.ts';
import { loadRows } from './battery-data.ts';

const NOMINAL_AH = 102;
/** Usual for cells of this size; a charge at one rate does not show it. */
const SERIES_OHM = 0.0004;
const BRANCH_OHM = [0.00015, 0.00025];
const HALF_GAP_V = 0.009;
/** The first charges: the cell is new. */
const FIRST_CYCLES = 62;
const KNOTS_C = [-20, -10, 0, 10, 20, 30, 40, 50];
/** Of the resistance, at 55 °C as measured, from 25 °C. */
const PER_C = 0.025;
const MEASURED_C = 55;

export function essl1Model(): CellModel {
  const rows = loadRows('essl1_lfp_102ah/cell4_charge_traces_every20.csv').filter(
    ({ cycle }) => cycle <= FIRST_CYCLES,
  );
  const total = SERIES_OHM + BRANCH_OHM[0] + BRANCH_OHM[1];
  const hot = total * Math.exp(-PER_C * (MEASURED_C - 25));
  const middle_v = OCV_SOC.map(soc => {
    let sum = 0;
    let weight = 0;
    for (const row of rows) {
      const w = Math.exp(-0.5 * ((row.soc_ref - soc) / (soc < 0.05 || soc > 0.95 ? 0.004 : 0.012)) ** 2);
      sum += w * (row.voltage_V - row.current_A * hot - HALF_GAP_V);
      weight += w;
    }
    return sum / weight;
  });
  let last = 0;
  const rising = middle_v.map(v => {
    last = Math.max(last + 1e-5, v);
    return Number(last.toPrecision(6));
  });
  const grid = (ohm: number) =>
    KNOTS_C.map(c =>
      [0, 0.1, 1].map((_, s) =>
        Number((ohm * (s === 0 ? 1.6 : 1) * Math.exp(-PER_C * (c - 25))).toPrecision(4)),
      ),
    );
  return {
    format: 'bms-gateway-cell-model/1',
    name: 'LFP, storage cell of 102 Ah (ESSL1)',
    chemistry: 'lfp',
    origin: [
      'Curve: charge traces at C/2 of cell 4 of the ESSL1 data set of 102 Ah storage cells (MIT licence), cycles 2 to 62, less the drop over usual resistances',
      'Resistances and hysteresis: usual values',
    ],
    licence: 'MIT (ESSL1 data set)',
    verified: false,
    nominal_ah: NOMINAL_AH,
    min_v: 2.5,
    max_v: 3.75,
    capacity: { temperature_c: [25], ah: [NOMINAL_AH] },
    ocv: {
      temperature_c: [25],
      soc: [...OCV_SOC],
      middle_v: [rising],
      half_gap_v: [OCV_SOC.map(() => HALF_GAP_V)],
    },
    hysteresis_rate: 20,
    resistance: {
      temperature_c: KNOTS_C,
      soc: [0, 0.1, 1],
      series_ohm: grid(SERIES_OHM),
      branches: [
        { time_constant_s: 20, ohm: grid(BRANCH_OHM[0]) },
        { time_constant_s: 600, ohm: grid(BRANCH_OHM[1]) },
      ],
    },
    error: { temperature_c: [25], slow_v: [0.01], fast_v: [0.003], resistance_share: [0.3] },
  };
}

/**
 * For cells of any make. By what is published (M. Safari, C. Delacourt, J. Electrochem. Soc. 158 (2011) A562: LiFePO4
 * flat at 3.43 V against lithium, graphite at 0.13 V there) a cell half full stands at 3.300 V: the rest of what the
 * charge at C/2 shows above it is a drop that lasts.
 */
const HALF_FULL_V = 3.3;
const LASTING_OHM = 0.0005;

export function shippedLfp(): CellModel {
  const model = essl1Model();
  const { ocv, resistance, origin } = model;
  const [middle_v] = ocv.middle_v;
  const above_v = middle_v[ocv.soc.findIndex(soc => soc >= 0.5)] - HALF_FULL_V;
  // The ends are where the cell is, at whatever rate.
  const level_v = (soc: number) => above_v * Math.min(1, (1 - soc) / 0.03);
  let last = 0;
  const shifted = middle_v.map((v, i) => {
    last = Math.max(last + 1e-5, v - level_v(ocv.soc[i]));
    return Number(last.toPrecision(6));
  });
  const [first, second] = resistance.branches;
  const times = (BRANCH_OHM[1] + LASTING_OHM) / BRANCH_OHM[1];
  const slow = second.ohm.map(row => row.map(ohm => Number((ohm * times).toPrecision(4))));
  return {
    ...model,
    name: 'LFP with graphite, storage cell of 102 Ah',
    origin: [
      ...origin,
      'Level of the curve, and what of the drop lasts: M. Safari, C. Delacourt, J. Electrochem. Soc. 158 (2011) A562: half full at 3.300 V',
    ],
    ocv: { ...ocv, middle_v: [shifted] },
    resistance: { ...resistance, branches: [first, { ...second, ohm: slow }] },
    error: { ...model.error, resistance_share: [0.4] },
  };
}
