/**
 * Keeps account of readings by pack and hour: how many were due, taken, and stored, and how many of these only repeat
 * the one before. An hour is closed some seconds
 * after its end, and hours in which the gateway did not run are closed at the next start: due all the same. While the
 * clock shows a time that cannot be, no hour is closed; hours whose readings get other times are reported again.
 */
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { RELEASED_MS } from '../../core/clock/wall-certainty.ts';
import type { ClockCorrection } from '../../core/contract/clock.ts';
import { type CompletenessRecord, HOUR_MS, type HourOfPack } from '../../core/contract/completeness.ts';
import { describeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { ReadableDocuments } from '../store/documents/readable-documents.ts';
import { LogKind, type ReadingCount, type Store } from '../store/store.ts';

/** By then what was taken at the end of the hour is committed. */
const GRACE_MS = 10_000;
/** Asked again after this long when the store could not answer. */
const RETRY_MS = 60_000;
/** Hours closed after a long absence; older ones are left out, and that is logged. */
const MAX_HOURS = 31 * 24;

const NONE: ReadingCount = { readings: 0, repeated: 0 };

const DOCUMENT = ['completeness', 'state'] as const;

export interface CompletenessOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly topology: Topology;
  readonly interval_ms: number;
  readonly store: Pick<Store, 'appendRecord' | 'readingCounts' | 'completeness' | 'documents' | 'flush'>;
  /** Whether the wall clock shows a time that can be (default: always). */
  readonly isPlausible?: () => boolean;
}

/** What outlives a restart. */
const State = Type.Object({
  /** Hours before this are closed. */
  through_ms: Type.Number(),
  /** Since when a pack is expected, by id. */
  since_ms: Type.Record(Type.String(), Type.Number()),
});
type State = Static<typeof State>;
const isState = Compile(State);
const readState = (body: unknown) => (isState.Check(body) ? body : undefined);

export class CompletenessLedger {
  readonly #options: CompletenessOptions;
  /** Readings taken since the start, by hour: pack by dense index. */
  readonly #received = new Map<number, Uint32Array>();
  #state: State = { through_ms: 0, since_ms: {} };
  /** Closed hours to be reported again. */
  readonly #again = new Set<number>();
  #started_mono_ms = 0;
  #resumed = false;
  #timer: TimerHandle | undefined;
  #running = false;
  #closing: Promise<void> | undefined;

  constructor(options: CompletenessOptions) {
    this.#options = options;
  }

