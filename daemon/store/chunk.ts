/**
 * A chunk: a run of readings of one pack, column by column, delta coded and compressed (zstd with its checksum).
 * The bytes of every reading come back exactly. Layout before compression, little-endian:
 *
 *   u8 version | u32 groups | f64 t_ms that times count from
 *   group   u32 rows | u16 tokens per row (0xffff: bodies as they are) | width of each token, a byte
 *           | columns: seq less the first of the span, t_ms low, t_ms high, each token
 *           | bodies as they are: a column of their lengths, then the bytes
 *   column  u8 form (ColumnForm) | first value i32 | [second order: first difference i32] | planes of rows - 1 bytes,
 *           lowest bytes first: differences (second order: differences of these), zigzag
 *
 * A group holds the readings whose tokens (core/reading/codec-tokens.ts) have the same widths.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { BodyTokens, joinTokens, maxJoinedBytes } from '../../core/reading/codec-tokens.ts';

const VERSION = 1;
/** Times are kept in two integers, so that a clock which jumped by years does no harm. */
const T_LOW = 2 ** 30;
const VERBATIM = 0xffff;
const HEAD_BYTES = 13;
/** Form of a column: how many planes it has, and whether they hold differences of differences. */
const SECOND_ORDER = 8;
/** A chunk that says it is larger is corrupt. */
const MOST_BYTES = 256 << 20;

export interface ChunkRow {
  /** Less the first number of the span. */
  readonly rel_seq: number;
  readonly t_ms: number;
  readonly body: Buffer;
}

const tokens = new BodyTokens();

interface Group {
  readonly widths: Uint8Array;
  readonly rows: ChunkRow[];
  /** Row by row. */
  values: Int32Array;
}

