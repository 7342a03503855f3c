/** What of a reading an estimate takes: good values alone. */
import { CellMetric, PackMetric } from '../../metrics.ts';
import type { PackReading } from '../../reading/pack-reading.ts';
import { Quality } from '../../reading/quality.ts';

const MIN_TEMPERATURE_C = -45;
const MAX_TEMPERATURE_C = 85;

export function secondsBetween(from_ms: number, to_ms: number): number {
  return Number.isNaN(from_ms) ? 0 : Math.max(0, (to_ms - from_ms) / 1000);
}

export function goodValue({ values, value_quality }: PackReading, metric: number): number {
  return value_quality[metric] === Quality.good ? values[metric] : Number.NaN;
}

/** The device's own, or the mean of its sensors. */
export function packTemperature(reading: PackReading): number {
  const own_c = goodValue(reading, PackMetric.temperature_c);
  if (!Number.isNaN(own_c)) return own_c;
  let sum = 0;
  let good = 0;
  for (let i = 0; i < reading.sensors.length; i++) {
    if (reading.sensor_quality[i] !== Quality.good) continue;
    sum += reading.sensors[i];
    good++;
  }
  return good > 0 ? sum / good : Number.NaN;
}

export function temperatureOf(reading: PackReading, cell: number, pack_c: number): number {
  const isGood = reading.columnQuality(CellMetric.temperature_c)[cell] === Quality.good;
  const c = isGood ? reading.column(CellMetric.temperature_c)[cell] : pack_c;
  return c >= MIN_TEMPERATURE_C && c <= MAX_TEMPERATURE_C ? c : Number.NaN;
}

/** Whether anything of the pack says how warm it is. */
export function hasTemperature(reading: PackReading): boolean {
  return (
    !Number.isNaN(packTemperature(reading)) ||
    reading.columnQuality(CellMetric.temperature_c).includes(Quality.good)
  );
}
