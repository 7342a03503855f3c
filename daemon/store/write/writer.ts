/** Owner of the database file: opens and migrates it, appends batches, removes what is old. Runs in the writer's thread. */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import type { GapRecord } from '../../../core/contract/gap.ts';
import { refuseDoubleNumbers } from '../file/double-numbers.ts';
import { IdentityKeeper, type LogIdentity, readIdentity } from '../file/log-identity.ts';
import { type LostRows, lostGap, mayLack } from '../file/lost-rows.ts';
import { MetaTable } from '../file/meta-table.ts';
import { openDatabase } from '../file/open-database.ts';
import { quarantinedFiles, salvage } from '../file/quarantine.ts';
import { walBytes } from '../file/wal-watch.ts';
import { forEachRecord, RECORD_HEADER_BYTES } from '../format/batch-buffer.ts';
import { BLOCK_KIND, encodeBlock } from '../format/block.ts';
import { forgetClock } from '../log/clock-records.ts';
import { detachAfter, moveRows, withNewSeqs } from '../log/fork.ts';
import { LogRows } from '../log/log-rows.ts';
import type { Renumbering } from '../log/renumbering.ts';
import { SideTables } from '../log/side-tables.ts';
import { LogKind } from '../store.ts';
import type { Committed, OpenedLog, WriterMethods } from '../worker-messages.ts';
import { Archiver } from './archiver.ts';
import { MissingSteps } from './missing-buckets.ts';
import { OpenSpan } from './open-span.ts';
import { type RetainRequest, Retention } from './retention.ts';
import { RollUp } from './rollup-job.ts';

const MAX_PREDECESSORS = 16;

export class Writer {
  readonly #file: string;
  readonly #db: Database.Database;
  readonly #meta: MetaTable;
  readonly #onDamage: (what: string) => void;
  #insertRow!: Database.Statement;
  #side_tables!: SideTables;
  #rows!: LogRows;
  /** Rows after the last stored span. */
  #span!: OpenSpan;
  #archiver!: Archiver;
  #roll_up!: RollUp;
  #missing_steps!: MissingSteps;
  #retention!: Retention;
  #archiving: Generator<void, unknown> | undefined;
  readonly #identity: IdentityKeeper;
  /** As it was before this run. */
  #kept: LogIdentity | undefined;
  /** Found at the start: rows that had been written and are not there. */
  #lost: LostRows | undefined;
  #last_seq = 0;
  /** Of the last fork of this run. */
  #new_numbers: Renumbering | undefined;

  /** Throws what openDatabase says. `onDamage` is called for parts that cannot be read; their rows are left out. */
  constructor(file: string, migrations: string, onDamage: (what: string) => void = () => {}) {
    this.#file = file;
    this.#onDamage = onDamage;
    this.#identity = new IdentityKeeper(file);
    this.#db = openDatabase(file, migrations);
    this.#meta = new MetaTable(this.#db);
  }

  /** `is_replacement`: for a file that was quarantined, which is reported otherwise. */
  open(
    { pack_ids, topology, t_ms, span_rows, pack_keys = [] }: WriterMethods['open'][0],
    is_replacement = false,
  ): OpenedLog {
    const db = this.#db;
    this.#insertRow = db.prepare('INSERT INTO log (seq, kind, pack_key, t_ms, body) VALUES (?, ?, ?, ?, ?)');
    this.#side_tables = new SideTables(db);
    this.#rows = new LogRows(db, this.#onDamage);
    this.#archiver = new Archiver(db, this.#rows);
    this.#retention = new Retention(db, this.#rows, this.#file);
    this.#roll_up = new RollUp(db, this.#rows, this.#onDamage);
    this.#missing_steps = new MissingSteps(db, this.#rows);
    this.#span = new OpenSpan(db, this.#rows, span_rows, pack_ids.length);
    refuseDoubleNumbers(db);
    this.#last_seq = this.#rows.tail().last_seq;
    this.#span.resume(this.#last_seq);
    const kept = readIdentity(this.#file);
    this.#kept = kept;
    this.#transaction(() => {
      this.#lost = this.#skipLost(kept, is_replacement);
      // A disk that takes no more is found out here, not by the first reading.
      this.#meta.set('opened_ms', String(t_ms));
      for (const { pack_key, pack_id } of pack_keys)
        db.prepare('INSERT INTO packs VALUES (?, ?) ON CONFLICT DO NOTHING').run(pack_key, pack_id);
      const addPack = db.prepare('INSERT INTO packs (pack_id) VALUES (?) ON CONFLICT DO NOTHING');
      for (const pack_id of pack_ids) addPack.run(pack_id);
      if (this.#meta.get('topology') !== topology) {
        // Alone, as it stays when its neighbours go; and it says nothing of their time.
        this.#insertRow.run(++this.#last_seq, LogKind.topology, 0, t_ms, Buffer.from(topology));
        this.#meta.set('topology', topology);
      }
      if (this.#lost) this.#appendOwn(LogKind.gap, t_ms, lostGap(this.#file, this.#lost));
    });
    const synced_seq = this.#meta.get('synced_seq');
    this.#identity.synced_seq = synced_seq === undefined ? undefined : Number(synced_seq);
    this.#readIdentity();
    return this.describe();
  }

