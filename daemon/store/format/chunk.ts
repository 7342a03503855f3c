/**
 * A chunk: a run of readings of one pack, column by column, delta coded and compressed (zstd with its checksum).
 * The bytes of every reading come back exactly. Layout before compression, little-endian:
 *
 *   u8 version | u32 groups | f64 t_ms that times count from
 *   group   u32 rows | u16 tokens per row (0xffff: bodies as they are) | width of each token, a byte
 *           | columns: seq less the first of the span, t_ms low, t_ms high, each token
 *           | bodies as they are: a column of their lengths, then the bytes
 *   column  packed-columns.ts
 *
 * A group holds the readings whose tokens (core/reading/codec-tokens.ts) have the same widths.
 */
import { BodyTokens, joinTokens, maxJoinedBytes } from '../../../core/reading/codec-tokens.ts';
import {
  ColumnWriter,
  columnBytes,
  compress,
  constantColumn,
  decompress,
  readColumn,
} from './packed-columns.ts';

const VERSION = 1;
/** Times are kept in two integers, so that a clock which jumped by years does no harm. */
const T_LOW = 2 ** 30;
const VERBATIM = 0xffff;
const HEAD_BYTES = 13;

export interface ChunkRow {
  /** Less the first number of the span. */
  readonly rel_seq: number;
  readonly t_ms: number;
  readonly body: Buffer;
}

const tokens = new BodyTokens();
/** Columns of one group: made new for each they would pile up faster than the collector comes by. */
let token_room = new Int32Array(0);

interface Group {
  readonly widths: Uint8Array;
  readonly rows: ChunkRow[];
  /** Row by row. */
  values: Int32Array;
}

/** Rows in the order of their numbers. `as_they_are`: without taking bodies apart. */
export function encodeChunk(rows: readonly ChunkRow[], as_they_are = false): Buffer {
  const groups: Group[] = [];
  const verbatim: ChunkRow[] = [];
  for (const row of rows) {
    const view = new DataView(row.body.buffer, row.body.byteOffset, row.body.length);
    if (as_they_are || !tokens.split(view, 0, row.body.length)) verbatim.push(row);
    else addRow(groups, row);
  }
  const base_t_ms = rows.reduce((least, row) => Math.min(least, row.t_ms), rows[0]?.t_ms ?? 0);
  const out = new ColumnWriter(HEAD_BYTES + 64 + rows.length * 8);
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
  return compress(out.done());
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

function writePlacesAndTimes(out: ColumnWriter, rows: readonly ChunkRow[], base_t_ms: number): void {
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
      at += columnBytes(bytes, at, this.row_count);
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
    const times = new Float64Array(low.length);
    for (let row = 0; row < times.length; row++) times[row] = this.#base_t_ms + high[row] * T_LOW + low[row];
    return times;
  }

  /** Token `k` of every row. */
  token(k: number): Int32Array {
    return this.#column(3 + k);
  }

  /** Token `k` when it is the same in every row. */
  constant(k: number): number | undefined {
    return constantColumn(this.#bytes, this.#columns_at[3 + k]);
  }

  /** Only where bodies do not stand as they are. */
  firstBody(): Buffer {
    const columns = Array.from(this.widths, (_, k) =>
      Int32Array.of(this.#bytes.readInt32LE(this.#columns_at[3 + k] + 1)),
    );
    const body = Buffer.allocUnsafeSlow(maxJoinedBytes(this.widths));
    return body.subarray(0, joinTokens(this.widths, columns, 0, new DataView(body.buffer), 0));
  }

  /** Bodies of all rows, one after the other; that of row `i` ends at `ends[i]`. */
  bodies(): { bytes: Buffer; ends: Uint32Array } {
    const ends = new Uint32Array(this.row_count);
    if (this.#columns_at.length === 4) {
      let end = 0;
      this.#column(3).forEach((length, row) => {
        end += length;
        ends[row] = end;
      });
      return { bytes: this.#bytes.subarray(this.#bodies_at, this.#bodies_at + end), ends };
    }
    const columns = this.#tokens();
    const most = maxJoinedBytes(this.widths);
    let bytes = Buffer.allocUnsafeSlow(most + this.row_count * 2 * this.widths.length);
    let view = new DataView(bytes.buffer);
    let at = 0;
    for (let row = 0; row < this.row_count; row++) {
      if (at + most > bytes.length) {
        const grown = Buffer.allocUnsafeSlow(2 * bytes.length);
        grown.set(bytes.subarray(0, at));
        bytes = grown;
        view = new DataView(bytes.buffer);
      }
      at = joinTokens(this.widths, columns, row, view, at);
      ends[row] = at;
    }
    return { bytes: bytes.subarray(0, at), ends };
  }

  /** Valid until the next call. */
  #tokens(): Int32Array[] {
    const { row_count, widths } = this;
    if (token_room.length < widths.length * row_count) token_room = new Int32Array(widths.length * row_count);
    return Array.from(widths, (_, k) => {
      const column = token_room.subarray(k * row_count, (k + 1) * row_count);
      return readColumn(this.#bytes, this.#columns_at[3 + k], row_count, column);
    });
  }

  #column(k: number): Int32Array {
    return readColumn(this.#bytes, this.#columns_at[k], this.row_count);
  }
}

/** Throws what says why when the bytes are not those of a chunk. */
export function openChunk(chunk: Uint8Array): ChunkGroup[] {
  const bytes = decompress(chunk);
  if (bytes.readUInt8(0) !== VERSION) throw new RangeError(`chunk version ${bytes[0]}, expected ${VERSION}`);
  const groups: ChunkGroup[] = [];
  const group_count = bytes.readUInt32LE(1);
  for (let at = HEAD_BYTES; groups.length < group_count; at = groups[groups.length - 1].end)
    groups.push(new ChunkGroup(bytes, at, bytes.readDoubleLE(5)));
  return groups;
}
