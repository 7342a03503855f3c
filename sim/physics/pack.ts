/**
 * One pack: a series string in the cell bank and the BMS that watches it. The BMS knows only what it
 * measures; what is really so stays in `truth`.
 */

import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { DeviceAlarmLevel, PackReading, type PackShape } from '../../core/reading/pack-reading.ts';
import type { Random } from '../random.ts';
import { type AlarmCondition, alarmConditions } from './alarms.ts';
import type { CellBank } from './cell-bank.ts';
import type { ChemistryModel } from './chemistry.ts';
import { fillMeasured, fillTruth, type Sensing } from './sensing.ts';
import { SensorPlacement } from './sensors.ts';

/** Largest current either way, as a fraction of the capacity per hour. */
export const MAX_C_RATE = 0.5;
const OVER_TEMPERATURE_C = [50, 55, 65] as const;
const RECLOSE_BELOW_C = 55;
const UNDER_TEMPERATURE_C = [3, 0] as const;
/** Below this the site leaves the rest of the charge for emergencies. */
const RESERVE_SOC = 0.15;

export interface PackBuild {
  readonly pack: number;
  readonly shape: PackShape;
  /** First cell of the string in the bank. */
  readonly first: number;
  readonly chemistry: ChemistryModel;
  readonly capacity_ah: number;
  readonly sensor_of_cell: readonly number[] | undefined;
  readonly random: Random;
}

export class SimulatedPack implements Sensing {
  readonly bank: CellBank;
  readonly first: number;
  readonly count: number;
  readonly chemistry: ChemistryModel;
  readonly capacity_ah: number;
  readonly random: Random;
  /** What is so: no noise, no rounding, no stuck sensor. */
  readonly truth: PackReading;
  /** What the BMS measures and reports: noise, converter steps, its own estimates. */
  readonly measured: PackReading;
  /** 1 where the measuring channel of a cell is frozen. */
  readonly stuck: Uint8Array;
  readonly stuck_sensor: Uint8Array;
  readonly placement: SensorPlacement;
  current_a = 0;
  contactor_closed = true;
  charge_limit_a = 0;
  discharge_limit_a = 0;
  /** The BMS's own count, 1 is full; drifts with its current sensor until a full charge sets it right. */
  soc_estimate: number;
  /** Full capacity and health as the BMS learnt them at its newest full charge. */
  learnt_capacity_ah: number;
  cycles: number;
  readonly current_gain: number;
  readonly #conditions: readonly AlarmCondition[];

  constructor(bank: CellBank, build: PackBuild) {
    const { shape, random } = build;
    this.bank = bank;
    this.first = build.first;
    this.count = shape.cell_count;
    this.chemistry = build.chemistry;
    this.capacity_ah = build.capacity_ah;
    this.random = random;
    this.truth = new PackReading(build.pack, shape);
    this.measured = new PackReading(build.pack, shape);
    this.stuck = new Uint8Array(this.count);
    this.stuck_sensor = new Uint8Array(shape.sensor_count);
    this.placement = new SensorPlacement(shape, build.sensor_of_cell);
    this.#conditions = alarmConditions(shape.device_alarms);
    this.current_gain = random.spread(1, 0.002);
    this.cycles = Math.floor(random.between(20, 400));
    this.learnt_capacity_ah = this.trueCapacityAh();
    this.soc_estimate = clamp(this.trueSoc() + random.spread(0, 0.005), 0, 1);
  }

