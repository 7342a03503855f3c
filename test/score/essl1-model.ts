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
