/**
 * The one table of quantities: unit, plausible range, resolution, label. It drives plausibility checks,
 * storage, the HTTP contract, the page and the docs. Current is positive while charging, everywhere.
 *
 * The order of each list is the storage order: append only, never insert or reorder, and never change a resolution
 * (core/reading/reading-format.ts). A quantity appended here also needs its column at the centre (migrations/postgres).
 */
export interface Metric {
  readonly name: string;
  readonly label: string;
  readonly unit: string;
  /** Smallest step kept in storage and shown; vendor resolutions are coarser or equal. */
  readonly resolution: number;
  /** What physics and the electronics of a battery allow; a value outside is kept and marked suspect. */
  readonly min: number;
  readonly max: number;
}

const metric = <Name extends string>(
  name: Name,
  label: string,
  unit: string,
  resolution: number,
  min: number,
  max: number,
): Metric & { readonly name: Name } => ({
  name,
  label,
  unit,
  resolution,
  min,
  max,
});

/** Quantities of a whole pack. */
export const PACK_METRICS = [
  metric('voltage_v', 'Voltage', 'V', 0.01, 0, 2000),
  metric('current_a', 'Current', 'A', 0.01, -10000, 10000),
  metric('temperature_c', 'Temperature', '°C', 0.1, -60, 150),
  metric('soc_pct', 'State of charge', '%', 0.01, 0, 100),
  metric('soh_pct', 'State of health', '%', 0.1, 0, 110),
  metric('cell_voltage_min_v', 'Lowest cell voltage', 'V', 0.0001, 0.5, 5),
  metric('cell_voltage_max_v', 'Highest cell voltage', 'V', 0.0001, 0.5, 5),
  metric('cell_temperature_min_c', 'Lowest cell temperature', '°C', 0.1, -60, 150),
  metric('cell_temperature_max_c', 'Highest cell temperature', '°C', 0.1, -60, 150),
  metric('charge_voltage_limit_v', 'Charge voltage limit', 'V', 0.1, 0, 2000),
  metric('charge_current_limit_a', 'Charge current limit', 'A', 0.1, 0, 10000),
  metric('discharge_current_limit_a', 'Discharge current limit', 'A', 0.1, 0, 10000),
  metric('discharge_voltage_limit_v', 'Discharge voltage limit', 'V', 0.1, 0, 2000),
  metric('capacity_full_ah', 'Full capacity', 'Ah', 0.1, 0, 100000),
  metric('capacity_remaining_ah', 'Remaining capacity', 'Ah', 0.1, 0, 100000),
  metric('cycle_count', 'Cycles', '', 1, 0, 100000),
  metric('charge_enabled', 'Charging allowed', '', 1, 0, 1),
  metric('discharge_enabled', 'Discharging allowed', '', 1, 0, 1),
  metric('insulation_resistance_kohm', 'Insulation resistance', 'kΩ', 0.1, 0, 1_000_000),
  metric('energy_in_kwh', 'Energy charged', 'kWh', 0.01, 0, 10_000_000),
  metric('energy_out_kwh', 'Energy discharged', 'kWh', 0.01, 0, 10_000_000),
  metric('charge_power_limit_w', 'Charge power limit', 'W', 1, 0, 100_000_000),
  metric('discharge_power_limit_w', 'Discharge power limit', 'W', 1, 0, 100_000_000),
  metric('soe_pct', 'State of energy', '%', 0.01, 0, 100),
  metric('energy_remaining_kwh', 'Remaining energy', 'kWh', 0.001, 0, 1_000_000),
  metric('balancing_current_a', 'Balancing current', 'A', 0.001, -100, 100),
  metric('device_status', 'Device status', '', 1, 0, 15),
  metric('estimated_soc_pct', 'Estimated state of charge', '%', 0.1, 0, 100),
  metric('estimated_soc_sd_pct', 'Deviation of the estimated state of charge', '%', 0.1, 0, 100),
  metric('estimated_soh_pct', 'Estimated state of health', '%', 0.1, 0, 150),
  metric('estimated_soh_sd_pct', 'Deviation of the estimated state of health', '%', 0.1, 0, 100),
] as const;

/** Quantities of one cell. In series cells the pack's current is each cell's current. */
export const CELL_METRICS = [
  metric('voltage_v', 'Cell voltage', 'V', 0.0001, 0.5, 5),
  metric('temperature_c', 'Cell temperature', '°C', 0.1, -60, 150),
  metric('soc_pct', 'Cell state of charge', '%', 0.01, 0, 100),
  metric('soh_pct', 'Cell state of health', '%', 0.1, 0, 110),
  metric('balancing', 'Balancing', '', 1, 0, 1),
  metric('estimated_soc_pct', 'Estimated cell state of charge', '%', 0.1, 0, 100),
  metric('estimated_soc_sd_pct', 'Deviation of the estimated cell state of charge', '%', 0.1, 0, 100),
  metric('estimated_soh_pct', 'Estimated cell state of health', '%', 0.1, 0, 150),
  metric('estimated_soh_sd_pct', 'Deviation of the estimated cell state of health', '%', 0.1, 0, 100),
  metric('estimated_resistance_mohm', 'Estimated cell resistance', 'mΩ', 0.01, 0, 650),
] as const;

/** What the gateway makes itself of what a device reports; no device reports it. Deviations are standard deviations. */
const isEstimated = ({ name }: Metric) => name.startsWith('estimated_');
export const REPORTED_PACK_METRICS = PACK_METRICS.filter(one => !isEstimated(one));
export const REPORTED_CELL_METRICS = CELL_METRICS.filter(one => !isEstimated(one));

/** A temperature sensor of a pack that is not tied to one cell. */
export const SENSOR_METRIC = metric('temperature_c', 'Sensor temperature', '°C', 0.1, -60, 150);

/** What `device_status` means, by its number: append only. */
export const DEVICE_STATUS = [
  'off',
  'starting',
  'standby',
  'active',
  'fault',
  'shutting down',
  'sleeping',
  'service',
] as const;

export type PackMetricName = (typeof PACK_METRICS)[number]['name'];
export type CellMetricName = (typeof CELL_METRICS)[number]['name'];

/** Dense indices into the columns, by name: `PackMetric.voltage_v === 0`. */
export const PackMetric = indices(PACK_METRICS);
export const CellMetric = indices(CELL_METRICS);

function indices<Name extends string>(metrics: readonly { readonly name: Name }[]) {
  return Object.fromEntries(metrics.map(({ name }, index) => [name, index])) as Readonly<
    Record<Name, number>
  >;
}

/** Decimals that show a value at its resolution: 0.0001 -> 4. */
export function decimalsOf(metric: Metric): number {
  return Math.max(0, Math.round(-Math.log10(metric.resolution)));
}

/** Rounds to the metric's resolution without binary noise: 3.2869999 -> 3.287. NaN stays NaN. */
export function roundTo(metric: Metric, value: number): number {
  const perUnit = Math.round(1 / metric.resolution);
  return Math.round(value * perUnit) / perUnit;
}
