/**
 * Compiled decoder of one message: positions and scales in typed columns, no allocation per frame.
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
  readonly #columns: SignalColumns;
  readonly #root: MuxGroup;
  readonly #scratch = new DataView(new ArrayBuffer(8));

  constructor(message: DbcMessage) {
    this.message = message;
    this.#layouts = message.signals.map(layoutOf);
    this.#columns = columnsOf(message.signals, this.#layouts);
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
    const { signals } = group;
    const { needed_bytes, scale, offset } = this.#columns;
    for (let i = 0; i < signals.length; i++) {
      const signal = signals[i];
      if (needed_bytes[signal] > length) continue;
      this.values[signal] = this.#raw(signal, data) * scale[signal] + offset[signal];
      this.carried[this.carried_count++] = signal;
    }
    for (const { signal, groups } of group.switches) {
      if (needed_bytes[signal] > length) continue;
      const chosen = groups.get(this.#raw(signal, data));
      if (chosen) this.#decodeGroup(chosen, data, length);
    }
  }

  #raw(signal: number, data: Uint8Array): number {
    const { msb_byte, step, byte_count, shift, mask, half, full, wide } = this.#columns;
    const bytes = byte_count[signal];
    const by = step[signal];
    let at = msb_byte[signal];
    let raw: number;
    if (bytes <= 4) {
      let bits = data[at];
      for (let i = 1; i < bytes; i++) {
        at += by;
        bits = (bits << 8) | data[at];
      }
      raw = ((bits >>> shift[signal]) & mask[signal]) >>> 0;
    } else if (wide[signal] === 0) {
      let high = data[at];
      for (let i = 1; i < bytes - 4; i++) {
        at += by;
        high = (high << 8) | data[at];
      }
      let low = 0;
      for (let i = 0; i < 4; i++) {
        at += by;
        low = (low << 8) | data[at];
      }
      const down = shift[signal];
      raw = (high & mask[signal]) * (TWO_32 / (1 << down)) + ((low >>> 0) >>> down);
    } else return this.#rawWide(signal, data);
    return raw >= half[signal] ? raw - full[signal] : raw;
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

interface SignalColumns {
  readonly needed_bytes: Int32Array;
  readonly msb_byte: Int32Array;
  readonly step: Int32Array;
  readonly byte_count: Int32Array;
  readonly shift: Int32Array;
  /** Over the value itself up to 4 bytes, over its part above the low 32 bits beyond. */
  readonly mask: Int32Array;
  /** From here on a signed value is negative; Infinity for unsigned. */
  readonly half: Float64Array;
  readonly full: Float64Array;
  readonly scale: Float64Array;
  readonly offset: Float64Array;
  /** 1: needs BigInt or float conversion. */
  readonly wide: Uint8Array;
}

function columnsOf(signals: readonly DbcSignal[], layouts: readonly SignalLayout[]): SignalColumns {
  const ints = (of: (layout: SignalLayout, i: number) => number) => Int32Array.from(layouts, of);
  const doubles = (of: (signal: DbcSignal) => number) => Float64Array.from(signals, of);
  return {
    needed_bytes: ints(layout => layout.needed_bytes),
    msb_byte: ints(layout => layout.msb_byte),
    step: ints(layout => layout.step),
    // Five bytes force the wide branch for a float that fills four.
    byte_count: ints((layout, i) =>
      signals[i].float === 'none' ? layout.byte_count : Math.max(5, layout.byte_count),
    ),
    shift: ints(layout => layout.shift),
    mask: ints(({ byte_count, shift }, i) =>
      lowBits(byte_count <= 4 ? signals[i].length_bit : signals[i].length_bit + shift - 32),
    ),
    half: doubles(signal => (signal.signed ? 2 ** (signal.length_bit - 1) : Number.POSITIVE_INFINITY)),
    full: doubles(signal => 2 ** signal.length_bit),
    scale: doubles(signal => signal.scale),
    offset: doubles(signal => signal.offset),
    wide: Uint8Array.from(signals, signal => (signal.float !== 'none' || signal.length_bit > 53 ? 1 : 0)),
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
