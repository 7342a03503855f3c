/**
 * Compact bytes of one PackReading, for the log and everything that reads it: about 80 bytes for ten cells. Their
 * layout is in reading-format.ts.
 */
import { CELL_METRICS, PACK_METRICS } from '../metrics.ts';
import {
  allEqual,
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
import { readVarint, unzigzag, varint, writeVarint, writeZigzag } from './codec-numbers.ts';
import { clearValues, presentAreGood, readValues, valuesFit, writeValues } from './codec-values.ts';
import { DeviceAlarmLevel, PackReading, type PackShape } from './pack-reading.ts';
import { Quality } from './quality.ts';
import {
  AGE_STEP_MS,
  CELL_FORMS,
  ColumnFlag,
  DecodeFault,
  Flag,
  formatOf,
  MAX_COUNT,
  Mask,
  ReadingFlag,
  SENSOR_FORM,
  VARINT_LIMIT,
  WRITTEN,
} from './reading-format.ts';

/** What to decode, beside the ages; `cellPart` for a column of cells. */
export const Part = { values: 1, sensors: 2, alarms: 4, all: 0x7fff_ffff } as const;
const FIRST_CELL_PART = 3;
const CELL_PARTS = Part.all & ~(Part.values | Part.sensors | Part.alarms);
/** Of the CellMetric `m`. */
export const cellPart = (m: number) => 1 << (FIRST_CELL_PART + m);

/** The most bytes a reading of this shape can take. */
export function maxEncodedBytes(shape: PackShape): number {
  const { cell_count, sensor_count, device_alarms } = shape;
  const header = 3 + 5 * 5 + (CELL_METRICS.length + 6) / 7;
  const values = (PACK_METRICS.length + 6) / 7 + PACK_METRICS.length * 9;
  const cells = CELL_METRICS.length * (1 + 5 * cell_count);
  return Math.ceil(header + values + cells + 5 * sensor_count + device_alarms.length + 8);
}

/**
 * Writes `reading` at `offset`, where `maxEncodedBytes(reading.shape)` must be free (else a RangeError, the
 * caller's bug). Allocates nothing. Returns how many bytes it wrote.
 */
export function encodeInto(reading: PackReading, view: DataView, offset: number): number {
  const { shape, device_alarm_level } = reading;
  let flags = 0;
  written_columns.clear();
  for (let m = 0; m < CELL_METRICS.length; m++)
    if (!allEqual(reading.columnQuality(m), Quality.missing)) written_columns.set(m);
  let at = written_columns.write(view, offset + 3);
  at = writeVarint(view, at, shape.cell_count);
  at = writeVarint(view, at, shape.sensor_count);
  at = writeVarint(view, at, shape.device_alarms.length);
  if (!Number.isNaN(reading.newest_age_ms)) {
    flags |= Flag.ages;
    const newest = steps(reading.newest_age_ms);
    at = writeZigzag(view, at, newest);
    at = writeVarint(view, at, Math.max(0, steps(reading.oldest_age_ms) - newest));
  }
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
  view.setUint8(offset, WRITTEN.version);
  view.setUint8(offset + 1, flags);
  view.setUint8(offset + 2, reading.is_repeated ? ReadingFlag.repeated : 0);
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
  const { format, flags, cell_count, sensor_count, alarm_count } = header;
  let at = header.body_at;
  const wanted_cells = (parts & CELL_PARTS) !== 0;
  if (wanted_cells && cell_count !== reading.shape.cell_count) return DecodeFault.shape;
  if (parts & Part.sensors && sensor_count !== reading.shape.sensor_count) return DecodeFault.shape;
  if (parts & Part.alarms && alarm_count !== reading.shape.device_alarms.length) return DecodeFault.shape;

  reading.newest_age_ms = header.newest_age_ms;
  reading.oldest_age_ms = header.oldest_age_ms;
  reading.is_repeated = header.is_repeated;
  if (parts & Part.values) clearValues(reading);
  if (flags & Flag.values) {
    at = readValues(view, at, end, format, flags, parts & Part.values ? reading : undefined);
    if (at < 0) return at;
  }
  if ((parts & ~Part.values) === 0) return at - offset;
  for (let m = 0; m < CELL_METRICS.length; m++) {
    const wanted = (parts & cellPart(m)) !== 0;
    if (!columns.has(m)) {
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

/** Whether the reading whose bytes begin at `offset` repeats the one before; of bytes that are none: false. */
export function isRepeatedAt(bytes: Uint8Array, offset: number): boolean {
  return formatOf(bytes[offset])?.has_ages === true && (bytes[offset + 2] & ReadingFlag.repeated) !== 0;
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
const header = {
  format: WRITTEN,
  flags: 0,
  is_repeated: false,
  cell_count: 0,
  sensor_count: 0,
  alarm_count: 0,
  newest_age_ms: Number.NaN,
  oldest_age_ms: Number.NaN,
  body_at: 0,
};
/** The columns of cells of the header. */
const columns = new Mask();
const written_columns = new Mask();

function readHeader(view: DataView, offset: number, end: number): number {
  if (offset < 0 || end > view.byteLength || end - offset < 6) return DecodeFault.truncated;
  const format = formatOf(view.getUint8(offset));
  if (!format) return DecodeFault.version;
  header.format = format;
  header.flags = view.getUint8(offset + 1);
  header.is_repeated = format.has_ages && (view.getUint8(offset + 2) & ReadingFlag.repeated) !== 0;
  let at = format.has_ages ? columns.read(view, offset + 3, end) : offset + 3;
  if (at < 0) return at;
  if (!format.has_ages) columns.fill(view.getUint8(offset + 2));
  if (!columns.isWithin(format.max_columns)) return DecodeFault.malformed;
  if (!columns.isWithin(CELL_FORMS.length)) return DecodeFault.version;
  at = readVarint(view, at, end);
  header.cell_count = varint;
  if (at >= 0) at = readVarint(view, at, end);
  header.sensor_count = varint;
  if (at >= 0) at = readVarint(view, at, end);
  header.alarm_count = varint;
  if (at < 0) return at;
  if (header.cell_count > MAX_COUNT || header.sensor_count > MAX_COUNT || header.alarm_count > MAX_COUNT)
    return DecodeFault.malformed;
  header.newest_age_ms = Number.NaN;
  header.oldest_age_ms = Number.NaN;
  if (format.has_ages && header.flags & Flag.ages) {
    at = readVarint(view, at, end);
    const newest = unzigzag(varint);
    if (at >= 0) at = readVarint(view, at, end);
    if (at < 0) return at;
    header.newest_age_ms = newest * AGE_STEP_MS;
    header.oldest_age_ms = (newest + varint) * AGE_STEP_MS;
  }
  header.body_at = at;
  return at;
}

/** An age as it is kept. */
function steps(age_ms: number): number {
  return Math.min(Math.max(Math.round(age_ms / AGE_STEP_MS), -VARINT_LIMIT + 1), VARINT_LIMIT - 1);
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
