/**
 * A card that was restored from an older copy: the centre has rows that this log no longer has, and their numbers are
 * taken. What was written since goes on under numbers above them, in a log of its own name that follows the old one.
 */
import type { Database } from 'better-sqlite3';
import type { ClockRecord } from '../../../core/contract/clock.ts';
import { BatchBuffer, forEachRecord, RECORD_HEADER_BYTES } from '../format/batch-buffer.ts';
import { BLOCK_KIND } from '../format/block.ts';
import { LogKind } from '../store.ts';
import { eraAt, isEra, renumberClock, renumbered } from './clock-records.ts';
import type { LogRows, Range } from './log-rows.ts';
import { Renumbering } from './renumbering.ts';

/** Rows written again at a time; one commit block of the log. */
const ROWS_AT_A_TIME = 4096;

interface MovedRow {
  readonly kind: number;
  readonly pack_key: number;
  readonly t_ms: number;
  readonly body: Buffer;
}

interface Renumber {
  /** No topologies among them. */
  records(batch: BatchBuffer): void;
  /** What had to be said in more than one record now. */
  added(batch: BatchBuffer): void;
  topology(t_ms: number, body: Buffer): void;
}

/**
 * Within a transaction: makes every row up to `after_seq` stand apart from those behind it, so that these can be taken
 * away. What of the rollups was made of the latter goes as well.
 */
export function detachAfter(db: Database, rows: LogRows, after_seq: number): void {
  const rolled_up = db
    .prepare<[number], number>('SELECT count(*) FROM spans WHERE last_seq > ? AND rolled_up <> 0')
    .pluck()
    .get(after_seq);
  // They would count what moves twice: all are made again of the readings that are there.
  if (rolled_up) {
    db.exec('DELETE FROM rollups');
    db.exec('UPDATE spans SET rolled_up = 0 WHERE rolled_up > 0');
  }
  const span = db
    .prepare<[number, number], Range & { archived: number }>(
      'SELECT first_seq, last_seq, archived FROM spans WHERE first_seq <= ? AND last_seq > ?',
    )
    .get(after_seq, after_seq);
  if (span?.archived) unpackRows(db, rows, span);
  else {
    const next = db
      .prepare<[number], { seq: number; kind: number; pack_key: number }>(
        'SELECT seq, kind, pack_key FROM log WHERE seq > ? ORDER BY seq LIMIT 1',
      )
      .get(after_seq);
    if (next?.kind === BLOCK_KIND && next.seq - next.pack_key < after_seq)
      unpackRows(db, rows, { first_seq: next.seq - next.pack_key + 1, last_seq: next.seq });
  }
  // What is left of it belongs to the next span.
  if (span) {
    db.prepare('DELETE FROM chunks WHERE first_seq = ?').run(span.first_seq);
    db.prepare('DELETE FROM spans WHERE first_seq = ?').run(span.first_seq);
  }
  rows.forget();
}

/**
 * Within the same transaction: rows with `after_seq < seq <= last_seq` are given to `renumber`, in order, and go. The
 * first gets the number `first_new_seq`. Returns which numbers they got.
 */
export function moveRows(
  db: Database,
  rows: LogRows,
  { after_seq, last_seq, first_new_seq }: { after_seq: number; last_seq: number; first_new_seq: number },
  renumber: Renumber,
): Renumbering {
  const numbers = new Renumbering(after_seq, first_new_seq);
  const rest: MovedRow[] = [];
  let moved: MovedRow[] = [];
  const flush = () => {
    if (moved.length > 0) renumber.records(batchOf(moved));
    moved = [];
  };
  const era = eraAt(db, rows, after_seq);
  if (era && !beginsEra(rows, after_seq, last_seq)) {
    moved.push(clockRow(JSON.stringify(era)));
    numbers.skip();
  }
  for (let seq = after_seq, goes_on = true; goes_on; flush()) {
    goes_on = false;
    let topology: MovedRow | undefined;
    rows.scan(seq, last_seq, (row_seq, kind, pack_key, t_ms, body) => {
      goes_on = true;
      seq = row_seq;
      numbers.add(row_seq);
      const row = { kind, pack_key, t_ms, body: Buffer.from(body) };
      if (kind === LogKind.topology) topology = row;
      else if (kind !== LogKind.clock) moved.push(row);
      else {
        const [first, ...others] = renumbered(body.toString('utf8'), numbers);
        moved.push({ ...row, body: Buffer.from(first) });
        rest.push(...others.map(clockRow));
      }
      return topology === undefined && moved.length < ROWS_AT_A_TIME;
    });
    if (!topology) continue;
    flush();
    renumber.topology(topology.t_ms, topology.body);
  }
  for (const [table, column] of [
    ['chunks', 'first_seq'],
    ['spans', 'first_seq'],
    ['log', 'seq'],
  ])
    db.prepare(`DELETE FROM ${table} WHERE ${column} > ? AND ${column} <= ?`).run(after_seq, last_seq);
  rows.forget();
  renumberClock(db, numbers, era);
  if (rest.length > 0) renumber.added(batchOf(rest));
  return numbers;
}

/** Records of which some name rows by numbers that they no longer have, as they were on their way to us meanwhile. */
export function withNewSeqs(records: Uint8Array, numbers: Renumbering): Uint8Array {
  const restated: MovedRow[] = [];
  let has_old = false;
  forEachRecord(records, (kind, pack_key, t_ms, body) => {
    const row = { kind, pack_key, t_ms, body };
    const new_body = kind === LogKind.clock ? renumbered(body.toString('utf8'), numbers).at(-1) : undefined;
    has_old ||= new_body !== undefined && new_body !== body.toString('utf8');
    restated.push(new_body === undefined ? row : { ...row, body: Buffer.from(new_body) });
    return true;
  });
  return has_old ? batchOf(restated).bytes : records;
}

function beginsEra(rows: LogRows, after_seq: number, last_seq: number): boolean {
  let is_era = false;
  rows.scan(after_seq, last_seq, (_seq, kind, _pack_key, _t_ms, body) => {
    is_era = kind === LogKind.clock && isEra(body.toString('utf8'));
    return false;
  });
  return is_era;
}

const clockRow = (body: string): MovedRow => ({
  kind: LogKind.clock,
  pack_key: 0,
  t_ms: (JSON.parse(body) as ClockRecord).t_ms,
  body: Buffer.from(body),
});

function unpackRows(db: Database, rows: LogRows, { first_seq, last_seq }: Range): void {
  const single: [number, number, number, number, Buffer][] = [];
  rows.scan(first_seq - 1, last_seq, (seq, kind, pack_key, t_ms, body) => {
    single.push([seq, kind, pack_key, t_ms, Buffer.from(body)]);
    return true;
  });
  db.prepare('DELETE FROM log WHERE seq BETWEEN ? AND ?').run(first_seq, last_seq);
  const insert = db.prepare('INSERT INTO log (seq, kind, pack_key, t_ms, body) VALUES (?, ?, ?, ?, ?)');
  for (const row of single) insert.run(...row);
}

function batchOf(rows: readonly MovedRow[]): BatchBuffer {
  const byte_count = rows.reduce((sum, { body }) => sum + RECORD_HEADER_BYTES + body.length, 0);
  const batch = new BatchBuffer(new ArrayBuffer(byte_count));
  for (const { kind, pack_key, t_ms, body } of rows) {
    batch.bytes.set(body, batch.bodyOffset);
    batch.finish(kind, pack_key, t_ms, body.length);
  }
  return batch;
}
