/** Weekly partitions of pack_readings, made before rows for them arrive and one week ahead. */
import type { Clock } from '../../core/clock/clock.ts';
import { inTransaction, type Queryable } from './transaction.ts';

const WEEK_MS = 7 * 86_400_000;
/** 1970-01-05, a Monday. */
const FIRST_MONDAY_MS = 4 * 86_400_000;
/** Times outside are those of a clock that is far off; their rows go into the default partition. */
const EARLIEST_MS = Date.UTC(2020, 0, 1);
const AHEAD_MS = 5 * WEEK_MS;
/** Somebody held the table too long: rows go into the default partition until the next try, which moves them. */
const RETRY_MS = 600_000;
const LOCK_NOT_AVAILABLE = '55P03';

export class Partitions {
  readonly #client: Queryable;
  readonly #clock: Clock;
  /** Monotonic time before which a week is not asked for again, by its number. */
  readonly #asked = new Map<number, number>();
  /** The centre's clock less our monotonic one. */
  #centre_offset_ms = 0;
  /** False where somebody has replaced the table, say by a hypertable, whose pieces are none of our business. */
  #is_partitioned = true;

  constructor(client: Queryable, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async prepare(): Promise<void> {
    const { rows } = await this.#client.query<{ now_ms: number; is_partitioned: boolean }>(
      `SELECT extract(epoch FROM now())::float8 * 1000 AS now_ms,
              relkind = 'p' AS is_partitioned FROM pg_class WHERE oid = 'pack_readings'::regclass`,
    );
    this.#is_partitioned = rows[0].is_partitioned;
    this.#centre_offset_ms = rows[0].now_ms - this.#clock.monoMs();
  }

  /** Makes what rows of these times need, outside of the batch's transaction. */
  async makeFor(t_ms: Float64Array): Promise<void> {
    if (!this.#is_partitioned) return;
    const latest_ms = this.#centre_offset_ms + this.#clock.monoMs() + AHEAD_MS;
    const weeks = new Set<number>();
    for (let i = 0; i < t_ms.length; i++) {
      if (!(t_ms[i] >= EARLIEST_MS && t_ms[i] <= latest_ms)) continue;
      const week = Math.floor((t_ms[i] - FIRST_MONDAY_MS) / WEEK_MS);
      weeks.add(week);
      weeks.add(week + 1);
    }
    const now_ms = this.#clock.monoMs();
    for (const week of weeks) {
      if (now_ms < (this.#asked.get(week) ?? Number.NEGATIVE_INFINITY)) continue;
      const made = await this.#make(week);
      this.#asked.set(week, made ? Number.POSITIVE_INFINITY : now_ms + RETRY_MS);
    }
  }

  async #make(week: number): Promise<boolean> {
    try {
      const at = new Date(FIRST_MONDAY_MS + week * WEEK_MS);
      await inTransaction(this.#client, () => this.#client.query('SELECT make_readings_partition($1)', [at]));
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE) return false;
      throw error;
    }
  }
}