  /** Resumes where the last run ended. The store must be open. */
  async start(): Promise<void> {
    this.#started_mono_ms = this.#options.clock.monoMs();
    this.#running = true;
    if (await this.#resume())
      this.#arm(hourOf(this.#options.clock.wallMs()) > this.#state.through_ms ? GRACE_MS : this.#untilNext());
    else this.#arm(RETRY_MS);
  }

  /** False while the time is not known. */
  async #resume(): Promise<boolean> {
    const { clock, log, store, topology, isPlausible = () => true } = this.#options;
    if (this.#resumed) return true;
    if (!isPlausible()) return false;
    // When the gateway started, whatever the clock showed then.
    const now_ms = clock.wallMs() - (clock.monoMs() - this.#started_mono_ms);
    const remedy = 'completeness is counted again from now on';
    const kept = await new ReadableDocuments(store.documents, log).get(...DOCUMENT, readState, remedy);
    const since_ms = Object.fromEntries(
      topology.packs.map(({ id }) => [id, Math.min(kept?.since_ms[id] ?? now_ms, now_ms)]),
    );
    this.#state = { through_ms: kept?.through_ms ?? hourOf(now_ms), since_ms };
    await store.documents.put(...DOCUMENT, this.#state);
    this.#resumed = true;
    return true;
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#options.clock.clearTimer(this.#timer);
    await this.settled();
  }

  /** Resolves when no hour is being closed. */
  async settled(): Promise<void> {
    await this.#closing;
  }

  /** Readings have other times now: of the hours they left and came into, closed ones are reported again. */
  corrected(corrections: readonly ClockCorrection[]): void {
    for (const { from_ms, to_ms, offset_ms } of corrections) {
      if (offset_ms === 0) continue;
      // What was counted as received goes by times that were wrong.
      for (const hour_ms of hoursOf(from_ms, to_ms)) {
        this.#received.delete(hour_ms);
        this.#again.add(hour_ms);
      }
      for (const hour_ms of hoursOf(from_ms + offset_ms, to_ms + offset_ms)) this.#again.add(hour_ms);
    }
    if (this.#running) this.#arm(0);
  }

  /** A reading was taken. Called for each: no allocation but once an hour. */
  received(pack: number, t_ms: number): void {
    const hour_ms = hourOf(t_ms);
    let counts = this.#received.get(hour_ms);
    if (!counts) {
      counts = new Uint32Array(this.#options.topology.packs.length);
      this.#received.set(hour_ms, counts);
      // A clock that runs wild makes hours, too; the newest of them are of interest.
      if (this.#received.size > MAX_HOURS) this.#received.delete(this.#received.keys().next().value ?? 0);
    }
    counts[pack]++;
  }

  #untilNext(): number {
    const now_ms = this.#options.clock.wallMs();
    if (hourOf(now_ms - GRACE_MS) > this.#state.through_ms || this.#dueAgain().length > 0) return 0;
    return hourOf(now_ms) + HOUR_MS + GRACE_MS - now_ms;
  }

  #arm(delay_ms: number): void {
    this.#options.clock.clearTimer(this.#timer);
    this.#timer = this.#options.clock.setTimer(() => {
      this.#closing = (this.#closing ?? Promise.resolve()).then(() => this.#closeHours());
    }, delay_ms);
  }

  async #closeHours(): Promise<void> {
    const { clock, log, store, isPlausible = () => true } = this.#options;
    let next_ms: number | undefined;
    if (!this.#running) return;
    if (!isPlausible()) return this.#arm(RETRY_MS);
    try {
      await this.#resume();
      await store.flush();
      const end_ms = hourOf(clock.wallMs() - GRACE_MS);
      // The clock was set back into hours that are closed: they are reported again, one by one as they end again.
      if (this.#state.through_ms > end_ms) this.#state.through_ms = end_ms - HOUR_MS;
      const first_ms = Math.max(this.#state.through_ms, end_ms - MAX_HOURS * HOUR_MS);
      if (first_ms > this.#state.through_ms)
        log.warn(
          { component: 'completeness' },
          `hours before ${new Date(first_ms).toISOString()} are not accounted for`,
        );
      for (let hour_ms = first_ms; hour_ms < end_ms && this.#running; hour_ms += HOUR_MS) {
        await this.#closeHour(hour_ms);
        this.#state.through_ms = hour_ms + HOUR_MS;
      }
      for (const hour_ms of this.#dueAgain()) {
        if (!this.#running) break;
        await this.#closeHour(hour_ms, true);
        this.#again.delete(hour_ms);
      }
      await store.flush();
      await store.documents.put(...DOCUMENT, this.#state);
      for (const hour_ms of this.#received.keys())
        if (hour_ms < this.#state.through_ms) this.#received.delete(hour_ms);
    } catch (error) {
      if (this.#running)
        log.warn(
          { component: 'completeness' },
          `an hour could not be accounted for yet: ${describeError(error)}`,
        );
      next_ms = RETRY_MS;
    }
    if (this.#running) this.#arm(next_ms ?? this.#untilNext());
  }

  #dueAgain(): number[] {
    return [...this.#again].filter(hour_ms => hour_ms < this.#state.through_ms);
  }

  async #closeHour(hour_ms: number, is_again = false): Promise<void> {
    const { store, topology } = this.#options;
    const span = { from_ms: hour_ms, to_ms: hour_ms + HOUR_MS };
    const stored = await store.readingCounts(span);
    // Of an hour that was reported before nothing may be left.
    const was_reported = is_again && (await store.completeness(span)).length > 0;
    const received = this.#received.get(hour_ms);
    const packs: HourOfPack[] = [];
    for (const { pack, id } of topology.packs) {
      const expected = this.#expected(hour_ms, this.#state.since_ms[id]);
      const { readings: kept, repeated } = stored[id] ?? NONE;
      // Before a restart within the hour only what was stored is known.
      if (expected > 0 || kept > 0 || was_reported)
        packs.push({
          pack_id: id,
          expected,
          received: Math.max(received?.[pack] ?? 0, kept),
          stored: kept,
          repeated,
        });
    }
    const record: CompletenessRecord = { hour_ms, packs };
    if (packs.length > 0) store.appendRecord(LogKind.completeness, hour_ms + HOUR_MS, record);
  }

  /** Moments (multiples of the interval) of the hour from `since_ms` on. */
  #expected(hour_ms: number, since_ms: number): number {
    const { interval_ms } = this.#options;
    const before = (t_ms: number) => Math.ceil(t_ms / interval_ms);
    return Math.max(0, before(hour_ms + HOUR_MS) - before(Math.max(hour_ms, since_ms)));
  }
}

/** The newest of them, and none that cannot be. */
function hoursOf(from_ms: number, to_ms: number): number[] {
  const first_ms = Math.max(hourOf(from_ms), hourOf(to_ms) - MAX_HOURS * HOUR_MS, RELEASED_MS);
  const hours: number[] = [];
  for (let hour_ms = first_ms; hour_ms <= to_ms; hour_ms += HOUR_MS) hours.push(hour_ms);
  return hours;
}

const hourOf = (t_ms: number) => Math.floor(t_ms / HOUR_MS) * HOUR_MS;
