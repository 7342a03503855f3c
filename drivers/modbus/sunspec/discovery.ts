/**
 * Finding the SunSpec models of a unit: the marker "SunS", then one model after the other.
 * A walk keeps its progress, so that a lost reply does not send it back to the beginning.
 * Source: SunSpec Device Information Model Specification; quirks met in the field are marked.
 */
import type { ReadFailure } from '../modbus-link.ts';
import { MODEL_HEADER } from './models.ts';

/** One model of a unit, found at `address` (its ID register). */
export interface ModelInstance {
  readonly id: number;
  readonly address: number;
  /** Registers after ID and L, as the device reports. */
  readonly length: number;
  /** The model's first registers, by which it is known again: ID, L and, for 804 and 805, its indices. */
  readonly head: Uint16Array;
}

export type ReadRegisters = (
  address: number,
  count: number,
  into: Uint16Array,
) => Promise<ReadFailure | undefined>;

/** Where the marker may stand, in the order in which others look for it. */
const BASES = [40_000, 0, 50_000];
const MARKER = [0x5375, 0x6e53];
const END_ID = 0xffff;
/** Against chains that never end. */
const MAX_MODELS = 1000;
/** Index registers that follow ID and L. */
const INDEX_REGISTERS: Readonly<Record<number, number>> = { 804: 1, 805: 2 };

export class ChainWalk {
  readonly models: ModelInstance[] = [];
  #base: number | undefined;
  /** How many bases were tried since the walk began. */
  #tried = 0;
  #address = 0;
  #silent_address: number | undefined;
  readonly #words = new Uint16Array(2);
  readonly #place: string;

  /** `place` names the unit in messages. */
  constructor(place: string) {
    this.#place = place;
  }

  /** Goes on until the end of the chain. Undefined: `models` is complete. */
  async advance(read: ReadRegisters): Promise<ReadFailure | undefined> {
    if (this.#base === undefined) {
      const failure = await this.#findBase(read);
      if (failure) return failure;
    }
    while (this.models.length < MAX_MODELS && this.#address + MODEL_HEADER <= 0x10000) {
      const step = await this.#step(read);
      if (step === 'end') return undefined;
      if (step) return step;
    }
    return undefined;
  }

  async #findBase(read: ReadRegisters): Promise<ReadFailure | undefined> {
    const found: string[] = [];
    for (let i = 0; i < BASES.length; i++) {
      const base = BASES[this.#tried % BASES.length];
      const failure = await read(base, 2, this.#words);
      // A unit may keep silent about registers it does not have: next time begin with the next base.
      if (!failure || failure.kind === 'timeout' || failure.kind === 'exception') this.#tried++;
      if (failure && failure.kind !== 'exception') return failure;
      const [first, second] = this.#words;
      if (!failure && first === MARKER[0] && second === MARKER[1]) {
        this.#base = base;
        this.#address = base + 2;
        return undefined;
      }
      found.push(`${base} ${failure ? 'is refused' : `holds ${hex(first)} ${hex(second)}`}`);
    }
    const marker = MARKER.map(hex).join(' ');
    const message = `${this.#place}: no SunSpec marker (${marker}): register ${found.join(', ')}`;
    return { kind: 'exception', message };
  }

  async #step(read: ReadRegisters): Promise<ReadFailure | 'end' | undefined> {
    // ID is read alone: Kostal refuses ID and L together at the end of its chain, and ends it with ID 0.
    const address = this.#address;
    const failure = await read(address, 1, this.#words);
    if (failure) return this.#endOr(failure);
    const id = this.#words[0];
    if (id === END_ID || id === 0) return 'end';
    const lengthFailure = await read(address + 1, 1, this.#words);
    if (lengthFailure) return this.#endOr(lengthFailure);
    const length = this.#words[0];
    const indexCount = length >= (INDEX_REGISTERS[id] ?? 0) ? (INDEX_REGISTERS[id] ?? 0) : 0;
    const head = new Uint16Array(MODEL_HEADER + indexCount);
    head[0] = id;
    head[1] = length;
    if (indexCount > 0) {
      const indexFailure = await read(address + MODEL_HEADER, indexCount, this.#words);
      if (indexFailure) return indexFailure;
      head.set(this.#words.subarray(0, indexCount), MODEL_HEADER);
    }
    this.models.push({ id, address, length, head });
    this.#address = address + MODEL_HEADER + length;
    return undefined;
  }

  /** An exception, or silence twice at the same place, ends a chain that has begun. */
  #endOr(failure: ReadFailure): ReadFailure | 'end' {
    const begun = this.models.length > 0;
    if (begun && failure.kind === 'exception') return 'end';
    if (begun && failure.kind === 'timeout') {
      if (this.#silent_address === this.#address) return 'end';
      this.#silent_address = this.#address;
    }
    return failure;
  }
}

function hex(word: number): string {
  return word.toString(16).toUpperCase().padStart(4, '0');
}
