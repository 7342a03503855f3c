/**
 * The store over SQLite: this side encodes into batches and posts them; one thread writes, one reads. Readings that
 * the queue to the writer has no room for are dropped and counted, so what is in the log stays without holes in order.
 */
import { join } from 'node:path';
import type { Alert } from '../../core/alerts/alert.ts';
import type { Clock } from '../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { WaitingDocuments } from './documents/waiting-documents.ts';
import { DamageReports } from './file/damage-reports.ts';
import { Opening } from './opening.ts';
import type { SqliteStoreOptions } from './sqlite-store-options.ts';
import type {
  AlertEventRequest,
  AlertRequest,
  AuditRequest,
  Documents,
  ExportRequest,
  HistoryFormat,
  HistoryRequest,
  LogSource,
  RecordKind,
  RuleReplayRequest,
  Store,
  StoreStats,
  TimeSpan,
} from './store.ts';
import { documentsBy, type Read, type Write } from './threads/store-workers.ts';
import type { Committed, OpenedLog, WorkerEvent, WriterMethods } from './worker-messages.ts';
import { Appender } from './write/appender.ts';
import { CommitQueue } from './write/commit-queue.ts';
import { HeldBatches } from './write/held-batches.ts';
import { Upkeep } from './write/upkeep.ts';

export const STORE_FILE = 'gateway.db';

/** The writer is called stuck when a commit takes longer. */
const STUCK_AFTER_MS = 30_000;

export function createSqliteStore(options: SqliteStoreOptions): Store & LogSource {
  return new SqliteStore(options);
}