/** Rows in the order of their numbers. */
export function encodeChunk(rows: readonly ChunkRow[]): Buffer {
  const groups: Group[] = [];
  const verbatim: ChunkRow[] = [];
  for (const row of rows) {
    const view = new DataView(row.body.buffer, row.body.byteOffset, row.body.length);
    if (!tokens.split(view, 0, row.body.length) || tokens.count >= VERBATIM) verbatim.push(row);
    else addRow(groups, row);
  }
  const base_t_ms = rows.reduce((least, row) => Math.min(least, row.t_ms), rows[0]?.t_ms ?? 0);
  const out = new ChunkWriter(HEAD_BYTES + 64 + rows.length * 8);
  out.u8(VERSION);
  out.u32(groups.length + (verbatim.length > 0 ? 1 : 0));
  out.f64(base_t_ms);
  for (const { widths, rows: members, values } of groups) {
    out.u32(members.length);
    out.u16(widths.length);
    out.bytes(widths);
    writePlacesAndTimes(out, members, base_t_ms);
    const column = new Int32Array(members.length);
    for (let k = 0; k < widths.length; k++) {
      for (let i = 0, at = k; i < column.length; i++, at += widths.length) column[i] = values[at];
      out.column(column, false);
    }
  }
  if (verbatim.length > 0) {
    out.u32(verbatim.length);
    out.u16(VERBATIM);
    writePlacesAndTimes(out, verbatim, base_t_ms);
    out.column(
      Int32Array.from(verbatim, row => row.body.length),
      false,
    );
    for (const { body } of verbatim) out.bytes(body);
  }
  return zstdCompressSync(out.done(), {
    params: {
      [constants.ZSTD_c_compressionLevel]: 3,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
}

function addRow(groups: Group[], row: ChunkRow): void {
  const { count, value, width } = tokens;
  let group = groups.find(({ widths }) => isSame(widths, width, count));
  if (!group) {
    group = { widths: width.slice(0, count), rows: [], values: new Int32Array(count * 64) };
    groups.push(group);
  }
  const at = group.rows.length * count;
  if (at + count > group.values.length) {
    const grown = new Int32Array(2 * group.values.length);
    grown.set(group.values);
    group.values = grown;
  }
  group.values.set(value.subarray(0, count), at);
  group.rows.push(row);
}

function isSame(widths: Uint8Array, width: Uint8Array, count: number): boolean {
  if (widths.length !== count) return false;
  for (let k = 0; k < count; k++) if (widths[k] !== width[k]) return false;
  return true;
}

function writePlacesAndTimes(out: ChunkWriter, rows: readonly ChunkRow[], base_t_ms: number): void {
  const since = (row: ChunkRow) => row.t_ms - base_t_ms;
  out.column(
    Int32Array.from(rows, row => row.rel_seq),
    true,
  );
  out.column(
    Int32Array.from(rows, row => since(row) % T_LOW),
    true,
  );
  out.column(
    Int32Array.from(rows, row => Math.floor(since(row) / T_LOW)),
    true,
  );
}

/** Bytes that grow as they are written. */
class ChunkWriter {
  #buffer: Buffer;
  #used = 0;

  constructor(byte_count: number) {
    this.#buffer = Buffer.allocUnsafe(byte_count);
  }

  u8(value: number): void {
    this.#used = this.#room(1).writeUInt8(value, this.#used);
  }

  u16(value: number): void {
    this.#used = this.#room(2).writeUInt16LE(value, this.#used);
  }

  u32(value: number): void {
    this.#used = this.#room(4).writeUInt32LE(value, this.#used);
  }

  f64(value: number): void {
    this.#used = this.#room(8).writeDoubleLE(value, this.#used);
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length).set(bytes, this.#used);
    this.#used += bytes.length;
  }

  column(values: Int32Array, second_order: boolean): void {
    const count = values.length;
    const coded = new Uint32Array(Math.max(0, count - 1));
    const first_difference = count > 1 ? (values[1] - values[0]) | 0 : 0;
    let before = second_order ? first_difference : 0;
    let all = 0;
    for (let i = 1; i < count; i++) {
      const difference = (values[i] - values[i - 1]) | 0;
      const change = second_order ? (difference - before) | 0 : difference;
      before = difference;
      const zigzag = ((change << 1) ^ (change >> 31)) >>> 0;
      coded[i - 1] = zigzag;
      all |= zigzag;
    }
    const planes = 4 - (Math.clz32(all) >> 3);
    this.u8(planes | (second_order ? SECOND_ORDER : 0));
    this.u32(values[0] >>> 0);
    if (second_order) this.u32(first_difference >>> 0);
    const buffer = this.#room(planes * coded.length);
    for (let plane = 0; plane < planes; plane++)
      for (let i = 0; i < coded.length; i++) buffer[this.#used++] = coded[i] >>> (8 * plane);
  }

  done(): Buffer {
    return this.#buffer.subarray(0, this.#used);
  }

  #room(byte_count: number): Buffer {
    if (this.#used + byte_count > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(2 * this.#buffer.length + byte_count);
      grown.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = grown;
    }
    return this.#buffer;
  }
}

/** One group of a chunk that is being read. Columns are unpacked when asked for. */
export class ChunkGroup {
  readonly row_count: number;
  /** Empty where bodies stand as they are. */
  readonly widths: Uint8Array;
  readonly #bytes: Buffer;
  readonly #columns_at: number[];
  readonly #base_t_ms: number;
  readonly #bodies_at: number;
  readonly end: number;

  constructor(bytes: Buffer, at: number, base_t_ms: number) {
    this.#bytes = bytes;
    this.#base_t_ms = base_t_ms;
    this.row_count = bytes.readUInt32LE(at);
    const token_count = bytes.readUInt16LE(at + 4);
    at += 6;
    const is_verbatim = token_count === VERBATIM;
    this.widths = is_verbatim ? bytes.subarray(at, at) : bytes.subarray(at, at + token_count);
    at += this.widths.length;
    this.#columns_at = [];
    const column_count = 3 + (is_verbatim ? 1 : token_count);
    for (let k = 0; k < column_count; k++) {
      this.#columns_at.push(at);
      const form = bytes.readUInt8(at);
      at += (form & SECOND_ORDER ? 9 : 5) + (form & 7) * Math.max(0, this.row_count - 1);
    }
    this.#bodies_at = at;
    if (is_verbatim) for (const length of this.#column(3)) at += length;
    if (at > bytes.length) throw new RangeError('a chunk ends too early');
    this.end = at;
  }

  relSeqs(): Int32Array {
    return this.#column(0);
  }

  times(): Float64Array {
    const low = this.#column(1);
    const high = this.#column(2);
    return Float64Array.from(low, (value, i) => this.#base_t_ms + high[i] * T_LOW + value);
  }

  /** Token `k` of every row. */
  token(k: number): Int32Array {
    return this.#column(3 + k);
  }

  /** Token `k` when it is the same in every row. */
  constant(k: number): number | undefined {
    const at = this.#columns_at[3 + k];
    return this.#bytes.readUInt8(at) === 0 ? this.#bytes.readInt32LE(at + 1) : undefined;
  }

  /** Calls `each` with the bytes of every row, which are valid until it returns. */
  forEachBody(each: (row: number, bytes: Buffer) => void): void {
    if (this.#columns_at.length === 4) {
      const lengths = this.#column(3);
      for (let row = 0, at = this.#bodies_at; row < this.row_count; at += lengths[row++])
        each(row, this.#bytes.subarray(at, at + lengths[row]));
      return;
    }
    const columns = Array.from(this.widths, (_, k) => this.token(k));
    const body = Buffer.allocUnsafe(maxJoinedBytes(this.widths));
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    for (let row = 0; row < this.row_count; row++)
      each(row, body.subarray(0, joinTokens(this.widths, columns, row, view, 0)));
  }

  #column(k: number): Int32Array {
    const bytes = this.#bytes;
    const count = this.row_count;
    const values = new Int32Array(count);
    let at = this.#columns_at[k];
    const form = bytes.readUInt8(at);
    const planes = form & 7;
    let value = bytes.readInt32LE(at + 1);
    at += 5;
    let difference = 0;
    const second_order = (form & SECOND_ORDER) !== 0;
    if (second_order) {
      difference = bytes.readInt32LE(at);
      at += 4;
    }
    if (count > 0) values[0] = value;
    const step = count - 1;
    for (let i = 1; i < count; i++, at++) {
      let zigzag = planes > 0 ? bytes[at] : 0;
      for (let plane = 1; plane < planes; plane++) zigzag |= bytes[at + plane * step] << (8 * plane);
      const change = (zigzag >>> 1) ^ -(zigzag & 1);
      difference = second_order ? (difference + change) | 0 : change;
      value = (value + difference) | 0;
      values[i] = value;
    }
    return values;
  }
}

/** Throws what says why when the bytes are not those of a chunk. */
export function openChunk(chunk: Uint8Array): ChunkGroup[] {
  const bytes = zstdDecompressSync(chunk, { maxOutputLength: MOST_BYTES });
  if (bytes.readUInt8(0) !== VERSION) throw new RangeError(`chunk version ${bytes[0]}, expected ${VERSION}`);
  const groups: ChunkGroup[] = [];
  const group_count = bytes.readUInt32LE(1);
  for (let at = HEAD_BYTES; groups.length < group_count; at = groups[groups.length - 1].end)
    groups.push(new ChunkGroup(bytes, at, bytes.readDoubleLE(5)));
  return groups;
}
