/**
 * Keeps account of the wall clock: who vouches for it, and since which row of the log. It records that in the log as
 * eras (core/contract/clock.ts), and once the time of a boot is known, by how much earlier rows of it are off.
 */
import type { TimerHandle } from '../../core/clock/clock.ts';
import {
  CONFIRMED,
  erasOf,
  isConfirmed,
  type Judgement,
  judgeWall,
  refusal,
  settle,
} from '../../core/clock/wall-certainty.ts';
import type { WatchedClock } from '../../core/clock/watched-clock.ts';
import type { ClockCorrection, ClockEra } from '../../core/contract/clock.ts';
import type { ComponentStatus } from '../../core/contract/http.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { LogKind, type LogSource, type Store } from '../store/store.ts';
import type { TimeSource } from '../system/time-source.ts';

/** Asked so often while nobody vouches for the time, and while somebody does who may yet be corrected. */
const ASK_UNCERTAIN_MS = 10_000;
const ASK_CERTAIN_MS = 120_000;
/** Rows of one era at most, as long as it may be corrected: the centre corrects an era in one transaction. */
const ERA_ROWS = 50_000;
/** Corrections on their way to the store at once. */
const AT_ONCE = 500;

export interface ClockKeeperOptions {
  readonly clock: WatchedClock;
  readonly log: Logger;
  readonly store: Pick<Store, 'appendRecord' | 'flush' | 'clockState' | 'stats'> &
    Pick<LogSource, 'durableSeq'>;
  readonly source: TimeSource;
  /** Called with corrections once they are durable. */
  readonly onCorrected?: (corrections: readonly ClockCorrection[]) => Promise<void> | void;
}

export class ClockKeeper {
  readonly #options: ClockKeeperOptions;
  readonly #counters = { steps: 0, corrections: 0 };
  #judgement: Judgement = { trust: 'none', doubt: 'the clock has not been checked yet' };
  /** Newest certain time of a reading. */
  #newest_ms = Number.NEGATIVE_INFINITY;
  #era_seq = 0;
  /** Grows with each step: what was asked before it says nothing of the clock after it. */
  #generation = 0;
  /** Earlier eras may still have to be settled. */
  #unsettled = true;
  #running = false;
  #timer: TimerHandle | undefined;
  #asking: Promise<void> | undefined;

  constructor(options: ClockKeeperOptions) {
    this.#options = options;
  }