  /**
   * Charge left over charge when full, as the string can really use it: the emptiest cell ends the
   * discharge, the fullest ends the charge.
   */
  trueSoc(): number {
    const left = this.#leastLeftAs();
    return clamp(left / (left + this.#leastRoomAs()), 0, 1);
  }

  trueCapacityAh(): number {
    return Math.max(0, this.#leastLeftAs() + this.#leastRoomAs()) / 3600;
  }

  /** Renews the limits for the coming step of `dt_s`; the load keeps within them. */
  updateLimits(dt_s: number): void {
    const { bank, first, count, chemistry } = this;
    const most_a = this.capacity_ah * MAX_C_RATE;
    const hottest_c = this.measured.values[PackMetric.cell_temperature_max_c];
    const coldest_c = this.measured.values[PackMetric.cell_temperature_min_c];
    const cooling = this.contactor_closed ? ramp(hottest_c, OVER_TEMPERATURE_C[1], 45) : 0;
    const warm = ramp(coldest_c, 0, 10);
    this.charge_limit_a =
      cooling && warm
        ? Math.min(most_a * cooling * warm, bank.chargeCurrentLimit(first, count, chemistry, dt_s))
        : 0;
    const reserve = ramp(this.soc_estimate, RESERVE_SOC, RESERVE_SOC + 0.08);
    this.discharge_limit_a =
      cooling && reserve
        ? Math.min(most_a * cooling * reserve, bank.dischargeCurrentLimit(first, count, chemistry, dt_s))
        : 0;
  }

  /** Moves the string on by one step (at most MAX_STEP_S) at the wanted current, kept within the limits. */
  step(wanted_a: number, dt_s: number, ambient_c: number): void {
    this.current_a = clamp(wanted_a, -this.discharge_limit_a, this.charge_limit_a);
    this.bank.stepString(this.first, this.count, this.chemistry, this.current_a, dt_s, ambient_c);
    const moved_ah = (this.current_a * this.current_gain * dt_s) / 3600;
    this.soc_estimate = clamp(this.soc_estimate + moved_ah / this.learnt_capacity_ah, 0, 1);
    this.cycles += Math.abs(this.current_a * dt_s) / 3600 / (2 * this.capacity_ah);
    this.#learnAtFull();
  }

  /** Takes a measurement of everything, then lets the BMS act on it: balancing, contactor, alarms. */
  measure(t_ms: number, mono_ms: number): void {
    stamp(this.truth, t_ms, mono_ms);
    stamp(this.measured, t_ms, mono_ms);
    fillTruth(this);
    fillMeasured(this);
    this.#switchContactor();
    this.#switchBalancing();
    this.#setAlarms();
  }

  /** Sum of the cells' series resistances. */
  resistanceOhm(): number {
    let sum = 0;
    for (let c = this.first; c < this.first + this.count; c++) sum += this.bank.r0_ohm[c];
    return sum;
  }

  /** Freezes the measuring channels of a cell, that of its temperature sensor with it. */
  freeze(cell: number): void {
    this.stuck[cell] = 1;
    const sensor = this.placement.sensor_of_cell[cell];
    if (sensor >= 0) this.stuck_sensor[sensor] = 1;
  }

  unfreeze(): void {
    this.stuck.fill(0);
    this.stuck_sensor.fill(0);
  }

  #switchContactor(): void {
    const { values } = this.measured;
    const { over_v, under_v } = this.chemistry.limits;
    const highest_v = values[PackMetric.cell_voltage_max_v];
    const lowest_v = values[PackMetric.cell_voltage_min_v];
    const hottest_c = values[PackMetric.cell_temperature_max_c];
    if (highest_v > over_v[2] || lowest_v < under_v[2] || hottest_c > OVER_TEMPERATURE_C[2])
      this.contactor_closed = false;
    else if (highest_v < over_v[0] && lowest_v > under_v[0] && hottest_c < RECLOSE_BELOW_C)
      this.contactor_closed = true;
  }

  /** Passive balancing: near the top the cells above the lowest are bled until they are alike. */
  #switchBalancing(): void {
    const { bank, first, count, measured } = this;
    const voltage = measured.column(CellMetric.voltage_v);
    const lowest_v = measured.values[PackMetric.cell_voltage_min_v];
    const above_v = this.chemistry.limits.balance_above_v;
    for (let c = 0; c < count; c++) {
      const spread_v = voltage[c] - lowest_v;
      const on = bank.balancing[first + c] === 1;
      bank.balancing[first + c] = voltage[c] > above_v && spread_v > (on ? 0.005 : 0.01) ? 1 : 0;
    }
  }

  #setAlarms(): void {
    const levels = this.measured.device_alarm_level;
    for (let i = 0; i < levels.length; i++) levels[i] = this.#levelOf(this.#conditions[i]);
    this.truth.device_alarm_level.set(levels);
  }

