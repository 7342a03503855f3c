/** Owner of the database file: opens and migrates it, appends batches, removes what is old. Runs in the writer's thread. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Alert } from '../../core/alerts/alert.ts';
import type { AuditEntry } from '../../core/contract/access.ts';
import type { CompletenessRecord } from '../../core/contract/completeness.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { forEachRecord } from './batch-buffer.ts';
import { type AppliedMigration, pendingMigrations, readMigrations } from './migration-files.ts';
import { LogKind } from './store.ts';
import type { Committed, OpenedLog, WriterMethods } from './worker-messages.ts';

/** Rows of one entry in `spans`: what a search by time reads at least. */
export const SPAN_ROWS = 4096;
/** How long a write waits for another process that holds the file. */
const BUSY_TIMEOUT_MS = 2000;

/** Removed in one round of retention, so that commits never wait long. */
const SPANS_PER_ROUND = 8;
/** Every commit writes whole pages; small ones write a quarter less to the card (bench/store.bench.ts). */
const PAGE_BYTES = 1024;
/** Entries of the audit log that stay here; the centre keeps all. About 400 bytes each. */
const AUDIT_ROWS: Record<AuditEntry['outcome'], number> = { done: 100_000, refused: 20_000 };

interface StoredSpan {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly max_t_ms: number;
}

interface Span {
  first_seq: number;
  rows: number;
  min_t_ms: number;
  max_t_ms: number;
}

const NO_SPAN: Span = { first_seq: 0, rows: 0, min_t_ms: Infinity, max_t_ms: -Infinity };

export class Writer {
  readonly #file: string;
  readonly #db: Database.Database;
  #insertRow!: Database.Statement;
  #insertSpan!: Database.Statement;
  #upsertAlert!: Database.Statement;
  #last_seq = 0;
  /** Rows after the last stored span. */
  #span: Span = { ...NO_SPAN };

