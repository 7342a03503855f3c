/**
 * Compiled decoder of one message: positions, masks and scales worked out once, no allocation per frame.
 * Values are doubles; above 53 bits they are rounded once, and `exact` gives them in full.
 */
import type { DbcMessage, DbcSignal } from './dbc-model.ts';
import { halfToNumber } from './half-float.ts';
import { layoutOf, rawBits, type SignalLayout } from './signal-layout.ts';

/** Widest multiplexer range that gets its own table entries. */
const MAX_MUX_VALUES = 65_536;
const TWO_32 = 4_294_967_296;

/** Signals that are in the frame together, and the multiplexers among them. */
interface MuxGroup {
  readonly signals: Int32Array;
  readonly switches: readonly MuxSwitch[];
}

interface MuxSwitch {
  readonly signal: number;
  /** By multiplexer value; of ranges too wide for a table the values met so far. */
  readonly groups: Map<number, MuxGroup>;
  /** For values not in `groups`; undefined where the table is complete. */
  readonly more: ((value: number) => MuxGroup | undefined) | undefined;
}

export class MessageDecoder {
  readonly message: DbcMessage;
  /** Physical value per entry of `message.signals`; NaN where the newest frame did not carry the signal. */
  readonly values: Float64Array;
  /** Indices of the signals the newest frame carried; the first `carried_count` entries count. */
  readonly carried: Int32Array;
  carried_count = 0;
  /** Shortest frame that carries every plain signal. */
  readonly needed_bytes: number;
  readonly #layouts: readonly SignalLayout[];
  readonly #plans: readonly SignalPlan[];
  readonly #root: MuxGroup;
  readonly #scratch = new DataView(new ArrayBuffer(8));

