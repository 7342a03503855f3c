/**
 * Reads all checksums now and then, so that damage on the card is found before somebody needs what is damaged: a little
 * every minute, by the reader's thread, so that a whole pass takes some days; then it rests until the next is due. Where
 * it is, is remembered over restarts.
 */
import type { Clock } from '../../../core/clock/clock.ts';
import { describeError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { CheckedParts, PartsPosition } from '../log/check-parts.ts';
import type { Documents, StoreStats } from '../store.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A pass is done before the next is due, also where a box is off at times. */
const SHARE_OF_TIME = 0.8;
const MIN_BYTES_PER_MINUTE = 64 << 10;
const MAX_BYTES_PER_MINUTE = 16 << 20;
/** After a pause, as of a machine that slept, no more than this is caught up. */
const MAX_PAUSE_MS = 2 * MINUTE_MS;
/** In one turn of the reader, so that others are answered in between. */
const TURN_BYTES = 256 << 10;
/** Each time costs a commit. */
const NOTED_EVERY_MS = 10 * MINUTE_MS;
const DOCUMENT = ['scrub', 'state'] as const;

interface State {
  /** Null: nothing of this pass is checked yet. */
  readonly position: PartsPosition | null;
  readonly checked_bytes: number;
  readonly begun_ms: number;
  readonly is_resting: boolean;
  readonly passes: number;
  readonly finished_ms: number;
}

const NEVER: State = {
  position: null,
  checked_bytes: 0,
  begun_ms: 0,
  is_resting: true,
  passes: 0,
  finished_ms: 0,
};

export interface ScrubOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** From one pass to the next; 0: never. */
  readonly days: number;
  readonly documents: Pick<Documents, 'get' | 'put'>;
  /** Those after a position (null: from the first on); what is damaged is reported elsewhere. */
  readonly check: (position: PartsPosition | null, at_least_bytes: number) => Promise<CheckedParts>;
}

export class Scrub {
  readonly #options: ScrubOptions;
  #state = NEVER;
  #is_loaded = false;
  #is_busy = false;
  #round_mono_ms: number | undefined;
  #noted_mono_ms = 0;
  #used_bytes = 0;

  constructor(options: ScrubOptions) {
    this.#options = options;
  }

  stats(): Pick<StoreStats, 'scrub_done_pct' | 'scrub_passes' | 'scrub_finished_ago_s'> {
    const { position, is_resting, checked_bytes, passes, finished_ms } = this.#state;
    const share = position === null ? 0 : Math.min(0.99, checked_bytes / Math.max(1, this.#used_bytes));
    const is_done = is_resting && passes > 0;
    const ago_ms = Math.max(0, this.#options.clock.wallMs() - finished_ms);
    return {
      scrub_done_pct: is_done ? 100 : Math.round(100 * share),
      scrub_passes: passes,
      scrub_finished_ago_s: passes === 0 ? 0 : Math.round(ago_ms / 1000),
    };
  }

  /** To be called about every minute; does as much as is due. Never throws. */
  async round(used_bytes: number): Promise<void> {
    const { clock, log, days } = this.#options;
    this.#used_bytes = used_bytes;
    if (days === 0 || this.#is_busy) return;
    this.#is_busy = true;
    try {
      await this.#load();
      const mono_ms = clock.monoMs();
      const elapsed_ms = Math.min(mono_ms - (this.#round_mono_ms ?? mono_ms), MAX_PAUSE_MS);
      this.#round_mono_ms = mono_ms;
      this.#beginWhenDue();
      if (!this.#state.is_resting) await this.#advance(this.#dueBytes(elapsed_ms));
    } catch (error) {
      log.warn({ component: 'store' }, `checking what is stored failed: ${describeError(error)}`);
    } finally {
      this.#is_busy = false;
    }
  }

  #dueBytes(elapsed_ms: number): number {
    const wanted = (this.#used_bytes * MINUTE_MS) / (SHARE_OF_TIME * this.#options.days * DAY_MS);
    const per_minute = Math.min(Math.max(wanted, MIN_BYTES_PER_MINUTE), MAX_BYTES_PER_MINUTE);
    return (per_minute * elapsed_ms) / MINUTE_MS;
  }

  #beginWhenDue(): void {
    const { clock, days } = this.#options;
    const now_ms = clock.wallMs();
    const { is_resting, begun_ms, passes } = this.#state;
    // A clock that was set back says nothing of when the last pass was.
    const is_due = passes === 0 || now_ms < begun_ms || now_ms - begun_ms >= days * DAY_MS;
    if (is_resting && is_due)
      this.#state = {
        ...this.#state,
        position: null,
        checked_bytes: 0,
        begun_ms: now_ms,
        is_resting: false,
      };
  }

  async #advance(due_bytes: number): Promise<void> {
    const { clock, check } = this.#options;
    for (let left = due_bytes; left > 0; ) {
      const { position, bytes } = await check(this.#state.position, Math.min(left, TURN_BYTES));
      left -= bytes;
      const checked_bytes = this.#state.checked_bytes + bytes;
      this.#state = { ...this.#state, position: position ?? null, checked_bytes };
      if (position) continue;
      const { passes } = this.#state;
      this.#state = { ...this.#state, is_resting: true, passes: passes + 1, finished_ms: clock.wallMs() };
      return this.#note();
    }
    if (clock.monoMs() - this.#noted_mono_ms >= NOTED_EVERY_MS) await this.#note();
  }

  async #note(): Promise<void> {
    const { documents, clock } = this.#options;
    this.#noted_mono_ms = clock.monoMs();
    // Only an aid: on a disk that is full, the next restart checks again what is checked now.
    await documents.put(...DOCUMENT, this.#state).catch(() => {});
  }

  async #load(): Promise<void> {
    if (this.#is_loaded) return;
    const kept = await this.#options.documents.get(...DOCUMENT);
    if (isState(kept)) this.#state = kept;
    this.#noted_mono_ms = this.#options.clock.monoMs();
    this.#is_loaded = true;
  }
}

/** What another version may have left is begun again. */
function isState(kept: unknown): kept is State {
  if (typeof kept !== 'object' || kept === null) return false;
  const { position, checked_bytes, begun_ms, is_resting, passes, finished_ms } = kept as Partial<State>;
  const numbers = [checked_bytes, begun_ms, passes, finished_ms];
  if (!numbers.every(Number.isFinite) || typeof is_resting !== 'boolean') return false;
  return position === null || (typeof position?.table === 'string' && Array.isArray(position.key));
}
