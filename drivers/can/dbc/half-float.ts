/** IEEE half precision (16 bit) to numbers and back. */

const scratch = new DataView(new ArrayBuffer(4));

/** `bits`: sign, 5 bits of exponent, 10 of fraction. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest half, ties to even; beyond its range infinity. */
export function numberToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  scratch.setFloat32(0, size);
  const exponent = Math.max(-14, (scratch.getUint32(0) >> 23) - 127);
  const steps = roundToEven(size / 2 ** (exponent - 10));
  // 1024 steps and more are normal numbers; a step too many carries into the exponent by itself.
  return sign | (steps < 1024 ? steps : steps + ((exponent + 14) << 10));
}

function roundToEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
