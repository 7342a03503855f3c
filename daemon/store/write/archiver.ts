/**
 * Moves finished spans of the log into the archive: one chunk per pack, and what is no reading in one block. Runs in
 * the writer's thread, pack by pack, so that commits come between.
 */
import type { Database } from 'better-sqlite3';
import { isRepeatedAt } from '../../../core/reading/codec.ts';
import { BatchBuffer, RECORD_HEADER_BYTES } from '../format/batch-buffer.ts';
import { encodeBlock } from '../format/block.ts';
import { type ChunkRow, encodeChunk, openChunk } from '../format/chunk.ts';
import type { LogRows, Range } from '../log/log-rows.ts';
import { LogKind } from '../store.ts';

/** A row of `chunks`. */
interface Part {
  readonly pack_key: number;
  readonly row_count: number;
  readonly repeated_count: number;
  readonly min_t_ms: number;
  readonly max_t_ms: number;
  readonly body: Buffer;
}

export interface OtherRow extends ChunkRow {
  readonly kind: number;
}

export class Archiver {
  readonly #db: Database;
  readonly #rows: LogRows;

  constructor(db: Database, rows: LogRows) {
    this.#db = db;
    this.#rows = rows;
  }

  /** The oldest finished span that is not in the archive yet. */
  next(): Range | undefined {
    return this.#db
      .prepare<[], Range>(
        'SELECT first_seq, last_seq FROM spans WHERE archived = 0 ORDER BY first_seq LIMIT 1',
      )
      .get();
  }

  /**
   * One step per pack; the last changes the file, in one transaction, and nothing is changed before. Given up
   * anywhere it can be begun again.
   */
  *archive(span: Range): Generator<void, void> {
    const { first_seq, last_seq } = span;
    const readings = new Map<number, ChunkRow[]>();
    const others: OtherRow[] = [];
    this.#rows.scan(first_seq - 1, last_seq, (seq, kind, pack_key, t_ms, body) => {
      const row = { rel_seq: seq - first_seq, t_ms, body };
      if (kind === LogKind.reading && pack_key !== 0) {
        const rows = readings.get(pack_key);
        if (rows) rows.push(row);
        else readings.set(pack_key, [row]);
      } else if (kind !== LogKind.topology) others.push({ ...row, kind });
      return true;
    });
    yield;
    const parts: Part[] = [];
    for (const [pack_key, rows] of readings) {
      parts.push(part(pack_key, rows, encoded(rows)));
      readings.delete(pack_key);
      yield;
    }
    if (others.length > 0) parts.push(part(0, others, blockOfOthers(others)));
    this.#store(span, parts);
  }

  #store({ first_seq, last_seq }: Range, parts: readonly Part[]): void {
    const db = this.#db;
    const insert = db.prepare(
      `INSERT INTO chunks (first_seq, pack_key, row_count, repeated_count, min_t_ms, max_t_ms, body)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    db.transaction(() => {
      const marked = db
        .prepare('UPDATE spans SET archived = 1 WHERE first_seq = ? AND last_seq = ? AND archived = 0')
        .run(first_seq, last_seq);
      // Retention was faster.
      if (marked.changes === 0) return;
      for (const { pack_key, row_count, repeated_count, min_t_ms, max_t_ms, body } of parts)
        insert.run(first_seq, pack_key, row_count, repeated_count, min_t_ms, max_t_ms, body);
      db.prepare('DELETE FROM log WHERE seq BETWEEN ? AND ? AND kind <> ?').run(
        first_seq,
        last_seq,
        LogKind.topology,
      );
    }).immediate();
  }
}

function part(pack_key: number, rows: readonly ChunkRow[], body: Buffer): Part {
  let min_t_ms = Number.POSITIVE_INFINITY;
  let max_t_ms = Number.NEGATIVE_INFINITY;
  for (const { t_ms } of rows) {
    if (t_ms < min_t_ms) min_t_ms = t_ms;
    if (t_ms > max_t_ms) max_t_ms = t_ms;
  }
  const repeated_count = pack_key === 0 ? 0 : rows.filter(row => isRepeatedAt(row.body, 0)).length;
  return { pack_key, row_count: rows.length, repeated_count, min_t_ms, max_t_ms, body };
}

/** The originals are deleted next, so a chunk that does not give back every byte keeps them as they are. */
function encoded(rows: readonly ChunkRow[]): Buffer {
  const chunk = encodeChunk(rows);
  return givesBack(chunk, rows) ? chunk : encodeChunk(rows, true);
}

function givesBack(chunk: Buffer, rows: readonly ChunkRow[]): boolean {
  const row_of = new Map(rows.map(row => [row.rel_seq, row]));
  for (const group of openChunk(chunk)) {
    const rel_seqs = group.relSeqs();
    const times = group.times();
    const { bytes, ends } = group.bodies();
    for (let i = 0; i < group.row_count; i++) {
      const row = row_of.get(rel_seqs[i]);
      const body = bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i]);
      if (row?.t_ms !== times[i] || !body.equals(row.body)) return false;
      row_of.delete(rel_seqs[i]);
    }
  }
  return row_of.size === 0;
}

/** In place of the pack key stands the number within the span. */
export function blockOfOthers(rows: readonly OtherRow[]): Buffer {
  const byte_count = rows.reduce((sum, { body }) => sum + RECORD_HEADER_BYTES + body.length, 0);
  const records = new BatchBuffer(new ArrayBuffer(byte_count));
  for (const { kind, rel_seq, t_ms, body } of rows) {
    records.bytes.set(body, records.bodyOffset);
    records.finish(kind, rel_seq, t_ms, body.length);
  }
  return encodeBlock(records.bytes);
}
