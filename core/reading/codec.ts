/**
 * Compact bytes of one PackReading, for the log and everything that reads it: about 80 bytes for ten cells.
 *
 * `pack`, `t_ms` and `mono_ms` are not in the bytes: a stored row has its own columns for pack and time.
 * Little-endian. Layout of version 1 (varint: LEB128, seven bits per byte, lowest first):
 *
 *   u8 version | u8 flags (Flag) | u8 cell columns present, one bit per CellMetric
 *   varint cell_count | varint sensor_count | varint alarm_count
 *   values    varint: one bit per PackMetric present | pairs: qualities of these, if not all good
 *             | each zigzag varint of value * per_unit, or float64 when one does not fit
 *   column    u8 ColumnFlag | pairs: qualities, if not all good | scaled integers, or float32 when one does not fit
 *   sensors   pairs: qualities, if not all good | i16, or float32 when one does not fit
 *   alarms    pairs: levels, 3 for unknown
 *
 * "pairs" are two bits each, four to a byte, lowest bits first. What is absent is missing. Numbers are kept
 * at the resolution of the metric table; a number too large for its integer (a suspect value) is never lost,
 * its column is then kept in floating point.
 */
import { CELL_METRICS, PACK_METRICS } from '../metrics.ts';
import {
  allEqual,
  type ColumnForm,
  clearColumn,
  columnBytes,
  fitsForm,
  pairBytes,
  readColumn,
  readPairs,
  writeFloats,
  writePairs,
  writeScaled,
} from './codec-columns.ts';
import { DeviceAlarmLevel, PackReading, type PackShape } from './pack-reading.ts';
import { Quality } from './quality.ts';

const VERSION = 1;
/** Cells, sensors or alarms of one pack; more is taken as corruption. */
const MAX_COUNT = 4096;

const Flag = {
  values: 1,
  values_float: 2,
  values_quality: 4,
  sensors: 8,
  sensors_float: 16,
  sensors_quality: 32,
  alarms: 64,
} as const;
const ColumnFlag = { float: 1, quality: 2 } as const;

/** Varint values stay within this so that zigzag fits 32 bits. */
const VARINT_LIMIT = 2 ** 30;

/** Part of the format: append with the metric table, never change; another form is another version. */
export const CELL_FORMS: readonly ColumnForm[] = [
  { form: 'u16', per_unit: 10_000 },
  { form: 'i16', per_unit: 10 },
  { form: 'u16', per_unit: 100 },
  { form: 'u16', per_unit: 10 },
  { form: 'pair', per_unit: 1 },
];
export const VALUE_PER_UNIT: readonly number[] = [
  100, 100, 10, 100, 10, 10_000, 10_000, 10, 10, 10, 10, 10, 10, 10, 10, 1, 1, 1,
];
const SENSOR_FORM: ColumnForm = { form: 'i16', per_unit: 10 };

/** What to decode: bit `m` is the cell column of CellMetric `m`. */
export const Part = { values: 1 << 8, sensors: 1 << 9, alarms: 1 << 10, all: 0x7ff } as const;

/** Results below zero of the decoding functions. */
export const DecodeFault = { truncated: -1, version: -2, shape: -3, malformed: -4 } as const;

/** The most bytes a reading of this shape can take. */
export function maxEncodedBytes(shape: PackShape): number {
  const { cell_count, sensor_count, device_alarms } = shape;
  const header = 3 + 3 * 5;
  const values = 5 + PACK_METRICS.length * 9;
  const cells = CELL_METRICS.length * (1 + 5 * cell_count);
  return header + values + cells + 5 * sensor_count + device_alarms.length + 8;
}

/**
 * Writes `reading` at `offset`, where `maxEncodedBytes(reading.shape)` must be free (else a RangeError, the
 * caller's bug). Allocates nothing. Returns how many bytes it wrote.
 */