  constructor(message: DbcMessage) {
    this.message = message;
    this.#layouts = message.signals.map(layoutOf);
    this.#plans = message.signals.map((signal, i) => planOf(signal, this.#layouts[i]));
    this.values = new Float64Array(message.signals.length).fill(Number.NaN);
    this.carried = new Int32Array(message.signals.length);
    this.#root = groupOf(message.signals, undefined, undefined, new Set());
    this.needed_bytes = Math.max(0, ...Array.from(this.#root.signals, i => this.#layouts[i].needed_bytes));
  }

  /**
   * Decodes the first `length` bytes of `data` into `values`. Signals beyond the frame's end and signals of
   * multiplexer values not in this frame become NaN. An unknown multiplexer value leaves the plain signals.
   */
  decode(data: Uint8Array, length: number): void {
    const { values, carried } = this;
    for (let i = 0; i < this.carried_count; i++) values[carried[i]] = Number.NaN;
    this.carried_count = 0;
    this.#decodeGroup(this.#root, data, Math.min(length, data.length));
  }

  /** Exact raw value of one signal; undefined where the frame is too short. */
  rawBigInt(signal: number, data: Uint8Array, length: number): bigint | undefined {
    const { length_bit, signed } = this.message.signals[signal];
    if (this.#layouts[signal].needed_bytes > Math.min(length, data.length)) return undefined;
    const bits = rawBits(this.#layouts[signal], length_bit, data);
    return signed ? BigInt.asIntN(length_bit, bits) : bits;
  }

  /** Exact physical value of a signal with whole scale and offset; undefined for others and short frames. */
  exact(signal: number, data: Uint8Array, length: number): bigint | undefined {
    const { scale, offset, float } = this.message.signals[signal];
    if (float !== 'none' || !Number.isInteger(scale) || !Number.isInteger(offset)) return undefined;
    const raw = this.rawBigInt(signal, data, length);
    return raw === undefined ? undefined : raw * BigInt(scale) + BigInt(offset);
  }

  #decodeGroup(group: MuxGroup, data: Uint8Array, length: number): void {
    const { values, carried } = this;
    const { signals, switches } = group;
    const plans = this.#plans;
    let count = this.carried_count;
    for (let i = 0; i < signals.length; i++) {
      const signal = signals[i];
      const plan = plans[signal];
      if (plan.needed_bytes > length) continue;
      const raw = plan.wide ? this.#rawWide(signal, data) : rawOf(plan, data);
      values[signal] = raw * plan.scale + plan.offset;
      carried[count++] = signal;
    }
    this.carried_count = count;
    for (let i = 0; i < switches.length; i++) {
      const { signal, groups, more } = switches[i];
      const plan = plans[signal];
      if (plan.needed_bytes > length) continue;
      const value = plan.wide ? this.#rawWide(signal, data) : rawOf(plan, data);
      const chosen = groups.get(value) ?? more?.(value);
      if (chosen) this.#decodeGroup(chosen, data, length);
    }
  }

  /** Floats and integers above 53 bits. */
  #rawWide(signal: number, data: Uint8Array): number {
    const { float, length_bit, signed } = this.message.signals[signal];
    if (length_bit > 64) {
      const bits = rawBits(this.#layouts[signal], length_bit, data);
      return Number(signed ? BigInt.asIntN(length_bit, bits) : bits);
    }
    const scratch = this.#scratch;
    copyBits(this.#layouts[signal], length_bit, data, scratch);
    if (float === 'float64') return scratch.getFloat64(0);
    if (float === 'float32') return scratch.getFloat32(4);
    if (float === 'float16') return halfToNumber(scratch.getUint16(6));
    const high = scratch.getUint32(0);
    const negative = signed && high >= 2 ** (length_bit - 33);
    // Both products are exact, so the sum rounds once.
    return (negative ? high - 2 ** (length_bit - 32) : high) * TWO_32 + scratch.getUint32(4);
  }
}

/** The raw bits of a signal of up to 64 bits, right-aligned in 8 bytes, most significant first. */
function copyBits(layout: SignalLayout, length_bit: number, data: Uint8Array, out: DataView): void {
  const { lsb_byte, step, shift } = layout;
  let left = length_bit;
  for (let i = 7, at = lsb_byte; i >= 0; i--, at -= step) {
    const low = left > 0 ? data[at] >> shift : 0;
    const high = left > 8 - shift ? data[at - step] << (8 - shift) : 0;
    out.setUint8(i, (low | high) & (left >= 8 ? 0xff : lowBits(Math.max(0, left))));
    left -= 8;
  }
}

/** The raw integer of up to 53 bits; the frame must carry it. */
function rawOf(plan: SignalPlan, data: Uint8Array): number {
  const { byte_count, step, shift, mask, half } = plan;
  let at = plan.msb_byte;
  let bits = data[at];
  let raw: number;
  if (byte_count <= 4) {
    for (let i = 1; i < byte_count; i++) {
      at += step;
      bits = (bits << 8) | data[at];
    }
    raw = ((bits >>> shift) & mask) >>> 0;
  } else {
    for (let i = 1; i < byte_count - 4; i++) {
      at += step;
      bits = (bits << 8) | data[at];
    }
    let low = 0;
    for (let i = 0; i < 4; i++) {
      at += step;
      low = (low << 8) | data[at];
    }
    raw = (bits & mask) * (TWO_32 / (1 << shift)) + ((low >>> 0) >>> shift);
  }
  return raw >= half ? raw - plan.full : raw;
}

/** How one signal is read. All of one shape, so that the loop stays monomorphic. */
interface SignalPlan {
  readonly needed_bytes: number;
  readonly msb_byte: number;
  readonly step: number;
  readonly byte_count: number;
  readonly shift: number;
  /** Over the value itself up to 4 bytes, over its part above the low 32 bits beyond. */
  readonly mask: number;
  /** From here on a signed value is negative; Infinity for unsigned. */
  readonly half: number;
  readonly full: number;
  readonly scale: number;
  readonly offset: number;
  /** Needs BigInt or float conversion. */
  readonly wide: boolean;
}

function planOf(signal: DbcSignal, layout: SignalLayout): SignalPlan {
  const { length_bit, signed, scale, offset } = signal;
  const { needed_bytes, msb_byte, step, byte_count, shift } = layout;
  return {
    needed_bytes,
    msb_byte,
    step,
    byte_count,
    shift,
    mask: lowBits(byte_count <= 4 ? length_bit : length_bit + shift - 32),
    half: signed ? 2 ** (length_bit - 1) : Number.POSITIVE_INFINITY,
    full: 2 ** length_bit,
    scale,
    offset,
    wide: signal.float !== 'none' || length_bit > 53,
  };
}

function lowBits(count: number): number {
  return count >= 32 ? -1 : 2 ** Math.max(0, count) - 1;
}

/**
 * Signals whose multiplexer is `switchName` at value `value` (both undefined: the plain ones).
 * `above` holds the switches on the way down, so that a file whose switches refer to each other ends.
 */
function groupOf(
  signals: readonly DbcSignal[],
  switchName: string | undefined,
  value: number | undefined,
  above: ReadonlySet<string>,
): MuxGroup {
  const members: number[] = [];
  signals.forEach((signal, i) => {
    if (signal.mux?.switch !== switchName) return;
    if (value === undefined || signal.mux?.ranges.some(([low, high]) => value >= low && value <= high))
      members.push(i);
  });
  const switches = members
    .filter(i => signals[i].multiplexer && !above.has(signals[i].name))
    .map(i => switchOf(signals, i, above));
  return { signals: Int32Array.from(members), switches };
}

function switchOf(signals: readonly DbcSignal[], signal: number, above: ReadonlySet<string>): MuxSwitch {
  const { name } = signals[signal];
  const path = new Set(above).add(name);
  const ranges = signals.flatMap(({ mux }) => (mux?.switch === name ? mux.ranges : []));
  const groups = new Map<number, MuxGroup>();
  for (const [low, high] of ranges)
    for (let value = low; value <= high && groups.size < MAX_MUX_VALUES; value++)
      if (!groups.has(value)) groups.set(value, groupOf(signals, name, value, path));
  if (groups.size < MAX_MUX_VALUES) return { signal, groups, more: undefined };
  const more = (value: number) => {
    if (!ranges.some(([low, high]) => value >= low && value <= high)) return undefined;
    const group = groupOf(signals, name, value, path);
    if (groups.size < 2 * MAX_MUX_VALUES) groups.set(value, group);
    return group;
  };
  return { signal, groups, more };
}
