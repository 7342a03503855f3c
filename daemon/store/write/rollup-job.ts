/**
 * Adds the readings of archived spans to the rollups. Several spans at a time: a block is rewritten as a whole, and
 * what is written to the card counts. Runs in the writer's thread, pack by pack, so that commits come between.
 */
import type { Database } from 'better-sqlite3';
import { describeError } from '../../../core/errors.ts';
import { addGoodValues } from '../format/chunk-series.ts';
import { ROLLUP_LEVELS, type Rollup, RollupBlocks } from '../format/rollup-block.ts';
import { rollupName } from '../log/check-parts.ts';
import { MAY_BE_CORRECTED } from '../log/clock-records.ts';
import type { LogRows, Range } from '../log/log-rows.ts';

interface PackBlock {
  readonly pack_key: number;
  readonly block: Rollup;
}

export class RollUp {
  readonly #db: Database;
  readonly #rows: LogRows;
  readonly #onDamage: (what: string) => void;

  constructor(db: Database, rows: LogRows, onDamage: (what: string) => void) {
    this.#db = db;
    this.#rows = rows;
    this.#onDamage = onDamage;
  }

  /** Work that is due now, as one step per pack; as with the archive only the last changes the file. */
  next(): Generator<void, void> | undefined {
    for (const level of ROLLUP_LEVELS) {
      const waiting = this.#db
        .prepare<[number], Range>(
          `SELECT first_seq, last_seq FROM spans
           WHERE archived = 1 AND rolled_up & ? = 0 AND NOT (${MAY_BE_CORRECTED}) ORDER BY first_seq`,
        )
        .all(level.bit);
      if (waiting.length >= level.spans) return this.#rollUp(level, waiting.slice(0, level.spans));
    }
    return undefined;
  }

  /** Archived spans that could be added now. */
  waitingSpans(): number {
    const count = this.#db
      .prepare<[number], number>('SELECT count(*) FROM spans WHERE archived = 1 AND rolled_up & ? = 0')
      .pluck();
    const waiting = ROLLUP_LEVELS.map(({ bit, spans }) => {
      const unrolled = count.get(bit) ?? 0;
      return unrolled - (unrolled % spans);
    });
    return Math.max(...waiting);
  }

  *#rollUp(level: (typeof ROLLUP_LEVELS)[number], spans: readonly Range[]): Generator<void, void> {
    const { version } = this.#rows.corrections;
    const pack_keys = this.#db
      .prepare<[number, number], number>(
        'SELECT DISTINCT pack_key FROM chunks WHERE pack_key > 0 AND first_seq BETWEEN ? AND ?',
      )
      .pluck()
      .all(spans[0].first_seq, spans[spans.length - 1].first_seq);
    const gathered: PackBlock[] = [];
    for (const pack_key of pack_keys) {
      yield;
      const blocks = new RollupBlocks(level.step_ms);
      for (const { first_seq, last_seq } of spans)
        for (const group of this.#rows.groups({ first_seq, pack_key }))
          addGoodValues(group, this.#rows.times({ first_seq, last_seq }, group), t_ms => blocks.at(t_ms));
      for (const block of blocks.blocks) gathered.push({ pack_key, block });
    }
    yield;
    // Times were corrected meanwhile: begun again with the right ones.
    if (this.#rows.corrections.version !== version) return;
    this.#db
      .transaction(() => {
        for (const { pack_key, block } of gathered) this.#merge(pack_key, block);
        const mark = this.#db.prepare('UPDATE spans SET rolled_up = rolled_up | ? WHERE first_seq = ?');
        for (const { first_seq } of spans) mark.run(level.bit, first_seq);
      })
      .immediate();
  }

  /** Adds what earlier spans brought. */
  #merge(pack_key: number, block: Rollup): void {
    const { step_ms, start_ms } = block;
    const stored = this.#db
      .prepare<number[], Buffer>(
        'SELECT body FROM rollups WHERE step_ms = ? AND pack_key = ? AND start_ms = ?',
      )
      .pluck()
      .get(step_ms, pack_key, start_ms);
    try {
      if (stored) block.addBlock(stored, start_ms, step_ms);
    } catch (error) {
      this.#onDamage(`${rollupName(pack_key, start_ms)}: ${describeError(error)}`);
    }
    const body = block.encode();
    if (!body) return;
    this.#db
      .prepare('INSERT INTO rollups VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body')
      .run(step_ms, pack_key, start_ms, body);
  }
}
