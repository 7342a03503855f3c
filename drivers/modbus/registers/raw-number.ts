/** How a number stands in 16-bit registers or coils: its type, and the order of its words and bytes. */

/** coil: one element of a coil block; u8_*: half a register; f32: IEEE 754. */
export type RawType = 'u16' | 's16' | 'u32' | 's32' | 'f32' | 'u8_high' | 'u8_low' | 'coil';

/** Bytes on the wire, A the most significant: ABCD high word first (Modbus), CDAB low word first. */
export type ByteOrder = 'ABCD' | 'CDAB' | 'BADC' | 'DCBA';

/** Registers (or coils) one number takes. */
export function sizeOf(type: RawType): number {
  return type === 'u32' || type === 's32' || type === 'f32' ? 2 : 1;
}

const LIMITS: Readonly<Record<RawType, readonly [lowest: number, highest: number]>> = {
  u16: [0, 0xffff],
  s16: [-0x8000, 0x7fff],
  u32: [0, 0xffffffff],
  s32: [-0x80000000, 0x7fffffff],
  f32: [-3.4028234663852886e38, 3.4028234663852886e38],
  u8_high: [0, 0xff],
  u8_low: [0, 0xff],
  coil: [0, 1],
};

export function limitsOf(type: RawType): readonly [lowest: number, highest: number] {
  return LIMITS[type];
}

const scratch = new DataView(new ArrayBuffer(4));

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
  }
  const second = swapped ? swapBytes(words[at + 1]) : words[at + 1];
  const lowFirst = order === 'CDAB' || order === 'DCBA';
  scratch.setUint16(0, lowFirst ? second : first);
  scratch.setUint16(2, lowFirst ? first : second);
  return type === 'u32' ? scratch.getUint32(0) : type === 's32' ? scratch.getInt32(0) : scratch.getFloat32(0);
}

/** The inverse; `raw` must be a number the type can carry. */
export function writeRaw(words: Uint16Array, at: number, type: RawType, order: ByteOrder, raw: number): void {
  const swapped = order === 'BADC' || order === 'DCBA';
  const put = (index: number, word: number) => {
    words[index] = swapped ? swapBytes(word) : word;
  };
  if (sizeOf(type) === 1) {
    const before = swapped ? swapBytes(words[at]) : words[at];
    if (type === 'u8_high') put(at, (before & 0xff) | (raw << 8));
    else if (type === 'u8_low') put(at, (before & 0xff00) | raw);
    else put(at, raw & 0xffff);
    return;
  }
  if (type === 'f32') scratch.setFloat32(0, raw);
  else scratch.setUint32(0, raw >>> 0);
  const lowFirst = order === 'CDAB' || order === 'DCBA';
  put(lowFirst ? at + 1 : at, scratch.getUint16(0));
  put(lowFirst ? at : at + 1, scratch.getUint16(2));
}

function swapBytes(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8);
}
