/**
 * Calls for a round of retention now and then, sooner while there is more to remove, and says what was lost; and has a
 * little of the checksums read each time.
 */

import type { TimerHandle } from '../../../core/clock/clock.ts';
import { describeError } from '../../../core/errors.ts';
import { KEEP_FREE_BYTES } from '../file/disk-space.ts';
import type { SqliteStoreOptions } from '../sqlite-store-options.ts';
import type { StoreStats } from '../store.ts';
import type { WriterMethods } from '../worker-messages.ts';
import { Scrub, type ScrubOptions } from './scrub.ts';

const RETAIN_EVERY_MS = 60_000;
/** While the file is too large or the disk too full. */
const HURRY_MS = 1000;
const MAX_STORE_BYTES = 4e9;
const DAY_MS = 86_400_000;
/** So many days of the past go in a day at most, whatever the wall clock says. */
const MAX_PACE = 3;
const SCRUB_DAYS = 7;

type Retained = WriterMethods['retain'][1];

type DiskSpace = Pick<
  StoreStats,
  'max_bytes' | 'keep_free_bytes' | 'used_bytes' | 'free_bytes' | 'wal_bytes' | 'wal_held'
>;

export interface UpkeepOptions extends Pick<ScrubOptions, 'documents' | 'check'> {
  readonly file: string;
  readonly store: SqliteStoreOptions;
  /** Up to here the centre has everything; infinite where there is no centre. */
  readonly syncedSeq: () => number;
  readonly retain: (request: WriterMethods['retain'][0]) => Promise<Retained>;
  readonly onRetained: (retained: Retained) => void;
}

export class Upkeep {
  /** What there is for the file and what it takes; 0 before the first round where only that can say. */
  readonly #disk_space: DiskSpace;
  readonly #scrub: Scrub;
  readonly #options: UpkeepOptions;
  readonly #every_ms: number;
  #timer: TimerHandle | undefined;
  #running = false;
  /** Monotonic time of the last round that succeeded. */
  #retained_mono_ms: number | undefined;

  constructor(options: UpkeepOptions) {
    const { store, documents, check } = options;
    this.#options = options;
    const { clock, log, scrub_days: days = SCRUB_DAYS } = store;
    this.#scrub = new Scrub({ clock, log, days, documents, check });
    this.#every_ms = options.store.retain_every_ms ?? RETAIN_EVERY_MS;
    const { max_bytes = MAX_STORE_BYTES, keep_free_bytes = KEEP_FREE_BYTES } = options.store;
    this.#disk_space = {
      max_bytes,
      keep_free_bytes,
      used_bytes: 0,
      free_bytes: 0,
      wal_bytes: 0,
      wal_held: undefined,
    };
  }

  stats(): DiskSpace & ReturnType<Scrub['stats']> {
    return { ...this.#disk_space, ...this.#scrub.stats() };
  }

  /** Resolves after the first round: a disk that is full has room then, if any can be made. */
  async start(): Promise<void> {
    this.#running = true;
    await this.#round(true);
  }

  stop(): void {
    this.#running = false;
    this.#options.store.clock.clearTimer(this.#timer);
  }

  #arm(delay_ms: number): void {
    this.#timer = this.#options.store.clock.setTimer(() => void this.#round(), delay_ms);
  }

  /** `for_room_only`: nothing goes because of its age, as nobody has checked the clock yet. */
  async #round(for_room_only = false): Promise<void> {
    const { file, store } = this.#options;
    const { clock, log } = store;
    const { max_bytes, keep_free_bytes } = this.#disk_space;
    const now_ms = clock.wallMs();
    const mono_ms = clock.monoMs();
    const is_uncertain = store.isTimeCertain?.() === false;
    let next_ms = this.#every_ms;
    try {
      const retained = await this.#options.retain({
        now_ms,
        // By a clock that may be years ahead nothing is old.
        before_ms: for_room_only || is_uncertain ? 0 : now_ms - store.retention_days * DAY_MS,
        may_advance_ms:
          (store.max_retention_pace ?? MAX_PACE) * (mono_ms - (this.#retained_mono_ms ?? mono_ms)),
        synced_seq: this.#options.syncedSeq(),
        keep_free_bytes,
        max_bytes,
      });
      this.#retained_mono_ms = mono_ms;
      const { lost, used_bytes, free_bytes, wal_bytes, wal_held } = retained;
      this.#sayWhetherHeld(wal_held);
      Object.assign(this.#disk_space, { used_bytes, free_bytes, wal_bytes, wal_held });
      if (lost)
        log.error(
          { component: 'store' },
          `${file}: no room; removed ${lost.readings} readings that the centre does not have`,
        );
      if (lost || used_bytes > max_bytes) next_ms = Math.min(HURRY_MS, this.#every_ms);
      this.#options.onRetained(retained);
    } catch (error) {
      log.warn({ component: 'store' }, `removing old readings failed: ${describeError(error)}`);
    }
    // Before the first round is over nothing can be read.
    if (!for_room_only) void this.#scrub.round(this.#disk_space.used_bytes);
    if (this.#running) this.#arm(next_ms);
  }

  #sayWhetherHeld(held: string | undefined): void {
    const { file, store } = this.#options;
    const { log } = store;
    const was_held = this.#disk_space.wal_held !== undefined;
    if (was_held === (held !== undefined)) return;
    if (held === undefined) log.info({ component: 'store' }, `${file}-wal: is written back again`);
    else log.warn({ component: 'store' }, `${file}-wal: grows, and ${held}`);
  }
}
