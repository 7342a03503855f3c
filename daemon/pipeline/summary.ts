/** From a reading to what people see: pure functions, one reading in, one JSON shape out. */
import type {
  AlertCounts,
  CellColumn,
  HealthState,
  PackDetail,
  PackSummary,
  QualifiedValue,
} from '../../core/contract/model.ts';
import {
  CELL_METRICS,
  CellMetric,
  type Metric,
  PACK_METRICS,
  PackMetric,
  REPORTED_PACK_METRICS,
  roundTo,
  SENSOR_METRIC,
} from '../../core/metrics.ts';
import { DeviceAlarmLevel, type PackReading } from '../../core/reading/pack-reading.ts';
import { QUALITY_NAMES, Quality, qualityLetters } from '../../core/reading/quality.ts';
import { outOfLine } from '../../core/siblings/out-of-line.ts';
import type { PackNode } from '../../core/topology/topology.ts';

/** What a driver and the alert engine say of a pack, beside its values. */
export interface PackContext {
  /** The driver's one line of what is wrong; undefined while all is well. */
  readonly link_reason: string | undefined;
  /** Why values are suspect, in words. */
  readonly doubts: readonly string[];
  /** Why nothing is estimated of it; null: something is. */
  readonly no_estimate_reason: string | null;
  /** Wall time of the newest value; null while the pack never spoke. */
  readonly last_update_ms: number | null;
  readonly alerts: AlertCounts;
  /** Of active alerts, and of cells that were found weak: numbers, the worst first. */
  readonly ill_cell_nos: readonly number[];
}

export function summarisePack(node: PackNode, reading: PackReading, context: PackContext): PackSummary {
  const voltage_v = cellColumn(reading, CellMetric.voltage_v);
  const temperature_c = cellColumn(reading, CellMetric.temperature_c);
  const volts = voltageExtremes(reading);
  const degrees = temperatureExtremes(reading);
  const { cells: apart, deviation_v, deviating_cell } = outOfLine(reading);
  return {
    id: node.id,
    name: node.name,
    battery_id: node.battery_id,
    ...packHealth(reading, context),
    t_ms: context.last_update_ms,
    voltage_v: packValue(reading, PackMetric.voltage_v),
    current_a: packValue(reading, PackMetric.current_a),
    soc_pct: packValue(reading, PackMetric.soc_pct),
    soh_pct: packValue(reading, PackMetric.soh_pct),
    estimated_soc_pct: packValue(reading, PackMetric.estimated_soc_pct),
    estimated_soc_sd_pct: packValue(reading, PackMetric.estimated_soc_sd_pct),
    estimated_soh_pct: packValue(reading, PackMetric.estimated_soh_pct),
    estimated_soh_sd_pct: packValue(reading, PackMetric.estimated_soh_sd_pct),
    no_estimate_reason: context.no_estimate_reason,
    cell_voltage_min_v: volts.min,
    cell_voltage_max_v: volts.max,
    cell_voltage_spread_v:
      volts.min === null || volts.max === null
        ? null
        : roundTo(CELL_METRICS[CellMetric.voltage_v], volts.max - volts.min),
    cell_temperature_min_c: degrees.min,
    cell_temperature_max_c: degrees.max,
    lowest_cell_no: volts.min_no,
    highest_cell_no: volts.max_no,
    hottest_cell_no: degrees.of_sensors ? null : degrees.max_no,
    hottest_sensor_no: degrees.of_sensors ? degrees.max_no : null,
    cell_deviation_v: deviation_v === null ? null : roundTo(CELL_METRICS[CellMetric.voltage_v], deviation_v),
    deviating_cell_no: deviating_cell === null ? null : deviating_cell + 1,
    cells_out_of_line: [...new Set([...context.ill_cell_nos, ...apart.map(cell => cell + 1)])],
    cells: { voltage_v, temperature_c },
    alerts: context.alerts,
  };
}

/** The parts of a PackDetail that come from the reading itself. */
export function detailColumns(
  reading: PackReading,
  alarmLabel: (code: string) => string,
): Pick<PackDetail, 'values' | 'cells' | 'sensors' | 'device_alarms'> {
  return {
    values: Object.fromEntries(
      PACK_METRICS.map((metric, m) => [metric.name, packValue(reading, m)]),
    ) as PackDetail['values'],
    cells: Object.fromEntries(
      CELL_METRICS.map((metric, m) => [metric.name, cellColumn(reading, m)]),
    ) as PackDetail['cells'],
    sensors: column(SENSOR_METRIC, reading.sensors, reading.sensor_quality),
    device_alarms: reading.shape.device_alarms.map((code, i) => ({
      code,
      label: alarmLabel(code),
      level: alarmLevel(reading.device_alarm_level[i]),
    })),
  };
}

export function packValue(reading: PackReading, metric: number): QualifiedValue {
  const value = reading.values[metric];
  return {
    value: Number.isNaN(value) ? null : roundTo(PACK_METRICS[metric], value),
    quality: QUALITY_NAMES[reading.value_quality[metric]],
  };
}

