/**
 * Numbers and cell columns of the binary form of a state (live-binary.ts).
 *
 * Number: v = m / 10^d. A varint (LEB128, seven bits a byte, lowest first) of zigzag(m) * 8 + d, with d from 0
 * to 6 and zigzag(m) = 2m for m >= 0, else -2m - 1. What no such pair gives exactly: the byte 7, then a float64.
 *
 * Column: varint of the count n; a byte 16 * form + d; a byte q; n values; and for q = 4 the qualities, two bits
 * each, four to a byte, lowest bits first. Value = integer / 10^d. Forms: 0 u16, 1 i16, 2 i32, 3 float64 (d = 0).
 * null: 65535, -32768, -2147483648, NaN. q from 0 to 3: all cells have that quality. Qualities as in
 * core/reading/quality.ts: 0 missing, 1 good, 2 stale, 3 suspect.
 */
import { QUALITY_LETTERS } from '../reading/quality.ts';
import type { CellColumn } from './model.ts';

const MAX_DECIMALS = 6;
const RAW = 7;
const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6];
/** zigzag(m) * 8 + d stays a safe integer. */
const HIGHEST_MANTISSA = 2 ** 49 - 1;
const PACKED = 4;

interface Form {
  readonly bytes: number;
  readonly lowest: number;
  readonly highest: number;
  readonly absent: number;
  readonly set: (view: DataView, at: number, value: number) => void;
  readonly get: (view: DataView, at: number) => number;
}

const FORMS: readonly Form[] = [
  {
    bytes: 2,
    lowest: 0,
    highest: 0xfffe,
    absent: 0xffff,
    set: (view, at, value) => view.setUint16(at, value, true),
    get: (view, at) => view.getUint16(at, true),
  },
  {
    bytes: 2,
    lowest: -0x7fff,
    highest: 0x7fff,
    absent: -0x8000,
    set: (view, at, value) => view.setInt16(at, value, true),
    get: (view, at) => view.getInt16(at, true),
  },
  {
    bytes: 4,
    lowest: -0x7fffffff,
    highest: 0x7fffffff,
    absent: -0x80000000,
    set: (view, at, value) => view.setInt32(at, value, true),
    get: (view, at) => view.getInt32(at, true),
  },
  {
    bytes: 8,
    lowest: Number.NEGATIVE_INFINITY,
    highest: Number.POSITIVE_INFINITY,
    absent: Number.NaN,
    set: (view, at, value) => view.setFloat64(at, value, true),
    get: (view, at) => view.getFloat64(at, true),
  },
];
const FLOAT_FORM = 3;

export class ValueWriter {
  #view = new DataView(new ArrayBuffer(1024));
  #at = 0;

  /** Takes a finite number. */
  number(value: number): void {
    const decimals = Object.is(value, -0) ? -1 : decimalsOf(value);
    if (decimals < 0) {
      this.#room(9);
      this.#view.setUint8(this.#at, RAW);
      this.#view.setFloat64(this.#at + 1, value, true);
      this.#at += 9;
      return;
    }
    const mantissa = Math.round(value * POWERS[decimals]!);
    this.#varint((mantissa < 0 ? -2 * mantissa - 1 : 2 * mantissa) * 8 + decimals);
  }

  /** False, and nothing written, when it is no column after all. */
  column({ values, quality }: CellColumn): boolean {
    if (!Array.isArray(values) || typeof quality !== 'string' || values.length !== quality.length)
      return false;
    const codes = qualityCodes(quality);
    if (!codes || !values.every(isColumnValue)) return false;
    const { form, decimals } = formFor(values);
    const { bytes, absent, set } = FORMS[form]!;
    const { length } = values;
    const isUniform = codes.every(code => code === codes[0]);
    this.#varint(length);
    this.#room(2 + length * bytes + length);
    this.#view.setUint8(this.#at++, form * 16 + decimals);
    this.#view.setUint8(this.#at++, isUniform ? (codes[0] ?? 0) : PACKED);
    const scale = POWERS[decimals]!;
    for (const value of values) {
      set(
        this.#view,
        this.#at,
        value === null ? absent : form === FLOAT_FORM ? value : Math.round(value * scale),
      );
      this.#at += bytes;
    }
    if (!isUniform) this.#pairs(codes);
    return true;
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer.slice(0, this.#at));
  }

  #pairs(codes: readonly number[]): void {
    for (let i = 0; i < codes.length; i += 4) {
      let byte = 0;
      for (let k = 0; k < 4 && i + k < codes.length; k++) byte |= codes[i + k]! << (2 * k);
      this.#view.setUint8(this.#at++, byte);
    }
  }

