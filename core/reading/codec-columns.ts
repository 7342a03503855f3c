/**
 * Columns of cells and sensors as stored bytes: scaled integers of two bytes or two bits, or float32; and
 * "pairs", two bits each, four to a byte, lowest bits first. Part of the format of reading-format.ts.
 */
import { Quality } from './quality.ts';

type IntegerForm = 'u16' | 'i16' | 'pair';
const HIGHEST = { u16: 0xffff, i16: 0x7fff, pair: 3 } as const;
const LOWEST = { u16: 0, i16: -0x8000, pair: 0 } as const;
export interface ColumnForm {
  readonly form: IntegerForm;
  readonly per_unit: number;
}

export function fitsForm(values: Float32Array, quality: Uint8Array, { form, per_unit }: ColumnForm): boolean {
  const highest = HIGHEST[form];
  const lowest = LOWEST[form];
  for (let i = 0; i < values.length; i++) {
    const scaled = Math.round(values[i] * per_unit);
    if (!(scaled >= lowest && scaled <= highest) && quality[i] !== Quality.missing) return false;
  }
  return true;
}

export function writeScaled(
  view: DataView,
  at: number,
  values: Float32Array,
  { form, per_unit }: ColumnForm,
): number {
  const { length } = values;
  if (form === 'pair') {
    for (let i = 0; i < length; i += 4, at++) {
      let byte = 0;
      for (let k = 0; k < 4 && i + k < length; k++)
        byte |= (Math.round(values[i + k] * per_unit) & 3) << (2 * k);
      view.setUint8(at, byte);
    }
    return at;
  }
  // A missing value is NaN and becomes 0. setUint16 keeps the low sixteen bits: right for both signs.
  for (let i = 0; i < length; i++, at += 2) view.setUint16(at, Math.round(values[i] * per_unit), true);
  return at;
}

export function writeFloats(view: DataView, at: number, values: Float32Array): number {
  for (let i = 0; i < values.length; i++, at += 4) view.setFloat32(at, values[i], true);
  return at;
}

export function columnBytes(
  count: number,
  form: IntegerForm,
  is_float: boolean,
  has_quality: boolean,
): number {
  const values = is_float ? 4 * count : form === 'pair' ? pairBytes(count) : 2 * count;
  return values + (has_quality ? pairBytes(count) : 0);
}

export function readColumn(
  view: DataView,
  at: number,
  values: Float32Array,
  quality: Uint8Array,
  { form, per_unit }: ColumnForm,
  is_float: boolean,
  has_quality: boolean,
): void {
  const { length } = values;
  if (has_quality) at = readPairs(view, at, quality);
  else quality.fill(Quality.good);
  if (is_float) for (let i = 0; i < length; i++) values[i] = view.getFloat32(at + 4 * i, true);
  else if (form === 'u16')
    for (let i = 0; i < length; i++) values[i] = view.getUint16(at + 2 * i, true) / per_unit;
  else if (form === 'i16')
    for (let i = 0; i < length; i++) values[i] = view.getInt16(at + 2 * i, true) / per_unit;
  else
    for (let i = 0; i < length; i++)
      values[i] = ((view.getUint8(at + (i >> 2)) >> (2 * (i & 3))) & 3) / per_unit;
  if (!has_quality) return;
  for (let i = 0; i < length; i++) if (quality[i] === Quality.missing) values[i] = Number.NaN;
}

export function clearColumn(values: Float32Array, quality: Uint8Array): void {
  values.fill(Number.NaN);
  quality.fill(Quality.missing);
}

export function allEqual(column: Uint8Array, value: number): boolean {
  for (let i = 0; i < column.length; i++) if (column[i] !== value) return false;
  return true;
}

export function pairBytes(count: number): number {
  return (count + 3) >> 2;
}

/** The first `count` of the column; returns the offset after them. */
export function writePairs(view: DataView, at: number, column: Uint8Array, count = column.length): number {
  for (let i = 0; i < count; i += 4, at++) {
    let byte = 0;
    for (let k = 0; k < 4 && i + k < count; k++) byte |= (column[i + k] & 3) << (2 * k);
    view.setUint8(at, byte);
  }
  return at;
}

/** Into the first `count` of the column; returns the offset after them. */
export function readPairs(view: DataView, at: number, column: Uint8Array, count = column.length): number {
  for (let i = 0; i < count; i++) column[i] = (view.getUint8(at + (i >> 2)) >> (2 * (i & 3))) & 3;
  return at + pairBytes(count);
}
