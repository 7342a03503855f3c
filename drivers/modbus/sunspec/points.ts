/**
 * SunSpec points: how one quantity stands in registers (big endian, high word first), and how
 * "not implemented" looks for its type.
 */

/** u/s: unsigned, signed; e: enumeration; b: bit field; sf: decimal exponent of other points. */
export type NumberType = 'u16' | 's16' | 'u32' | 'e16' | 'b32' | 'sf' | 'pad';

export interface Point {
  readonly name: string;
  readonly type: NumberType | 'string';
  /** Registers from the first register of its group. */
  readonly offset: number;
  /** Length in registers. */
  readonly size: number;
  /** Name of the point that holds its decimal exponent. */
  readonly scale: string | undefined;
}

/** Registers that share a fixed layout; `size` is their count. */
export interface PointGroup {
  readonly name: string;
  readonly size: number;
  readonly points: ReadonlyMap<string, Point>;
}

const WIDE: ReadonlySet<string> = new Set(['u32', 'b32']);

/** From `"Name type*Scale, Name type"` in register order; `str16` is a string of 16 registers. */
export function pointGroup(name: string, layout: string): PointGroup {
  const points = new Map<string, Point>();
  let offset = 0;
  for (const entry of layout.trim().split(/\s*,\s*/)) {
    const [pointName, kind] = entry.split(/\s+/);
    const [type, scale] = kind.split('*');
    const text = type.startsWith('str');
    const size = text ? Number(type.slice(3)) : WIDE.has(type) ? 2 : 1;
    points.set(pointName, {
      name: pointName,
      type: text ? 'string' : (type as NumberType),
      offset,
      size,
      scale,
    });
    offset += size;
  }
  return { name, size: offset, points };
}

/** The raw number at `index`, or NaN where the device says it does not implement the point. */
export function readNumber(registers: Uint16Array, index: number, type: NumberType): number {
  const word = registers[index];
  switch (type) {
    case 'u16':
    case 'e16':
      return word === 0xffff ? Number.NaN : word;
    case 's16':
    case 'sf':
      return word === 0x8000 ? Number.NaN : (word << 16) >> 16;
    case 'pad':
      return word;
    case 'u32':
    case 'b32': {
      const value = word * 0x10000 + registers[index + 1];
      return value === 0xffffffff ? Number.NaN : value;
    }
  }
}

/** What stands for "not implemented"; also NaN as far as `writeNumber` is concerned. */
const NOT_IMPLEMENTED: Readonly<Record<NumberType, number>> = {
  u16: 0xffff,
  e16: 0xffff,
  s16: -0x8000,
  sf: -0x8000,
  pad: 0x8000,
  u32: 0xffffffff,
  b32: 0xffffffff,
};

const LARGEST: Readonly<Record<NumberType, number>> = {
  u16: 0xfffe,
  e16: 0xfffe,
  s16: 0x7ffe,
  sf: 10,
  pad: 0xffff,
  u32: 0xfffffffe,
  b32: 0xfffffffe,
};

/** Largest raw number a type can carry beside its sentinels. */
export function largestOf(type: NumberType): number {
  return LARGEST[type];
}

/** Writes a raw whole number, or "not implemented" for NaN and for what the type cannot carry. */
export function writeNumber(registers: Uint16Array, index: number, type: NumberType, raw: number): void {
  const signed = type === 's16' || type === 'sf';
  const fits = raw <= LARGEST[type] && raw >= (signed ? -LARGEST[type] : 0);
  const value = fits ? raw : NOT_IMPLEMENTED[type];
  if (WIDE.has(type)) {
    registers[index] = value >>> 16;
    registers[index + 1] = value & 0xffff;
  } else {
    registers[index] = value & 0xffff;
  }
}

/** Text up to the first NUL, or undefined where all is NUL. Bytes are taken as Latin-1. */
export function readText(registers: Uint16Array, index: number, size: number): string | undefined {
  let text = '';
  for (let i = 0; i < size * 2; i++) {
    const word = registers[index + (i >> 1)];
    const code = i & 1 ? word & 0xff : word >> 8;
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return text === '' ? undefined : text;
}

export function writeText(registers: Uint16Array, index: number, size: number, text: string): void {
  for (let i = 0; i < size; i++) {
    const high = text.charCodeAt(2 * i) || 0;
    const low = text.charCodeAt(2 * i + 1) || 0;
    registers[index + i] = ((high & 0xff) << 8) | (low & 0xff);
  }
}

const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];

/**
 * `raw` times ten to the power of `exponent`. Dividing by a whole power gives the decimal number nearest
 * to what the device means (3.287, not 3.2870000000000004). NaN for an exponent that is absent or
 * outside the standard's -10..10.
 */
export function scaled(raw: number, exponent: number): number {
  if (!(exponent >= -10 && exponent <= 10)) return Number.NaN;
  return exponent < 0 ? raw / POWERS_OF_TEN[-exponent] : raw * POWERS_OF_TEN[exponent];
}
