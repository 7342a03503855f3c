/**
 * All cells of the fleet in columns, and how they change with time: an equivalent circuit per cell
 * (open-circuit curve, series resistance, one RC pair) with a lumped heat balance.
 * Source of the model: G. L. Plett, "Battery Management Systems, vol. 1: Battery Modeling", Artech House
 * 2015, ch. 2 (equivalent circuits, discrete RC update); Arrhenius dependence of resistance, ch. 2 and 7.
 */
import type { Random } from '../random.ts';
import type { ChemistryModel } from './chemistry.ts';

/** Time constant of the RC pair. */
export const RC_TAU_S = 60;
/** Current of a balancing resistor while it is switched on. */
export const BLEED_A = 0.1;
/** Heat capacity and heat ways per ampere hour: larger cells have more of all three. */
const HEAT_J_PER_K_AH = 20;
const TO_AMBIENT_W_PER_K_AH = 0.004;
const TO_NEIGHBOUR_W_PER_K_AH = 0.015;
const ARRHENIUS_K = 1800;
const REFERENCE_K = 298.15;
/** An overheating cell is driven towards this temperature, as by an internal short. */
const HOT_C = 75;
const HOT_W_PER_K_AH = 0.2;
/**
 * Longest step. The fastest heat time constant is HEAT / (AMBIENT + 2 NEIGHBOUR + HOT) = 85 s, so explicit
 * Euler is far from its limit; the RC pair is stepped exactly.
 */
export const MAX_STEP_S = 30;

export class CellBank {
  readonly count: number;
  /** True state of charge, 1 is full. */
  readonly soc: Float64Array;
  /** Capacity as made, in ampere seconds; a weak cell has `capacity_factor` of it. */
  readonly capacity_as: Float64Array;
  readonly temperature_c: Float64Array;
  /** Voltage at the terminals after the newest step. */
  readonly voltage_v: Float64Array;
  /** Series resistance at the present temperature and charge. */
  readonly r0_ohm: Float64Array;
  /** Voltage over the RC pair. */
  readonly rc_v: Float64Array;
  /** 1 while the balancing resistor is on. */
  readonly balancing: Uint8Array;
  readonly resistance_factor: Float64Array;
  readonly capacity_factor: Float64Array;
  readonly hot: Uint8Array;
  readonly self_discharge_a: Float64Array;
  readonly #r0_25_ohm: Float64Array;
  readonly #r1_25_ohm: Float64Array;

  constructor(count: number) {
    const column = () => new Float64Array(count);
    this.count = count;
    this.soc = column();
    this.capacity_as = column();
    this.temperature_c = column();
    this.voltage_v = column();
    this.r0_ohm = column();
    this.rc_v = column();
    this.balancing = new Uint8Array(count);
    this.resistance_factor = column().fill(1);
    this.capacity_factor = column().fill(1);
    this.hot = new Uint8Array(count);
    this.self_discharge_a = column();
    this.#r0_25_ohm = column();
    this.#r1_25_ohm = column();
  }

  /** Makes the cells `first` to `first + count - 1` with the spread of a production batch. */
  build(
    first: number,
    count: number,
    chemistry: ChemistryModel,
    capacity_ah: number,
    soc: number,
    temperature_c: number,
    random: Random,
  ): void {
    for (let c = first; c < first + count; c++) {
      this.capacity_as[c] = capacity_ah * 3600 * random.spread(0.975, 0.008);
      this.#r0_25_ohm[c] = (chemistry.r0_100ah_ohm * 100 * random.spread(1, 0.06)) / capacity_ah;
      this.#r1_25_ohm[c] = (chemistry.r1_100ah_ohm * 100 * random.spread(1, 0.06)) / capacity_ah;
      // About 2 % a month.
      this.self_discharge_a[c] = (capacity_ah * random.spread(1, 0.2)) / 36_000;
      this.soc[c] = soc + random.spread(0, 0.004);
      this.temperature_c[c] = temperature_c + random.spread(0, 0.3);
      this.#settle(c, chemistry, 0);
    }
  }

