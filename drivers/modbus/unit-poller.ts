/**
 * UnitPoller: reads one unit of a link once per interval, so that it has just been read when readings are taken, and
 * commits whole rounds into the PackStates of the packs on it. A unit that fails is asked less and less, so that it
 * never slows its neighbours.
 */
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import type { LinkState } from '../driver.ts';
import { backoffMs } from './backoff.ts';
import type { LineRounds } from './line-rounds.ts';
import type { ModbusLink, ReadFailure } from './modbus-link.ts';
import type { FailureKind } from './reply.ts';
import type { RoundTiming } from './round-timing.ts';
import type { UnitReader } from './unit-reader.ts';

export interface PollerCounters {
  retries: number;
  rounds: number;
  rounds_late: number;
}

export interface PollerOptions {
  readonly link: ModbusLink;
  /** For messages: "unit 3 at 10.0.0.5:502". */
  readonly place: string;
  readonly reader: UnitReader;
  /** Dense indices of the packs on the unit. */
  readonly packs: readonly number[];
  readonly clock: Clock;
  readonly interval_ms: number;
  readonly retries: number;
  readonly counters: PollerCounters;
  /** Of all units of the link, and which of them this is. */
  readonly line: LineRounds;
  readonly unit: number;
  /** Shared by all units of the link. */
  readonly timing: RoundTiming;
  /** A round has ended, well or not. */
  readonly onRoundEnd: () => void;
  readonly onUpdate: (pack: number) => void;
  readonly onState: (pack: number, state: LinkState, reason: string | undefined) => void;
}

const BUSY_WAIT_MS = 100;

export class UnitPoller {
  readonly #options: PollerOptions;
  #timer: TimerHandle | undefined;
  #active = false;
  #queued = false;
  /** Monotonic time at which the round under way was due. */
  #due_ms = 0;
  /** From then on it waited for the line. NaN: it was due by itself, not in turn with the other units. */
  #began_ms = Number.NaN;
  /** When the round under way read its first register; repeats belong to the round. */
  #started_ms = 0;
  /** The unit replied in the round under way. */
  #answers = false;
  #attempts = 0;
  #failures = 0;
  #first_failure: ReadFailure | undefined;
  #reported_kind: FailureKind | undefined;
  #reported_late = false;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Begins to poll, at once. `fresh`: what was known about the unit may no longer hold. */
  resume(fresh: boolean): void {
    if (fresh) this.#options.reader.forget();
    this.#options.reader.abandon();
    this.#active = true;
    this.#attempts = 0;
    this.#answers = false;
    this.#failures = 0;
    this.#due_ms = this.#options.clock.monoMs();
    this.#began_ms = Number.NaN;
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
    this.#waitForNextRound();
  }

  async #round(): Promise<void> {
    const { counters, clock, reader, line, unit, timing } = this.#options;
    const turn_ms = clock.monoMs();
    if (this.#attempts === 0 && !this.#answers) this.#started_ms = turn_ms;
    const progress = reader.progress;
    const failure = await reader.read();
    line.onTurn(unit, clock.monoMs() - turn_ms);
    if (!this.#active) return;
    if (failure && reader.progress !== progress) {
      // It answers, if not always: each of its reads has its own repeats.
      this.#answers = true;
      this.#attempts = 0;
    }
    if (failure) {
      this.#fail(failure);
      return;
    }
    counters.rounds++;
    this.#attempts = 0;
    this.#answers = false;
    this.#failures = 0;
    line.onRound(unit, this.#started_ms, clock.monoMs());
    if (!Number.isNaN(this.#began_ms)) timing.onRound(this.#due_ms, this.#began_ms, clock.monoMs());
    this.#commit(this.#started_ms);
    this.#options.onRoundEnd();
    this.#waitForNextRound();
  }

  /** Rounds that were due meanwhile are late: one of them follows at once, the others are lost. */
  #waitForNextRound(): void {
    const { clock, interval_ms, counters, timing } = this.#options;
    this.#due_ms = timing.nextStart(this.#due_ms);
    const now_ms = clock.monoMs();
    if (this.#due_ms < now_ms) {
      const lost = Math.floor((now_ms - this.#due_ms) / interval_ms);
      counters.rounds_late += lost + 1;
      this.#due_ms += lost * interval_ms;
    }
    this.#began_ms = Math.max(this.#due_ms, now_ms);
    this.#wait(this.#began_ms - now_ms);
  }

  #fail(failure: ReadFailure): void {
    const { clock, counters, retries, packs, line, unit, timing, onRoundEnd, onState } = this.#options;
    // Nothing to ask again while the link is down; `resume` follows when it is up.
    if (failure.kind === 'link') return;
    if (this.#attempts === 0) this.#first_failure = failure;
    const again = failure.kind !== 'unit_offline' && failure.kind !== 'exception';
    if (again && !failure.is_known && (this.#failures === 0 || this.#answers) && this.#attempts < retries) {
      this.#attempts++;
      counters.retries++;
      // A late reply is waited for outside the job, so that other units are read meanwhile.
      this.#wait(failure.kind === 'busy' ? BUSY_WAIT_MS : (failure.settles_in_ms ?? 0));
      return;
    }
    this.#attempts = 0;
    // A gateway says for a block what the unit keeps silent about.
    if (failure.kind !== 'exception' && this.#options.reader.leaveOut?.()) {
      this.#wait(failure.settles_in_ms ?? 0);
      return;
    }
    this.#answers = false;
    this.#failures++;
    this.#options.reader.abandon();
    // While the line is idle: the wait for a unit that says nothing must not keep the others from being read in time.
    const now_ms = clock.monoMs();
    this.#due_ms = timing.nextMoment(now_ms + backoffMs(this.#failures));
    this.#began_ms = Number.NaN;
    this.#wait(this.#due_ms - now_ms);
    // Later attempts may fail at other registers: the first reason stands until its kind changes.
    const { kind, message, is_late = false } = failure.is_late ? failure : (this.#first_failure ?? failure);
    line.onFailure(unit);
    onRoundEnd();
    if (this.#failures > 1 && kind === this.#reported_kind && is_late === this.#reported_late) return;
    this.#reported_kind = kind;
    this.#reported_late = is_late;
    for (const pack of packs) onState(pack, 'down', message);
  }

  #commit(mono_ms: number): void {
    const { reader, place, onState, onUpdate } = this.#options;
    reader.commit(mono_ms, (pack, complaint) => {
      onUpdate(pack);
      if (complaint === undefined) onState(pack, 'up', undefined);
      else onState(pack, 'degraded', `${place}: ${complaint}`);
    });
  }
}
