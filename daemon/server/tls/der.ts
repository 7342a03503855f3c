/** The few pieces of DER (ITU-T X.690) that a certificate is written with. */

export type Der = Buffer;

const tagged = (tag: number, ...content: readonly Uint8Array[]): Der => {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
};

export const sequence = (...parts: Der[]): Der => tagged(0x30, ...parts);
export const set = (...parts: Der[]): Der => tagged(0x31, ...parts);
export const boolean = (value: boolean): Der => tagged(0x01, Buffer.from([value ? 0xff : 0]));
export const octetString = (bytes: Uint8Array): Der => tagged(0x04, bytes);
export const utf8String = (text: string): Der => tagged(0x0c, Buffer.from(text));
/** `unused_bits` at the end of the last byte count for nothing. */
export const bitString = (bytes: Uint8Array, unused_bits = 0): Der =>
  tagged(0x03, Buffer.from([unused_bits]), bytes);
/** A non-negative integer, given as big-endian bytes. */
export const integer = (bytes: Uint8Array): Der =>
  tagged(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes);
/** A context-specific tag around whole parts (EXPLICIT), or in place of a primitive's own (IMPLICIT). */
export const explicit = (no: number, ...parts: Der[]): Der => tagged(0xa0 | no, ...parts);
export const implicit = (no: number, bytes: Uint8Array): Der => tagged(0x80 | no, bytes);

export function objectId(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280, section 4.1.2.5). */
export function time(t_ms: number): Der {
  const digits = new Date(t_ms).toISOString().replace(/[-:T]|\..*/g, '');
  return digits < '2050'
    ? tagged(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : tagged(0x18, Buffer.from(`${digits}Z`));
}

function base128(value: number): number[] {
  const bytes = [value & 127];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 127) | 128);
  return bytes;
}

function lengthOf(length: number): Buffer {
  if (length < 128) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 255);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
