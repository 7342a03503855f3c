/**
 * 15-minute buckets at the centre. A batch marks the buckets it has readings for, in its own transaction; marked
 * buckets are summed up from their readings when there is nothing else to send and they grow no more. So late rows,
 * restarts and jumps of a clock need no care: they mark their bucket like any other.
 */
import type { Clock } from '../../core/clock/clock.ts';
import { type LogBatch, LogKind } from '../store/store.ts';
import { centreMs } from './copy-rows.ts';
import { isServerError } from './failure.ts';
import { inTransaction, type Queryable } from './transaction.ts';

const BUCKET_MS = 900_000;
/** The bucket of the newest reading is taken to get more, until none has come for this long. */
const GROWS_MS = 60_000;
/** After a failure, which the sync does not wait for. */
const RETRY_MS = 600_000;
/** Beyond these the marks are looked up at the centre. */
const KNOWN_MARKS = 50_000;

const ROLL_UP = `
  SELECT (extract(epoch FROM bucket) * 1000)::float8 AS bucket_ms
  FROM roll_up_readings($1, ARRAY(SELECT to_timestamp(ms / 1000) FROM unnest($2::float8[]) AS ms)) AS bucket`;

export class Rollups {
  readonly #client: Queryable;
  readonly #gateway_id: string;
  readonly #clock: Clock;
  /** Buckets that this session marked and that are not rolled up yet. */
  readonly #marked = new Set<number>();
  /** Bucket of the newest reading, and the monotonic time of its batch. */
  #newest = Number.NaN;
  #newest_at_ms = Number.NEGATIVE_INFINITY;
  /** The centre may have marks of sessions before. */
  #may_have_others = true;
  #not_before_ms = 0;

  constructor(client: Queryable, gateway_id: string, clock: Clock) {
    this.#client = client;
    this.#gateway_id = gateway_id;
    this.#clock = clock;
  }

  /** The buckets of a batch, to be marked in its transaction: each time, since others may roll up too. */
  bucketsOf(batch: LogBatch): number[] {
    // Where readings get another time the centre marks buckets itself.
    if (batch.kind.includes(LogKind.clock)) this.#may_have_others = true;
    const buckets = new Set<number>();
    let bucket_ms = Number.NaN;
    for (let i = 0; i < batch.count; i++) {
      if (batch.kind[i] !== LogKind.reading) continue;
      bucket_ms = Math.floor(centreMs(batch.t_ms[i]) / BUCKET_MS) * BUCKET_MS;
      buckets.add(bucket_ms);
    }
    if (buckets.size === 0) return [];
    this.#newest = bucket_ms;
    this.#newest_at_ms = this.#clock.monoMs();
    for (const bucket of buckets) this.#marked.add(bucket);
    if (this.#marked.size > KNOWN_MARKS) {
      this.#marked.clear();
      this.#may_have_others = true;
    }
    return [...buckets];
  }

  /** Sums up one bucket, if one is due, in a transaction of its own. An error of the server is returned, not thrown. */
  async next(): Promise<{ done: number; error?: unknown }> {
    const now_ms = this.#clock.monoMs();
    const growing = now_ms - this.#newest_at_ms < GROWS_MS ? [this.#newest] : [];
    const may_be_due = this.#may_have_others || [...this.#marked].some(mark => !growing.includes(mark));
    if (!may_be_due || now_ms < this.#not_before_ms) return { done: 0 };
    try {
      const { rows } = await inTransaction(this.#client, () =>
        this.#client.query<{ bucket_ms: number }>(ROLL_UP, [this.#gateway_id, growing]),
      );
      for (const { bucket_ms } of rows) this.#marked.delete(bucket_ms);
      if (rows.length === 0) {
        this.#may_have_others = false;
        // Somebody else did them.
        for (const bucket_ms of this.#marked)
          if (!growing.includes(bucket_ms)) this.#marked.delete(bucket_ms);
      }
      return { done: rows.length };
    } catch (error) {
      if (!isServerError(error)) throw error;
      this.#not_before_ms = now_ms + RETRY_MS;
      return { done: 0, error };
    }
  }
}
