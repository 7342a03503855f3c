/**
 * Readings as rows of `pack_readings` in PostgreSQL's binary COPY format (PostgreSQL documentation, COPY, "Binary
 * Format"): big-endian; per row a field count, per field its length (-1: NULL) and bytes.
 */
import { CELL_METRICS, PACK_METRICS } from '../../core/metrics.ts';
import { DeviceAlarmLevel, type PackReading } from '../../core/reading/pack-reading.ts';
import { Quality, qualityLetters } from '../../core/reading/quality.ts';

const CELL_ARRAYS = [
  'cell_voltage_v',
  'cell_temperature_c',
  'cell_soc_pct',
  'cell_soh_pct',
  'cell_balancing',
] as const;
const CELL_QUALITIES = [
  'cell_voltage_quality',
  'cell_temperature_quality',
  'cell_soc_quality',
  'cell_soh_quality',
  'cell_balancing_quality',
] as const;
const COLUMNS = [
  'gateway_id',
  'pack_id',
  'ts',
  'seq',
  ...PACK_METRICS.map(metric => metric.name),
  'value_quality',
  'cell_count',
  ...CELL_ARRAYS,
  ...CELL_QUALITIES,
  'sensor_temperature_c',
  'sensor_quality',
  'device_alarms',
];

export const COPY_READINGS = `COPY pack_readings (${COLUMNS.join(', ')}) FROM STDIN (FORMAT binary)`;

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER = Buffer.concat([SIGNATURE, Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);

/** Object id of PostgreSQL's type `real`. */
const REAL_OID = 700;
/** 2000-01-01 UTC, where PostgreSQL's timestamps begin. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
/** A clock that is this far off gets its nearest end: PostgreSQL would refuse the row, and with it all others. */
const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(9999, 11, 31);

const ALARM_LETTERS = 'nwa';

/** Collects rows; `take` gives what was collected since. The first piece begins with the header. */
export class CopyRows {
  #bytes: Buffer = Buffer.allocUnsafe(1 << 18);
  #used = 0;
  readonly #gateway_id: string;

  constructor(gateway_id: string) {
    this.#gateway_id = gateway_id;
    this.#raw(HEADER);
  }

  addRow(reading: PackReading, pack_id: string, t_ms: number, seq: number): void {
    this.#reserve(2);
    this.#used = this.#bytes.writeInt16BE(COLUMNS.length, this.#used);
    this.#text(this.#gateway_id);
    this.#text(pack_id);
    const clamped_ms = Math.min(Math.max(t_ms, EARLIEST_MS), LATEST_MS);
    this.#int64((clamped_ms - POSTGRES_EPOCH_MS) * 1000);
    this.#int64(seq);
    for (let m = 0; m < PACK_METRICS.length; m++) this.#real(reading.values[m]);
    this.#quality(reading.value_quality);
    this.#int32(reading.shape.cell_count);
    for (let m = 0; m < CELL_METRICS.length; m++) this.#reals(reading.column(m), reading.columnQuality(m));
    for (let m = 0; m < CELL_METRICS.length; m++) this.#quality(reading.columnQuality(m));
    this.#reals(reading.sensors, reading.sensor_quality);
    this.#quality(reading.sensor_quality);
    this.#text(alarmLetters(reading.device_alarm_level));
  }

  /** Ends the COPY; nothing can be added afterwards. */
  end(): void {
    this.#raw(TRAILER);
  }

  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#used);
    // Who took it may still hold it while it is sent.
    this.#bytes = Buffer.allocUnsafe(this.#bytes.length);
    this.#used = 0;
    return taken;
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#used + more));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }

  #raw(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#used += bytes.copy(this.#bytes, this.#used);
  }

  #null(): void {
    this.#reserve(4);
    this.#used = this.#bytes.writeInt32BE(-1, this.#used);
  }

  #text(text: string | undefined): void {
    if (text === undefined) {
      this.#null();
      return;
    }
    this.#reserve(4 + 3 * text.length);
    const length = this.#bytes.write(text, this.#used + 4);
    this.#used = this.#bytes.writeInt32BE(length, this.#used) + length;
  }

  #int32(value: number): void {
    this.#reserve(8);
    this.#used = this.#bytes.writeInt32BE(4, this.#used);
    this.#used = this.#bytes.writeInt32BE(value, this.#used);
  }

  #int64(value: number): void {
    this.#reserve(12);
    this.#used = this.#bytes.writeInt32BE(8, this.#used);
    this.#used = this.#bytes.writeInt32BE(Math.floor(value / 2 ** 32), this.#used);
    this.#used = this.#bytes.writeUInt32BE(value >>> 0, this.#used);
  }

  /** NaN is NULL. */
  #real(value: number): void {
    if (Number.isNaN(value)) {
      this.#null();
      return;
    }
    this.#reserve(8);
    this.#used = this.#bytes.writeInt32BE(4, this.#used);
    this.#used = this.#bytes.writeFloatBE(value, this.#used);
  }

  /** NULL when all are missing; else one element each, NULL where missing. */
  #reals(values: Float32Array, quality: Uint8Array): void {
    if (allMissing(quality)) {
      this.#null();
      return;
    }
    this.#reserve(24 + 8 * values.length);
    const bytes = this.#bytes;
    const start = this.#used;
    let at = bytes.writeInt32BE(1, start + 4);
    at = bytes.writeInt32BE(1, at);
    at = bytes.writeInt32BE(REAL_OID, at);
    at = bytes.writeInt32BE(values.length, at);
    at = bytes.writeInt32BE(1, at);
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i])) {
        at = bytes.writeInt32BE(-1, at);
        continue;
      }
      at = bytes.writeInt32BE(4, at);
      at = bytes.writeFloatBE(values[i], at);
    }
    bytes.writeInt32BE(at - start - 4, start);
    this.#used = at;
  }

  #quality(quality: Uint8Array): void {
    this.#text(goodWherePresent(quality) ? undefined : qualityLetters(quality));
  }
}

function allMissing(quality: Uint8Array): boolean {
  for (let i = 0; i < quality.length; i++) if (quality[i] !== Quality.missing) return false;
  return true;
}

function goodWherePresent(quality: Uint8Array): boolean {
  for (let i = 0; i < quality.length; i++)
    if (quality[i] !== Quality.good && quality[i] !== Quality.missing) return false;
  return true;
}

function alarmLetters(levels: Uint8Array): string | undefined {
  let letters = '';
  let known = false;
  for (let i = 0; i < levels.length; i++) {
    if (levels[i] !== DeviceAlarmLevel.unknown) known = true;
    letters += ALARM_LETTERS[levels[i]] ?? 'u';
  }
  return known ? letters : undefined;
}
