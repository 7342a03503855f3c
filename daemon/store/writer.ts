/** Owner of the database file: opens and migrates it, appends batches, removes what is old. Runs in the writer's thread. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Alert } from '../../core/alerts/alert.ts';
import type { AuditEntry } from '../../core/contract/access.ts';
import type { CompletenessRecord } from '../../core/contract/completeness.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { Archiver } from './archive.ts';
import { forEachRecord } from './batch-buffer.ts';
import { BLOCK_KIND, encodeBlock } from './block.ts';
import { LogRows } from './log-rows.ts';
import { type AppliedMigration, pendingMigrations, readMigrations } from './migration-files.ts';
import { type RetainRequest, Retention } from './retention.ts';
import { RollUp } from './roll-up.ts';
import { LogKind } from './store.ts';
import type { Committed, OpenedLog, WriterMethods } from './worker-messages.ts';

/** Readings of each pack in one span: longer runs compress better, and wait longer for it. */
const SPAN_ROWS_PER_PACK = 450;
const FEWEST_SPAN_ROWS = 4096;
/** All of a span is held in memory while it moves into the archive. */
const MOST_SPAN_ROWS = 131_072;
/** How long a write waits for another process that holds the file. */
const BUSY_TIMEOUT_MS = 2000;

/** Every commit writes whole pages; small ones write a quarter less to the card (bench/store.bench.ts). */
const PAGE_BYTES = 1024;
/** Entries of the audit log that stay here; the centre keeps all. About 400 bytes each. */
const AUDIT_ROWS: Record<AuditEntry['outcome'], number> = { done: 100_000, refused: 20_000 };

interface Span {
  first_seq: number;
  /** Rows, topologies left out. */
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
  #rows!: LogRows;
  #archiver!: Archiver;
  #roll_up!: RollUp;
  #retention!: Retention;
  #archiving: Generator<void, void> | undefined;
  #span_rows = FEWEST_SPAN_ROWS;
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

