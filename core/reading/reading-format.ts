/**
 * The layout of a stored reading: versions, flags, counts and scales. Frozen: bytes that were written are read for ever.
 * Whoever takes such bytes apart (codec.ts, codec-tokens.ts and what reads columns of the archive) reads it here.
 *
 * `pack`, `t_ms` and `mono_ms` are not in the bytes: a stored row has its own columns for pack and time.
 * Little-endian. varint: LEB128, seven bits a byte, lowest first, in its shortest form. mask: one bit per quantity in
 * the same form, of any length, so that quantities can be appended for ever. pairs: two bits each, four to a byte,
 * lowest bits first.
 *
 * Version 2, which is written:
 *
 *   u8 version | u8 Flag | u8 ReadingFlag | mask of the cell columns that are present
 *   varint cell_count | varint sensor_count | varint alarm_count
 *   ages      zigzag varint: newest | varint: oldest less newest, both in AGE_STEP_MS
 *   values    mask of those present | pairs: qualities of these in order, if not all good
 *             | each zigzag varint of value * VALUE_PER_UNIT, or float64 when one does not fit
 *   column    u8 ColumnFlag | pairs: qualities, if not all good | scaled integers, or float32 when one does not fit
 *   sensors   pairs: qualities, if not all good | i16, or float32 when one does not fit
 *   alarms    pairs: levels, 3 for unknown
 *
 * Version 1: no ReadingFlag and no ages; the mask of cell columns is one byte; the mask of values a varint of 18 bits;
 * where not all values are good, 18 qualities follow, also of those that are absent.
 *
 * What is absent is missing. Numbers are kept at the resolution of the metric table; a number too large for its
 * integer (a suspect value) is never lost, its column is then kept in floating point.
 */
import { PACK_METRICS } from '../metrics.ts';
import type { ColumnForm } from './codec-columns.ts';

/** What differs between versions. A bit beyond the counts is damage. */
export interface ReadingFormat {
  readonly version: number;
  readonly has_ages: boolean;
  /** How many quantities the masks can name, whatever the table of this program holds. */
  readonly max_values: number;
  readonly max_columns: number;
  /** Qualities stand for each of `max_values`, not for those present alone. */
  readonly has_all_qualities: boolean;
}

/** Bytes of a mask; more is taken as corruption. */
const MAX_MASK_BYTES = 16;
/** The most quantities that a mask can name. */
export const MAX_VALUES = 7 * MAX_MASK_BYTES;

const V1: ReadingFormat = {
  version: 1,
  has_ages: false,
  max_values: 18,
  max_columns: 5,
  has_all_qualities: true,
};
const V2: ReadingFormat = {
  version: 2,
  has_ages: true,
  max_values: MAX_VALUES,
  max_columns: MAX_VALUES,
  has_all_qualities: false,
};
/** What is written. */
export const WRITTEN = V2;

export function formatOf(version: number): ReadingFormat | undefined {
  return version === V2.version ? V2 : version === V1.version ? V1 : undefined;
}

/** Cells, sensors or alarms of one pack; more is taken as corruption. */
export const MAX_COUNT = 4096;
/** Varint values stay within this so that zigzag fits 32 bits. */
export const VARINT_LIMIT = 2 ** 30;
export const AGE_STEP_MS = 10;

export const Flag = {
  values: 1,
  values_float: 2,
  values_quality: 4,
  sensors: 8,
  sensors_float: 16,
  sensors_quality: 32,
  alarms: 64,
  ages: 128,
} as const;
export const ReadingFlag = { repeated: 1 } as const;
export const ColumnFlag = { float: 1, quality: 2 } as const;

/** By CellMetric: append with the metric table, never change. Another form is another version. */
export const CELL_FORMS: readonly ColumnForm[] = [
  { form: 'u16', per_unit: 10_000 },
  { form: 'i16', per_unit: 10 },
  { form: 'u16', per_unit: 100 },
  { form: 'u16', per_unit: 10 },
  { form: 'pair', per_unit: 1 },
  { form: 'u16', per_unit: 10 },
  { form: 'u16', per_unit: 10 },
  { form: 'u16', per_unit: 10 },
  { form: 'u16', per_unit: 10 },
  { form: 'u16', per_unit: 100 },
];
export const SENSOR_FORM: ColumnForm = { form: 'i16', per_unit: 10 };
/** By PackMetric: steps of one unit, by the resolution of the metric table, which is therefore never changed. */
export const VALUE_PER_UNIT: readonly number[] = PACK_METRICS.map(({ resolution }) =>
  Math.round(1 / resolution),
);

/** Results below zero of functions that read. */
export const DecodeFault = { truncated: -1, version: -2, shape: -3, malformed: -4 } as const;

/** A mask being written or read: bit `i` is the quantity of that index. Reused, so that nothing is allocated. */
export class Mask {
  readonly #bytes = new Uint8Array(MAX_MASK_BYTES);
  /** Bytes of the shortest form. */
  #length = 1;

  clear(): void {
    this.#bytes.fill(0, 0, this.#length);
    this.#length = 1;
  }

  set(bit: number): void {
    const at = (bit / 7) | 0;
    this.#bytes[at] |= 1 << (bit % 7);
    if (at >= this.#length) this.#length = at + 1;
  }

  has(bit: number): boolean {
    return (this.#bytes[(bit / 7) | 0] & (1 << (bit % 7))) !== 0;
  }

  /** How many bits are set. */
  get count(): number {
    let count = 0;
    for (let i = 0; i < this.#length; i++)
      for (let rest = this.#bytes[i]; rest !== 0; rest &= rest - 1) count++;
    return count;
  }

  /** No bit at or above `limit` is set. */
  isWithin(limit: number): boolean {
    const first = (limit / 7) | 0;
    if (first >= this.#length) return true;
    if (this.#bytes[first] >>> (limit % 7) !== 0) return false;
    for (let i = first + 1; i < this.#length; i++) if (this.#bytes[i] !== 0) return false;
    return true;
  }

  /** Returns the offset after it. */
  write(view: DataView, at: number): number {
    const last = this.#length - 1;
    for (let i = 0; i < last; i++) view.setUint8(at++, this.#bytes[i] | 0x80);
    view.setUint8(at++, this.#bytes[last]);
    return at;
  }

  /** Returns the offset after it, or a DecodeFault. */
  read(view: DataView, at: number, end: number): number {
    this.clear();
    for (let i = 0; i < MAX_MASK_BYTES; i++) {
      if (at >= end) return DecodeFault.truncated;
      const byte = view.getUint8(at++);
      this.#bytes[i] = byte & 0x7f;
      this.#length = i + 1;
      if (byte < 0x80) return byte === 0 && i > 0 ? DecodeFault.malformed : at;
    }
    return DecodeFault.malformed;
  }

  /** The mask of version 1: `bits` as one number. */
  fill(bits: number): void {
    this.clear();
    for (let i = 0; bits !== 0; i++, bits >>>= 7) {
      this.#bytes[i] = bits & 0x7f;
      this.#length = i + 1;
    }
  }
}
