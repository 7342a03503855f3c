/**
 * From cells to readings: `fillTruth` writes what is so, `fillMeasured` what the BMS's converters make of
 * it (noise, steps of 1 mV, 0.1 °C and 0.1 A) and what it derives from its own measurements.
 */
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import type { Random } from '../random.ts';
import type { CellBank } from './cell-bank.ts';
import type { ChemistryModel } from './chemistry.ts';
import type { SensorPlacement } from './sensors.ts';

const CELL_NOISE_V = 0.0005;
const TEMPERATURE_NOISE_C = 0.05;
const CURRENT_NOISE_A_PER_AH = 0.0005;

/** What a pack shows its sensors. */
export interface Sensing {
  readonly bank: CellBank;
  readonly first: number;
  readonly count: number;
  readonly chemistry: ChemistryModel;
  readonly capacity_ah: number;
  readonly random: Random;
  readonly truth: PackReading;
  readonly measured: PackReading;
  readonly stuck: Uint8Array;
  readonly stuck_sensor: Uint8Array;
  readonly placement: SensorPlacement;
  readonly current_a: number;
  readonly current_gain: number;
  readonly contactor_closed: boolean;
  readonly charge_limit_a: number;
  readonly discharge_limit_a: number;
  readonly soc_estimate: number;
  readonly learnt_capacity_ah: number;
  readonly cycles: number;
  trueSoc(): number;
  trueCapacityAh(): number;
}

export function fillTruth(pack: Sensing): void {
  const { bank, first, count, truth } = pack;
  const voltage = truth.column(CellMetric.voltage_v);
  const temperature = truth.column(CellMetric.temperature_c);
  const soc = truth.column(CellMetric.soc_pct);
  const soh = truth.column(CellMetric.soh_pct);
  const balancing = truth.column(CellMetric.balancing);
  for (let i = 0, c = first; i < count; i++, c++) {
    voltage[i] = bank.voltage_v[c];
    temperature[i] = bank.temperature_c[c];
    soc[i] = Math.max(0, Math.min(100, bank.soc[c] * 100));
    soh[i] = (bank.capacity_as[c] * bank.capacity_factor[c]) / (36 * pack.capacity_ah);
    balancing[i] = bank.balancing[c];
  }
  pack.placement.feel(temperature, truth.sensors);
  const { values } = truth;
  values[PackMetric.voltage_v] = sum(voltage);
  values[PackMetric.current_a] = pack.current_a;
  values[PackMetric.soc_pct] = pack.trueSoc() * 100;
  values[PackMetric.soh_pct] = lowest(soh);
  values[PackMetric.capacity_full_ah] = pack.trueCapacityAh();
  fillCommon(pack, truth);
}

export function fillMeasured(pack: Sensing): void {
  const { random, truth, measured } = pack;
  const { is_configured, sensor_of_cell } = pack.placement;
  const { sensors } = measured;
  for (let s = 0; s < sensors.length; s++) {
    const noisy_c = truth.sensors[s] + TEMPERATURE_NOISE_C * random.normal();
    if (!pack.stuck_sensor[s]) sensors[s] = Math.round(noisy_c * 10) / 10;
  }
  const voltage = measured.column(CellMetric.voltage_v);
  const temperature = measured.column(CellMetric.temperature_c);
  const true_voltage = truth.column(CellMetric.voltage_v);
  const true_temperature = truth.column(CellMetric.temperature_c);
  for (let i = 0; i < voltage.length; i++) {
    const noisy_v = true_voltage[i] + CELL_NOISE_V * random.normal();
    const noisy_c = true_temperature[i] + TEMPERATURE_NOISE_C * random.normal();
    if (is_configured && sensor_of_cell[i] >= 0) temperature[i] = sensors[sensor_of_cell[i]];
    else if (!pack.stuck[i]) temperature[i] = Math.round(noisy_c * 10) / 10;
    if (!pack.stuck[i]) voltage[i] = Math.round(noisy_v * 1000) / 1000;
  }
  measured.column(CellMetric.soc_pct).set(truth.column(CellMetric.soc_pct));
  measured.column(CellMetric.soh_pct).set(truth.column(CellMetric.soh_pct));
  measured.column(CellMetric.balancing).set(truth.column(CellMetric.balancing));

  const { values } = measured;
  const noisy_a =
    pack.current_a * pack.current_gain + CURRENT_NOISE_A_PER_AH * pack.capacity_ah * random.normal();
  values[PackMetric.voltage_v] = Math.round(sum(voltage) * 100) / 100;
  values[PackMetric.current_a] = Math.round(noisy_a * 10) / 10;
  values[PackMetric.soc_pct] = pack.soc_estimate * 100;
  values[PackMetric.soh_pct] = Math.min(100, (100 * pack.learnt_capacity_ah) / pack.capacity_ah);
  values[PackMetric.capacity_full_ah] = pack.learnt_capacity_ah;
  fillCommon(pack, measured);
}

/** What follows from the columns and limits alike in truth and measurement. */
function fillCommon(pack: Sensing, reading: PackReading): void {
  const { values } = reading;
  const voltage = reading.column(CellMetric.voltage_v);
  const temperature = reading.column(CellMetric.temperature_c);
  const { limits } = pack.chemistry;
  values[PackMetric.temperature_c] = sum(temperature) / temperature.length;
  values[PackMetric.cell_voltage_min_v] = lowest(voltage);
  values[PackMetric.cell_voltage_max_v] = highest(voltage);
  values[PackMetric.cell_temperature_min_c] = lowest(temperature);
  values[PackMetric.cell_temperature_max_c] = highest(temperature);
  values[PackMetric.charge_voltage_limit_v] = limits.charge_v * pack.count;
  values[PackMetric.discharge_voltage_limit_v] = limits.discharge_v * pack.count;
  values[PackMetric.charge_current_limit_a] = pack.charge_limit_a;
  values[PackMetric.discharge_current_limit_a] = pack.discharge_limit_a;
  values[PackMetric.capacity_remaining_ah] =
    (values[PackMetric.soc_pct] / 100) * values[PackMetric.capacity_full_ah];
  values[PackMetric.cycle_count] = Math.floor(pack.cycles);
  values[PackMetric.charge_enabled] = pack.contactor_closed && pack.charge_limit_a > 0 ? 1 : 0;
  values[PackMetric.discharge_enabled] = pack.contactor_closed && pack.discharge_limit_a > 0 ? 1 : 0;
  // What this battery does not measure stays missing.
  for (let m = 0; m < values.length; m++)
    reading.value_quality[m] = Number.isNaN(values[m]) ? Quality.missing : Quality.good;
  for (let i = 0; i < reading.cells.length; i++)
    reading.cell_quality[i] = Number.isNaN(reading.cells[i]) ? Quality.missing : Quality.good;
  reading.sensor_quality.fill(Quality.good);
}

function sum(column: Float32Array): number {
  let total = 0;
  for (let i = 0; i < column.length; i++) total += column[i];
  return total;
}

function lowest(column: Float32Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < column.length; i++) if (column[i] < least) least = column[i];
  return least;
}

function highest(column: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < column.length; i++) if (column[i] > most) most = column[i];
  return most;
}
