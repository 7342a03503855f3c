/**
 * Columns of integers as bytes that compress well, little-endian:
 *
 *   u8 form: number of planes, 8 more when they hold differences of differences | first value i32
 *   | [second order: first difference i32] | planes of rows - 1 bytes, lowest bytes first: differences, zigzag
 *
 * and the compression itself: zstd with its checksum.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

const SECOND_ORDER = 8;
/** What says it is larger is corrupt. */
const MAX_CONTENT_BYTES = 256 << 20;
/** Unpacked at once; the least is that of node:zlib. */
const MIN_PIECE_BYTES = 64;
const MAX_PIECE_BYTES = 1 << 20;
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };

export function compress(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, { params: PARAMS });
}

/** Throws what says why when the bytes were damaged. */
export function decompress(bytes: Uint8Array): Buffer {
  // In one piece: by default it comes in pieces of 16 kB, to be joined.
  const chunkSize = Math.min(Math.max(MIN_PIECE_BYTES, contentBytes(bytes) + 1), MAX_PIECE_BYTES);
  return zstdDecompressSync(bytes, { maxOutputLength: MAX_CONTENT_BYTES, chunkSize });
}

/** What the head of a zstd frame (RFC 8878, 3.1.1.1) says of the bytes in it; 0 where it says nothing. */
function contentBytes(bytes: Uint8Array): number {
  if (bytes.length < 18) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const form = view.getUint8(4);
  const is_single_segment = (form & 0x20) !== 0;
  const at = 5 + (is_single_segment ? 0 : 1) + [0, 1, 2, 4][form & 3];
  switch (form >>> 6) {
    case 0:
      return is_single_segment ? view.getUint8(at) : 0;
    case 1:
      return view.getUint16(at, true) + 256;
    case 2:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}

/** Bytes that grow as they are written. */
export class ColumnWriter {
  #buffer: Buffer;
  #used = 0;

  constructor(byte_count: number) {
    this.#buffer = Buffer.allocUnsafe(byte_count);
  }

  u8(value: number): void {
    this.#used = this.#reserve(1).writeUInt8(value, this.#used);
  }

  u16(value: number): void {
    this.#used = this.#reserve(2).writeUInt16LE(value, this.#used);
  }

  u32(value: number): void {
    this.#used = this.#reserve(4).writeUInt32LE(value, this.#used);
  }

  f64(value: number): void {
    this.#used = this.#reserve(8).writeDoubleLE(value, this.#used);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length).set(bytes, this.#used);
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
    const buffer = this.#reserve(planes * coded.length);
    for (let plane = 0; plane < planes; plane++)
      for (let i = 0; i < coded.length; i++) buffer[this.#used++] = coded[i] >>> (8 * plane);
  }

  done(): Buffer {
    return this.#buffer.subarray(0, this.#used);
  }

  #reserve(byte_count: number): Buffer {
    if (this.#used + byte_count > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(2 * this.#buffer.length + byte_count);
      grown.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = grown;
    }
    return this.#buffer;
  }
}

/** How many bytes the column at `at` takes. */
export function columnBytes(bytes: Buffer, at: number, row_count: number): number {
  const form = bytes.readUInt8(at);
  return (form & SECOND_ORDER ? 9 : 5) + (form & 7) * Math.max(0, row_count - 1);
}

/** The value of a column in which it is the same in every row. */
export function constantColumn(bytes: Buffer, at: number): number | undefined {
  return bytes.readUInt8(at) === 0 ? bytes.readInt32LE(at + 1) : undefined;
}

/** Into `values`, which it returns. */
export function readColumn(
  bytes: Buffer,
  at: number,
  row_count: number,
  values: Int32Array<ArrayBuffer> = new Int32Array(row_count),
): Int32Array<ArrayBuffer> {
  const form = bytes.readUInt8(at);
  const planes = form & 7;
  const second_order = (form & SECOND_ORDER) !== 0;
  let value = bytes.readInt32LE(at + 1);
  let difference = second_order ? bytes.readInt32LE(at + 5) : 0;
  at += second_order ? 9 : 5;
  if (planes === 0 && difference === 0) return values.fill(value);
  if (row_count > 0) values[0] = value;
  const step = row_count - 1;
  for (let i = 1; i < row_count; i++, at++) {
    let zigzag = planes > 0 ? bytes[at] : 0;
    for (let plane = 1; plane < planes; plane++) zigzag |= bytes[at + plane * step] << (8 * plane);
    const change = (zigzag >>> 1) ^ -(zigzag & 1);
    difference = second_order ? (difference + change) | 0 : change;
    value = (value + difference) | 0;
    values[i] = value;
  }
  return values;
}
