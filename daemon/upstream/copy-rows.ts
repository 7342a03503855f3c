/**
 * Readings as rows of `pack_readings` in PostgreSQL's binary COPY format (PostgreSQL documentation, COPY, "Binary
 * Format"): big-endian; per row a field count, per field its length (-1: NULL) and bytes.
 */
import { CELL_METRICS, PACK_METRICS } from '../../core/metrics.ts';
import { DeviceAlarmLevel, type PackReading } from '../../core/reading/pack-reading.ts';
import { QUALITY_LETTERS, Quality } from '../../core/reading/quality.ts';

const CELL_ARRAYS = CELL_METRICS.map(({ name }) => `cell_${name}`);
/** Named after the quantity without its unit. */
const CELL_QUALITIES = CELL_ARRAYS.map(name => `${name.replace(/_(v|c|pct|mohm)$/, '')}_quality`);
const KEY_COLUMNS = ['gateway_id', 'pack_id', 'ts', 'seq', 'cell_count'];
/** Columns that may be left out where they are NULL in every row, in the order of a ColumnSet. */
const OPTIONAL_COLUMNS = [
  ...PACK_METRICS.map(metric => metric.name),
  ...CELL_ARRAYS,
  'value_quality',
  ...CELL_QUALITIES,
  'sensor_temperature_c',
  'sensor_quality',
  'device_alarms',
  'newest_age_ms',
  'oldest_age_ms',
  'is_repeated',
];

const CELLS_AT = PACK_METRICS.length;
const VALUE_QUALITY_AT = CELLS_AT + CELL_METRICS.length;
const CELL_QUALITY_AT = VALUE_QUALITY_AT + 1;
const SENSORS_AT = CELL_QUALITY_AT + CELL_METRICS.length;
const SENSOR_QUALITY_AT = SENSORS_AT + 1;
const ALARMS_AT = SENSOR_QUALITY_AT + 1;
const NEWEST_AGE_AT = ALARMS_AT + 1;
const OLDEST_AGE_AT = NEWEST_AGE_AT + 1;
const REPEATED_AT = OLDEST_AGE_AT + 1;

/** Some of the OPTIONAL_COLUMNS. */
export class ColumnSet {
  readonly #has = new Uint8Array(OPTIONAL_COLUMNS.length);

  has(column: number): boolean {
    return this.#has[column] === 1;
  }

  includes(other: ColumnSet): boolean {
    for (let i = 0; i < this.#has.length; i++) if (other.#has[i] > this.#has[i]) return false;
    return true;
  }

  add(other: ColumnSet): void {
    for (let i = 0; i < this.#has.length; i++) this.#has[i] |= other.#has[i];
  }

  copy(): ColumnSet {
    const copy = new ColumnSet();
    copy.add(this);
    return copy;
  }

  /** Makes it the columns in which this reading is not NULL. */
  setTo(reading: PackReading): void {
    const set = (column: number, is_there: boolean) => {
      this.#has[column] = is_there ? 1 : 0;
    };
    for (let m = 0; m < PACK_METRICS.length; m++) set(m, !Number.isNaN(reading.values[m]));
    set(VALUE_QUALITY_AT, !goodWherePresent(reading.value_quality));
    for (let m = 0; m < CELL_METRICS.length; m++) {
      const quality = reading.columnQuality(m);
      set(CELLS_AT + m, !allMissing(quality));
      set(CELL_QUALITY_AT + m, !goodWherePresent(quality));
    }
    set(SENSORS_AT, !allMissing(reading.sensor_quality));
    set(SENSOR_QUALITY_AT, !goodWherePresent(reading.sensor_quality));
    set(ALARMS_AT, !allUnknown(reading.device_alarm_level));
    set(NEWEST_AGE_AT, !Number.isNaN(reading.newest_age_ms));
    set(OLDEST_AGE_AT, !Number.isNaN(reading.oldest_age_ms));
    set(REPEATED_AT, reading.is_repeated);
  }

  get names(): string[] {
    return OPTIONAL_COLUMNS.filter((_, column) => this.has(column));
  }
}

export function copyStatement(table: string, columns: ColumnSet): string {
  return `COPY ${table} (${[...KEY_COLUMNS, ...columns.names].join(', ')}) FROM STDIN (FORMAT binary)`;
}

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

const ALARM_LETTERS = Buffer.from('nwa');
const UNKNOWN_LETTER = 'u'.charCodeAt(0);
const QUALITY_BYTES = Buffer.from(QUALITY_LETTERS);
const FIRST_BYTES = 80 << 10;

/** The moment that stands at the centre for one of the log. */
export const centreMs = (t_ms: number) => Math.min(Math.max(t_ms, EARLIEST_MS), LATEST_MS);

/** Collects rows; `take` gives what was collected since. The first piece begins with the header. */
export class CopyRows {
  readonly columns: ColumnSet;
  /** Rows added. */
  count = 0;
  readonly #gateway_id: string;
  readonly #field_count: number;
  /** A row's first fields by pack: field count, gateway, pack. */
  readonly #heads = new Map<string, Buffer>();
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #spare: Buffer<ArrayBuffer> | undefined;
  #view = viewOf(this.#bytes);
  #used = HEADER.copy(this.#bytes);

  constructor(gateway_id: string, columns: ColumnSet) {
    this.#gateway_id = gateway_id;
    this.columns = columns;
    this.#field_count = KEY_COLUMNS.length + columns.names.length;
  }

  get bytes(): number {
    return this.#used;
  }

  /** The columns of the reading must be among `columns`. */
  addRow(reading: PackReading, pack_id: string, t_ms: number, seq: number): void {
    const { columns } = this;
    this.count++;
    const head = this.#headOf(pack_id);
    this.#reserve(head.length + mostBytes(reading));
    this.#used += head.copy(this.#bytes, this.#used);
    this.#int64((centreMs(t_ms) - POSTGRES_EPOCH_MS) * 1000);
    this.#int64(seq);
    this.#int32(4);
    this.#int32(reading.shape.cell_count);
    for (let m = 0; m < PACK_METRICS.length; m++) if (columns.has(m)) this.#real(reading.values[m]);
    for (let m = 0; m < CELL_METRICS.length; m++)
      if (columns.has(CELLS_AT + m)) this.#reals(reading.column(m), reading.columnQuality(m));
    if (columns.has(VALUE_QUALITY_AT)) this.#quality(reading.value_quality);
    for (let m = 0; m < CELL_METRICS.length; m++)
      if (columns.has(CELL_QUALITY_AT + m)) this.#quality(reading.columnQuality(m));
    if (columns.has(SENSORS_AT)) this.#reals(reading.sensors, reading.sensor_quality);
    if (columns.has(SENSOR_QUALITY_AT)) this.#quality(reading.sensor_quality);
    if (columns.has(ALARMS_AT)) this.#alarms(reading.device_alarm_level);
    if (columns.has(NEWEST_AGE_AT)) this.#integer(reading.newest_age_ms);
    if (columns.has(OLDEST_AGE_AT)) this.#integer(reading.oldest_age_ms);
    if (columns.has(REPEATED_AT)) this.#boolean(reading.is_repeated);
  }

  /** Ends the COPY; nothing can be added afterwards. */
  end(): void {
    this.#reserve(TRAILER.length);
    this.#used += TRAILER.copy(this.#bytes, this.#used);
  }

  take(): Buffer<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#used);
    // Who took it may still hold it while it is sent.
    this.#bytes = this.#spare ?? Buffer.allocUnsafeSlow(this.#bytes.length);
    this.#spare = undefined;
    this.#view = viewOf(this.#bytes);
    this.#used = 0;
    return taken;
  }

  /** What `take` gave is not needed any more: it has been sent. */
  giveBack(taken: Buffer<ArrayBuffer>): void {
    this.#spare = Buffer.from(taken.buffer);
  }

  #headOf(pack_id: string): Buffer {
    let head = this.#heads.get(pack_id);
    if (!head) {
      const [gateway, pack] = [Buffer.from(this.#gateway_id), Buffer.from(pack_id)];
      head = Buffer.alloc(2 + 4 + gateway.length + 4 + pack.length);
      let at = head.writeInt16BE(this.#field_count);
      for (const text of [gateway, pack]) {
        at = head.writeInt32BE(text.length, at);
        at += text.copy(head, at);
      }
      this.#heads.set(pack_id, head);
    }
    return head;
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#used + more));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }

  #int32(value: number): void {
    this.#view.setInt32(this.#used, value);
    this.#used += 4;
  }

  #null(): void {
    this.#int32(-1);
  }

  #int64(value: number): void {
    this.#int32(8);
    this.#int32(Math.floor(value / 2 ** 32));
    this.#view.setUint32(this.#used, value >>> 0);
    this.#used += 4;
  }

  /** Of 32 bits; NaN is NULL. */
  #integer(value: number): void {
    if (Number.isNaN(value)) {
      this.#null();
      return;
    }
    this.#int32(4);
    this.#int32(Math.min(Math.max(Math.round(value), -0x7fff_ffff), 0x7fff_ffff));
  }

