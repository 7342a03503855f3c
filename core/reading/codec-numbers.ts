/** Integers of any size in the bytes of a reading: varint and zigzag varint, as in reading-format.ts. */
import { DecodeFault } from './reading-format.ts';

export function writeZigzag(view: DataView, at: number, value: number): number {
  return writeVarint(view, at, ((value << 1) ^ (value >> 31)) >>> 0);
}

export const unzigzag = (value: number) => (value >>> 1) ^ -(value & 1);

export function writeVarint(view: DataView, at: number, value: number): number {
  while (value > 0x7f) {
    view.setUint8(at++, (value & 0x7f) | 0x80);
    value >>>= 7;
  }
  view.setUint8(at++, value);
  return at;
}

/** The number the last readVarint read, as unsigned 32 bits. */
export let varint = 0;

/** Returns the offset after it, or a DecodeFault. */
export function readVarint(view: DataView, at: number, end: number): number {
  varint = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= end) return DecodeFault.truncated;
    const byte = view.getUint8(at++);
    varint = (varint | ((byte & 0x7f) << shift)) >>> 0;
    if (byte < 0x80) return at;
  }
  return DecodeFault.malformed;
}
