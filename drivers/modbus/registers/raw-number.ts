/** How a number stands in 16-bit registers or coils: its type, and the order of its words and bytes. */

/** coil: one element of a coil block; u8_*, s8_*: half a register; f32: IEEE 754. */
export type RawType =
  | 'u16'
  | 's16'
  | 'u32'
  | 's32'
  | 'u64'
  | 's64'
  | 'f32'
  | 'u8_high'
  | 'u8_low'
  | 's8_high'
  | 's8_low'
  | 'coil';

/** Bytes on the wire, A the most significant: ABCD high word first (Modbus), CDAB low word first. */
export type ByteOrder = 'ABCD' | 'CDAB' | 'BADC' | 'DCBA';

/** Registers (or coils) one number takes. */
export function sizeOf(type: RawType): number {
  if (type === 'u64' || type === 's64') return 4;
  return type === 'u32' || type === 's32' || type === 'f32' ? 2 : 1;
}

const LIMITS: Readonly<Record<RawType, readonly [lowest: number, highest: number]>> = {
  u16: [0, 0xffff],
  s16: [-0x8000, 0x7fff],
  u32: [0, 0xffffffff],
  s32: [-0x80000000, 0x7fffffff],
  // Beyond, a number has no exact place in JavaScript; no battery counts so far.
  u64: [0, Number.MAX_SAFE_INTEGER],
  s64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  f32: [-3.4028234663852886e38, 3.4028234663852886e38],
  u8_high: [0, 0xff],
  u8_low: [0, 0xff],
  s8_high: [-0x80, 0x7f],
  s8_low: [-0x80, 0x7f],
  coil: [0, 1],
};

export function limitsOf(type: RawType): readonly [lowest: number, highest: number] {
  return LIMITS[type];
}

const scratch = new DataView(new ArrayBuffer(8));

/** NaN or an infinity only where an f32 says so. */
export function readRaw(words: Uint16Array, at: number, type: RawType, order: ByteOrder): number {
  const swapped = order === 'BADC' || order === 'DCBA';
  const first = swapped ? swapBytes(words[at]) : words[at];
  switch (type) {
    case 'u16':
    case 'coil':
      return first;
    case 's16':
      return (first << 16) >> 16;
    case 'u8_high':
      return first >> 8;
    case 'u8_low':
      return first & 0xff;
    case 's8_high':
      return (first << 16) >> 24;
    case 's8_low':
      return (first << 24) >> 24;
  }
  const size = sizeOf(type);
  const lowFirst = order === 'CDAB' || order === 'DCBA';
  for (let i = 0; i < size; i++) {
    const word = words[at + i];
    scratch.setUint16(2 * (lowFirst ? size - 1 - i : i), swapped ? swapBytes(word) : word);
  }
  switch (type) {
    case 'u32':
      return scratch.getUint32(0);
    case 's32':
      return scratch.getInt32(0);
    case 'f32':
      return scratch.getFloat32(0);
    case 'u64':
      return scratch.getUint32(0) * 0x1_0000_0000 + scratch.getUint32(4);
    case 's64':
      return scratch.getInt32(0) * 0x1_0000_0000 + scratch.getUint32(4);
  }
}

/** The inverse; `raw` must be a number the type can carry. */
export function writeRaw(words: Uint16Array, at: number, type: RawType, order: ByteOrder, raw: number): void {
  const swapped = order === 'BADC' || order === 'DCBA';
  const put = (index: number, word: number) => {
    words[index] = swapped ? swapBytes(word) : word;
  };
  const size = sizeOf(type);
  if (size === 1) {
    const before = swapped ? swapBytes(words[at]) : words[at];
    if (type === 'u8_high' || type === 's8_high') put(at, (before & 0xff) | ((raw & 0xff) << 8));
    else if (type === 'u8_low' || type === 's8_low') put(at, (before & 0xff00) | (raw & 0xff));
    else put(at, raw & 0xffff);
    return;
  }
  if (type === 'f32') scratch.setFloat32(0, raw);
  else if (size === 4) {
    scratch.setInt32(0, Math.floor(raw / 0x1_0000_0000));
    scratch.setUint32(4, raw - Math.floor(raw / 0x1_0000_0000) * 0x1_0000_0000);
  } else scratch.setUint32(0, raw >>> 0);
  const lowFirst = order === 'CDAB' || order === 'DCBA';
  for (let i = 0; i < size; i++) put(at + (lowFirst ? size - 1 - i : i), scratch.getUint16(2 * i));
}

function swapBytes(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8);
}
