/** What the SQLite store is made with. */
import type { Clock } from '../../core/clock/clock.ts';
import type { Logger } from '../../core/log.ts';

export interface SqliteStoreOptions {
  readonly directory: string;
  readonly commit_interval_ms: number;
  readonly retention_days: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** An upstream is configured: rows it has not confirmed stay, whatever their age, while there is room (default false). */
  readonly keep_unsynced?: boolean;
  /** Whether somebody vouches for the clock's time; while nobody does nothing goes because of its age (default: yes). */
  readonly isTimeCertain?: () => boolean;
  /** With less room on the disk the oldest rows go, sent or not (default 64 MiB). */
  readonly keep_free_bytes?: number;
  /** The file may use so much, else what is oldest goes (default 4 GB). */
  readonly max_bytes?: number;
  /** Between two rounds of removing what is old (default a minute). */
  readonly retain_every_ms?: number;
  /** So many days of the past go in a day at most, by the monotonic clock (default 3). */
  readonly max_retention_pace?: number;
  /** Most bytes between the caller and the disk (default 16 MiB; at least four batches). */
  readonly queue_bytes?: number;
  /** Size of one batch (default 1 MiB). */
  readonly batch_bytes?: number;
  /** Rows of the log after which they move into the archive (default: 450 for each pack, at least 4096). */
  readonly span_rows?: number;
  /** From one pass over all checksums to the next (default 7; 0: none). */
  readonly scrub_days?: number;
  readonly migrations?: string;
}
