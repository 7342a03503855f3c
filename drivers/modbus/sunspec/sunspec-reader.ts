/** Reads a SunSpec unit: finds its models, then reads every model its packs need. */
import type { Clock } from '../../../core/clock/clock.ts';
import type { PackState } from '../../../core/reading/pack-state.ts';
import type { ReadFailure } from '../modbus-link.ts';
import { type ReadUnit, readParts, staleAfterMs, type UnitReader } from '../unit-reader.ts';
import { ChainWalk, type ModelInstance, type ReadRegisters } from './discovery.ts';
import { ModelBlock } from './model-block.ts';
import { MODELS } from './models.ts';
import type { PackMap } from './pack-map.ts';
import { PackView } from './pack-view.ts';

export interface SunSpecPack {
  readonly state: PackState;
  readonly map: PackMap;
}

export interface SunSpecReaderOptions {
  /** For messages: "unit 3 at 10.0.0.5:502". */
  readonly place: string;
  readonly packs: readonly SunSpecPack[];
  readonly clock: Clock;
  readonly interval_ms: number;
  readonly counters: { discoveries: number; cells_ignored: number };
  readonly read: ReadUnit;
  /** Models that may be read at once. */
  readonly atOnce: () => number;
}

/** The unit, or its gateway, refuses this piece; others may be read. */
const isRefusal = ({ kind }: ReadFailure) => kind === 'exception' || kind === 'unit_offline';

/** Rounds in a row in which a model was refused, until the unit is discovered again; then twice as many. */
const REFUSED_ROUNDS = 3;

export class SunSpecReader implements UnitReader {
  readonly progress = 0;
  readonly #options: SunSpecReaderOptions;
  readonly #read: ReadRegisters;
  #walk: ChainWalk;
  #views: readonly PackView[] | undefined;
  #blocks: readonly ModelBlock[] = [];
  /** The last round was whole: otherwise models go one by one, so that silence costs one time-out. */
  #is_steady = false;
  readonly #refusals = new Map<ModelBlock, string>();
  #refused_rounds = 0;
  #refused_limit = REFUSED_ROUNDS;

  constructor(options: SunSpecReaderOptions) {
    this.#options = options;
    this.#walk = new ChainWalk(options.place);
    this.#read = (address, count, into) => options.read(3, address, count, into);
  }

  forget(): void {
    this.#walk = new ChainWalk(this.#options.place);
    this.#views = undefined;
    this.#blocks = [];
    this.#refusals.clear();
    this.#is_steady = false;
    this.#refused_rounds = 0;
  }

  /** Every round reads all models anyhow, and a walk may go on where it was. */
  abandon(): void {}

  ageBy(late_ms: number): void {
    const stale_ms = Math.max(staleAfterMs(this.#options.interval_ms), late_ms);
    for (const { state } of this.#options.packs) {
      state.setStaleLimit(stale_ms);
      state.silent_after_ms = late_ms;
    }
  }

  /** A refused model costs its own values only, unless all are refused. */
  async read(): Promise<ReadFailure | undefined> {
    if (!this.#views) {
      const failure = await this.#walk.advance(this.#read);
      if (failure) return failure;
      this.#views = this.#resolve(this.#walk.models);
    }
    let refusal: ReadFailure | undefined;
    let fresh = 0;
    const outcomes = new Map<ModelBlock, Awaited<ReturnType<ModelBlock['read']>>>();
    const at_once = this.#is_steady ? this.#options.atOnce() : 1;
    this.#is_steady = false;
    await readParts(this.#blocks, at_once, async block => {
      const outcome = await block.read(this.#read);
      outcomes.set(block, outcome);
      return !outcome || (outcome !== 'changed' && isRefusal(outcome));
    });
    for (const block of this.#blocks) {
      const outcome = outcomes.get(block);
      if (outcome === 'changed') return this.#onChanged(block);
      if (outcome && !isRefusal(outcome)) return outcome;
      if (!outcome) fresh++;
      else if (!refusal || outcome.kind === 'exception') refusal = outcome;
      if (outcome) this.#refusals.set(block, outcome.complaint ?? outcome.message);
      else this.#refusals.delete(block);
    }
    this.#is_steady = true;
    // A model the gateway cannot reach now is not gone from the unit.
    this.#refused_rounds = refusal?.kind === 'exception' ? this.#refused_rounds + 1 : 0;
    if (!refusal) this.#refused_limit = REFUSED_ROUNDS;
    if (fresh > 0) return undefined;
    if (refusal?.kind === 'unit_offline') return refusal;
    const nothing = `${this.#options.place}: no SunSpec battery model found`;
    this.forget();
    return refusal ?? { kind: 'exception', message: nothing };
  }

  commit(mono_ms: number, onPack: (pack: number, complaint: string | undefined) => void): void {
    const { packs } = this.#options;
    this.#views?.forEach((view, i) => {
      view.commit(mono_ms);
      const refused = view.blocks.filter(block => !block.fresh);
      const complaints = view.mismatch === undefined ? [] : [view.mismatch];
      for (const block of refused)
        complaints.push(`model ${block.instance.id} refused by the unit: ${this.#refusals.get(block)}`);
      onPack(packs[i].state.pack, complaints.length === 0 ? undefined : complaints.join('; '));
    });
    if (this.#refused_rounds >= this.#refused_limit) {
      this.#refused_limit *= 2;
      this.forget();
    }
  }

  #onChanged({ instance }: ModelBlock): ReadFailure {
    this.forget();
    const model = `model ${instance.id} at register ${instance.address}`;
    return { kind: 'bad_reply', message: `${this.#options.place}: ${model} changed while it was being read` };
  }

  #resolve(chain: readonly ModelInstance[]): PackView[] {
    const { packs, counters, clock } = this.#options;
    const max_registers = Math.min(...packs.map(({ map }) => map.max_registers));
    const blocks = new Map<ModelInstance, ModelBlock>();
    const blockOf = (instance: ModelInstance): ModelBlock => {
      const block = blocks.get(instance) ?? new ModelBlock(MODELS.get(instance.id)!, instance, max_registers);
      blocks.set(instance, block);
      return block;
    };
    const views = packs.map(({ map, state }) => new PackView(map, state, chain, blockOf));
    this.#blocks = [...blocks.values()].sort((a, b) => a.instance.address - b.instance.address);
    counters.discoveries++;
    const now_ms = clock.monoMs();
    for (const view of views) {
      counters.cells_ignored += view.extra_cells;
      view.clearAbsentCells(now_ms);
    }
    return views;
  }
}
