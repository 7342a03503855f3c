/**
 * The bytes of one encoded reading (codec.ts) as a row of integers and back, so that many readings of a pack can be
 * kept column by column. Two readings whose tokens have the same widths can stand in the same columns.
 */
import { CELL_METRICS, PACK_METRICS } from '../metrics.ts';
import { CELL_FORMS } from './codec.ts';
import { pairBytes } from './codec-columns.ts';

/** How a token stands in the bytes. Stored: append only. */
export const TokenWidth = { varint: 0, u8: 1, u16: 2, i16: 3, u32: 4, zigzag: 5 } as const;

const MOST_TOKENS = 65_536;
const VERSION = 1;
const VALUE_BITS = PACK_METRICS.length;

/** Where the tokens of one metric stand; `at` is -1 where the reading has none. */
interface Place {
  at: number;
  /** First of the tokens with two bits of quality per value; -1: all that is there is good. */
  quality_at: number;
  is_float: boolean;
}

const nowhere = (): Place => ({ at: -1, quality_at: -1, is_float: false });

/** Splits bodies; its fields tell of the last one, and are overwritten by the next. */
export class BodyTokens {
  count = 0;
  value = new Int32Array(256);
  width = new Uint8Array(256);
  /** 1: the token decides what others there are. */
  structural = new Uint8Array(256);
  readonly pack_values: readonly Place[] = PACK_METRICS.map(nowhere);
  readonly cell_columns: readonly Place[] = CELL_METRICS.map(nowhere);
  cell_count = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;
  #ok = true;

  /** False: not the bytes that the encoder writes, so tokens would not give them back. */
  split(view: DataView, offset: number, length: number): boolean {
    this.#view = view;
    this.#at = offset;
    this.#end = offset + length;
    this.#ok = true;
    this.count = 0;
    if (this.#byte(true) !== VERSION) return false;
    const flags = this.#byte(true);
    const columns = this.#byte(true);
    this.cell_count = this.#varint(true);
    const sensor_count = this.#varint(true);
    const alarm_count = this.#varint(true);
    if (columns >>> CELL_METRICS.length !== 0) return false;
    if (!(this.cell_count <= 4096 && sensor_count <= 4096 && alarm_count <= 4096)) return false;
    this.#values(flags);
    for (let m = 0; m < CELL_METRICS.length && this.#ok; m++) this.#column(m, (columns & (1 << m)) !== 0);
    if (flags & 8 && this.#ok) {
      if (flags & 32) this.#bytes(pairBytes(sensor_count));
      this.#fixed(flags & 16 ? TokenWidth.u32 : TokenWidth.i16, sensor_count);
    }
    if (flags & 64 && this.#ok) this.#bytes(pairBytes(alarm_count));
    return this.#ok && this.#at === this.#end;
  }

  #values(flags: number): void {
    for (const place of this.pack_values) place.at = -1;
    if (!(flags & 1)) return;
    const present = this.#varint(true);
    if (present >>> VALUE_BITS !== 0) this.#ok = false;
    const quality_at = flags & 4 ? this.count : -1;
    if (flags & 4) this.#bytes(pairBytes(VALUE_BITS));
    const is_float = (flags & 2) !== 0;
    for (let m = 0; m < VALUE_BITS && this.#ok; m++) {
      if (!(present & (1 << m))) continue;
      const place = this.pack_values[m];
      place.at = this.count;
      place.quality_at = quality_at;
      place.is_float = is_float;
      if (is_float) this.#fixed(TokenWidth.u32, 2);
      else this.#zigzag();
    }
  }

  #column(m: number, is_present: boolean): void {
    const place = this.cell_columns[m];
    place.at = -1;
    if (!is_present) return;
    const flags = this.#byte(true);
    place.is_float = (flags & 1) !== 0;
    place.quality_at = flags & 2 ? this.count : -1;
    if (flags & 2) this.#bytes(pairBytes(this.cell_count));
    place.at = this.count;
    const { form } = CELL_FORMS[m];
    if (place.is_float) this.#fixed(TokenWidth.u32, this.cell_count);
    else if (form === 'pair') this.#bytes(pairBytes(this.cell_count));
    else this.#fixed(TokenWidth[form], this.cell_count);
  }

  #push(value: number, width: number, structural: boolean): void {
    const at = this.count++;
    if (at === this.value.length) this.#grow();
    this.value[at] = value;
    this.width[at] = width;
    this.structural[at] = structural ? 1 : 0;
  }

