/**
 * What goes when it is old, or when there is no more room. In this order, oldest first, until there is room again:
 *
 *   1. readings that the centre has (all of them where there is no centre); their rollups stay
 *   2. files that could not be read and were quarantined
 *   3. rollups in steps of a minute
 *   4. readings that the centre does not have: a loss, reported in a gap record
 *
 * Topologies, alerts, the audit log, records, users and settings are never removed for want of room, and neither is
 * the newest span. Runs in the writer's thread, a little at a time, so that commits never wait long.
 */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { GapRecord } from '../../../core/contract/gap.ts';
import { MetaTable } from '../file/meta-table.ts';
import { quarantinedFiles, removeQuarantined } from '../file/quarantine.ts';
import { type WalState, WalWatch } from '../file/wal-watch.ts';
import { blockStart, ROLLUP_LEVELS, STEPS_PER_BLOCK, stepsFrom } from '../format/rollup-block.ts';
import type { LogRows, Range } from '../log/log-rows.ts';
import { LogKind } from '../store.ts';
import { blockOfOthers, type OtherRow } from './archiver.ts';

/** Removed in one round. */
const SPANS_PER_ROUND = 8;
const ROLLUPS_PER_ROUND = 512;
/** Long charts outlive the readings they were made of. */
const LONG_ROLLUP_DAYS = 731;
const DAY_MS = 86_400_000;
/** Times before are those of a box that did not know the time: its rows are as old as what came after them. */
const EARLIEST_MS = Date.UTC(2020, 0, 1);

/** In `meta`: what is older has gone, and by which age that was asked for. */
const HORIZON = 'retained_before_ms';
const HORIZON_AGE = 'retention_age_ms';

export interface RetainRequest {
  readonly now_ms: number;
  /** What is older may go; 0: nothing, by age. */
  readonly before_ms: number;
  /**
   * By how much the age at which rows go may move on since the last round; undefined: as far as `before_ms` says. So a
   * wall clock that is years ahead takes no more than a little of the past before somebody notices.
   */
  readonly may_advance_ms?: number;
  /** Rows up to this one the centre has, or nobody waits for them. The row itself stays, to be compared with the centre's. */
  readonly synced_seq: number;
  readonly keep_free_bytes: number;
  readonly max_bytes: number;
}

interface SpanAge extends Range {
  readonly max_t_ms: number;
}

export class Retention {
  readonly #db: Database;
  readonly #meta: MetaTable;
  readonly #rows: LogRows;
  readonly #file: string;
  readonly #wal_watch: WalWatch;
  #wal: WalState = { wal_bytes: 0, wal_held: undefined };

  constructor(db: Database, rows: LogRows, file: string) {
    this.#db = db;
    this.#rows = rows;
    this.#file = file;
    this.#meta = new MetaTable(db);
    this.#wal_watch = new WalWatch(db, file);
  }

  /** Before a round, outside of its transaction. */
  checkWal(): void {
    this.#wal = this.#wal_watch.check();
  }

  /** As it is after a round. */
  room() {
    return { used_bytes: this.usedBytes(), free_bytes: this.freeBytes(), ...this.#wal };
  }

  /** One round, within the caller's transaction. `newest_seq` stays. Returns what was lost, if anything was. */
  round(request: RetainRequest, newest_seq: number): GapRecord | undefined {
    const { synced_seq } = request;
    const before_ms = this.#horizon(request);
    this.#removeOld(request, before_ms);
    let removed = 0;
    for (const span of this.#oldest('last_seq < ?', Math.min(synced_seq, newest_seq))) {
      if (!this.#isDue(span, before_ms) && !this.#isShort(request)) break;
      this.#removeSpan(span);
      removed++;
    }
    if (removed > 0 || !this.#isShort(request)) return undefined;
    if (this.#removeQuarantined() || this.#removeRollups() > 0) return undefined;
    return this.#emptySpans(request, newest_seq);
  }

  /**
   * What is older goes in this round. It moves on by no more than it may, but for what an operator takes off the days
   * of retention; the first round of a file begins at its oldest rows.
   */
  #horizon({ now_ms, before_ms, may_advance_ms }: RetainRequest): number {
    if (may_advance_ms === undefined || before_ms <= 0) return before_ms;
    const age_ms = now_ms - before_ms;
    const [known_ms, known_age_ms] = [HORIZON, HORIZON_AGE].map(name => this.#number(name));
    const shorter_ms = known_age_ms === undefined ? 0 : Math.max(0, known_age_ms - age_ms);
    const from_ms = known_ms ?? this.#oldestReadingMs() ?? before_ms;
    const horizon_ms = Math.min(before_ms, from_ms + shorter_ms + may_advance_ms);
    this.#meta.set(HORIZON, String(horizon_ms));
    this.#meta.set(HORIZON_AGE, String(age_ms));
    return horizon_ms;
  }

  /** Of spans that still hold readings, by a clock that could be right. */
  #oldestReadingMs(): number | undefined {
    return (
      this.#db
        .prepare<[number], number | null>(
          'SELECT min(min_t_ms) FROM spans WHERE rolled_up >= 0 AND min_t_ms >= ?',
        )
        .pluck()
        .get(EARLIEST_MS) ?? undefined
    );
  }

  #number(name: string): number | undefined {
    const value = this.#meta.get(name);
    return value === undefined ? undefined : Number(value);
  }

  /** Of the file that is in use; it never shrinks, what is free in it is used again. */
  usedBytes(): number {
    return this.#pragma('page_count') * this.#pragma('page_size') - this.#freeInside();
  }

  #isShort({ keep_free_bytes, max_bytes }: RetainRequest): boolean {
    if (this.usedBytes() > max_bytes) return true;
    // What is removed then only makes the write-ahead log larger.
    return !this.#isWalHeld && this.freeBytes() < keep_free_bytes;
  }

  /** On the disk and inside the file; while the write-ahead log is held, the latter is written there first. */
  freeBytes(): number {
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    return bavail * bsize + (this.#isWalHeld ? 0 : this.#freeInside());
  }

  get #isWalHeld(): boolean {
    return this.#wal.wal_held !== undefined;
  }

  #freeInside(): number {
    return this.#pragma('freelist_count') * this.#pragma('page_size');
  }