  open({ pack_ids, topology, t_ms, span_rows }: WriterMethods['open'][0]): OpenedLog {
    const db = this.#db;
    this.#insertRow = db.prepare('INSERT INTO log (seq, kind, pack_key, t_ms, body) VALUES (?, ?, ?, ?, ?)');
    this.#insertSpan = db.prepare(
      'INSERT INTO spans (first_seq, last_seq, min_t_ms, max_t_ms) VALUES (?, ?, ?, ?)',
    );
    this.#upsertAlert = db.prepare(
      `INSERT INTO alerts (alert_id, state, raised_ms, cleared_ms, body) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (alert_id) DO UPDATE SET state = excluded.state, cleared_ms = excluded.cleared_ms, body = excluded.body`,
    );
    this.#rows = new LogRows(db);
    this.#archiver = new Archiver(db, this.#rows);
    this.#retention = new Retention(db, this.#rows, this.#file);
    this.#roll_up = new RollUp(db, this.#rows, () => {});
    const wanted_rows = span_rows ?? Math.max(FEWEST_SPAN_ROWS, SPAN_ROWS_PER_PACK * pack_ids.length);
    this.#span_rows = Math.min(MOST_SPAN_ROWS, wanted_rows);
    this.#resumeSpan();
    const incarnation = this.#transaction(() => {
      const addPack = db.prepare('INSERT INTO packs (pack_id) VALUES (?) ON CONFLICT DO NOTHING');
      for (const pack_id of pack_ids) addPack.run(pack_id);
      if (this.#meta('topology') !== topology) {
        // Alone, as it stays when its neighbours go; and it says nothing of their time.
        this.#insertRow.run(++this.#last_seq, LogKind.topology, 0, t_ms, Buffer.from(topology));
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
    const records = new Uint8Array(buffer, 0, used);
    this.#transaction(() => {
      const before_seq = this.#last_seq;
      let min_t_ms = Number.POSITIVE_INFINITY;
      forEachRecord(records, (kind, _pack_key, t_ms, body) => {
        this.#count(++this.#last_seq, t_ms);
        if (t_ms < min_t_ms) min_t_ms = t_ms;
        if (kind === LogKind.reading) readings++;
        else this.#storeRecord(kind, t_ms, body.toString('utf8'));
        return true;
      });
      const rows = this.#last_seq - before_seq;
      if (rows > 0) this.#insertRow.run(this.#last_seq, BLOCK_KIND, rows, min_t_ms, encodeBlock(records));
      this.#endSpan();
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

  /** One round of retention: see retention.ts. */
  retain(request: RetainRequest): WriterMethods['retain'][1] {
    const lost = this.#transaction(() => {
      const gap = this.#retention.round(request, this.#last_seq);
      if (gap) this.#appendOwn(LogKind.gap, request.now_ms, gap);
      return gap;
    });
    this.#retainAudit();
    return {
      lost: lost ?? null,
      last_seq: this.#last_seq,
      first_seq: this.#firstSeq(),
      used_bytes: this.#retention.usedBytes(),
    };
  }

  close(): void {
    this.#db.close();
  }

  /**
   * One step of moving finished spans into the archive and into rollups; `idle`: there was nothing to be done. Throws
   * as `commit`, and can be called again.
   */
  archiveStep(): 'idle' | 'working' | 'stored' {
    this.#archiving ??= this.#nextWork();
    if (!this.#archiving) return 'idle';
    let is_done: boolean | undefined = true;
    try {
      is_done = this.#archiving.next().done;
    } finally {
      if (is_done) this.#archiving = undefined;
    }
    return is_done ? 'stored' : 'working';
  }

  #nextWork(): Generator<void, void> | undefined {
    const span = this.#archiver.next();
    return span ? this.#archiver.archive(span) : this.#roll_up.next();
  }

  /** Finished, and not in the archive yet. */
  waitingSpans(): number {
    return this.#db.prepare<[], number>('SELECT count(*) FROM spans WHERE archived = 0').pluck().get() ?? 0;
  }

  #count(seq: number, t_ms: number): void {
    const span = this.#span;
    if (span.rows++ === 0) span.first_seq = seq;
    if (t_ms < span.min_t_ms) span.min_t_ms = t_ms;
    if (t_ms > span.max_t_ms) span.max_t_ms = t_ms;
  }

  /** At the end of a commit, so that no block lies in two spans. */
  #endSpan(): void {
    const { first_seq, rows, min_t_ms, max_t_ms } = this.#span;
    if (rows < this.#span_rows) return;
    this.#insertSpan.run(first_seq, this.#last_seq, min_t_ms, max_t_ms);
    this.#span = { ...NO_SPAN };
  }

  /** What is also kept where it is found by other things than its number. */
  #storeRecord(kind: number, t_ms: number, body: string): void {
    if (kind === LogKind.alert) this.#storeAlert(body);
    else if (kind === LogKind.audit) this.#storeAudit(t_ms, body);
    else if (kind === LogKind.completeness) this.#storeCompleteness(body);
  }

  /** A record that the store itself has to tell; within a transaction. */
  #appendOwn(kind: number, t_ms: number, record: object): void {
    const seq = ++this.#last_seq;
    this.#insertRow.run(seq, kind, 0, t_ms, Buffer.from(JSON.stringify(record)));
    this.#count(seq, t_ms);
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
    const { first_seq, last_seq } = this.#rows.tail();
    this.#last_seq = last_seq;
    this.#span = { ...NO_SPAN };
    this.#rows.scan(first_seq - 1, last_seq, (seq, kind, _pack_key, t_ms) => {
      if (kind !== LogKind.topology) this.#count(seq, t_ms);
      return true;
    });
  }

  /** Of the oldest row that is no topology; 0 when there is none. */
  #firstSeq(): number {
    const spans = this.#db.prepare<[], number>('SELECT min(first_seq) FROM spans').pluck().get();
    return spans ?? this.#span.first_seq;
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