  /** GatewayError STORE_FAILED or STORE_CORRUPT names the file; see pendingMigrations for the schema's. */
  constructor(file: string, migrations: string) {
    this.#file = file;
    try {
      mkdirSync(dirname(file), { recursive: true });
      this.#db = new Database(file, { timeout: BUSY_TIMEOUT_MS });
      this.#db.pragma(`page_size = ${PAGE_BYTES}`);
      this.#db.pragma('journal_mode = WAL');
      // FULL syncs the WAL in every commit: what is acknowledged survives a power cut.
      this.#db.pragma('synchronous = FULL');
      this.#db.pragma('journal_size_limit = 16777216');
      migrate(this.#db, migrations, file);
    } catch (error) {
      throw openFailure(file, error);
    }
  }

  open(pack_ids: readonly string[], topology: string, t_ms: number): OpenedLog {
    const db = this.#db;
    this.#insertRow = db.prepare('INSERT INTO log (seq, kind, pack_key, t_ms, body) VALUES (?, ?, ?, ?, ?)');
    this.#insertSpan = db.prepare('INSERT INTO spans VALUES (?, ?, ?, ?)');
    this.#upsertAlert = db.prepare(
      `INSERT INTO alerts (alert_id, state, raised_ms, cleared_ms, body) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (alert_id) DO UPDATE SET state = excluded.state, cleared_ms = excluded.cleared_ms, body = excluded.body`,
    );
    this.#last_seq = db.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM log').pluck().get() ?? 0;
    this.#resumeSpan();
    const incarnation = this.#transaction(() => {
      const addPack = db.prepare('INSERT INTO packs (pack_id) VALUES (?) ON CONFLICT DO NOTHING');
      for (const pack_id of pack_ids) addPack.run(pack_id);
      if (this.#meta('topology') !== topology) {
        this.#append(LogKind.topology, 0, t_ms, Buffer.from(topology));
        this.#setMeta('topology', topology);
      }
      const known = this.#meta('incarnation');
      if (known !== undefined) return known;
      const made = randomUUID();
      this.#setMeta('incarnation', made);
      return made;
    });
    const packs = db.prepare<[], OpenedLog['packs'][number]>('SELECT pack_key, pack_id FROM packs').all();
    return {
      incarnation,
      packs,
      last_seq: this.#last_seq,
      first_seq: this.#firstSeq(),
      file_bytes: this.#fileBytes(),
    };
  }

  /** One transaction for the whole batch; all or nothing. Throws what SQLite says. */
  commit(buffer: ArrayBuffer, used: number): Committed {
    let readings = 0;
    this.#transaction(() => {
      forEachRecord(buffer, used, (kind, pack_key, t_ms, body) => {
        this.#append(kind, pack_key, t_ms, body);
        if (kind === LogKind.reading) readings++;
        else if (kind === LogKind.alert) this.#storeAlert(body.toString('utf8'));
        else if (kind === LogKind.audit) this.#storeAudit(t_ms, body.toString('utf8'));
        else if (kind === LogKind.completeness) this.#storeCompleteness(body.toString('utf8'));
      });
    });
    return { buffer, last_seq: this.#last_seq, readings, file_bytes: this.#fileBytes() };
  }

  put(kind: string, id: string, body: string): void {
    this.#db
      .prepare('INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body')
      .run(kind, id, body);
  }

  delete(kind: string, id: string): boolean {
    return this.#db.prepare('DELETE FROM documents WHERE kind = ? AND id = ?').run(kind, id).changes > 0;
  }

  /**
   * Removes whole spans, oldest first and a few at a time: those older than `before_ms` that end below
   * `below_seq`; and while the disk has less than `keep_free_bytes` of room, any. Old cleared alerts go too.
   * Topologies stay: a new centre needs them.
   */
  retain({ before_ms, below_seq, keep_free_bytes }: WriterMethods['retain'][0]): WriterMethods['retain'][1] {
    let removed_unsynced = 0;
    for (const span of this.#oldestSpans()) {
      const is_due = span.max_t_ms < before_ms && span.last_seq < below_seq;
      if (!is_due && this.#roomBytes() >= keep_free_bytes) break;
      const removed = this.#removeSpan(span);
      if (span.last_seq >= below_seq) removed_unsynced += removed;
    }
    this.#db.prepare("DELETE FROM alerts WHERE state = 'cleared' AND cleared_ms < ?").run(before_ms);
    this.#db.prepare('DELETE FROM completeness WHERE hour_ms < ?').run(before_ms);
    this.#retainAudit();
    return { removed_unsynced, first_seq: this.#firstSeq() };
  }

  close(): void {
    this.#db.close();
  }

  #append(kind: number, pack_key: number, t_ms: number, body: Buffer): void {
    const seq = this.#last_seq + 1;
    this.#insertRow.run(seq, kind, pack_key, t_ms, body);
    this.#last_seq = seq;
    // A topology stays when its neighbours go, and says nothing of their time.
    if (kind === LogKind.topology) return;
    const span = this.#span;
    if (span.rows++ === 0) span.first_seq = seq;
    if (t_ms < span.min_t_ms) span.min_t_ms = t_ms;
    if (t_ms > span.max_t_ms) span.max_t_ms = t_ms;
    if (span.rows < SPAN_ROWS) return;
    this.#insertSpan.run(span.first_seq, seq, span.min_t_ms, span.max_t_ms);
    this.#span = { ...NO_SPAN };
  }

  /** Those that may go: the newest row is never in one, so no number is used twice. */
  #oldestSpans(): StoredSpan[] {
    return this.#db
      .prepare<[number, number], StoredSpan>(
        'SELECT first_seq, last_seq, max_t_ms FROM spans WHERE last_seq < ? ORDER BY first_seq LIMIT ?',
      )
      .all(this.#last_seq, SPANS_PER_ROUND);
  }

  #removeSpan({ first_seq, last_seq }: StoredSpan): number {
    return this.#transaction(() => {
      this.#db.prepare('DELETE FROM spans WHERE first_seq = ?').run(first_seq);
      const deleteRows = this.#db.prepare('DELETE FROM log WHERE seq BETWEEN ? AND ? AND kind <> ?');
      return deleteRows.run(first_seq, last_seq, LogKind.topology).changes;
    });
  }

  /** What can still be written: free on the disk, and free inside the file, which never shrinks. */
  #roomBytes(): number {
    const { bavail, bsize } = statfsSync(dirname(this.#file));
    const free_pages = this.#db.pragma('freelist_count', { simple: true }) as number;
    return bavail * bsize + free_pages * PAGE_BYTES;
  }

  #storeAlert(body: string): void {
    const alert = JSON.parse(body) as Alert;
    this.#upsertAlert.run(alert.id, alert.state, alert.raised_ms, alert.cleared_ms, body);
  }

  #storeCompleteness(body: string): void {
    const { hour_ms, packs } = JSON.parse(body) as CompletenessRecord;
    this.#db
      .prepare(
        `INSERT INTO completeness (hour_ms, pack_key, expected, received, stored, log_seq)
         SELECT :hour_ms, pack_key, value ->> 'expected', value ->> 'received', value ->> 'stored', :log_seq
         FROM json_each(:packs) JOIN packs ON pack_id = value ->> 'pack_id' WHERE true
         ON CONFLICT DO UPDATE SET expected = excluded.expected, received = excluded.received,
           stored = excluded.stored, log_seq = excluded.log_seq`,
      )
      .run({ hour_ms, packs: JSON.stringify(packs), log_seq: this.#last_seq });
  }

  #storeAudit(t_ms: number, body: string): void {
    const { actor, action, outcome } = JSON.parse(body) as AuditEntry;
    this.#db
      .prepare('INSERT INTO audit (t_ms, actor, action, outcome, body) VALUES (?, ?, ?, ?, ?)')
      .run(t_ms, actor, action, outcome, body);
  }

  /** By number: the clock of a box may be years off for a while. */
  #retainAudit(): void {
    const remove = this.#db.prepare(
      `DELETE FROM audit WHERE outcome = :outcome AND audit_no <=
         (SELECT audit_no FROM audit WHERE outcome = :outcome ORDER BY audit_no DESC LIMIT 1 OFFSET :rows)`,
    );
    for (const [outcome, rows] of Object.entries(AUDIT_ROWS)) remove.run({ outcome, rows });
  }

  #resumeSpan(): void {
    const row = this.#db
      .prepare<[number], { rows: number; first_seq: number; min_t_ms: number; max_t_ms: number }>(
        `SELECT count(*) AS rows, min(seq) AS first_seq, min(t_ms) AS min_t_ms, max(t_ms) AS max_t_ms
         FROM log WHERE kind <> ? AND seq > (SELECT coalesce(max(last_seq), 0) FROM spans)`,
      )
      .get(LogKind.topology);
    this.#span = row && row.rows > 0 ? row : { ...NO_SPAN };
  }

  #firstSeq(): number {
    const sql = 'SELECT seq FROM log WHERE kind <> ? ORDER BY seq LIMIT 1';
    return this.#db.prepare<[number], number>(sql).pluck().get(LogKind.topology) ?? 0;
  }

  #meta(name: string): string | undefined {
    return this.#db.prepare<[string], string>('SELECT value FROM meta WHERE name = ?').pluck().get(name);
  }

  #setMeta(name: string, value: string): void {
    this.#db
      .prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
      .run(name, value);
  }

  #fileBytes(): number {
    const wal_bytes = statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    return (statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) + wal_bytes;
  }

  /** Commits what `work` did or leaves file and counters as they were. */
  #transaction<T>(work: () => T): T {
    const last_seq = this.#last_seq;
    const span = { ...this.#span };
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#last_seq = last_seq;
      this.#span = span;
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

function migrate(db: Database.Database, directory: string, file: string): void {
  db.exec(
    `CREATE TABLE IF NOT EXISTS schema_migrations
       (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT`,
  );
  const run = db.transaction(() => {
    const applied = db
      .prepare<[], AppliedMigration>('SELECT version, name, checksum FROM schema_migrations ORDER BY version')
      .all();
    for (const { version, name, checksum, sql } of pendingMigrations(
      readMigrations(directory),
      applied,
      file,
    )) {
      db.exec(sql);
      db.prepare('INSERT INTO schema_migrations VALUES (?, ?, ?)').run(version, name, checksum);
    }
  });
  run.immediate();
}

function openFailure(file: string, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const code = error instanceof Database.SqliteError ? error.code : '';
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT'))
    return new GatewayError(
      'STORE_CORRUPT',
      `${file}: not a readable SQLite database (${describeError(error)}); move it away to start a new one`,
    );
  return new GatewayError('STORE_FAILED', `${file}: cannot be opened for writing: ${describeError(error)}`);
}