function cellColumn(reading: PackReading, metric: number): CellColumn {
  return column(CELL_METRICS[metric], reading.column(metric), reading.columnQuality(metric));
}

function column(metric: Metric, values: Float32Array, quality: Uint8Array): CellColumn {
  return {
    values: Array.from(values, value => (Number.isNaN(value) ? null : roundTo(metric, value))),
    quality: qualityLetters(quality),
  };
}

interface Extremes {
  readonly min: number | null;
  readonly max: number | null;
  /** Of the cell or sensor; null: no single one is known. */
  readonly min_no: number | null;
  readonly max_no: number | null;
  readonly of_sensors?: boolean;
}

const NO_EXTREMES: Extremes = { min: null, max: null, min_no: null, max_no: null };

function extremes(reading: PackReading, metric: number): Extremes {
  return extremesOf(CELL_METRICS[metric], reading.column(metric), reading.columnQuality(metric));
}

function extremesOf(metric: Metric, values: Float32Array, quality: Uint8Array): Extremes {
  let min = -1;
  let max = -1;
  for (let i = 0; i < values.length; i++) {
    if (quality[i] !== Quality.good) continue;
    if (min < 0 || values[i] < values[min]) min = i;
    if (max < 0 || values[i] > values[max]) max = i;
  }
  if (min < 0) return NO_EXTREMES;
  return {
    min: roundTo(metric, values[min]),
    max: roundTo(metric, values[max]),
    min_no: min + 1,
    max_no: max + 1,
  };
}

/** Of the cells; a device that reports no single cell is taken at its own word. */
function voltageExtremes(reading: PackReading): Extremes {
  if (reading.shape.cell_count > 0) return extremes(reading, CellMetric.voltage_v);
  return reportedExtremes(reading, PackMetric.cell_voltage_min_v, PackMetric.cell_voltage_max_v);
}

/** Cells first; a pack whose cells have no temperature of their own is judged by its sensors. */
function temperatureExtremes(reading: PackReading): Extremes {
  if (reading.shape.cell_count === 0 && reading.shape.sensor_count === 0)
    return reportedExtremes(reading, PackMetric.cell_temperature_min_c, PackMetric.cell_temperature_max_c);
  const ofCells = extremes(reading, CellMetric.temperature_c);
  if (ofCells.min !== null) return ofCells;
  return { ...extremesOf(SENSOR_METRIC, reading.sensors, reading.sensor_quality), of_sensors: true };
}

function reportedExtremes(reading: PackReading, min: number, max: number): Extremes {
  const good = (metric: number) =>
    reading.value_quality[metric] === Quality.good ? packValue(reading, metric).value : null;
  return { ...NO_EXTREMES, min: good(min), max: good(max) };
}

const REPORTED = REPORTED_PACK_METRICS.map(({ name }) => PackMetric[name]);

/**
 * ok: link well, every configured cell's voltage good and no value contradicted. offline: no value of the device
 * fresh (the gateway's own estimates are for longer). Else degraded, with why.
 */
function packHealth(
  reading: PackReading,
  context: PackContext,
): { state: HealthState; reason: string | null } {
  const counts = countQualities(reading.columnQuality(CellMetric.voltage_v));
  const fresh = counts[Quality.good] + counts[Quality.suspect];
  const isOld = (metric: number) =>
    reading.value_quality[metric] === Quality.missing || reading.value_quality[metric] === Quality.stale;
  if (fresh === 0 && REPORTED.every(isOld))
    return { state: 'offline', reason: context.link_reason ?? noData(context.last_update_ms) };
  const doubts = ([Quality.missing, Quality.stale, Quality.suspect] as const)
    .filter(quality => counts[quality] > 0)
    .map(quality => `${counts[quality]} of ${reading.shape.cell_count} ${QUALITY_NAMES[quality]}`);
  const reasons = [
    ...(context.link_reason ? [context.link_reason] : []),
    ...(doubts.length > 0 ? [`cell voltages: ${doubts.join(', ')}`] : []),
    ...context.doubts,
  ];
  return reasons.length > 0
    ? { state: 'degraded', reason: reasons.join('; ') }
    : { state: 'ok', reason: null };
}

/** In UTC, as the reader's own zone is not known here. */
function noData(last_update_ms: number | null): string {
  if (last_update_ms === null) return 'no data yet';
  return `no data since ${new Date(last_update_ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function countQualities(quality: Uint8Array): number[] {
  const counts = [0, 0, 0, 0];
  for (const one of quality) counts[one]++;
  return counts;
}

function alarmLevel(level: number): PackDetail['device_alarms'][number]['level'] {
  if (level === DeviceAlarmLevel.none) return 'none';
  if (level === DeviceAlarmLevel.warning) return 'warning';
  return level === DeviceAlarmLevel.alarm ? 'alarm' : 'unknown';
}
