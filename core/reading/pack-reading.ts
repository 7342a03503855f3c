/**
 * PackReading: one pack's coherent snapshot at one moment, in columns of typed arrays.
 *
 * A reading is reused by whoever fills it: a consumer that keeps it beyond the call copies it
 * (`copyFrom`) or encodes it. That is what keeps the hot path free of allocation.
 */
import { CELL_METRICS, PACK_METRICS } from '../metrics.ts';

/** What a pack has; fixed for a pack's life in one run. */
export interface PackShape {
  readonly cell_count: number;
  /** Temperature sensors that are not tied to one cell. */
  readonly sensor_count: number;
  /** The device's own alarms by code, as its profile names them ("cell_over_voltage"). */
  readonly device_alarms: readonly string[];
}

/** Level of a device's own alarm bit. `unknown`: the device has not (yet) said. */
export const DeviceAlarmLevel = { none: 0, warning: 1, alarm: 2, unknown: 255 } as const;

export class PackReading {
  readonly shape: PackShape;
  /** Dense index of the pack in the topology of this run. */
  pack: number;
  /** Wall time of the snapshot, milliseconds since 1970 UTC. */
  t_ms = 0;
  /** Monotonic time of the snapshot in this boot. */
  mono_ms = 0;
  /**
   * How long before `t_ms` the newest and the oldest of the good values were reported, ms; NaN: not known, or nothing
   * is good. Below zero: after that moment, because the snapshot was taken late.
   */
  newest_age_ms = Number.NaN;
  oldest_age_ms = Number.NaN;
  /** Nothing was reported since the reading before: the same values once more. */
  is_repeated = false;
  /** One per PACK_METRICS entry; NaN exactly where the quality is missing. */
  readonly values: Float64Array;
  readonly value_quality: Uint8Array;
  /** Metric-major: cell `c` of metric `m` stands at `m * cell_count + c`; NaN where missing. */
  readonly cells: Float32Array;
  readonly cell_quality: Uint8Array;
  readonly sensors: Float32Array;
  readonly sensor_quality: Uint8Array;
  /** One DeviceAlarmLevel per `shape.device_alarms` entry. */
  readonly device_alarm_level: Uint8Array;
  readonly #columns: Float32Array[] = [];
  readonly #qualities: Uint8Array[] = [];

  constructor(pack: number, shape: PackShape) {
    const { cell_count, sensor_count } = shape;
    this.pack = pack;
    this.shape = shape;
    this.values = new Float64Array(PACK_METRICS.length).fill(Number.NaN);
    this.value_quality = new Uint8Array(PACK_METRICS.length);
    this.cells = new Float32Array(CELL_METRICS.length * cell_count).fill(Number.NaN);
    this.cell_quality = new Uint8Array(CELL_METRICS.length * cell_count);
    this.sensors = new Float32Array(sensor_count).fill(Number.NaN);
    this.sensor_quality = new Uint8Array(sensor_count);
    this.device_alarm_level = new Uint8Array(shape.device_alarms.length).fill(255);
    for (let m = 0; m < CELL_METRICS.length; m++) {
      this.#columns.push(this.cells.subarray(m * cell_count, (m + 1) * cell_count));
      this.#qualities.push(this.cell_quality.subarray(m * cell_count, (m + 1) * cell_count));
    }
  }

  /** The cells' values of one CellMetric; a view, `cell_count` long. */
  column(metric: number): Float32Array {
    return this.#columns[metric];
  }

  /** The cells' qualities of one CellMetric; a view, `cell_count` long. */
  columnQuality(metric: number): Uint8Array {
    return this.#qualities[metric];
  }

  /** Copies everything from a reading of the same shape. */
  copyFrom(other: PackReading): void {
    this.pack = other.pack;
    this.t_ms = other.t_ms;
    this.mono_ms = other.mono_ms;
    this.newest_age_ms = other.newest_age_ms;
    this.oldest_age_ms = other.oldest_age_ms;
    this.is_repeated = other.is_repeated;
    this.values.set(other.values);
    this.value_quality.set(other.value_quality);
    this.cells.set(other.cells);
    this.cell_quality.set(other.cell_quality);
    this.sensors.set(other.sensors);
    this.sensor_quality.set(other.sensor_quality);
    this.device_alarm_level.set(other.device_alarm_level);
  }
}
