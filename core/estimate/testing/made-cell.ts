/** Cells that do not exist, for tests: small models, and recordings of which the truth is known. */
import type { CellModel, Chemistry } from '../model/cell-model.ts';
import { ModelTables } from '../model/tables.ts';
import type { Series } from '../series/series.ts';

const SOC = [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1];
const CURVES: Partial<Record<Chemistry, readonly number[]>> = {
  nmc: [3.0, 3.3, 3.42, 3.52, 3.58, 3.62, 3.67, 3.76, 3.85, 3.94, 4.05, 4.1, 4.19],
  lfp: [2.6, 3.1, 3.2, 3.24, 3.27, 3.285, 3.29, 3.295, 3.315, 3.33, 3.335, 3.34, 3.5],
};

export function madeModel(chemistry: 'nmc' | 'lfp' = 'nmc', nominal_ah = 3): CellModel {
  const knots = [-20, 0, 20, 40];
  const ohm = (at_20_c: number) =>
    knots.map(c =>
      [0, 0.5, 1].map(s => (at_20_c / nominal_ah) * Math.exp(-0.03 * (c - 20)) * (s === 0 ? 1.5 : 1)),
    );
  const gap = chemistry === 'lfp' ? 0.008 : 0;
  const middle = CURVES[chemistry] ?? [];
  return {
    format: 'bms-gateway-cell-model/1',
    name: `made ${chemistry}`,
    chemistry,
    origin: ['made up for tests'],
    licence: 'none',
    verified: false,
    nominal_ah,
    min_v: 2.5,
    max_v: chemistry === 'lfp' ? 3.65 : 4.2,
    capacity: { temperature_c: [25], ah: [nominal_ah] },
    ocv: { temperature_c: [20], soc: [...SOC], middle_v: [[...middle]], half_gap_v: [SOC.map(() => gap)] },
    hysteresis_rate: 20,
    resistance: {
      temperature_c: knots,
      soc: [0, 0.5, 1],
      series_ohm: ohm(0.06),
      branches: [
        { time_constant_s: 10, ohm: ohm(0.03) },
        { time_constant_s: 200, ohm: ohm(0.04) },
      ],
    },
    error: { temperature_c: [20], slow_v: [0.004], fast_v: [0.002], resistance_share: [0.1] },
  };
}

export interface MadeLoad {
  readonly begin_soc: number;
  readonly temperature_c?: number;
  readonly dt_s?: number;
  /** True capacity over nominal. */
  readonly health?: number;
  readonly name?: string;
}

/** The recording of a cell that is what its model says, under the currents given, with the truth as reference. */
export function madeSeries(model: CellModel, currents_a: readonly number[], load: MadeLoad): Series {
  const { begin_soc, temperature_c = 20, dt_s = 1, health = 1, name = 'made' } = load;
  const tables = new ModelTables(model);
  tables.seek(temperature_c);
  const read = new Float64Array(6);
  const length = currents_a.length;
  const soc_ref = new Float64Array(length);
  const voltage_v = new Float64Array(length);
  const behind_a = [0, 0, 0];
  let soc = begin_soc;
  let h = 0;
  for (let i = 0; i < length; i++) {
    if (i > 0) {
      const a0 = currents_a[i - 1];
      const a1 = currents_a[i];
      const moved = (((a0 + a1) / 2) * dt_s) / 3600 / model.nominal_ah / health;
      soc += moved;
      const keep = Math.exp(-model.hysteresis_rate * Math.abs(moved));
      h = keep * h + (1 - keep) * Math.sign(moved);
      for (let b = 0; b < 3; b++) {
        const tau_s = tables.time_constants_s[b];
        const k = Math.exp(-dt_s / tau_s);
        behind_a[b] = k * behind_a[b] + (1 - k) * a0 + (a1 - a0) * (1 - (tau_s / dt_s) * (1 - k));
      }
    }
    tables.read(soc, read, 0);
    soc_ref[i] = soc;
    voltage_v[i] = read[0] + read[1] * h + read[2] * currents_a[i];
    for (let b = 0; b < 3; b++) voltage_v[i] += read[3 + b] * behind_a[b];
  }
  return {
    name,
    length,
    time_s: Float64Array.from({ length }, (_, i) => i * dt_s),
    current_a: Float64Array.from(currents_a),
    voltage_v,
    temperature_c: new Float64Array(length).fill(temperature_c),
    soc_ref,
  };
}

/** Hours of stops, drives and braking, the same for the same seed: mostly discharging, in C of `capacity_ah`. */
export function madeDrive(samples: number, capacity_ah: number, seed = 1): number[] {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const out: number[] = [];
  let level = 0;
  for (let i = 0; i < samples; i++) {
    if (i % 20 === 0) level = random() < 0.25 ? 0 : (random() - 0.62) * 1.6 * capacity_ah;
    out.push(level);
  }
  return out;
}
