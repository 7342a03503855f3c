/**
 * Where a signal's bits lie, worked out once: bytes are visited from the most significant to the least
 * significant, whichever the byte order, so that one loop reads both.
 */
import type { DbcSignal } from './dbc-model.ts';

export interface SignalLayout {
  /** Byte that holds the most significant bit. */
  readonly msb_byte: number;
  readonly lsb_byte: number;
  /** From one byte to the next less significant: -1 Intel, +1 Motorola. */
  readonly step: number;
  readonly byte_count: number;
  /** Bits below the signal in `lsb_byte`. */
  readonly shift: number;
  /** A frame shorter than this does not carry the signal. */
  readonly needed_bytes: number;
}

/**
 * DBC start bits: Intel counts bits upwards from the least significant; Motorola names the most significant
 * bit and walks down the byte, then on to bit 7 of the next byte.
 */
export function layoutOf(signal: DbcSignal): SignalLayout {
  const { start_bit, length_bit } = signal;
  if (signal.byte_order === 'intel') {
    const lsb_byte = start_bit >> 3;
    const msb_byte = (start_bit + length_bit - 1) >> 3;
    return {
      msb_byte,
      lsb_byte,
      step: -1,
      byte_count: msb_byte - lsb_byte + 1,
      shift: start_bit & 7,
      needed_bytes: msb_byte + 1,
    };
  }
  const first = (start_bit & ~7) + 7 - (start_bit & 7);
  const last = first + length_bit - 1;
  const msb_byte = first >> 3;
  const lsb_byte = last >> 3;
  return {
    msb_byte,
    lsb_byte,
    step: 1,
    byte_count: lsb_byte - msb_byte + 1,
    shift: 7 - (last & 7),
    needed_bytes: lsb_byte + 1,
  };
}

/** The raw bits as an unsigned BigInt, for signals that a double cannot hold; the frame must carry them. */
export function rawBits(layout: SignalLayout, length_bit: number, data: Uint8Array): bigint {
  let bits = 0n;
  for (let i = 0, at = layout.msb_byte; i < layout.byte_count; i++, at += layout.step)
    bits = (bits << 8n) | BigInt(data[at]);
  return BigInt.asUintN(length_bit, bits >> BigInt(layout.shift));
}
