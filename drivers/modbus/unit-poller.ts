/**
 * UnitPoller: reads one unit of a link once per interval and commits whole rounds into the PackStates of
 * the packs on it. A unit that fails is asked less and less, so that it never slows its neighbours.
 */
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import type { LinkState } from '../driver.ts';
import { backoffMs } from './backoff.ts';
import type { ModbusLink, ReadFailure } from './modbus-link.ts';
import type { FailureKind } from './reply.ts';
import { ChainWalk, type ModelInstance } from './sunspec/discovery.ts';
import { ModelBlock } from './sunspec/model-block.ts';
import { MODELS } from './sunspec/models.ts';
import type { PackMap } from './sunspec/pack-map.ts';
import { PackView } from './sunspec/pack-view.ts';

export interface PolledPack {
  readonly state: PackState;
  readonly map: PackMap;
}

export interface PollerCounters {
  retries: number;
  rounds: number;
  rounds_late: number;
  discoveries: number;
  cells_ignored: number;
}

export interface PollerOptions {
  readonly link: ModbusLink;
  readonly unit: number;
  readonly packs: readonly PolledPack[];
  readonly clock: Clock;
  readonly interval_ms: number;
  readonly retries: number;
  readonly counters: PollerCounters;
  readonly onUpdate: (pack: number) => void;
  readonly onState: (pack: number, state: LinkState, reason: string | undefined) => void;
}

const BUSY_WAIT_MS = 100;
/** Rounds in a row in which a model was refused, until the unit is discovered anew; then twice as many. */
const REFUSED_ROUNDS = 3;

export class UnitPoller {
  readonly #options: PollerOptions;
  readonly #read: (address: number, count: number, into: Uint16Array) => Promise<ReadFailure | undefined>;
  readonly #place: string;
  #walk: ChainWalk;
  #views: readonly PackView[] | undefined;
  #blocks: readonly ModelBlock[] = [];
  #timer: TimerHandle | undefined;
  #active = false;
  #queued = false;
  /** Monotonic time at which the round under way was due, and from which the interval's grid counts. */
  #due_ms = 0;
  #attempts = 0;
  #failures = 0;
  #first_failure: ReadFailure | undefined;
  #reported_kind: FailureKind | undefined;
  #refused_rounds = 0;
  #refused_limit = REFUSED_ROUNDS;

  constructor(options: PollerOptions) {
    this.#options = options;
    const { link, unit } = options;
    this.#place = `unit ${unit} at ${link.name}`;
    this.#walk = new ChainWalk(this.#place);
    this.#read = (address, count, into) => link.read({ unit, code: 3, address, count }, into);
  }

  /** Begins to poll, at once. `fresh`: what was known about the unit may no longer hold. */
  resume(fresh: boolean): void {
    if (fresh) this.#rediscover();
    this.#active = true;
    this.#attempts = 0;
    this.#failures = 0;
    this.#due_ms = this.#options.clock.monoMs();
    this.#wait(0);
  }

  /** Stops polling until `resume`; a round under way ends by itself. */
  pause(): void {
    this.#active = false;
    this.#options.clock.clearTimer(this.#timer);
  }