  /** Records where this run begins. The store must be open, and no reading taken before it resolves. */
  async start(): Promise<void> {
    const { clock, store, source } = this.#options;
    clock.wallMs();
    const { newest_ms, records } = await store.clockState(source.boot_id);
    this.#newest_ms = newest_ms ?? Number.NEGATIVE_INFINITY;
    const facts = await source.facts();
    const wall_ms = clock.wallMs();
    const judged = judgeWall(wall_ms, facts, this.#newest_ms);
    const is_confirmed = isConfirmed(records, clock.offset_ms - source.boot_offset_ms);
    this.#judgement = judged.trust !== 'network' && is_confirmed ? CONFIRMED : judged;
    this.#running = true;
    clock.onStep = step_ms => this.#stepped(step_ms);
    this.#append('start', wall_ms, 0);
    this.#report();
    await this.#settle();
    this.#arm();
  }

  async stop(): Promise<void> {
    const { clock } = this.#options;
    this.#running = false;
    clock.onStep = () => {};
    clock.clearTimer(this.#timer);
    await this.idle();
  }

  /** Resolves when what is under way has ended. */
  async idle(): Promise<void> {
    await this.#asking;
  }

  /** Whether somebody vouches for the time. */
  get isCertain(): boolean {
    return this.#judgement.trust !== 'none';
  }

  /** Whether the clock shows a time that can be, whoever vouches for it. */
  get isPlausible(): boolean {
    return judgeWall(this.#options.clock.wallMs(), {}, this.#newest_ms).trust !== 'none';
  }

  /**
   * A person whose clock shows `client_clock_ms` says that ours is right. Holds for this boot, as long as the clock does not
   * step and the network says nothing else. Throws CONFLICT with the reason where that is not believed.
   */
  confirm(client_clock_ms: number): ComponentStatus {
    const wall_ms = this.#options.clock.wallMs();
    const refused = refusal(wall_ms, client_clock_ms, this.isCertain);
    if (refused) throw new GatewayError('CONFLICT', `clock: ${refused}`);
    this.#judgement = CONFIRMED;
    this.#append('trust', wall_ms, 0);
    this.#report();
    this.#arm(0);
    return this.status();
  }

  status(): ComponentStatus {
    const { doubt } = this.#judgement;
    const reason =
      doubt && `times are uncertain: ${doubt}; readings are kept, and get their right time once it is known`;
    return {
      name: 'clock',
      state: doubt ? 'degraded' : 'ok',
      reason,
      counters: { certain: this.isCertain ? 1 : 0, ...this.#counters },
    };
  }

  /** Called by the clock before anybody gets a stamp from after the step. */
  #stepped(step_ms: number): void {
    const { clock, log } = this.#options;
    const wall_ms = clock.monoMs() + clock.offset_ms;
    this.#counters.steps++;
    this.#generation++;
    // Up to here the time was certain.
    if (this.isCertain) this.#newest_ms = Math.max(this.#newest_ms, wall_ms - step_ms);
    this.#judgement = { trust: 'none', doubt: 'the clock has just been set' };
    log.warn({ component: 'clock', step_ms }, `the wall clock stepped by ${step_ms / 1000} s`);
    this.#append('step', wall_ms, step_ms);
    this.#arm(0);
  }

  #append(reason: ClockEra['reason'], wall_ms: number, step_ms: number): void {
    const { clock, store, source } = this.#options;
    const record: ClockEra = {
      reason,
      boot_id: source.boot_id,
      t_ms: Math.round(wall_ms),
      step_ms,
      offset_ms: clock.offset_ms - source.boot_offset_ms,
      trust: this.#judgement.trust,
    };
    this.#era_seq = store.durableSeq();
    this.#unsettled = true;
    store.appendRecord(LogKind.clock, record.t_ms, record);
  }

  #arm(delay_ms?: number): void {
    const { clock } = this.#options;
    if (!this.#running) return;
    clock.clearTimer(this.#timer);
    const due_ms = delay_ms ?? (this.isCertain && !this.#unsettled ? ASK_CERTAIN_MS : ASK_UNCERTAIN_MS);
    this.#timer = clock.setTimer(() => {
      this.#asking = (this.#asking ?? Promise.resolve()).then(() => this.#ask());
    }, due_ms);
  }

  async #ask(): Promise<void> {
    const { clock, store, source } = this.#options;
    if (!this.#running) return;
    clock.wallMs();
    const generation = this.#generation;
    if (this.#judgement.trust !== 'network') {
      const facts = await source.facts();
      const wall_ms = clock.wallMs();
      if (!this.#running || generation !== this.#generation) return this.#arm(0);
      const { trust } = this.#judgement;
      const judged = judgeWall(wall_ms, facts, this.#newest_ms);
      // Who vouched once is believed until the clock steps.
      if (
        trust === 'none' ||
        judged.trust === 'network' ||
        (trust === 'plausible' && judged.trust === 'hardware')
      )
        this.#judgement = judged;
      if (this.#judgement.trust !== trust) {
        this.#append('trust', wall_ms, 0);
        this.#report();
      } else if (store.durableSeq() - this.#era_seq >= ERA_ROWS) this.#append('continued', wall_ms, 0);
    }
    await this.#settle();
    this.#arm();
  }

  async #settle(): Promise<void> {
    if (!this.#unsettled || !this.isCertain) return;
    const { store, source, log, clock, onCorrected } = this.#options;
    const { boot_id } = source;
    const generation = this.#generation;
    try {
      const made: ClockCorrection[] = [];
      const { records_dropped } = store.stats();
      await store.flush();
      const { records } = await store.clockState(boot_id);
      for (const correction of settle(erasOf(records))) {
        if (!this.#running) return;
        const record = { ...correction, boot_id, t_ms: Math.round(clock.wallMs()) };
        store.appendRecord(LogKind.clock, record.t_ms, record);
        made.push(record);
        if (made.length % AT_ONCE === 0) await store.flush();
      }
      await store.flush();
      if (store.stats().records_dropped === records_dropped && generation === this.#generation)
        this.#unsettled = false;
      const moved = made.filter(({ offset_ms }) => offset_ms !== 0);
      this.#counters.corrections += moved.length;
      if (moved.length > 0)
        log.info(
          { component: 'clock', corrections: moved.length },
          `rows ${moved[0].first_seq} to ${moved[moved.length - 1].last_seq} have their right times now`,
        );
      if (made.length > 0) await onCorrected?.(made);
    } catch (error) {
      if (this.#running)
        log.warn({ component: 'clock' }, `times could not be corrected yet: ${describeError(error)}`);
    }
  }

  #report(): void {
    const { log } = this.#options;
    const { trust, doubt } = this.#judgement;
    if (doubt) log.warn({ component: 'clock' }, `times are uncertain: ${doubt}`);
    else log.info({ component: 'clock', trust }, 'times are certain');
  }
}