export function encodeInto(reading: PackReading, view: DataView, offset: number): number {
  const { shape, device_alarm_level } = reading;
  let flags = 0;
  let columns = 0;
  let at = offset + 3;
  at = writeVarint(view, at, shape.cell_count);
  at = writeVarint(view, at, shape.sensor_count);
  at = writeVarint(view, at, shape.device_alarms.length);

  if (!allEqual(reading.value_quality, Quality.missing)) {
    flags |= Flag.values;
    const fits = valuesFit(reading);
    const good = presentAreGood(reading.value_quality);
    if (!fits) flags |= Flag.values_float;
    if (!good) flags |= Flag.values_quality;
    at = writeValues(view, at, reading, fits, good);
  }
  for (let m = 0; m < CELL_METRICS.length; m++) {
    const quality = reading.columnQuality(m);
    if (allEqual(quality, Quality.missing)) continue;
    columns |= 1 << m;
    const flags_at = at++;
    let column_flags = 0;
    if (!allEqual(quality, Quality.good)) {
      column_flags |= ColumnFlag.quality;
      at = writePairs(view, at, quality);
    }
    const values = reading.column(m);
    if (fitsForm(values, quality, CELL_FORMS[m])) at = writeScaled(view, at, values, CELL_FORMS[m]);
    else {
      column_flags |= ColumnFlag.float;
      at = writeFloats(view, at, values);
    }
    view.setUint8(flags_at, column_flags);
  }
  if (!allEqual(reading.sensor_quality, Quality.missing)) {
    flags |= Flag.sensors;
    if (!allEqual(reading.sensor_quality, Quality.good)) {
      flags |= Flag.sensors_quality;
      at = writePairs(view, at, reading.sensor_quality);
    }
    if (fitsForm(reading.sensors, reading.sensor_quality, SENSOR_FORM))
      at = writeScaled(view, at, reading.sensors, SENSOR_FORM);
    else {
      flags |= Flag.sensors_float;
      at = writeFloats(view, at, reading.sensors);
    }
  }
  if (!allEqual(device_alarm_level, DeviceAlarmLevel.unknown)) {
    flags |= Flag.alarms;
    at = writePairs(view, at, device_alarm_level);
  }
  view.setUint8(offset, VERSION);
  view.setUint8(offset + 1, flags);
  view.setUint8(offset + 2, columns);
  return at - offset;
}

/**
 * Reads `length` bytes at `offset` into `reading`, whose shape must have the encoded counts of every part
 * asked for. Parts not asked for are skipped and left as they are. Returns the bytes read up to the last part
 * asked for, or a DecodeFault; the reading's content is undefined after a fault. Never throws on corrupt bytes.
 */
export function decodeInto(
  view: DataView,
  offset: number,
  length: number,
  reading: PackReading,
  parts: number = Part.all,
): number {
  const end = offset + length;
  const fault = readHeader(view, offset, end);
  if (fault < 0) return fault;
  const { flags, columns, cell_count, sensor_count, alarm_count } = header;
  let at = header.body_at;
  const wanted_cells = (parts & 0xff) !== 0;
  if (wanted_cells && cell_count !== reading.shape.cell_count) return DecodeFault.shape;
  if (parts & Part.sensors && sensor_count !== reading.shape.sensor_count) return DecodeFault.shape;
  if (parts & Part.alarms && alarm_count !== reading.shape.device_alarms.length) return DecodeFault.shape;

  if (parts & Part.values) clearValues(reading);
  if (flags & Flag.values) {
    at = readValues(view, at, end, flags, parts & Part.values ? reading : undefined);
    if (at < 0) return at;
  }
  if (parts >>> 9 === 0 && !wanted_cells) return at - offset;
  for (let m = 0; m < CELL_METRICS.length; m++) {
    const wanted = (parts & (1 << m)) !== 0;
    if ((columns & (1 << m)) === 0) {
      if (wanted) clearColumn(reading.column(m), reading.columnQuality(m));
      continue;
    }
    if (at >= end) return DecodeFault.truncated;
    const column_flags = view.getUint8(at++);
    const is_float = (column_flags & ColumnFlag.float) !== 0;
    const has_quality = (column_flags & ColumnFlag.quality) !== 0;
    const next = at + columnBytes(cell_count, CELL_FORMS[m].form, is_float, has_quality);
    if (next > end) return DecodeFault.truncated;
    if (wanted)
      readColumn(view, at, reading.column(m), reading.columnQuality(m), CELL_FORMS[m], is_float, has_quality);
    at = next;
  }
  return readTail(view, at, end, reading, parts, offset);
}