  describe(): OpenedLog {
    const packs = this.#db
      .prepare<[], OpenedLog['packs'][number]>('SELECT pack_key, pack_id FROM packs')
      .all();
    return {
      incarnation: this.#identity.incarnation,
      predecessors: this.#identity.predecessors,
      numbers_from: Number(this.#meta.get('numbers_from') ?? 1),
      synced_seq: this.#identity.synced_seq ?? 0,
      lost: this.#lost && lostGap(this.#file, this.#lost).detail,
      quarantined: quarantinedFiles(this.#file),
      packs,
      last_seq: this.#last_seq,
      first_seq: this.#span.firstSeq(),
      file_bytes: this.#fileBytes(),
    };
  }

  /** One transaction for the whole batch; all or nothing. Throws what SQLite says. */
  commit(buffer: ArrayBuffer, used: number): Committed {
    const given = new Uint8Array(buffer, 0, used);
    const records = this.#new_numbers ? withNewSeqs(given, this.#new_numbers) : given;
    this.#identity.take(this.#last_seq, Math.ceil(used / RECORD_HEADER_BYTES));
    const readings = this.#transaction(() => this.#appendRecords(records, () => true));
    return { buffer, last_seq: this.#last_seq, readings, file_bytes: this.#fileBytes() };
  }

  /**
   * The centre has rows of this log up to `above_seq`, of which only those up to `after_seq` are ours: rows after that
   * are renumbered, above, in a log of a new name. See fork.ts.
   */
  fork({ after_seq, above_seq, t_ms }: WriterMethods['fork'][0]): OpenedLog {
    const last_seq = this.#last_seq;
    const { incarnation, predecessors } = this.#identity;
    const first_new_seq = Math.max(above_seq, last_seq) + 1;
    this.#archiving = undefined;
    // A record may become two, and one may be of the clock.
    this.#identity.take(last_seq, first_new_seq - last_seq + 2 * (last_seq - after_seq) + 1);
    const numbers = this.#transaction(() => {
      detachAfter(this.#db, this.#rows, after_seq);
      this.#span.resume(after_seq);
      this.#last_seq = first_new_seq - 1;
      const moved = moveRows(
        this.#db,
        this.#rows,
        { after_seq, last_seq, first_new_seq },
        {
          // An entry of the audit log has its own number and is there already; the clock's are renumbered.
          records: batch =>
            this.#appendRecords(batch.bytes, kind => kind !== LogKind.audit && kind !== LogKind.clock),
          added: batch => this.#appendRecords(batch.bytes, () => true),
          topology: (at_ms, body) => this.#insertRow.run(++this.#last_seq, LogKind.topology, 0, at_ms, body),
        },
      );
      const followed = [incarnation, ...predecessors].slice(0, MAX_PREDECESSORS);
      this.#meta.set('incarnation', randomUUID());
      this.#meta.set('predecessors', JSON.stringify(followed));
      this.#appendOwn(LogKind.gap, t_ms, {
        reason: 'older_copy',
        detail: `${this.#file}: was restored from an older copy, which ended at row ${after_seq}; the centre has rows up to ${above_seq}`,
        from_ms: null,
        to_ms: null,
        first_seq: after_seq + 1,
        last_seq: above_seq,
        readings: 0,
        packs: [],
      } satisfies GapRecord);
      return moved;
    });
    this.#new_numbers = numbers;
    this.#readIdentity();
    return this.describe();
  }