  #wait(delay_ms: number): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    if (this.#active) this.#timer = clock.setTimer(() => this.#enqueue(), delay_ms);
  }

  #enqueue(): void {
    if (this.#queued) return;
    this.#queued = true;
    const accepted = this.#options.link.run(async () => {
      this.#queued = false;
      if (this.#active) await this.#round();
    });
    if (accepted) return;
    this.#queued = false;
    this.#waitForNextSlot();
  }

  async #round(): Promise<void> {
    const { counters } = this.#options;
    const started_ms = this.#options.clock.monoMs();
    const failure = await this.#readUnit();
    if (!this.#active) return;
    if (failure) {
      this.#fail(failure);
      return;
    }
    counters.rounds++;
    this.#attempts = 0;
    this.#failures = 0;
    this.#commit(started_ms);
    this.#waitForNextSlot();
  }

  /** The next point of the interval's grid that has not passed; passed ones are rounds lost. */
  #waitForNextSlot(): void {
    const { clock, interval_ms, counters } = this.#options;
    const now_ms = clock.monoMs();
    const passed = Math.max(0, Math.floor((now_ms - this.#due_ms) / interval_ms));
    counters.rounds_late += passed;
    this.#due_ms += (passed + 1) * interval_ms;
    this.#wait(this.#due_ms - now_ms);
  }

  #fail(failure: ReadFailure): void {
    const { clock, counters, retries, interval_ms, packs, onState } = this.#options;
    // Nothing to ask again while the link is down; `resume` follows when it is up.
    if (failure.kind === 'link') return;
    if (this.#attempts === 0) this.#first_failure = failure;
    const again = failure.kind !== 'unit_offline' && failure.kind !== 'exception';
    if (again && this.#failures === 0 && this.#attempts < retries) {
      this.#attempts++;
      counters.retries++;
      this.#wait(failure.kind === 'busy' ? BUSY_WAIT_MS : 0);
      return;
    }
    this.#attempts = 0;
    this.#failures++;
    const delay_ms = Math.max(interval_ms, backoffMs(this.#failures));
    this.#due_ms = clock.monoMs() + delay_ms;
    this.#wait(delay_ms);
    // Later attempts may fail at other registers: the first reason stands until its kind changes.
    const { kind, message } = this.#first_failure ?? failure;
    if (this.#failures > 1 && kind === this.#reported_kind) return;
    this.#reported_kind = kind;
    for (const { state } of packs) onState(state.pack, 'down', message);
  }

  #rediscover(): void {
    this.#walk = new ChainWalk(this.#place);
    this.#views = undefined;
    this.#blocks = [];
    this.#refused_rounds = 0;
  }

  /** Reads every model the packs need. A refused model costs its own values only, unless all are refused. */
  async #readUnit(): Promise<ReadFailure | undefined> {
    if (!this.#views) {
      const failure = await this.#walk.advance(this.#read);
      if (failure) return failure;
      this.#views = this.#resolve(this.#walk.models);
    }
    let refusal: ReadFailure | undefined;
    let fresh = 0;
    for (const block of this.#blocks) {
      const outcome = await block.read(this.#read);
      if (outcome === 'changed') return this.#onChanged(block);
      if (outcome && outcome.kind !== 'exception') return outcome;
      if (outcome) refusal = outcome;
      else fresh++;
    }
    this.#refused_rounds = refusal ? this.#refused_rounds + 1 : 0;
    if (!refusal) this.#refused_limit = REFUSED_ROUNDS;
    if (fresh > 0) return undefined;
    const nothing = `${this.#place}: no SunSpec battery model found`;
    this.#rediscover();
    return refusal ?? { kind: 'exception', message: nothing };
  }

  #onChanged({ instance }: ModelBlock): ReadFailure {
    this.#rediscover();
    const model = `model ${instance.id} at register ${instance.address}`;
    return { kind: 'bad_reply', message: `${this.#place}: ${model} changed while it was being read` };
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

  #commit(mono_ms: number): void {
    const { packs, onState, onUpdate } = this.#options;
    this.#views?.forEach((view, i) => {
      const { pack } = packs[i].state;
      view.commit(mono_ms);
      onUpdate(pack);
      const refused = view.blocks.filter(block => !block.fresh).map(({ instance }) => `model ${instance.id}`);
      const reasons = view.mismatch === undefined ? [] : [view.mismatch];
      if (refused.length > 0) reasons.push(`${refused.join(', ')} refused by the unit`);
      if (reasons.length === 0) onState(pack, 'up', undefined);
      else onState(pack, 'degraded', `${this.#place}: ${reasons.join('; ')}`);
    });
    if (this.#refused_rounds >= this.#refused_limit) {
      this.#refused_limit *= 2;
      this.#rediscover();
    }
  }
}