/** Decodes rows of any shape: keeps one reading per shape met, and lends it until the next call. */
export class ReadingDecoder {
  readonly #readings = new Map<number, PackReading>();

  /** The reading, valid until the next call; or a DecodeFault. `t_ms` and `pack` are left to the caller. */
  decode(view: DataView, offset: number, length: number, parts: number = Part.all): PackReading | number {
    const fault = readHeader(view, offset, offset + length);
    if (fault < 0) return fault;
    const { cell_count, sensor_count, alarm_count } = header;
    const key = (cell_count * (MAX_COUNT + 1) + sensor_count) * (MAX_COUNT + 1) + alarm_count;
    let reading = this.#readings.get(key);
    if (!reading) {
      if (this.#readings.size >= 64) this.#readings.clear();
      const device_alarms = Array.from({ length: alarm_count }, (_, i) => `alarm_${i + 1}`);
      reading = new PackReading(0, { cell_count, sensor_count, device_alarms });
      this.#readings.set(key, reading);
    }
    const read = decodeInto(view, offset, length, reading, parts);
    return read < 0 ? read : reading;
  }
}

export function describeDecodeFault(fault: number): string {
  const name = Object.entries(DecodeFault).find(([, code]) => code === fault)?.[0] ?? 'unknown fault';
  return `bytes of a reading cannot be decoded: ${name}`;
}

/** Filled by readHeader; module-wide so that decoding allocates nothing. */
const header = { flags: 0, columns: 0, cell_count: 0, sensor_count: 0, alarm_count: 0, body_at: 0 };

function readHeader(view: DataView, offset: number, end: number): number {
  if (offset < 0 || end > view.byteLength || end - offset < 6) return DecodeFault.truncated;
  if (view.getUint8(offset) !== VERSION) return DecodeFault.version;
  header.flags = view.getUint8(offset + 1);
  header.columns = view.getUint8(offset + 2);
  if (header.columns >>> CELL_METRICS.length !== 0) return DecodeFault.malformed;
  let at = readVarint(view, offset + 3, end);
  header.cell_count = varint;
  if (at >= 0) at = readVarint(view, at, end);
  header.sensor_count = varint;
  if (at >= 0) at = readVarint(view, at, end);
  header.alarm_count = varint;
  if (at < 0) return at;
  if (header.cell_count > MAX_COUNT || header.sensor_count > MAX_COUNT || header.alarm_count > MAX_COUNT)
    return DecodeFault.malformed;
  header.body_at = at;
  return at;
}

function readTail(
  view: DataView,
  at: number,
  end: number,
  reading: PackReading,
  parts: number,
  offset: number,
): number {
  const { flags, sensor_count, alarm_count } = header;
  if (parts & Part.sensors) clearColumn(reading.sensors, reading.sensor_quality);
  if (flags & Flag.sensors) {
    const is_float = (flags & Flag.sensors_float) !== 0;
    const has_quality = (flags & Flag.sensors_quality) !== 0;
    const next = at + columnBytes(sensor_count, SENSOR_FORM.form, is_float, has_quality);
    if (next > end) return DecodeFault.truncated;
    if (parts & Part.sensors)
      readColumn(view, at, reading.sensors, reading.sensor_quality, SENSOR_FORM, is_float, has_quality);
    at = next;
  }
  if (parts & Part.alarms) reading.device_alarm_level.fill(DeviceAlarmLevel.unknown);
  if (flags & Flag.alarms) {
    const next = at + pairBytes(alarm_count);
    if (next > end) return DecodeFault.truncated;
    if (parts & Part.alarms) {
      const levels = reading.device_alarm_level;
      readPairs(view, at, levels);
      for (let i = 0; i < levels.length; i++) if (levels[i] === 3) levels[i] = DeviceAlarmLevel.unknown;
    }
    at = next;
  }
  return at - offset;
}

// Pack values

function presentAreGood(quality: Uint8Array): boolean {
  for (let m = 0; m < quality.length; m++)
    if (quality[m] !== Quality.missing && quality[m] !== Quality.good) return false;
  return true;
}

function valuesFit(reading: PackReading): boolean {
  const { values, value_quality } = reading;
  for (let m = 0; m < values.length; m++) {
    if (value_quality[m] === Quality.missing) continue;
    if (!(Math.abs(values[m] * VALUE_PER_UNIT[m]) < VARINT_LIMIT)) return false;
  }
  return true;
}

function writeValues(view: DataView, at: number, reading: PackReading, fits: boolean, good: boolean): number {
  const { values, value_quality } = reading;
  let present = 0;
  for (let m = 0; m < values.length; m++) if (value_quality[m] !== Quality.missing) present |= 1 << m;
  at = writeVarint(view, at, present >>> 0);
  if (!good) at = writePairs(view, at, value_quality);
  for (let m = 0; m < values.length; m++) {
    if (value_quality[m] === Quality.missing) continue;
    if (fits) {
      const scaled = Math.round(values[m] * VALUE_PER_UNIT[m]) | 0;
      at = writeVarint(view, at, ((scaled << 1) ^ (scaled >> 31)) >>> 0);
    } else {
      view.setFloat64(at, values[m], true);
      at += 8;
    }
  }
  return at;
}

function clearValues(reading: PackReading): void {
  reading.values.fill(Number.NaN);
  reading.value_quality.fill(Quality.missing);
}

function readValues(
  view: DataView,
  at: number,
  end: number,
  flags: number,
  reading: PackReading | undefined,
): number {
  at = readVarint(view, at, end);
  if (at < 0) return at;
  const present = varint;
  if (PACK_METRICS.length < 32 && present >>> PACK_METRICS.length !== 0) return DecodeFault.malformed;
  if (flags & Flag.values_quality) {
    const next = at + pairBytes(PACK_METRICS.length);
    if (next > end) return DecodeFault.truncated;
    if (reading) readPairs(view, at, reading.value_quality);
    at = next;
  }
  for (let m = 0; m < PACK_METRICS.length; m++) {
    if ((present & (1 << m)) === 0) {
      if (reading) reading.value_quality[m] = Quality.missing;
      continue;
    }
    let value: number;
    if (flags & Flag.values_float) {
      if (at + 8 > end) return DecodeFault.truncated;
      value = view.getFloat64(at, true);
      at += 8;
    } else {
      at = readVarint(view, at, end);
      if (at < 0) return at;
      value = ((varint >>> 1) ^ -(varint & 1)) / VALUE_PER_UNIT[m];
    }
    if (!reading) continue;
    if (!(flags & Flag.values_quality)) reading.value_quality[m] = Quality.good;
    reading.values[m] = value;
  }
  return at;
}

function writeVarint(view: DataView, at: number, value: number): number {
  while (value > 0x7f) {
    view.setUint8(at++, (value & 0x7f) | 0x80);
    value >>>= 7;
  }
  view.setUint8(at++, value);
  return at;
}

/** The number the last readVarint read, as unsigned 32 bits. */
let varint = 0;

/** Returns the offset after it, or a DecodeFault. */
function readVarint(view: DataView, at: number, end: number): number {
  varint = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= end) return DecodeFault.truncated;
    const byte = view.getUint8(at++);
    varint = (varint | ((byte & 0x7f) << shift)) >>> 0;
    if (byte < 0x80) return at;
  }
  return DecodeFault.malformed;
}