  /** Numbers and stores records; returns how many of them are readings. `isNew`: side tables do not have it yet. */
  #appendRecords(records: Uint8Array, isNew: (kind: number) => boolean): number {
    const before_seq = this.#last_seq;
    let readings = 0;
    let min_t_ms = Number.POSITIVE_INFINITY;
    forEachRecord(records, (kind, _pack_key, t_ms, body) => {
      this.#span.add(++this.#last_seq, t_ms);
      if (t_ms < min_t_ms) min_t_ms = t_ms;
      if (kind === LogKind.reading) readings++;
      else if (isNew(kind)) this.#side_tables.store(kind, t_ms, body.toString('utf8'), this.#last_seq);
      return true;
    });
    const rows = this.#last_seq - before_seq;
    if (rows > 0) this.#insertRow.run(this.#last_seq, BLOCK_KIND, rows, min_t_ms, encodeBlock(records));
    // At the end of a commit, so that no block lies in two spans.
    if (this.#span.is_full) this.#span.store(this.#last_seq);
    return readings;
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
    this.#retention.checkWal();
    const lost = this.#transaction(() => {
      this.#noteSynced(request.synced_seq);
      const gap = this.#retention.round(request, this.#last_seq);
      if (gap) this.#appendOwn(LogKind.gap, request.now_ms, gap);
      return gap;
    });
    this.#identity.note(this.#last_seq);
    this.#side_tables.retainAudit();
    forgetClock(this.#db, this.#span.firstSeq());
    return {
      lost: lost ?? null,
      last_seq: this.#last_seq,
      first_seq: this.#span.firstSeq(),
      ...this.#retention.room(),
      quarantined: quarantinedFiles(this.#file),
    };
  }

  /** `synced_seq`: what the centre has; infinite where there is none. Throws what SQLite says, and is closed. */
  close(synced_seq = Number.POSITIVE_INFINITY): void {
    try {
      this.#transaction(() => this.#noteSynced(synced_seq));
      this.#identity.note(this.#last_seq, 0);
      // Empty, its WAL stays where it is when a reader closes after us: so the file can be read again, whatever the disk.
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      this.#db.close();
    }
  }

  /** Remembered over restarts, so that nothing that the centre has is reported as lost while it is out of reach. */
  #noteSynced(seq: number): void {
    if (!Number.isFinite(seq) || seq === this.#identity.synced_seq) return;
    this.#meta.set('synced_seq', String(seq));
    this.#identity.synced_seq = seq;
  }

  /**
   * One step of moving finished spans into the archive and into rollups; `idle`: there was nothing to be done. Throws
   * as `commit`, and can be called again.
   */
  archiveStep(): 'idle' | 'working' | 'stored' {
    this.#archiving ??= this.#nextWork();
    if (!this.#archiving) return 'idle';
    let step: IteratorResult<void, unknown> | undefined;
    try {
      step = this.#archiving.next();
    } finally {
      if (step?.done !== false) this.#archiving = undefined;
    }
    return step.done && step.value !== 'checked' ? 'stored' : 'working';
  }

  #nextWork(): Generator<void, unknown> | undefined {
    const span = this.#archiver.next();
    return span ? this.#archiver.archive(span) : (this.#roll_up.next() ?? this.#missing_steps.next());
  }

  /** Finished, and not yet in the archive or in the rollups. */
  waitingSpans(): number {
    const loose =
      this.#db.prepare<[], number>('SELECT count(*) FROM spans WHERE archived = 0').pluck().get() ?? 0;
    return loose + this.#roll_up.waitingSpans();
  }

  /** Within a transaction: numbers that were given to rows which are no longer here are not given again. */
  #skipLost(kept: LogIdentity | undefined, is_replacement: boolean): LostRows | undefined {
    const incarnation = this.#meta.get('incarnation');
    if (incarnation === undefined) {
      this.#beginLog(kept);
      return kept && !is_replacement ? { kept, found_seq: undefined } : undefined;
    }
    const found_seq = this.#last_seq;
    if (kept?.incarnation !== incarnation || found_seq >= (kept.last_seq ?? 0)) return undefined;
    if (!this.#span.is_empty) this.#span.store(this.#last_seq);
    this.#last_seq = kept.numbers_below - 1;
    return { kept, found_seq };
  }

  /** A new file: the log goes on where the one before it may have ended. */
  #beginLog(kept: LogIdentity | undefined): void {
    const predecessors = kept ? [kept.incarnation, ...kept.predecessors].slice(0, MAX_PREDECESSORS) : [];
    this.#meta.set('incarnation', randomUUID());
    this.#meta.set('predecessors', JSON.stringify(predecessors));
    this.#meta.set('numbers_from', String(kept?.numbers_below ?? 1));
    this.#last_seq = (kept?.numbers_below ?? 1) - 1;
  }

  #readIdentity(): void {
    const incarnation = this.#meta.get('incarnation') as string;
    const predecessors = JSON.parse(this.#meta.get('predecessors') ?? '[]') as string[];
    this.#identity.adopt({ incarnation, predecessors }, this.#last_seq);
  }

  /** Small tables out of a file that was quarantined, and the record of what it is to the log. Returns rows by table. */
  salvage(quarantined: string, t_ms: number, reason: string): Record<string, number> {
    return this.#transaction(() => {
      const taken = salvage(quarantined, this.#db);
      const rows = Object.entries(taken).map(([table, count]) => `${count} ${table}`);
      const gap: GapRecord = {
        reason: 'storage_lost',
        detail: `${reason}; kept as ${quarantined}; salvaged: ${rows.join(', ') || 'nothing'}`,
        from_ms: null,
        to_ms: null,
        ...mayLack(this.#kept),
        readings: null,
        packs: [],
      };
      this.#appendOwn(LogKind.gap, t_ms, gap);
      return taken;
    });
  }

  /** A record that the store itself has to report; within a transaction. */
  #appendOwn(kind: number, t_ms: number, record: object): void {
    const seq = ++this.#last_seq;
    this.#insertRow.run(seq, kind, 0, t_ms, Buffer.from(JSON.stringify(record)));
    this.#span.add(seq, t_ms);
  }

  #fileBytes(): number {
    return (statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) + walBytes(this.#file);
  }

  /** Commits what `work` did or leaves file and counters as they were. */
  #transaction<T>(work: () => T): T {
    const last_seq = this.#last_seq;
    const extent = this.#span.extent();
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#last_seq = last_seq;
      this.#span.restore(extent);
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}
