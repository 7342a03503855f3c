/** The span that rows are still added to, and the table of those that are finished. */
import type { Database, Statement } from 'better-sqlite3';
import type { LogRows } from '../log/log-rows.ts';
import { LogKind } from '../store.ts';

/** Readings of each pack in one span: longer runs compress better, and wait longer for it. */
const SPAN_ROWS_PER_PACK = 450;
const MIN_SPAN_ROWS = 4096;
/** All of a span is held in memory while it moves into the archive. */
const MAX_SPAN_ROWS = 131_072;

interface Extent {
  readonly first_seq: number;
  /** Rows, topologies left out. */
  readonly rows: number;
  readonly min_t_ms: number;
  readonly max_t_ms: number;
}

const EMPTY: Extent = { first_seq: 0, rows: 0, min_t_ms: Infinity, max_t_ms: -Infinity };

export class OpenSpan {
  readonly #db: Database;
  readonly #log: LogRows;
  readonly #insert: Statement;
  readonly #full_rows: number;
  #first_seq = 0;
  #rows = 0;
  #min_t_ms = Infinity;
  #max_t_ms = -Infinity;

  /** `span_rows` undefined: as many as suit so many packs. */
  constructor(db: Database, log: LogRows, span_rows: number | undefined, pack_count: number) {
    this.#db = db;
    this.#log = log;
    this.#insert = db.prepare(
      'INSERT INTO spans (first_seq, last_seq, min_t_ms, max_t_ms) VALUES (?, ?, ?, ?)',
    );
    const wanted_rows = span_rows ?? Math.max(MIN_SPAN_ROWS, SPAN_ROWS_PER_PACK * pack_count);
    this.#full_rows = Math.min(MAX_SPAN_ROWS, wanted_rows);
  }

  get is_empty(): boolean {
    return this.#rows === 0;
  }

  get is_full(): boolean {
    return this.#rows >= this.#full_rows;
  }

  add(seq: number, t_ms: number): void {
    if (this.#rows++ === 0) this.#first_seq = seq;
    if (t_ms < this.#min_t_ms) this.#min_t_ms = t_ms;
    if (t_ms > this.#max_t_ms) this.#max_t_ms = t_ms;
  }

  /** Ends with this row; the next one begins another. */
  store(last_seq: number): void {
    this.#insert.run(this.#first_seq, last_seq, this.#min_t_ms, this.#max_t_ms);
    this.restore(EMPTY);
  }

  /** Holds the rows up to this one that are in no span. */
  resume(last_seq: number): void {
    const after_seq =
      this.#db
        .prepare<[number], number>('SELECT coalesce(max(last_seq), 0) FROM spans WHERE last_seq <= ?')
        .pluck()
        .get(last_seq) ?? 0;
    this.restore(EMPTY);
    this.#log.scan(after_seq, last_seq, (seq, kind, _pack_key, t_ms) => {
      if (kind !== LogKind.topology) this.add(seq, t_ms);
      return true;
    });
  }

  /** Of the oldest row in any span; 0 when there is none. */
  firstSeq(): number {
    const stored = this.#db.prepare<[], number>('SELECT min(first_seq) FROM spans').pluck().get();
    return stored ?? this.#first_seq;
  }

  /** For a transaction that is rolled back. */
  extent(): Extent {
    return {
      first_seq: this.#first_seq,
      rows: this.#rows,
      min_t_ms: this.#min_t_ms,
      max_t_ms: this.#max_t_ms,
    };
  }

  restore({ first_seq, rows, min_t_ms, max_t_ms }: Extent): void {
    this.#first_seq = first_seq;
    this.#rows = rows;
    this.#min_t_ms = min_t_ms;
    this.#max_t_ms = max_t_ms;
  }
}
