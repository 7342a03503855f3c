/**
 * The bytes of one encoded reading (reading-format.ts) as a row of integers and back, so that many readings of a pack can be
 * kept column by column. Two readings whose tokens have the same widths can stand in the same columns.
 */
import { CELL_METRICS, PACK_METRICS } from '../metrics.ts';
import { pairBytes } from './codec-columns.ts';
import {
  CELL_FORMS,
  ColumnFlag,
  Flag,
  formatOf,
  MAX_COUNT,
  Mask,
  type ReadingFormat,
  SENSOR_FORM,
} from './reading-format.ts';

/** How a token stands in the bytes. Stored: append only. */
export const TokenWidth = { varint: 0, u8: 1, u16: 2, i16: 3, u32: 4, zigzag: 5 } as const;

const MAX_TOKENS = 65_536;

/** Where the tokens of one metric stand; `at` is -1 where the reading has none. */
interface Place {
  at: number;
  /** First of the tokens with two bits of quality per value, and the one after them; -1: all that is there is good. */
  quality_at: number;
  quality_end: number;
  is_float: boolean;
}

const nowhere = (): Place => ({ at: -1, quality_at: -1, quality_end: -1, is_float: false });

/** Splits bodies; its fields describe the last one, and are overwritten by the next. */
export class BodyTokens {
  count = 0;
  value = new Int32Array(256);
  width = new Uint8Array(256);
  /** 1: the token decides what others there are. */
  structural = new Uint8Array(256);
  readonly pack_values: readonly Place[] = PACK_METRICS.map(nowhere);
  readonly cell_columns: readonly Place[] = CELL_METRICS.map(nowhere);
  cell_count = 0;
  /** The newest age in AGE_STEP_MS, and after it how much older the oldest is; -1: the reading has none. */
  ages_at = -1;
  /** Bits of ReadingFlag; -1: the version has none. */
  reading_flags_at = -1;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;
  #ok = true;
  readonly #columns = new Mask();
  readonly #present = new Mask();

  /** False: not the bytes that the encoder writes, so tokens would not give them back. */
  split(view: DataView, offset: number, length: number): boolean {
    this.#view = view;
    this.#at = offset;
    this.#end = offset + length;
    this.#ok = true;
    this.count = 0;
    const format = formatOf(this.#byte(true));
    if (!format) return false;
    const flags = this.#byte(true);
    this.reading_flags_at = format.has_ages ? this.count : -1;
    if (format.has_ages) this.#byte(false);
    this.#mask(this.#columns, format);
    this.cell_count = this.#varint(true);
    const sensor_count = this.#varint(true);
    const alarm_count = this.#varint(true);
    if (!this.#columns.isWithin(CELL_FORMS.length)) return false;
    if (!(this.cell_count <= MAX_COUNT && sensor_count <= MAX_COUNT && alarm_count <= MAX_COUNT))
      return false;
    const has_ages = format.has_ages && (flags & Flag.ages) !== 0;
    this.ages_at = has_ages ? this.count : -1;
    if (has_ages) {
      this.#zigzag();
      this.#varint(false);
    }
    this.#values(format, flags);
    for (let m = 0; m < CELL_METRICS.length && this.#ok; m++) this.#column(m, this.#columns.has(m));
    if (flags & Flag.sensors && this.#ok) {
      if (flags & Flag.sensors_quality) this.#bytes(pairBytes(sensor_count));
      this.#scaled(SENSOR_FORM.form, (flags & Flag.sensors_float) !== 0, sensor_count);
    }
    if (flags & Flag.alarms && this.#ok) this.#bytes(pairBytes(alarm_count));
    return this.#ok && this.#at === this.#end;
  }

  #values(format: ReadingFormat, flags: number): void {
    for (const place of this.pack_values) place.at = -1;
    if (!(flags & Flag.values)) return;
    const present = this.#present;
    if (format.has_all_qualities) present.fill(this.#varint(true));
    else this.#mask(present, format);
    if (!present.isWithin(Math.min(format.max_values, PACK_METRICS.length))) this.#ok = false;
    const has_quality = (flags & Flag.values_quality) !== 0;
    const quality_at = has_quality ? this.count : -1;
    if (has_quality) this.#bytes(pairBytes(format.has_all_qualities ? format.max_values : present.count));
    const quality_end = has_quality ? this.count : -1;
    const is_float = (flags & Flag.values_float) !== 0;
    for (let m = 0; m < PACK_METRICS.length && this.#ok; m++) {
      if (!present.has(m)) continue;
      const place = this.pack_values[m];
      place.at = this.count;
      place.quality_at = quality_at;
      place.quality_end = quality_end;
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
    place.is_float = (flags & ColumnFlag.float) !== 0;
    const has_quality = (flags & ColumnFlag.quality) !== 0;
    place.quality_at = has_quality ? this.count : -1;
    if (has_quality) this.#bytes(pairBytes(this.cell_count));
    place.quality_end = has_quality ? this.count : -1;
    place.at = this.count;
    this.#scaled(CELL_FORMS[m].form, place.is_float, this.cell_count);
  }

  #scaled(form: 'u16' | 'i16' | 'pair', is_float: boolean, count: number): void {
    if (is_float) this.#fixed(TokenWidth.u32, count);
    else if (form === 'pair') this.#bytes(pairBytes(count));
    else this.#fixed(TokenWidth[form], count);
  }

  /** A mask's bytes, each a token. */
  #mask(mask: Mask, format: ReadingFormat): void {
    if (!format.has_ages) {
      mask.fill(this.#byte(true));
      return;
    }
    const start = this.#at;
    const after = mask.read(this.#view, start, this.#end);
    if (after < 0) this.#ok = false;
    for (let at = start; at < after; at++) this.#byte(true);
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
    if (grown > MAX_TOKENS) throw new RangeError(`a reading of more than ${MAX_TOKENS} tokens`);
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