  #grow(): void {
    const grown = 2 * this.value.length;
    if (grown > MOST_TOKENS) throw new RangeError(`a reading of more than ${MOST_TOKENS} tokens`);
    const { value, width, structural } = this;
    this.value = new Int32Array(grown);
    this.width = new Uint8Array(grown);
    this.structural = new Uint8Array(grown);
    this.value.set(value);
    this.width.set(width);
    this.structural.set(structural);
  }

  #has(byte_count: number): boolean {
    if (this.#at + byte_count > this.#end) this.#ok = false;
    return this.#ok;
  }

  #byte(structural = false): number {
    if (!this.#has(1)) return 0;
    const value = this.#view.getUint8(this.#at++);
    this.#push(value, TokenWidth.u8, structural);
    return value;
  }

  #bytes(count: number): void {
    if (!this.#has(count)) return;
    for (let i = 0; i < count; i++) this.#push(this.#view.getUint8(this.#at++), TokenWidth.u8, false);
  }

  #fixed(width: number, count: number): void {
    const step = width === TokenWidth.u32 ? 4 : 2;
    if (!this.#has(count * step)) return;
    const view = this.#view;
    for (let i = 0; i < count; i++, this.#at += step) {
      if (step === 4) this.#push(view.getInt32(this.#at, true), width, false);
      else if (width === TokenWidth.i16) this.#push(view.getInt16(this.#at, true), width, false);
      else this.#push(view.getUint16(this.#at, true), width, false);
    }
  }

  #varint(structural: boolean): number {
    const value = this.#readVarint();
    this.#push(value | 0, TokenWidth.varint, structural);
    return value;
  }

  #zigzag(): void {
    const value = this.#readVarint();
    this.#push((value >>> 1) ^ -(value & 1), TokenWidth.zigzag, false);
  }

  /** Only in its shortest form, the one that is written. */
  #readVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (!this.#has(1)) return 0;
      const byte = this.#view.getUint8(this.#at++);
      if (shift === 28 && byte > 0x0f) break;
      value = (value | ((byte & 0x7f) << shift)) >>> 0;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) break;
        return value;
      }
    }
    this.#ok = false;
    return 0;
  }
}

/** The most bytes that tokens of these widths take. */
export function maxJoinedBytes(widths: Uint8Array): number {
  return 5 * widths.length;
}

/** Writes row `row` of the columns as the bytes it was split from; returns the offset after it. */
export function joinTokens(
  widths: Uint8Array,
  columns: readonly Int32Array[],
  row: number,
  view: DataView,
  at: number,
): number {
  for (let k = 0; k < widths.length; k++) {
    const value = columns[k][row];
    const width = widths[k];
    if (width === TokenWidth.u8) view.setUint8(at++, value);
    else if (width === TokenWidth.u16 || width === TokenWidth.i16) {
      view.setUint16(at, value, true);
      at += 2;
    } else if (width === TokenWidth.u32) {
      view.setInt32(at, value, true);
      at += 4;
    } else {
      let rest = (width === TokenWidth.zigzag ? (value << 1) ^ (value >> 31) : value) >>> 0;
      for (; rest > 0x7f; rest >>>= 7) view.setUint8(at++, (rest & 0x7f) | 0x80);
      view.setUint8(at++, rest);
    }
  }
  return at;
}