  #pragma(name: string): number {
    return this.#db.pragma(name, { simple: true }) as number;
  }

  #oldest(where: string, ...values: number[]): SpanAge[] {
    return this.#db
      .prepare<number[], SpanAge>(
        `SELECT first_seq, last_seq, max_t_ms FROM spans WHERE ${where} ORDER BY first_seq LIMIT ${SPANS_PER_ROUND}`,
      )
      .all(...values);
  }

  #isDue({ first_seq, last_seq, max_t_ms: logged_ms }: SpanAge, before_ms: number): boolean {
    const max_t_ms = logged_ms + this.#rows.corrections.mostShift({ first_seq, last_seq });
    if (max_t_ms >= before_ms) return false;
    if (max_t_ms >= EARLIEST_MS) return true;
    const later = this.#db
      .prepare<number[], number>(
        'SELECT count(*) FROM spans WHERE first_seq > ? AND max_t_ms >= ? AND max_t_ms < ?',
      )
      .pluck();
    return (later.get(first_seq, EARLIEST_MS, before_ms) ?? 0) > 0;
  }

  #removeSpan({ first_seq, last_seq }: Range): void {
    this.#db.prepare('DELETE FROM spans WHERE first_seq = ?').run(first_seq);
    this.#db.prepare('DELETE FROM chunks WHERE first_seq = ?').run(first_seq);
    this.#removeRows(first_seq, last_seq);
  }

  #removeRows(first_seq: number, last_seq: number): void {
    this.#db
      .prepare('DELETE FROM log WHERE seq BETWEEN ? AND ? AND kind <> ?')
      .run(first_seq, last_seq, LogKind.topology);
  }

  #removeOld(request: RetainRequest, before_ms: number): void {
    if (before_ms <= 0) return;
    const [minutes, longer] = ROLLUP_LEVELS;
    // Steps of a minute go with their readings, which stay where the centre does not have them.
    const oldest_ms = Math.min(before_ms, this.#oldestReadingMs() ?? before_ms);
    this.#removeSteps(minutes.step_ms, oldest_ms - minutes.step_ms * STEPS_PER_BLOCK);
    const longer_ms = LONG_ROLLUP_DAYS * DAY_MS - (request.now_ms - request.before_ms);
    this.#removeSteps(longer.step_ms, before_ms - Math.max(0, longer_ms));
    // What is open is kept whatever its age.
    this.#db
      .prepare(
        `DELETE FROM alerts WHERE NOT coalesce(body ->> 'is_open', state = 'active')
           AND coalesce(body ->> 'changed_ms', cleared_ms) < ?`,
      )
      .run(before_ms);
    this.#db.prepare('DELETE FROM alert_events WHERE t_ms < ?').run(before_ms);
    this.#db.prepare('DELETE FROM completeness WHERE hour_ms < ?').run(before_ms);
  }

  /** Whole blocks that begin before; from where on there are steps is noted for who reads them. */
  #removeSteps(step_ms: number, before_ms: number): number {
    const { changes } = this.#db
      .prepare('DELETE FROM rollups WHERE step_ms = ? AND start_ms < ?')
      .run(step_ms, before_ms);
    if (changes > 0) this.#noteStepsFrom(step_ms, blockStart(before_ms - 1, step_ms));
    return changes;
  }

  /** `gone_ms`: where the last block begins that may be gone. */
  #noteStepsFrom(step_ms: number, gone_ms: number): void {
    const from_ms = gone_ms + step_ms * STEPS_PER_BLOCK;
    const known_ms = this.#number(stepsFrom(step_ms)) ?? from_ms;
    this.#meta.set(stepsFrom(step_ms), String(Math.max(known_ms, from_ms)));
  }

  /** They count for the room on the disk only. */
  #removeQuarantined(): boolean {
    const [oldest] = quarantinedFiles(this.#file);
    if (oldest !== undefined) removeQuarantined(oldest);
    return oldest !== undefined;
  }

  #removeRollups(): number {
    const { step_ms } = ROLLUP_LEVELS[0];
    const oldest = this.#db
      .prepare<[number], { rowid: number; start_ms: number }>(
        `SELECT rowid, start_ms FROM rollups WHERE step_ms = ? ORDER BY start_ms LIMIT ${ROLLUPS_PER_ROUND}`,
      )
      .all(step_ms);
    const newest = oldest.at(-1);
    if (!newest) return 0;
    const remove = this.#db.prepare('DELETE FROM rollups WHERE rowid = ?');
    for (const { rowid } of oldest) remove.run(rowid);
    this.#noteStepsFrom(step_ms, newest.start_ms);
    return oldest.length;
  }

  /** Takes the readings out of the oldest spans that have any; what else they hold still goes to the centre. */
  #emptySpans(request: RetainRequest, newest_seq: number): GapRecord | undefined {
    const spans = this.#oldest(
      `last_seq < ? AND (archived = 0 OR EXISTS
         (SELECT 1 FROM chunks WHERE chunks.first_seq = spans.first_seq AND pack_key > 0))`,
      newest_seq,
    );
    const by_pack = new Map<number, number>();
    let first_seq: number | null = null;
    let last_seq: number | null = null;
    let from_ms = Number.POSITIVE_INFINITY;
    let to_ms = Number.NEGATIVE_INFINITY;
    for (const span of spans) {
      if (!this.#isShort(request)) break;
      const others: OtherRow[] = [];
      this.#rows.scan(span.first_seq - 1, span.last_seq, (seq, kind, pack_key, t_ms, body) => {
        if (kind === LogKind.topology) return true;
        if (kind !== LogKind.reading) {
          others.push({ rel_seq: seq - span.first_seq, kind, t_ms, body: Buffer.from(body) });
          return true;
        }
        // Part of a span may be at the centre: that is not lost.
        if (seq <= request.synced_seq) return true;
        by_pack.set(pack_key, (by_pack.get(pack_key) ?? 0) + 1);
        first_seq ??= seq;
        last_seq = seq;
        from_ms = Math.min(from_ms, t_ms);
        to_ms = Math.max(to_ms, t_ms);
        return true;
      });
      this.#keepOthers(span, others);
    }
    if (by_pack.size === 0) return undefined;
    const packs = [...by_pack].map(([pack_key, readings]) => ({ pack_id: this.#packId(pack_key), readings }));
    const readings = packs.reduce((sum, pack) => sum + pack.readings, 0);
    const detail = `${this.#file}: no room; readings that the centre does not have were removed`;
    return { reason: 'no_room', detail, from_ms, to_ms, first_seq, last_seq, readings, packs };
  }

  #keepOthers({ first_seq, last_seq }: Range, others: readonly OtherRow[]): void {
    this.#removeSpan({ first_seq, last_seq });
    if (others.length === 0) return;
    const times = others.map(({ t_ms }) => t_ms);
    const [min_t_ms, max_t_ms] = [Math.min(...times), Math.max(...times)];
    this.#db
      .prepare('INSERT INTO spans VALUES (?, ?, ?, ?, 1, -1)')
      .run(first_seq, last_seq, min_t_ms, max_t_ms);
    this.#db
      .prepare(
        'INSERT INTO chunks (first_seq, pack_key, row_count, min_t_ms, max_t_ms, body) VALUES (?, 0, ?, ?, ?, ?)',
      )
      .run(first_seq, others.length, min_t_ms, max_t_ms, blockOfOthers(others));
  }

  #packId(pack_key: number): string {
    const select = this.#db.prepare<[number], string>('SELECT pack_id FROM packs WHERE pack_key = ?');
    return select.pluck().get(pack_key) ?? `pack key ${pack_key}`;
  }
}
