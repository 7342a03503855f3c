/** The registers of one block of a unit as last read, and which of them are new. */
import type { ReadFailure } from '../modbus-link.ts';
import type { ReadUnit } from '../unit-reader.ts';
import { sizeOf } from './raw-number.ts';
import {
  type PlanLimits,
  type PlannedRead,
  planReads,
  planWhole,
  type Span,
  splitRead,
} from './read-plan.ts';
import type { Field, MapBlock } from './register-map.ts';

/** Reads of one round that may go into finding out which registers a unit lacks. */
export const SPLITS_PER_ROUND = 8;

const Age = { never: 0, earlier: 1, now: 2 } as const;

interface ActiveRead extends PlannedRead {
  readonly window: Uint16Array;
}

/** Rounds after which a value the unit refuses is missing, no longer old. */
const GONE_AFTER = 20;
const NOT_REFUSED = 0xffffffff;

/** Exceptions by which a device refuses this piece of its map rather than every request. */
const REFUSES_PLACE: readonly number[] = [2, 3];

export class BlockImage {
  readonly block: MapBlock;
  readonly words: Uint16Array;
  /** Map addresses the unit refuses even when asked for them alone; kept until `forget`. */
  readonly refused: number[] = [];
  /** The reads the unit refused last time by another exception than "no such register": one line each. */
  readonly refusals = new Map<number, string>();
  readonly #age: Uint8Array;
  /** Round from which on a register counts as gone, unless it is read again before. */
  readonly #gone_at: Uint32Array;
  #round = 0;
  readonly #planned: readonly PlannedRead[];
  #reads: ActiveRead[];
  #next = 0;

  constructor(block: MapBlock, spans: readonly Span[], limits: PlanLimits) {
    this.block = block;
    this.words = new Uint16Array(block.length);
    this.#age = new Uint8Array(block.length);
    this.#gone_at = new Uint32Array(block.length).fill(NOT_REFUSED);
    this.#planned = block.whole ? planWhole(spans, block.length) : planReads(spans, limits);
    this.#reads = this.#planned.map(read => this.#activate(read));
  }

  get reads(): readonly PlannedRead[] {
    return this.#reads;
  }

  /** Nothing known of the unit holds any longer, not even what it refused. */
  forget(): void {
    this.#reads = this.#planned.map(read => this.#activate(read));
    this.refused.length = 0;
    this.refusals.clear();
    this.#gone_at.fill(NOT_REFUSED);
    this.#age.fill(Age.never);
    this.#next = 0;
  }

  /** What the unit refused may have been a passing mood: plan as if it had not, and keep what was read. */
  askRefusedAgain(): void {
    if (this.refused.length === 0) return;
    this.#reads = this.#planned.map(read => this.#activate(read));
    this.refused.length = 0;
  }

  /** True when something was read in this round. */
  get readNow(): boolean {
    return this.#age.includes(Age.now);
  }

  /** Another round: what was new becomes old, and reading starts at the first register. */
  begin(): void {
    this.#next = 0;
    this.#round++;
    for (let i = 0; i < this.#age.length; i++) if (this.#age[i] === Age.now) this.#age[i] = Age.earlier;
  }

  /** All words of the field were read in this round. */
  isNew(field: Field): boolean {
    return this.#isAged(field, Age.now);
  }

  /** All words of the field were read at some time. */
  isKnown(field: Field): boolean {
    return this.#isAged(field, Age.earlier);
  }

  /** The unit has refused it for so long that an old value says nothing. */
  isGone(field: Field): boolean {
    for (let i = 0; i < sizeOf(field.type); i++) if (this.#gone_at[field.at + i] <= this.#round) return true;
    return false;
  }

  /** What is left of this round is refused. */
  refuseRest(): void {
    for (let i = this.#next; i < this.#reads.length; i++) this.#refuse(this.#reads[i]);
  }

  #refuse({ first, count }: PlannedRead): void {
    const gone_at = this.#round + GONE_AFTER * this.block.every;
    for (let i = first; i < first + count; i++) this.#gone_at[i] = Math.min(this.#gone_at[i], gone_at);
  }

  #isAged(field: Field, least: number): boolean {
    const size = sizeOf(field.type);
    for (let i = 0; i < size; i++) if (this.#age[field.at + i] < least) return false;
    return true;
  }

  /**
   * Goes on reading where the last call failed. A read the unit refuses is halved and remembered so; a
   * single value that is refused is left alone. `budget.splits` is what this round may still spend on it.
   */
  async read(
    read: ReadUnit,
    budget: { splits: number; refusal: ReadFailure | undefined },
  ): Promise<ReadFailure | undefined> {
    const { code, first, step } = this.block;
    while (this.#next < this.#reads.length) {
      const at = this.#next;
      const current = this.#reads[at];
      const failure = await read(code, first + current.first * step, current.count, current.window);
      if (!failure && this.#saysNothing(current)) return noReading(this.block, current);
      if (!failure) {
        this.#age.fill(Age.now, current.first, current.first + current.count);
        this.#gone_at.fill(NOT_REFUSED, current.first, current.first + current.count);
        this.refusals.delete(current.first);
        this.#next++;
        continue;
      }
      if (failure.kind !== 'exception') return failure;
      budget.refusal = failure;
      if (!REFUSES_PLACE.includes(failure.exception ?? 0)) {
        this.#refuse(current);
        this.refusals.set(current.first, failure.complaint ?? failure.message);
        this.#next++;
        continue;
      }
      this.refusals.delete(current.first);
      const halves = splitRead(current);
      if (!halves) {
        this.#refuse(current);
        this.refused.push(first + current.first * step);
        this.#reads.splice(at, 1);
        continue;
      }
      this.#reads.splice(at, 1, ...halves.map(half => this.#activate(half)));
      if (budget.splits-- <= 0) this.#next += 2;
    }
    return undefined;
  }

  #saysNothing({ first, count }: PlannedRead): boolean {
    const { no_reading } = this.block;
    if (!no_reading || no_reading.at < first || no_reading.at >= first + count) return false;
    return this.words[no_reading.at] === no_reading.is;
  }

  #activate(read: PlannedRead): ActiveRead {
    return { ...read, window: this.words.subarray(read.first, read.first + read.count) };
  }
}

function noReading({ first, step, no_reading }: MapBlock, read: PlannedRead): ReadFailure {
  const from = first + read.first * step;
  const place = `registers ${from} to ${from + (read.count - 1) * step}`;
  const complaint = `${place}: a reply without a reading (register ${first + (no_reading?.at ?? 0) * step} is ${no_reading?.is})`;
  return { kind: 'bad_reply', message: complaint, complaint };
}