  #boolean(value: boolean): void {
    this.#int32(1);
    this.#bytes[this.#used++] = value ? 1 : 0;
  }

  /** NaN is NULL. */
  #real(value: number): void {
    const view = this.#view;
    const at = this.#used;
    if (Number.isNaN(value)) {
      view.setInt32(at, -1);
      this.#used = at + 4;
      return;
    }
    view.setInt32(at, 4);
    view.setFloat32(at + 4, value);
    this.#used = at + 8;
  }

  /** NULL when all are missing; else one element each, NULL where missing. */
  #reals(values: Float32Array, quality: Uint8Array): void {
    if (allMissing(quality)) {
      this.#null();
      return;
    }
    const start = this.#used;
    // Dimensions, "may have NULLs", element type, elements, number of the first.
    for (const head of [0, 1, 1, REAL_OID, values.length, 1]) this.#int32(head);
    for (let i = 0; i < values.length; i++) this.#real(values[i]);
    this.#view.setInt32(start, this.#used - start - 4);
  }

  /** NULL when every value that is there is good. */
  #quality(quality: Uint8Array): void {
    if (goodWherePresent(quality)) {
      this.#null();
      return;
    }
    this.#int32(quality.length);
    for (let i = 0; i < quality.length; i++) this.#bytes[this.#used++] = QUALITY_BYTES[quality[i]];
  }

  /** NULL when all are unknown. */
  #alarms(levels: Uint8Array): void {
    if (allUnknown(levels)) {
      this.#null();
      return;
    }
    this.#int32(levels.length);
    for (let i = 0; i < levels.length; i++)
      this.#bytes[this.#used++] = ALARM_LETTERS[levels[i]] ?? UNKNOWN_LETTER;
  }
}

/** More than any row of this shape takes after its head. */
function mostBytes({ shape }: PackReading): number {
  const cells = CELL_METRICS.length * (28 + 9 * shape.cell_count);
  const ages_and_mark = 2 * 8 + 5;
  return (
    32 +
    9 * PACK_METRICS.length +
    cells +
    32 +
    9 * shape.sensor_count +
    4 +
    shape.device_alarms.length +
    ages_and_mark
  );
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
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

function allUnknown(levels: Uint8Array): boolean {
  for (let i = 0; i < levels.length; i++) if (levels[i] !== DeviceAlarmLevel.unknown) return false;
  return true;
}