  #varint(value: number): void {
    this.#room(8);
    let rest = value;
    // Beyond 32 bits: arithmetic, as shifts would cut it.
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#view.setUint8(this.#at++, (rest % 128) | 128);
    this.#view.setUint8(this.#at++, rest);
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#view.byteLength) return;
    const larger = new Uint8Array(Math.max(needed, this.#view.byteLength * 2));
    larger.set(new Uint8Array(this.#view.buffer, 0, this.#at));
    this.#view = new DataView(larger.buffer);
  }
}

/** Throws a RangeError at the end of the bytes or at what the format does not know. */
export class ValueReader {
  readonly #view: DataView;
  #at: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
  }

  get atEnd(): boolean {
    return this.#at === this.#view.byteLength;
  }

  number(): number {
    const code = this.#varint();
    if (code === RAW) {
      this.#at += 8;
      return this.#view.getFloat64(this.#at - 8, true);
    }
    const decimals = code % 8;
    if (decimals > MAX_DECIMALS) throw new RangeError(`unknown number ${code}`);
    const zigzag = Math.floor(code / 8);
    const mantissa = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    return mantissa / POWERS[decimals]!;
  }

  column(): CellColumn {
    const length = this.#varint();
    const kind = this.#view.getUint8(this.#at++);
    const all = this.#view.getUint8(this.#at++);
    const form = FORMS[kind >> 4];
    const scale = POWERS[kind & 15];
    const bytes = length * (form?.bytes ?? 0);
    if (!form || scale === undefined || all > PACKED || this.#at + bytes > this.#view.byteLength)
      throw new RangeError(`unknown column of ${length} in form ${kind}`);
    const values = new Array<number | null>(length);
    for (let i = 0; i < length; i++, this.#at += form.bytes) {
      const value = form.get(this.#view, this.#at);
      values[i] = Object.is(value, form.absent) ? null : value / scale;
    }
    return { values, quality: all === PACKED ? this.#letters(length) : QUALITY_LETTERS[all]!.repeat(length) };
  }

  #letters(length: number): string {
    let letters = '';
    for (let i = 0; i < length; i++)
      letters += QUALITY_LETTERS[(this.#view.getUint8(this.#at + (i >> 2)) >> (2 * (i & 3))) & 3];
    this.#at += (length + 3) >> 2;
    return letters;
  }

  #varint(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.#view.getUint8(this.#at++);
      value += (byte & 127) * unit;
      if (byte < 128) return value;
      if (unit > 2 ** 49) throw new RangeError('a number of more than eight bytes');
    }
  }
}

/** Fewest decimals that give the value exactly; -1 when none do. */
function decimalsOf(value: number): number {
  for (let decimals = 0; decimals <= MAX_DECIMALS; decimals++)
    if (fits(value, decimals, -HIGHEST_MANTISSA, HIGHEST_MANTISSA)) return decimals;
  return -1;
}

function fits(value: number, decimals: number, lowest: number, highest: number): boolean {
  const scale = POWERS[decimals]!;
  const mantissa = Math.round(value * scale);
  return mantissa / scale === value && mantissa >= lowest && mantissa <= highest;
}

/** The narrowest form at the fewest decimals that keeps every value exactly. */
function formFor(values: readonly (number | null)[]): { form: number; decimals: number } {
  for (let decimals = 0; decimals <= MAX_DECIMALS; decimals++) {
    if (!values.every(value => value === null || fits(value, decimals, -0x7fffffff, 0x7fffffff))) continue;
    const form = FORMS.findIndex(({ lowest, highest }) =>
      values.every(value => value === null || fits(value, decimals, lowest, highest)),
    );
    return { form, decimals };
  }
  return { form: FLOAT_FORM, decimals: 0 };
}

const isColumnValue = (value: unknown) =>
  value === null || (typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0));

function qualityCodes(quality: string): number[] | undefined {
  const codes = Array.from(quality, letter => QUALITY_LETTERS.indexOf(letter));
  return codes.includes(-1) ? undefined : codes;
}
