/**
 * PackState: the newest value of everything a pack has reported, each with the moment of its last update.
 * Drivers write into it as bytes arrive; `snapshotInto` turns it into a PackReading at any moment.
 * Age is kept per value (per mux value, per register block), never per device.
 */
import { CELL_METRICS, PACK_METRICS } from '../metrics.ts';
import { DeviceAlarmLevel, type PackReading, type PackShape } from './pack-reading.ts';
import { Quality } from './quality.ts';

export class PackState {
  /** Dense index of the pack in the topology of this run. */
  readonly pack: number;
  readonly shape: PackShape;
  /** Counts every write; a consumer that remembers it knows whether anything is new. */
  revision = 0;
  /** Monotonic time of the newest write; -Infinity while the pack never spoke. */
  last_update_mono_ms = Number.NEGATIVE_INFINITY;
  /** Gets every value of a pack quantity as it is reported; undefined: nobody listens. */
  onValue: ((metric: number, value: number, mono_ms: number) => void) | undefined;
  /** So long the pack may say nothing because its line is slow; 0: it is as quick as the interval. */
  silent_after_ms = 0;
  readonly #values: Slots;
  readonly #cells: Slots;
  readonly #sensors: Slots;
  readonly #alarms: Slots;
  #oldest_mono_ms = 0;
  #newest_mono_ms = 0;

  /** `stale_ms`: the default stale limit; others may be set per quantity. */
  constructor(pack: number, shape: PackShape, stale_ms: number) {
    this.pack = pack;
    this.shape = shape;
    this.#values = new Slots(PACK_METRICS.length, stale_ms);
    this.#cells = new Slots(CELL_METRICS.length * shape.cell_count, stale_ms);
    this.#sensors = new Slots(shape.sensor_count, stale_ms);
    this.#alarms = new Slots(shape.device_alarms.length, stale_ms);
  }

  /** Sets one pack quantity. A non-finite value becomes missing. `suspect`: the device itself flags it. */
  setValue(metric: number, value: number, mono_ms: number, suspect = false): void {
    this.#values.set(metric, value, mono_ms, suspect);
    this.onValue?.(metric, value, mono_ms);
    this.#touch(mono_ms);
  }

  /** Sets one quantity of one cell (`cell` counts from 0). Out-of-range cells are the caller's bug. */
  setCell(metric: number, cell: number, value: number, mono_ms: number, suspect = false): void {
    this.#cells.set(metric * this.shape.cell_count + cell, value, mono_ms, suspect);
    this.#touch(mono_ms);
  }

  setSensor(sensor: number, value: number, mono_ms: number, suspect = false): void {
    this.#sensors.set(sensor, value, mono_ms, suspect);
    this.#touch(mono_ms);
  }

  /** Sets the level (DeviceAlarmLevel) of one of the device's own alarms. */
  setDeviceAlarm(alarm: number, level: number, mono_ms: number): void {
    this.#alarms.set(alarm, level, mono_ms, false);
    this.#touch(mono_ms);
  }

