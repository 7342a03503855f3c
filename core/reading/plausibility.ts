/**
 * Plausibility: a value outside what physics or the profile allows is kept and marked suspect.
 * Limits come from the metric table, narrowed by the profile.
 */
import { CELL_METRICS, type Metric, PACK_METRICS, SENSOR_METRIC } from '../metrics.ts';
import type { PackReading } from './pack-reading.ts';
import { Quality } from './quality.ts';

/** [lowest, highest] by metric name, per scope, as a profile gives them; they only ever narrow. */
export interface NarrowerRanges {
  readonly pack?: Readonly<Record<string, readonly [number, number]>> | undefined;
  readonly cell?: Readonly<Record<string, readonly [number, number]>> | undefined;
  readonly sensor?: Readonly<Record<string, readonly [number, number]>> | undefined;
}

/** Limits as parallel columns in metric order, ready for the hot path. */
export interface PlausibleLimits {
  readonly pack_min: Float64Array;
  readonly pack_max: Float64Array;
  readonly cell_min: Float64Array;
  readonly cell_max: Float64Array;
  readonly sensor_min: number;
  readonly sensor_max: number;
}

export function plausibleLimits(narrower: NarrowerRanges = {}): PlausibleLimits {
  const [pack_min, pack_max] = columns(PACK_METRICS, narrower.pack);
  const [cell_min, cell_max] = columns(CELL_METRICS, narrower.cell);
  const [sensor_min, sensor_max] = columns([SENSOR_METRIC], narrower.sensor);
  return { pack_min, pack_max, cell_min, cell_max, sensor_min: sensor_min[0], sensor_max: sensor_max[0] };
}

/** Marks implausible good values of `reading` suspect, in place. Returns how many it marked. */
export function markImplausible(reading: PackReading, limits: PlausibleLimits): number {
  let marked = 0;
  const { values, value_quality, cells, cell_quality, sensors, sensor_quality } = reading;
  for (let m = 0; m < values.length; m++) {
    if (value_quality[m] !== Quality.good) continue;
    if (values[m] >= limits.pack_min[m] && values[m] <= limits.pack_max[m]) continue;
    value_quality[m] = Quality.suspect;
    marked++;
  }
  const { cell_count } = reading.shape;
  for (let m = 0, slot = 0; m < CELL_METRICS.length; m++) {
    const min = limits.cell_min[m];
    const max = limits.cell_max[m];
    for (const end = slot + cell_count; slot < end; slot++) {
      if (cell_quality[slot] !== Quality.good) continue;
      if (cells[slot] >= min && cells[slot] <= max) continue;
      cell_quality[slot] = Quality.suspect;
      marked++;
    }
  }
  for (let s = 0; s < sensors.length; s++) {
    if (sensor_quality[s] !== Quality.good) continue;
    if (sensors[s] >= limits.sensor_min && sensors[s] <= limits.sensor_max) continue;
    sensor_quality[s] = Quality.suspect;
    marked++;
  }
  return marked;
}

function columns(
  metrics: readonly Metric[],
  narrower: NarrowerRanges['pack'] = {},
): [Float64Array, Float64Array] {
  const min = new Float64Array(metrics.length);
  const max = new Float64Array(metrics.length);
  metrics.forEach((metric, i) => {
    const [lowest, highest] = narrower[metric.name] ?? [metric.min, metric.max];
    min[i] = Math.max(metric.min, lowest);
    max[i] = Math.min(metric.max, highest);
  });
  return [min, max];
}
