/** What a threshold rule judges in a reading, and how it says what it found. */
import {
  CELL_METRICS,
  CellMetric,
  type CellMetricName,
  decimalsOf,
  PACK_METRICS,
  PackMetric,
} from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import type { ThresholdRule } from './alert.ts';

/** Reused between measurements; filled by `measure`. */
export interface Measured {
  /** The value furthest towards the threshold among those of good quality. */
  value: number;
  /** The cell it belongs to, counting from 0; -1 for a pack quantity. */
  cell: number;
  /** How many cells lie beyond `raise_at`. */
  beyond: number;
  /** False when no value of good quality exists. */
  usable: boolean;
}

/** What a device reports of its cells together, where it reports no single cell. */
const REPORTED_EXTREMES: Partial<Record<CellMetricName, Record<ThresholdRule['direction'], number>>> = {
  voltage_v: { above: PackMetric.cell_voltage_max_v, below: PackMetric.cell_voltage_min_v },
  temperature_c: { above: PackMetric.cell_temperature_max_c, below: PackMetric.cell_temperature_min_c },
};

export function measure(rule: ThresholdRule, reading: PackReading, into: Measured): void {
  into.value = Number.NaN;
  into.cell = -1;
  into.beyond = 0;
  if (rule.on.scope === 'cell') {
    measureCells(rule, CellMetric[rule.on.metric], reading, into);
    const reported = REPORTED_EXTREMES[rule.on.metric]?.[rule.direction];
    if (into.cell < 0 && reported !== undefined) into.value = goodValue(reading, reported);
  } else if (rule.on.metric === 'cell_voltage_spread_v') into.value = cellVoltageSpread(reading);
  else into.value = goodValue(reading, PackMetric[rule.on.metric]);
  into.usable = !Number.isNaN(into.value);
}

function measureCells(rule: ThresholdRule, metric: number, reading: PackReading, into: Measured): void {
  const column = reading.column(metric);
  const quality = reading.columnQuality(metric);
  const sign = rule.direction === 'above' ? 1 : -1;
  for (let cell = 0; cell < column.length; cell++) {
    if (quality[cell] !== Quality.good) continue;
    const value = column[cell];
    if (sign * value > sign * rule.raise_at) into.beyond++;
    if (into.cell >= 0 && sign * value <= sign * into.value) continue;
    into.value = value;
    into.cell = cell;
  }
}

/** A pack quantity of good quality; NaN otherwise. */
function goodValue(reading: PackReading, metric: number): number {
  return reading.value_quality[metric] === Quality.good ? reading.values[metric] : Number.NaN;
}

/** Highest minus lowest good cell voltage, V; by the device's own extremes where no cell is reported; else NaN. */
export function cellVoltageSpread(reading: PackReading): number {
  const column = reading.column(CellMetric.voltage_v);
  const quality = reading.columnQuality(CellMetric.voltage_v);
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  let good = 0;
  for (let cell = 0; cell < column.length; cell++) {
    if (quality[cell] !== Quality.good) continue;
    good++;
    if (column[cell] < lowest) lowest = column[cell];
    if (column[cell] > highest) highest = column[cell];
  }
  if (good === 0)
    return (
      goodValue(reading, PackMetric.cell_voltage_max_v) - goodValue(reading, PackMetric.cell_voltage_min_v)
    );
  return good < 2 ? Number.NaN : highest - lowest;
}

/** "Cell 3: cell voltage 3.712 V is above 3.65 V (2 more cells)". */
export function thresholdMessage(
  rule: ThresholdRule,
  seen: Measured,
): { message: string; value: number; threshold: number; unit: string; cell_no: number | null } {
  const { unit, decimals, label } = ruleQuantity(rule);
  const value = Number(seen.value.toFixed(decimals));
  const space = unit ? ' ' : '';
  const where = seen.cell >= 0 ? `Cell ${seen.cell + 1}: ` : '';
  const others = seen.beyond > 1 ? ` (${seen.beyond - 1} more ${seen.beyond === 2 ? 'cell' : 'cells'})` : '';
  return {
    message: `${where}${label} ${value}${space}${unit} is ${rule.direction} ${rule.raise_at}${space}${unit}${others}`,
    value,
    threshold: rule.raise_at,
    unit,
    cell_no: seen.cell >= 0 ? seen.cell + 1 : null,
  };
}

/** What a rule judges, in words and with its unit. */
export function ruleQuantity(rule: Pick<ThresholdRule, 'on'>): {
  unit: string;
  decimals: number;
  label: string;
} {
  if (rule.on.metric === 'cell_voltage_spread_v')
    return { unit: 'V', decimals: 3, label: 'cell voltage spread' };
  const metric =
    rule.on.scope === 'cell'
      ? CELL_METRICS[CellMetric[rule.on.metric]]
      : PACK_METRICS[PackMetric[rule.on.metric]];
  return { unit: metric.unit, decimals: Math.min(3, decimalsOf(metric)), label: metric.label.toLowerCase() };
}