  /** One stale limit for everything, in ms. */
  setStaleLimit(stale_ms: number): void {
    for (const slots of [this.#values, this.#cells, this.#sensors, this.#alarms])
      slots.stale_ms.fill(stale_ms);
  }

  /** Stale limit of one pack quantity, in ms. */
  setValueStaleLimit(metric: number, stale_ms: number): void {
    this.#values.stale_ms[metric] = stale_ms;
  }

  /** Stale limit of one quantity of every cell, in ms. */
  setCellStaleLimit(metric: number, stale_ms: number): void {
    const { cell_count } = this.shape;
    this.#cells.stale_ms.fill(stale_ms, metric * cell_count, (metric + 1) * cell_count);
  }

  setSensorStaleLimit(stale_ms: number): void {
    this.#sensors.stale_ms.fill(stale_ms);
  }

  setDeviceAlarmStaleLimit(alarm: number, stale_ms: number): void {
    this.#alarms.stale_ms[alarm] = stale_ms;
  }

  /** Fills `reading` (of this shape) with every newest value and its quality as of `mono_ms`. */
  snapshotInto(reading: PackReading, t_ms: number, mono_ms: number): void {
    reading.pack = this.pack;
    reading.t_ms = t_ms;
    reading.mono_ms = mono_ms;
    this.#values.copyInto(reading.values, reading.value_quality, mono_ms);
    this.#cells.copyInto(reading.cells, reading.cell_quality, mono_ms);
    this.#sensors.copyInto(reading.sensors, reading.sensor_quality, mono_ms);
    const levels = reading.device_alarm_level;
    for (let i = 0; i < levels.length; i++) {
      levels[i] =
        this.#alarms.qualityAt(i, mono_ms) === Quality.good
          ? this.#alarms.values[i]
          : DeviceAlarmLevel.unknown;
    }
  }

  /**
   * Fills in how old the good values of a reading of this state were at its moment, `moment_mono_ms`. Called last,
   * once nothing more can be marked.
   */
  agesInto(reading: PackReading, moment_mono_ms: number): void {
    this.#oldest_mono_ms = Number.POSITIVE_INFINITY;
    this.#newest_mono_ms = Number.NEGATIVE_INFINITY;
    this.#spanGood(this.#values, reading.value_quality);
    this.#spanGood(this.#cells, reading.cell_quality);
    this.#spanGood(this.#sensors, reading.sensor_quality);
    const has_good = this.#newest_mono_ms >= this.#oldest_mono_ms;
    reading.newest_age_ms = has_good ? moment_mono_ms - this.#newest_mono_ms : Number.NaN;
    reading.oldest_age_ms = has_good ? moment_mono_ms - this.#oldest_mono_ms : Number.NaN;
  }

  #spanGood(slots: Slots, quality: Uint8Array): void {
    for (let i = 0; i < quality.length; i++) {
      if (quality[i] !== Quality.good) continue;
      const updated_ms = slots.updatedMs(i);
      // No device reported it: an estimate.
      if (updated_ms === Number.NEGATIVE_INFINITY) continue;
      if (updated_ms < this.#oldest_mono_ms) this.#oldest_mono_ms = updated_ms;
      if (updated_ms > this.#newest_mono_ms) this.#newest_mono_ms = updated_ms;
    }
  }

  /** Monotonic time at which a pack quantity was updated last; -Infinity: never. */
  valueUpdatedMonoMs(metric: number): number {
    return this.#values.updatedMs(metric);
  }

  /** Monotonic time at which one quantity of a cell was updated last; -Infinity: never. */
  cellUpdatedMonoMs(metric: number, cell: number): number {
    return this.#cells.updatedMs(metric * this.shape.cell_count + cell);
  }

  /** Monotonic times at which one quantity of each cell was updated last; -Infinity: never. A view that stays. */
  cellsUpdatedMonoMs(metric: number): Float64Array {
    const { cell_count } = this.shape;
    return this.#cells.updated_ms.subarray(metric * cell_count, (metric + 1) * cell_count);
  }

  /** As `cellsUpdatedMonoMs`, of the sensors. */
  sensorsUpdatedMonoMs(): Float64Array {
    return this.#sensors.updated_ms;
  }

  #touch(mono_ms: number): void {
    this.revision++;
    if (mono_ms > this.last_update_mono_ms) this.last_update_mono_ms = mono_ms;
  }

  /** How long it has reported nothing since then; 0 for one that waits for its turn on a slow line. */
  silentMs(mono_ms: number, since_mono_ms: number): number {
    const silent_ms = mono_ms - Math.max(this.last_update_mono_ms, since_mono_ms);
    return silent_ms > this.silent_after_ms ? silent_ms : 0;
  }
}

const FLOAT32_MAX = 3.4028234663852886e38;

/** Readings keep cells as float32; what is finite must stay finite there, absurd as it may be. */
function clampToFloat32(value: number): number {
  return value > FLOAT32_MAX ? FLOAT32_MAX : value < -FLOAT32_MAX ? -FLOAT32_MAX : value;
}

/** Parallel columns: value, time of arrival, the device's own doubt, stale limit. */
class Slots {
  readonly values: Float64Array;
  readonly stale_ms: Float64Array;
  readonly updated_ms: Float64Array;
  readonly #suspect: Uint8Array;

  constructor(length: number, stale_ms: number) {
    this.values = new Float64Array(length).fill(Number.NaN);
    this.stale_ms = new Float64Array(length).fill(stale_ms);
    this.updated_ms = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
    this.#suspect = new Uint8Array(length);
  }

  set(slot: number, value: number, mono_ms: number, suspect: boolean): void {
    this.values[slot] = Number.isFinite(value) ? clampToFloat32(value) : Number.NaN;
    this.updated_ms[slot] = mono_ms;
    this.#suspect[slot] = suspect ? 1 : 0;
  }

  updatedMs(slot: number): number {
    return this.updated_ms[slot];
  }

  qualityAt(slot: number, mono_ms: number): Quality {
    const value = this.values[slot];
    if (Number.isNaN(value)) return Quality.missing;
    if (mono_ms - this.updated_ms[slot] > this.stale_ms[slot]) return Quality.stale;
    return this.#suspect[slot] ? Quality.suspect : Quality.good;
  }

  copyInto(values: Float32Array | Float64Array, quality: Uint8Array, mono_ms: number): void {
    values.set(this.values);
    const { values: own, updated_ms, stale_ms } = this;
    const suspect = this.#suspect;
    // As qualityAt, without a call for each.
    for (let i = 0; i < quality.length; i++) {
      if (Number.isNaN(own[i])) quality[i] = Quality.missing;
      else if (mono_ms - updated_ms[i] > stale_ms[i]) quality[i] = Quality.stale;
      else quality[i] = suspect[i] ? Quality.suspect : Quality.good;
    }
  }
}