  #levelOf(condition: AlarmCondition): number {
    const { values } = this.measured;
    const { over_v, under_v } = this.chemistry.limits;
    const { count } = this;
    switch (condition) {
      case 'cell_over_voltage':
        return above(values[PackMetric.cell_voltage_max_v], over_v[0], over_v[1]);
      case 'cell_under_voltage':
        return above(-values[PackMetric.cell_voltage_min_v], -under_v[0], -under_v[1]);
      case 'pack_over_voltage':
        return above(values[PackMetric.voltage_v], over_v[0] * count, over_v[1] * count);
      case 'pack_under_voltage':
        return above(-values[PackMetric.voltage_v], -under_v[0] * count, -under_v[1] * count);
      case 'cell_imbalance': {
        const spread_v = values[PackMetric.cell_voltage_max_v] - values[PackMetric.cell_voltage_min_v];
        return above(spread_v, 0.2, 0.4);
      }
      case 'over_temperature':
        return above(values[PackMetric.cell_temperature_max_c], OVER_TEMPERATURE_C[0], OVER_TEMPERATURE_C[1]);
      case 'under_temperature':
        return above(
          -values[PackMetric.cell_temperature_min_c],
          -UNDER_TEMPERATURE_C[0],
          -UNDER_TEMPERATURE_C[1],
        );
      case 'temperature_difference': {
        const apart_c = values[PackMetric.cell_temperature_max_c] - values[PackMetric.cell_temperature_min_c];
        return above(apart_c, 15, 25);
      }
      case 'soc_low':
        return above(-values[PackMetric.soc_pct], -8, -4);
      case 'charge_over_current':
        return above(values[PackMetric.current_a], 1.1 * MAX_C_RATE * this.capacity_ah, this.capacity_ah);
      case 'discharge_over_current':
        return above(-values[PackMetric.current_a], 1.1 * MAX_C_RATE * this.capacity_ah, this.capacity_ah);
      case 'contactor_open':
        return this.contactor_closed ? DeviceAlarmLevel.none : DeviceAlarmLevel.alarm;
      case 'never':
        return DeviceAlarmLevel.none;
    }
  }

  /** A nearly full, nearly currentless pack gives the BMS its charge, capacity and health. */
  #learnAtFull(): void {
    if (Math.abs(this.current_a) > 0.03 * this.capacity_ah || this.trueSoc() < 0.985) return;
    this.soc_estimate += 0.05 * (this.trueSoc() - this.soc_estimate);
    this.learnt_capacity_ah += 0.05 * (this.trueCapacityAh() - this.learnt_capacity_ah);
  }

  #leastLeftAs(): number {
    const { bank } = this;
    let least = Number.POSITIVE_INFINITY;
    for (let c = this.first; c < this.first + this.count; c++)
      least = Math.min(least, bank.soc[c] * bank.capacity_as[c] * bank.capacity_factor[c]);
    return least;
  }

  #leastRoomAs(): number {
    const { bank } = this;
    let least = Number.POSITIVE_INFINITY;
    for (let c = this.first; c < this.first + this.count; c++)
      least = Math.min(least, (1 - bank.soc[c]) * bank.capacity_as[c] * bank.capacity_factor[c]);
    return least;
  }
}

function stamp(reading: PackReading, t_ms: number, mono_ms: number): void {
  reading.t_ms = t_ms;
  reading.mono_ms = mono_ms;
}

function above(value: number, warning: number, alarm: number): number {
  if (value > alarm) return DeviceAlarmLevel.alarm;
  return value > warning ? DeviceAlarmLevel.warning : DeviceAlarmLevel.none;
}

/** 0 at `zero_at` and beyond it, 1 at `one_at` and beyond, straight between. */
function ramp(value: number, zero_at: number, one_at: number): number {
  return clamp((value - zero_at) / (one_at - zero_at), 0, 1);
}

function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