  /**
   * Moves one series string on by `dt_s` at constant current (positive while charging).
   * Stable for any `dt_s` up to MAX_STEP_S.
   */
  stepString(
    first: number,
    count: number,
    chemistry: ChemistryModel,
    current_a: number,
    dt_s: number,
    ambient_c: number,
  ): void {
    const keep = Math.exp(-dt_s / RC_TAU_S);
    const end = first + count;
    let left_c = this.temperature_c[first];
    for (let c = first; c < end; c++) {
      const factor = this.r0_ohm[c] / this.#r0_25_ohm[c];
      const capacity_as = this.capacity_as[c] * this.capacity_factor[c];
      const bleed_a = this.balancing[c] * BLEED_A;
      this.soc[c] += ((current_a - bleed_a - this.self_discharge_a[c]) * dt_s) / capacity_as;
      const r1_ohm = this.#r1_25_ohm[c] * factor;
      this.rc_v[c] = this.rc_v[c] * keep + r1_ohm * (1 - keep) * current_a;

      const here_c = this.temperature_c[c];
      const right_c = c + 1 < end ? this.temperature_c[c + 1] : here_c;
      const made_w =
        current_a * current_a * this.r0_ohm[c] +
        (this.rc_v[c] * this.rc_v[c]) / r1_ohm +
        bleed_a * this.voltage_v[c];
      const flow_w_per_ah =
        this.hot[c] * HOT_W_PER_K_AH * (HOT_C - here_c) +
        TO_AMBIENT_W_PER_K_AH * (ambient_c - here_c) +
        TO_NEIGHBOUR_W_PER_K_AH * (left_c - here_c + right_c - here_c);
      const warming_w_per_ah = (made_w * 3600) / this.capacity_as[c] + flow_w_per_ah;
      this.temperature_c[c] = here_c + (warming_w_per_ah / HEAT_J_PER_K_AH) * dt_s;
      left_c = here_c;
      this.#settle(c, chemistry, current_a);
    }
  }

  /**
   * The current (positive) at which the first cell of a string reaches `charge_v` at the end of a step:
   * constant-voltage charging. The rise of the open-circuit voltage within the step is part of it,
   * which keeps long steps from overshooting.
   */
  chargeCurrentLimit(first: number, count: number, chemistry: ChemistryModel, dt_s: number): number {
    return this.#currentTo(chemistry.limits.charge_v, 1, first, count, chemistry, dt_s);
  }

  /** The current (positive number) at which the first cell sinks to `discharge_v` at the end of a step. */
  dischargeCurrentLimit(first: number, count: number, chemistry: ChemistryModel, dt_s: number): number {
    return this.#currentTo(chemistry.limits.discharge_v, -1, first, count, chemistry, dt_s);
  }

  #currentTo(
    volt: number,
    sign: 1 | -1,
    first: number,
    count: number,
    chemistry: ChemistryModel,
    dt_s: number,
  ): number {
    const keep = Math.exp(-dt_s / RC_TAU_S);
    let least_a = Number.POSITIVE_INFINITY;
    for (let c = first; c < first + count; c++) {
      const r0_ohm = this.r0_ohm[c];
      const r1_ohm = (this.#r1_25_ohm[c] * r0_ohm) / this.#r0_25_ohm[c];
      const capacity_as = this.capacity_as[c] * this.capacity_factor[c];
      const soc = this.soc[c];
      const slope = Math.max(chemistry.ocv.slope(soc), chemistry.ocv.slope(soc + sign * 0.005));
      const room_v = sign * (volt - chemistry.ocv.volt(soc) - this.rc_v[c] * keep);
      const current_a = room_v / (r0_ohm + r1_ohm * (1 - keep) + (slope * dt_s) / capacity_as);
      if (current_a < least_a) least_a = current_a;
    }
    return Math.max(0, least_a);
  }

  /** Resistance rises when cold (Arrhenius) and near empty; then the terminal voltage follows. */
  #settle(c: number, chemistry: ChemistryModel, current_a: number): void {
    const kelvin = this.temperature_c[c] + 273.15;
    const cold = Math.exp(ARRHENIUS_K * (1 / kelvin - 1 / REFERENCE_K));
    const soc = this.soc[c];
    const empty = soc < 0.5 ? 1 + 1.5 * Math.exp(-Math.max(0, soc) / 0.06) : 1;
    this.r0_ohm[c] = this.#r0_25_ohm[c] * this.resistance_factor[c] * cold * empty;
    this.voltage_v[c] = chemistry.ocv.volt(soc) + this.r0_ohm[c] * current_a + this.rc_v[c];
  }
}
