/** The way back: physical values into a frame's bytes. For the simulator; nothing is sent to a battery. */
import type { DbcMessage, DbcSignal } from './dbc-model.ts';
import { numberToHalf } from './half-float.ts';
import { layoutOf, type SignalLayout } from './signal-layout.ts';

export class MessageEncoder {
  readonly message: DbcMessage;
  readonly #layouts: readonly SignalLayout[];
  readonly #scratch = new DataView(new ArrayBuffer(8));

  constructor(message: DbcMessage) {
    this.message = message;
    this.#layouts = message.signals.map(layoutOf);
  }

  /** Writes the physical `value` of signal number `signal`, rounded to its resolution and held to its bits. */
  put(data: Uint8Array, signal: number, value: number): void {
    const { scale, offset } = this.message.signals[signal];
    this.putRaw(data, signal, (value - offset) / scale);
  }

  /** Writes a raw value. NaN writes zero. Bytes beyond `data` are left out. */
  putRaw(data: Uint8Array, signal: number, raw: number): void {
    const definition = this.message.signals[signal];
    const { step, lsb_byte, shift } = this.#layouts[signal];
    let rest = this.#bitsOf(definition, raw);
    let from = shift;
    for (let left = definition.length_bit, at = lsb_byte; left > 0; at -= step) {
      const count = Math.min(8 - from, left);
      const mask = (1 << count) - 1;
      if (at >= 0 && at < data.length)
        data[at] = (data[at] & ~(mask << from)) | ((Number(rest & 255n) & mask) << from);
      rest >>= BigInt(count);
      left -= count;
      from = 0;
    }
  }

  #bitsOf({ float, length_bit, signed }: DbcSignal, raw: number): bigint {
    if (float === 'float16') return BigInt(numberToHalf(raw));
    if (float === 'float32') {
      this.#scratch.setFloat32(0, raw);
      return BigInt(this.#scratch.getUint32(0));
    }
    if (float === 'float64') {
      this.#scratch.setFloat64(0, raw);
      return this.#scratch.getBigUint64(0);
    }
    const low = signed ? -(2 ** (length_bit - 1)) : 0;
    const high = signed ? 2 ** (length_bit - 1) : 2 ** length_bit;
    if (Number.isNaN(raw)) return 0n;
    const whole = Math.round(raw);
    const held = whole >= high ? BigInt(high) - 1n : BigInt(Math.max(low, whole));
    return BigInt.asUintN(length_bit, held);
  }
}
