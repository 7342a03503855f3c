/**
 * A unit's registers that show a PackReading: the inverse of a profile's `registers` section, for virtual
 * units. Exactly the blocks of the map exist; anything else is refused as a device would.
 */
import { DeviceAlarmLevel, type PackReading } from '../../../core/reading/pack-reading.ts';
import type { PackBinding } from '../../driver.ts';
import type { UnitImage } from '../register-image.ts';
import { RegisterImage } from '../register-image.ts';
import { putRaw, putValue, rawLimits } from './field-values.ts';
import { limitsFor } from './map-plan.ts';
import { type FieldRow, type RegisterMap, registerMap, type ValueField } from './register-map.ts';

/** Exponent the image gives to values with a scale register of their own. */
const SHOWN_EXPONENT = -2;
/** What a ratio is shown of where the reading has the ratio alone. */
const SHOWN_DIVISOR = 100;

export function createRegistersImage(binding: PackBinding): UnitImage {
  const map = registerMap(binding);
  const blocks = map.blocks.map(block => new Uint16Array(block.length));
  const segments = map.blocks.map(({ code, first, step }, i) => ({
    address: first,
    registers: blocks[i],
    code,
    step,
    max_count: limitsFor(map.section, { code }).max_count,
  }));
  const writer = new ReadingWriter(map, blocks);
  return { image: new RegisterImage(...segments), write: reading => writer.write(reading) };
}

class ReadingWriter {
  readonly #map: RegisterMap;
  readonly #blocks: readonly Uint16Array[];

  constructor(map: RegisterMap, blocks: readonly Uint16Array[]) {
    this.#map = map;
    this.#blocks = blocks;
    const rows = [...map.cells, ...map.sensors];
    for (const field of [...map.pack, ...rows.flatMap(row => row.fields)]) {
      if (field.scale_at >= 0) blocks[field.block][field.scale_at] = SHOWN_EXPONENT & 0xffff;
    }
  }

  write(reading: PackReading): void {
    const { pack, derived, cells, sensors } = this.#map;
    const values = Float64Array.from(reading.values);
    for (const { metric, dividend, divisor, scale } of derived) {
      if (Number.isNaN(values[metric])) continue;
      if (Number.isNaN(values[divisor.metric])) values[divisor.metric] = SHOWN_DIVISOR;
      if (Number.isNaN(values[dividend.metric]))
        values[dividend.metric] = (values[metric] / scale) * values[divisor.metric];
    }
    for (const field of pack) this.#put(field, values[field.metric]);
    for (const row of cells) this.#writeRow(row, reading.column(row.metric).subarray(row.first));
    for (const row of sensors) this.#writeRow(row, reading.sensors.subarray(row.first));
    this.#writeAlarms(reading);
  }

  #put(field: ValueField, value: number): void {
    putValue(this.#blocks[field.block], field, value);
  }

  /** The device has as many as the pack is configured with; single ones that are missing it leaves out if it can. */
  #writeRow(row: FieldRow, values: Float32Array): void {
    const { fields, present_bits: mask, first_bit, present_count, present_times } = row;
    let bits = 0;
    for (let i = 0; i < fields.length; i++) {
      this.#put(fields[i], values[i]);
      if (!Number.isNaN(values[i])) bits += 2 ** (first_bit + i);
    }
    if (mask) putRaw(this.#blocks[mask.block], mask, Math.min(bits, rawLimits(mask)[1]));
    if (present_count) {
      const words = this.#blocks[present_count.block];
      putRaw(words, present_count, fields.length);
    }
    if (present_times) putRaw(this.#blocks[present_times.block], present_times, 1);
  }

  #writeAlarms({ device_alarm_level: levels }: PackReading): void {
    const { alarms } = this.#map;
    for (const field of alarms) putRaw(this.#blocks[field.block], field, field.rest);
    for (const field of alarms) {
      const level = levels[field.alarm];
      const lonely = alarms.every(other => other.alarm !== field.alarm || other === field);
      const raised = level === DeviceAlarmLevel.warning || level === DeviceAlarmLevel.alarm;
      const shown = level === field.level || (lonely && raised);
      if (shown) putRaw(this.#blocks[field.block], field, field.active);
    }
  }
}
