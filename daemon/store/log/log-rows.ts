/**
 * The rows of the log in the order of their numbers, wherever they stand: singly, in blocks, or in the archive.
 * Everything that reads the log reads it here. Who asks by time asks for corrected times, and gets them; by number
 * rows are given as they stand.
 */
import type { Database, Statement } from 'better-sqlite3';
import { describeError } from '../../../core/errors.ts';
import { forEachRecord } from '../format/batch-buffer.ts';
import { type StoredRow, type Visit, type VisitBytes, visitRow, withBodies } from '../format/block.ts';
import { type ChunkGroup, openChunk } from '../format/chunk.ts';
import { decompress } from '../format/packed-columns.ts';
import { LogKind } from '../store.ts';
import { blockName, chunkName, recordsName } from './check-parts.ts';
import { Corrections, type ShiftedRange } from './clock-corrections.ts';

export interface Range {
  first_seq: number;
  last_seq: number;
}

/** Where readings of one pack and span are kept; pack key 0: what is no reading. */
export interface Chunk extends Range {
  readonly pack_key: number;
  readonly row_count: number;
  readonly repeated_count: number;
  readonly min_t_ms: number;
  readonly max_t_ms: number;
  /** Of its span: bits of ROLLUP_LEVELS. */
  readonly rolled_up: number;
}

interface ArchivedSpan extends Range {
  /** Retention took the readings out of it. */
  readonly is_emptied: number;
}

/** Rows of one archived span, by number less the first. */
interface UnpackedSpan extends ArchivedSpan {
  /** -1: no row has this number. */
  readonly kind: Int16Array;
  readonly pack_key: Int32Array;
  readonly t_ms: Float64Array;
  /** Its bytes: from `start` to `end` of that one of `buffers`. */
  readonly buffer_no: Uint32Array;
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  readonly buffers: Buffer[];
  /** Rows whose number another one has as well. */
  doubles: number;
}

export class LogRows {
  readonly #db: Database;
  readonly #nextArchived: Statement<[{ seq: number }], ArchivedSpan>;
  readonly #selectRows: Statement<[number, number], StoredRow>;
  readonly #selectChunks: Statement<[number], { pack_key: number; body: Buffer }>;
  readonly #selectChunk: Statement<[number, number], Buffer>;
  readonly #onDamage: (what: string) => void;
  #corrections: Corrections;
  /** The last one unpacked: who follows the log asks for it again and again. */
  #unpacked: UnpackedSpan | undefined;

