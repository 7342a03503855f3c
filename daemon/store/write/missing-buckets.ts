/**
 * Makes steps again that are gone though the readings they were made of are there: an older program removed them by age
 * alone. Checks every archived span once after the start, the newest first. Runs in the writer's thread when there is
 * nothing else to be done, a chunk at a time.
 */
import type { Database } from 'better-sqlite3';
import { MetaTable } from '../file/meta-table.ts';
import { addGoodValues } from '../format/chunk-series.ts';
import { blockStart, ROLLUP_LEVELS, Rollup, STEPS_PER_BLOCK, stepsFrom } from '../format/rollup-block.ts';
import type { LogRows, Range } from '../log/log-rows.ts';

/** Of a span whose times cover more, as the clock was set, each reading's time is checked. */
const MAX_BLOCKS_BY_SPAN = 8;

type Level = (typeof ROLLUP_LEVELS)[number];

interface RolledSpan extends Range {
  readonly min_t_ms: number;
  readonly max_t_ms: number;
  readonly rolled_up: number;
}

interface MadeBlock {
  readonly step_ms: number;
  readonly pack_key: number;
  readonly start_ms: number;
  readonly body: Buffer;
}

export class MissingSteps {
  readonly #db: Database;
  readonly #meta: MetaTable;
  readonly #rows: LogRows;
  /** Spans from this one on have been checked. */
  #from_seq = Number.MAX_SAFE_INTEGER;

  constructor(db: Database, rows: LogRows) {
    this.#db = db;
    this.#rows = rows;
    this.#meta = new MetaTable(db);
  }

  /** The next span, step by step; only the last step changes the file. Undefined when all have been checked. */
  next(): Generator<void, 'checked'> | undefined {
    if (this.#from_seq === 0) return undefined;
    const span = this.#db
      .prepare<[number], RolledSpan>(
        `SELECT first_seq, last_seq, min_t_ms, max_t_ms, rolled_up FROM spans
         WHERE archived = 1 AND rolled_up > 0 AND first_seq < ? ORDER BY first_seq DESC LIMIT 1`,
      )
      .get(this.#from_seq);
    this.#from_seq = span?.first_seq ?? 0;
    return span && this.#check(span);
  }

  *#check(span: RolledSpan): Generator<void, 'checked'> {
    const { version } = this.#rows.corrections;
    const made: MadeBlock[] = [];
    for (const level of ROLLUP_LEVELS) {
      if ((span.rolled_up & level.bit) === 0) continue;
      for (const start_ms of yield* this.#blockStarts(span, level))
        for (const pack_key of this.#packsWithout(span, level, start_ms)) {
          const block = yield* this.#make(pack_key, level, start_ms);
          const body = block.encode();
          if (body) made.push({ step_ms: level.step_ms, pack_key, start_ms, body });
        }
    }
    if (made.length > 0 && this.#rows.corrections.version === version) this.#store(made);
    return 'checked';
  }

  /** Where blocks begin that hold steps of the span. */
  *#blockStarts(span: RolledSpan, { step_ms }: Level): Generator<void, number[]> {
    const { from_ms, to_ms } = this.#timesOf(span, span);
    const block_ms = step_ms * STEPS_PER_BLOCK;
    const first_ms = blockStart(from_ms, step_ms);
    const count = (blockStart(to_ms, step_ms) - first_ms) / block_ms + 1;
    if (count <= MAX_BLOCKS_BY_SPAN) return Array.from({ length: count }, (_, i) => first_ms + i * block_ms);
    const starts = new Set<number>();
    for (const pack_key of this.#packs(span)) {
      yield;
      for (const group of this.#rows.groups({ first_seq: span.first_seq, pack_key }))
        for (const t_ms of this.#rows.times(span, group)) starts.add(blockStart(t_ms, step_ms));
    }
    return [...starts];
  }

  #timesOf(range: Range, { min_t_ms, max_t_ms }: Pick<RolledSpan, 'min_t_ms' | 'max_t_ms'>) {
    const { corrections } = this.#rows;
    return {
      from_ms: min_t_ms + corrections.leastShift(range),
      to_ms: max_t_ms + corrections.mostShift(range),
    };
  }

  #packs({ first_seq }: Range): number[] {
    return this.#db
      .prepare<[number], number>('SELECT pack_key FROM chunks WHERE first_seq = ? AND pack_key > 0')
      .pluck()
      .all(first_seq);
  }

  /** Packs with readings of the span in this block's time, and no such block; none where steps went for want of room. */
  #packsWithout(span: RolledSpan, { step_ms }: Level, start_ms: number): number[] {
    if (start_ms < Number(this.#meta.get(stepsFrom(step_ms)) ?? 0)) return [];
    const times = this.#db.prepare<[number, number], { min_t_ms: number; max_t_ms: number }>(
      'SELECT min_t_ms, max_t_ms FROM chunks WHERE first_seq = ? AND pack_key = ?',
    );
    // Out of the indices alone, as a rule nothing is missing.
    return this.#db
      .prepare<[number, number, number], number>(
        `SELECT pack_key FROM chunks WHERE first_seq = ? AND pack_key > 0 AND NOT EXISTS
           (SELECT 1 FROM rollups WHERE step_ms = ? AND rollups.pack_key = chunks.pack_key AND start_ms = ?)`,
      )
      .pluck()
      .all(span.first_seq, step_ms, start_ms)
      .filter(pack_key => {
        const chunk = times.get(span.first_seq, pack_key);
        if (!chunk) return false;
        const { from_ms, to_ms } = this.#timesOf(span, chunk);
        return from_ms < start_ms + step_ms * STEPS_PER_BLOCK && to_ms >= start_ms;
      });
  }

  /** Out of all readings that had been added to it, as far as they are there. */
  *#make(pack_key: number, { step_ms, bit }: Level, start_ms: number): Generator<void, Rollup> {
    const block = new Rollup(start_ms, step_ms, STEPS_PER_BLOCK);
    for (const chunk of this.#rows.chunks(pack_key, start_ms, start_ms + step_ms * STEPS_PER_BLOCK - 1)) {
      if ((chunk.rolled_up & bit) === 0) continue;
      yield;
      for (const group of this.#rows.groups(chunk))
        addGoodValues(group, this.#rows.times(chunk, group), () => block);
    }
    return block;
  }

  #store(made: readonly MadeBlock[]): void {
    const insert = this.#db.prepare('INSERT INTO rollups VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING');
    this.#db
      .transaction(() => {
        for (const { step_ms, pack_key, start_ms, body } of made)
          insert.run(step_ms, pack_key, start_ms, body);
      })
      .immediate();
  }
}
