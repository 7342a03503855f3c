/**
 * Compiled decoder of one message: positions, masks and scales worked out once, no allocation per frame.
 * Arithmetic is in doubles up to 53 bits, in BigInt above.
 */
import type { DbcMessage, DbcSignal } from './dbc-model.ts';
import { layoutOf, rawBits, type SignalLayout } from './signal-layout.ts';

/** Widest multiplexer range that gets its own table entries. */
const MOST_MUX_VALUES = 65_536;
const TWO_32 = 4_294_967_296;

/** Signals that are in the frame together, and the multiplexers among them. */
interface MuxGroup {
  readonly signals: Int32Array;
  readonly switches: readonly MuxSwitch[];
}

interface MuxSwitch {
  readonly signal: number;
  readonly groups: ReadonlyMap<number, MuxGroup>;
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
      const { signal, groups } = switches[i];
      const plan = plans[signal];
      if (plan.needed_bytes > length) continue;
      const chosen = groups.get(plan.wide ? this.#rawWide(signal, data) : rawOf(plan, data));
      if (chosen) this.#decodeGroup(chosen, data, length);
    }
  }

  /** Floats and integers above 53 bits. */
  #rawWide(signal: number, data: Uint8Array): number {
    const { float, length_bit, signed } = this.message.signals[signal];
    const bits = rawBits(this.#layouts[signal], length_bit, data);
    if (float === 'none') return Number(signed ? BigInt.asIntN(length_bit, bits) : bits);
    this.#scratch.setBigUint64(0, bits);
    return float === 'float64' ? this.#scratch.getFloat64(0) : this.#scratch.getFloat32(4);
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
  const values = new Set<number>();
  for (const other of signals) {
    if (other.mux?.switch !== name) continue;
    for (const [low, high] of other.mux.ranges)
      for (let value = low; value <= high && values.size < MOST_MUX_VALUES; value++) values.add(value);
  }
  const groups = new Map<number, MuxGroup>();
  const path = new Set(above).add(name);
  for (const value of values) groups.set(value, groupOf(signals, name, value, path));
  return { signal, groups };
}