class SqliteStore implements Store, LogSource {
  readonly #options: SqliteStoreOptions;
  readonly #file: string;
  readonly #clock: Clock;
  readonly #upkeep: Upkeep;
  readonly #appender: Appender;
  readonly #queue: CommitQueue;
  readonly #listeners = new Set<() => void>();
  #opening: Opening | undefined;
  /** `waiting`: it cannot be written yet; what is stored can be read. */
  #state: 'new' | 'waiting' | 'open' | 'closed' = 'new';
  readonly #held = new HeldBatches();
  readonly #open_listeners: (() => void)[] = [];
  #closing: Promise<void> | undefined;
  #synced_seq = 0;
  #fault: string | undefined;
  #has_ended = false;
  #archive_fault: string | undefined;
  #lost: string | undefined;
  incarnation = '';
  predecessors: readonly string[] = [];
  numbers_from = 1;
  lost_at_close = 0;
  is_unread = false;
  #quarantined: readonly string[] = [];
  readonly #stats = {
    durable_seq: 0,
    first_seq: 0,
    file_bytes: 0,
    spans_waiting: 0,
    commits: 0,
    commit_failures: 0,
    readings_committed: 0,
    readings_removed_unsynced: 0,
  };
  readonly #documents = new WaitingDocuments(
    documentsBy(
      (...call) => this.#read(...call),
      (...call) => this.#write(...call),
    ),
    () => this.#state === 'waiting',
  );
  readonly documents: Documents = this.#documents;
  readonly #damage = new DamageReports(this.#documents, gap => this.#appender.appendGap(gap));

  readonly exportChunk = (request: ExportRequest) => this.#read('export_chunk', request);
  readonly replayRules = async (request: RuleReplayRequest, signal: AbortSignal) => {
    const end = () => void this.#read('end_replay', null).catch(() => {});
    signal.addEventListener('abort', end, { once: true });
    try {
      const replaying = this.#read('replay_rules', request);
      if (signal.aborted) end();
      return await replaying;
    } finally {
      signal.removeEventListener('abort', end);
    }
  };
  readonly readBatch = (after_seq: number, max_rows: number, max_bytes: number) =>
    this.#read('read_batch', { after_seq, max_rows, max_bytes });
  readonly history = (request: HistoryRequest, format: HistoryFormat) =>
    this.#read('history', { ...request, format });
  readonly readingCounts = (span: TimeSpan) => this.#read('reading_counts', span);
  readonly completeness = ({ from_ms, to_ms }: TimeSpan) => {
    const synced_seq = this.#options.keep_unsynced ? this.#synced_seq : null;
    return this.#read('completeness', { from_ms, to_ms, synced_seq });
  };
  readonly clockState = (boot_id: string) => this.#read('clock_state', { boot_id });
  readonly alerts = (request: AlertRequest) => this.#read('alerts', request);
  readonly alertEvents = (request: AlertEventRequest) => this.#read('alert_events', request);
  readonly pastAlerts = () => this.#read('past_alerts', undefined);
  readonly durableSeq = () => this.#stats.durable_seq;
  readonly packId = (pack_key: number) => this.#appender.packId(pack_key);
  readonly markSynced = (seq: number) => {
    this.#synced_seq = seq;
  };
  readonly audit = (request: AuditRequest) => this.#read('audit', request);

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.#file = join(options.directory, STORE_FILE);
    this.#clock = options.clock;
    this.#queue = new CommitQueue({
      ...options,
      commit: (buffer, used) => this.#commit(buffer, used),
      onCommitted: committed => this.#committed(committed),
      onLost: readings => {
        this.#appender.batchLost(readings);
        this.#stats.commit_failures++;
      },
    });
    this.#appender = new Appender({
      file: this.#file,
      clock: this.#clock,
      batchFor: (kind, body_bytes) =>
        this.#takesRecords ? this.#queue.batchFor(kind, body_bytes) : undefined,
    });
    this.#upkeep = new Upkeep({
      file: this.#file,
      store: options,
      documents: this.#documents,
      syncedSeq: () => this.#knownSynced(),
      retain: request => (this.#opening as Opening).workers.write('retain', request),
      onRetained: retained => this.#retained(retained),
      check: (...[position, at_least_bytes]) => this.#read('check_parts', { position, at_least_bytes }),
    });
  }

  async open(topology: Topology): Promise<void> {
    if (this.#state !== 'new') throw this.#failure(`${this.#file}: the store was opened already`);
    const pack_ids = topology.packs.map(pack => pack.id);
    const onEvent = (event: WorkerEvent) => this.#onWriterEvent(event);
    const files = { file: this.#file, lock_name: STORE_FILE };
    const opening = new Opening({ store: this.#options, ...files, topology, onEvent });
    this.#opening = opening;
    try {
      const opened = await opening.first();
      if (!('fault' in opened)) return await this.#begin(opened, pack_ids);
      this.#failIfClosing();
      this.#setFault(opened.fault);
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#state = 'waiting';
    this.is_unread = opening.is_unread;
    this.#appender.pack_keys = Int32Array.from(pack_ids, (_, pack) => pack + 1);
    opening.again(
      log => this.#beginLate(log, pack_ids),
      fault => this.#setFault(fault),
    );
  }

  async #begin(opened: OpenedLog, pack_ids: string[]): Promise<void> {
    this.#lost = opened.lost;
    if (opened.lost !== undefined) this.#options.log.error({ component: 'store' }, opened.lost);
    this.#queue.post();
    this.#adopt(opened, pack_ids);
    this.#held.setKeys(this.#appender.pack_keys);
    // What can make room for the first write comes before it.
    await this.#upkeep.start();
    this.#failIfClosing();
    this.#state = 'open';
    this.#held.release((buffer, used) => this.#commit(buffer, used));
    this.#damage.begin();
  }

  async #beginLate(opened: OpenedLog, pack_ids: string[]): Promise<void> {
    await this.#begin(opened, pack_ids);
    this.#setFault(undefined);
    const { log } = this.#options;
    await (this.is_unread ? this.#documents.storeWhereNone() : this.#documents.store()).catch(error =>
      log.error({ component: 'store' }, `changes that waited are kept in memory: ${describeError(error)}`),
    );
    for (const listener of this.#open_listeners.splice(0)) listener();
  }

  onOpen(listener: () => void): void {
    if (this.#state === 'waiting') this.#open_listeners.push(listener);
    else listener();
  }

  #failIfClosing(): void {
    if (this.#closing) throw new GatewayError('STOPPED', `${this.#file}: closed while opening`);
  }

  /** What the file says of itself. */
  #adopt(opened: OpenedLog, pack_ids?: readonly string[]): void {
    this.#appender.takeKeys(opened.packs, pack_ids);
    this.incarnation = opened.incarnation;
    this.predecessors = opened.predecessors;
    this.numbers_from = opened.numbers_from;
    this.#quarantined = opened.quarantined;
    this.#synced_seq = Math.max(this.#synced_seq, opened.synced_seq);
    this.#stats.durable_seq = opened.last_seq;
    this.#stats.first_seq = opened.first_seq;
    this.#stats.file_bytes = opened.file_bytes;
  }

  /** The file could not be read any more and the writer has begun a new one. */
  #reopened(opened: OpenedLog): void {
    this.#options.log.error(
      { component: 'store' },
      `${this.#file}: could not be read any more, was quarantined as ${opened.quarantined.at(-1)}; a new one is begun`,
    );
    this.#adopt(opened);
    this.#opening?.workers?.openReader().catch(error => this.#setFault(describeError(error)));
  }

  append(reading: PackReading): void {
    this.#appender.append(reading);
  }

  appendAlert(alert: Alert): void {
    this.#appender.appendAlert(alert);
  }

  appendRecord(kind: RecordKind, t_ms: number, record: object): void {
    this.#appender.appendRecord(kind, t_ms, record);
  }

  flush(): Promise<void> {
    if (!this.#takesRecords) return Promise.reject(this.#notOpen());
    return this.#queue.flush(this.#fault === undefined ? undefined : this.#failure(this.#fault));
  }

  stats(): StoreStats {
    const { waiting_ms } = this.#queue;
    const stuck =
      waiting_ms > STUCK_AFTER_MS
        ? `${this.#file}: a commit has been waiting for ${Math.round(waiting_ms / 1000)} s`
        : undefined;
    return {
      ...this.#stats,
      ...this.#appender.counts,
      ...this.#upkeep.stats(),
      parts_damaged: this.#damage.count,
      queue_bytes: this.#queue.bytes,
      fault: this.#fault ?? stuck ?? this.#archive_fault,
      quarantined: this.#quarantined,
      lost: this.#lost,
    };
  }

  isAlive(): boolean {
    const is_stuck = this.#fault === undefined && this.#queue.waiting_ms > STUCK_AFTER_MS;
    return !this.#has_ended && !is_stuck;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  onDurable(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async fork(after_seq: number, above_seq: number): Promise<void> {
    await this.flush();
    this.#adopt(await this.#write('fork', { after_seq, above_seq, t_ms: this.#clock.wallMs() }));
    await this.#opening?.workers?.openReader();
  }

  /** Infinite where there is no centre. */
  #knownSynced(): number {
    return this.#options.keep_unsynced ? this.#synced_seq : Number.POSITIVE_INFINITY;
  }

  get #takesRecords(): boolean {
    return this.#state === 'open' || this.#state === 'waiting';
  }

  #commit(buffer: ArrayBuffer, used: number): Promise<Committed> {
    if (this.#state !== 'open' || !this.#opening) return this.#held.hold(buffer, used);
    return this.#opening.workers.commit(buffer, used);
  }

  #committed(committed: Committed): void {
    if (this.#stats.first_seq === 0) this.#stats.first_seq = this.#stats.durable_seq + 1;
    this.#stats.durable_seq = committed.last_seq;
    this.#stats.readings_committed += committed.readings;
    this.#stats.file_bytes = committed.file_bytes;
    this.#stats.commits++;
    for (const listener of this.#listeners) listener();
    this.#appender.reportLosses();
  }

  #onWriterEvent(event: WorkerEvent): void {
    this.#has_ended ||= event.ended === true;
    if ('fault' in event) this.#setFault(event.fault);
    if (event.reopened) this.#reopened(event.reopened);
    if (event.damage !== undefined) this.#damaged(event.damage);
    if (!event.archive) return;
    const { waiting_spans, fault } = event.archive;
    if (fault !== undefined && fault !== this.#archive_fault)
      this.#options.log.error({ component: 'store' }, `finished hours wait in the log: ${fault}`);
    this.#archive_fault = fault;
    this.#stats.spans_waiting = waiting_spans;
  }

  #damaged(what: string): void {
    if (this.#damage.found(what))
      this.#options.log.error({ component: 'store' }, `${this.#file}: cannot be read: ${what}`);
  }

  #setFault(fault: string | undefined): void {
    if (this.#state === 'closed') return;
    if (fault !== undefined) {
      this.#stats.commit_failures++;
      this.#queue.failWaiters(this.#failure(fault));
    }
    if (fault === this.#fault) return;
    this.#fault = fault;
    if (fault === undefined)
      this.#options.log.info({ component: 'store' }, `${this.#file}: writing works again`);
    else this.#options.log.error({ component: 'store' }, `writing fails, readings wait in memory: ${fault}`);
  }

  #retained({ lost, last_seq, first_seq, quarantined }: WriterMethods['retain'][1]): void {
    this.#stats.first_seq = first_seq;
    this.#quarantined = quarantined;
    if (this.#state === 'open') void this.#documents.store().catch(() => {});
    if (!lost) return;
    this.#stats.readings_removed_unsynced += lost.readings ?? 0;
    this.#stats.durable_seq = Math.max(this.#stats.durable_seq, last_seq);
  }

  async #close(): Promise<void> {
    const was_open = this.#state === 'open';
    const fault = this.#fault ?? `${this.#file}: the writer did not answer`;
    const { readings_dropped } = this.#appender.counts;
    if (this.#takesRecords) this.#queue.post();
    this.#state = 'closed';
    this.#queue.stopTimer();
    this.#upkeep.stop();
    this.#held.fail(this.#notOpen());
    await this.#opening?.close(was_open, this.#knownSynced());
    this.lost_at_close = this.#appender.counts.readings_dropped - readings_dropped;
    if (this.lost_at_close > 0)
      this.#options.log.error(
        { component: 'store' },
        `${this.lost_at_close} readings that waited in memory could not be written and are lost: ${fault}`,
      );
  }

  readonly #read: Read = async (method, params) => {
    if (!this.#takesRecords || !this.#opening) throw this.#notOpen();
    return this.#opening.read(method, params);
  };

  readonly #write: Write = async (method, params) => {
    if (this.#state !== 'open' || !this.#opening) throw this.#notOpen();
    return this.#opening.workers.write(method, params);
  };

  #notOpen(): GatewayError {
    return this.#failure(`${this.#file}: the store is not open`);
  }

  #failure(reason: string): GatewayError {
    return new GatewayError('STORE_FAILED', reason);
  }
}