  /** `onDamage` is called for every block or chunk that cannot be read; its rows are left out. */
  constructor(db: Database, onDamage: (what: string) => void = () => {}) {
    this.#db = db;
    this.#onDamage = onDamage;
    this.#corrections = Corrections.load(db);
    this.#nextArchived = db.prepare(
      `SELECT first_seq, last_seq, rolled_up < 0 AS is_emptied FROM spans
       WHERE archived = 1 AND last_seq > :seq
         AND first_seq >= coalesce((SELECT max(first_seq) FROM spans WHERE first_seq <= :seq), 0)
       ORDER BY first_seq LIMIT 1`,
    );
    // A block has the number of its last record.
    this.#selectRows = db.prepare(
      'SELECT seq, kind, pack_key, t_ms, body FROM log WHERE seq > ? AND seq <= ? ORDER BY seq',
    );
    this.#selectChunk = db
      .prepare<[number, number], Buffer>('SELECT body FROM chunks WHERE first_seq = ? AND pack_key = ?')
      .pluck();
    this.#selectChunks = db.prepare('SELECT pack_key, body FROM chunks WHERE first_seq = ?');
  }

  /** The archive was changed in its past. */
  forget(): void {
    this.#unpacked = undefined;
  }

  /** Visits rows with `after_seq < seq <= up_to_seq` until asked to stop, all out of one state of the file. */
  scan(after_seq: number, up_to_seq: number, visit: Visit): void {
    this.scanBytes(after_seq, up_to_seq, withBodies(visit));
  }

  /** As `scan`. */
  scanBytes(after_seq: number, up_to_seq: number, visit: VisitBytes): void {
    if (this.#unpacked && after_seq >= this.#unpacked.last_seq) this.#unpacked = undefined;
    this.inOneState(() => {
      let seq = after_seq;
      while (seq < up_to_seq) {
        const span = this.#nextArchived.get({ seq });
        const loose_end = Math.min(up_to_seq, span ? span.first_seq - 1 : Number.MAX_SAFE_INTEGER);
        if (seq < loose_end && !this.#visitLoose(seq, loose_end, visit)) return;
        if (!span || span.first_seq > up_to_seq) return;
        if (!this.#visitSpan(span, Math.max(seq, span.first_seq - 1), up_to_seq, visit)) return;
        seq = span.last_seq;
      }
    });
  }

  /** As of now. */
  get corrections(): Corrections {
    this.#corrections = this.#corrections.current(this.#db);
    return this.#corrections;
  }

  /** Rows that are not in the archive and can be of this span of time; of one pack or of all. */
  scanUnarchived(from_ms: number, to_ms: number, pack_key: number | undefined, visit: Visit): void {
    for (const { first_seq, last_seq, shift_ms } of this.unarchivedRanges(from_ms, to_ms)) {
      const corrected: Visit = (seq, kind, key, t_ms, body) => visit(seq, kind, key, t_ms + shift_ms, body);
      this.#visitLoose(first_seq - 1, last_seq, withBodies(shift_ms === 0 ? visit : corrected), pack_key);
    }
  }

  /** Runs of numbers that can hold rows of a span of time, ascending, and how far their times are corrected. */
  ranges(from_ms: number, to_ms: number): ShiftedRange[] {
    return this.corrections.ranges(from_ms, to_ms, (...logged) => this.#loggedRanges(...logged));
  }

  /** As `ranges`, of what is not in the archive. */
  unarchivedRanges(from_ms: number, to_ms: number): ShiftedRange[] {
    const select = this.#db.prepare<[number, number], Range>(
      `SELECT first_seq, last_seq FROM spans
       WHERE archived = 0 AND max_t_ms >= ? AND min_t_ms <= ? ORDER BY first_seq`,
    );
    return this.corrections.ranges(from_ms, to_ms, (...logged) => [...select.all(...logged), this.tail()]);
  }

  /** By times as the log has them; neighbours joined. */
  #loggedRanges(from_ms: number, to_ms: number): Range[] {
    const ranges: Range[] = [];
    const spans = this.#db
      .prepare<[number, number], Range>(
        'SELECT first_seq, last_seq FROM spans WHERE max_t_ms >= ? AND min_t_ms <= ? ORDER BY first_seq',
      )
      .all(from_ms, to_ms);
    for (const range of [...spans, this.tail()]) {
      const last = ranges.at(-1);
      if (last && last.last_seq + 1 === range.first_seq) last.last_seq = range.last_seq;
      else ranges.push({ ...range });
    }
    return ranges;
  }

  /** The numbers that are in no span yet. */
  tail(): Range {
    return this.#db
      .prepare<[], Range>(
        `SELECT (SELECT coalesce(max(last_seq), 0) + 1 FROM spans) AS first_seq,
                max((SELECT coalesce(max(last_seq), 0) FROM spans), (SELECT coalesce(max(seq), 0) FROM log)) AS last_seq`,
      )
      .get() as Range;
  }

  /** Chunks of a pack, or of all, that can hold readings of a span of time, ascending. */
  chunks(pack_key: number | undefined, from_ms: number, to_ms: number): Chunk[] {
    // By pack the key of `chunks` finds one row per span; bodies are read when they are needed.
    const of_pack = pack_key === undefined ? '' : 'AND pack_key = :pack_key';
    const select = this.#db.prepare<unknown[], Chunk>(
      `SELECT first_seq, last_seq, pack_key, row_count, repeated_count, chunks.min_t_ms, chunks.max_t_ms, rolled_up
       FROM spans CROSS JOIN chunks USING (first_seq)
       WHERE spans.max_t_ms >= :from_ms AND spans.min_t_ms <= :to_ms ${of_pack}
         AND chunks.max_t_ms >= :from_ms AND chunks.min_t_ms <= :to_ms
         AND last_seq >= :after AND first_seq <= :before ORDER BY first_seq`,
    );
    const found = new Map<string, Chunk>();
    for (const { first_seq: after, last_seq: before, shift_ms } of this.corrections.pieces) {
      const logged = { from_ms: from_ms - shift_ms, to_ms: to_ms - shift_ms, after, before };
      for (const chunk of select.iterate({ pack_key: pack_key ?? null, ...logged }))
        found.set(`${chunk.first_seq} ${chunk.pack_key}`, this.#corrected(chunk));
    }
    return [...found.values()];
  }

  #corrected(chunk: Chunk): Chunk {
    const shift_ms = this.#corrections.shiftOf(chunk);
    if (shift_ms === 0) return chunk;
    // Of one that is corrected in parts each row must be checked.
    if (shift_ms === undefined)
      return { ...chunk, min_t_ms: Number.NEGATIVE_INFINITY, max_t_ms: Number.POSITIVE_INFINITY };
    return { ...chunk, min_t_ms: chunk.min_t_ms + shift_ms, max_t_ms: chunk.max_t_ms + shift_ms };
  }

  /** Of the rows of a group of the chunk. */
  times(chunk: Range, group: ChunkGroup): Float64Array {
    const times = group.times();
    if (this.#corrections.shiftOf(chunk) === 0) return times;
    const rel_seqs = group.relSeqs();
    return times.map((t_ms, row) => this.#corrections.correct(chunk.first_seq + rel_seqs[row], t_ms));
  }

  /** Readings of a chunk; none, and reported, when it is damaged. None either when retention was faster. */
  groups({ first_seq, pack_key }: Pick<Chunk, 'first_seq' | 'pack_key'>): ChunkGroup[] {
    const body = this.#selectChunk.get(first_seq, pack_key);
    return body ? this.#open(first_seq, pack_key, body) : [];
  }

  #open(first_seq: number, pack_key: number, body: Buffer): ChunkGroup[] {
    try {
      return openChunk(body);
    } catch (error) {
      this.#damaged(chunkName(pack_key, first_seq), error);
      return [];
    }
  }

  /** Reads that belong together: the writer's commits come before or after. */
  inOneState<T>(work: () => T): T {
    const is_ours = !this.#db.inTransaction;
    if (is_ours) this.#db.exec('BEGIN');
    try {
      return work();
    } finally {
      // A read that fails can end it by itself.
      if (is_ours && this.#db.inTransaction) this.#db.exec('COMMIT');
    }
  }

  #visitLoose(after_seq: number, up_to_seq: number, visit: VisitBytes, only_pack?: number): boolean {
    let goes_on = true;
    let is_over = false;
    // A block has the number of its last record: the one that holds `up_to_seq` can end behind it.
    for (const row of this.#selectRows.iterate(after_seq, Number.MAX_SAFE_INTEGER)) {
      try {
        visitRow(
          row,
          (seq, kind, pack_key, t_ms, bytes, start, end) => {
            if (seq <= after_seq) return true;
            is_over = seq > up_to_seq;
            if (!is_over) goes_on = visit(seq, kind, pack_key, t_ms, bytes, start, end);
            return goes_on && !is_over;
          },
          only_pack,
        );
      } catch (error) {
        this.#damaged(blockName(row.seq), error);
      }
      if (!goes_on || is_over || row.seq >= up_to_seq) break;
    }
    return goes_on;
  }

  #visitSpan(range: ArchivedSpan, after_seq: number, up_to_seq: number, visit: VisitBytes): boolean {
    let span = this.#unpacked;
    if (!span || span.first_seq !== range.first_seq || span.is_emptied !== range.is_emptied)
      span = this.#unpack(range);
    this.#unpacked = span;
    const { kind, pack_key, t_ms, buffer_no, start, end, buffers, first_seq, last_seq } = span;
    const last = Math.min(last_seq, up_to_seq) - first_seq;
    for (let at = after_seq + 1 - first_seq; at <= last; at++) {
      if (kind[at] < 0) continue;
      const bytes = buffers[buffer_no[at]];
      if (!visit(first_seq + at, kind[at], pack_key[at], t_ms[at], bytes, start[at], end[at])) return false;
    }
    return true;
  }

  #unpack({ first_seq, last_seq, is_emptied }: ArchivedSpan): UnpackedSpan {
    const count = last_seq - first_seq + 1;
    const span: UnpackedSpan = {
      first_seq,
      last_seq,
      is_emptied,
      kind: new Int16Array(count).fill(-1),
      pack_key: new Int32Array(count),
      t_ms: new Float64Array(count),
      buffer_no: new Uint32Array(count),
      start: new Uint32Array(count),
      end: new Uint32Array(count),
      buffers: [],
      doubles: 0,
    };
    for (const { pack_key, body } of this.#selectChunks.all(first_seq)) {
      if (pack_key === 0) this.#unpackOthers(span, body);
      else for (const group of this.#open(first_seq, pack_key, body)) unpackReadings(span, group, pack_key);
    }
    // Topologies stay where they are.
    this.#visitLoose(first_seq - 1, last_seq, (seq, kind, pack_key, t_ms, bytes, start, end) => {
      put(span, seq - first_seq, kind, pack_key, t_ms, start, end);
      span.buffers.push(bytes);
      return true;
    });
    if (span.doubles > 0)
      this.#damaged(
        `rows ${first_seq} to ${last_seq}`,
        `two processes wrote them at once; ${span.doubles} have the number of another, and are not sent`,
      );
    return span;
  }

  #unpackOthers(span: UnpackedSpan, body: Buffer): void {
    try {
      forEachRecord(decompress(body), (kind, rel_seq, t_ms, bytes) => {
        put(span, rel_seq, kind, 0, t_ms, 0, bytes.length);
        span.buffers.push(bytes);
        return true;
      });
    } catch (error) {
      this.#damaged(recordsName(span.first_seq), error);
    }
  }

  #damaged(what: string, error: unknown): void {
    this.#onDamage(`${what}: ${describeError(error)}`);
  }
}

function unpackReadings(span: UnpackedSpan, group: ChunkGroup, pack_key: number): void {
  const rel_seqs = group.relSeqs();
  const times = group.times();
  const { bytes, ends } = group.bodies();
  for (let row = 0; row < group.row_count; row++)
    put(span, rel_seqs[row], LogKind.reading, pack_key, times[row], row === 0 ? 0 : ends[row - 1], ends[row]);
  span.buffers.push(bytes);
}

/** Notes a row that is in the buffer which is added next. */
function put(
  span: UnpackedSpan,
  at: number,
  kind: number,
  pack_key: number,
  t_ms: number,
  start: number,
  end: number,
): void {
  if (!(at >= 0 && at < span.kind.length)) return;
  if (span.kind[at] >= 0) span.doubles++;
  span.kind[at] = kind;
  span.pack_key[at] = pack_key;
  span.t_ms[at] = t_ms;
  span.buffer_no[at] = span.buffers.length;
  span.start[at] = start;
  span.end[at] = end;
}
