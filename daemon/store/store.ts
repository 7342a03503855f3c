/**
 * What the rest of the daemon knows of storage. Implementation: one writer worker and one reader worker
 * over SQLite (WAL); nothing here ever blocks the caller's thread on a disk.
 */

import type { Alert, AlertSeverity } from '../../core/alerts/alert.ts';
import type { ThresholdRule } from '../../core/alerts/rule.ts';
import type { Replayed } from '../../core/alerts/rule-replay.ts';
import type { AuditReply } from '../../core/contract/access.ts';
import type { ClockState } from '../../core/contract/clock.ts';
import type { HourOfPack } from '../../core/contract/completeness.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { AlertEvent } from '../../core/reports/alert-performance.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { ExportForm } from './read/export-text.ts';

export interface StoreStats {
  /** Highest sequence number that a commit has made durable; 0 when the log is empty. */
  readonly durable_seq: number;
  /** Lowest sequence number of a reading or alert still in the log; 0 when there is none. */
  readonly first_seq: number;
  readonly readings_appended: number;
  readonly readings_committed: number;
  /** Lost because the bounded queue to the writer was full, or because a write failed for good. */
  readonly readings_dropped: number;
  /** Alerts lost the same way; they may use room that readings may not. */
  readonly alerts_dropped: number;
  /** Other records lost the same way. */
  readonly records_dropped: number;
  /** Removed before the centre had them, because the disk was short of room. */
  readonly readings_removed_unsynced: number;
  /** Of the file, without what is free in it; as of the last round of retention. */
  readonly used_bytes: number;
  /** The most that it may use. */
  readonly max_bytes: number;
  /** For it on the disk and inside the file, as of the last round of retention; 0 before. */
  readonly free_bytes: number;
  /** With less than this the oldest rows go. */
  readonly keep_free_bytes: number;
  /** Of the write-ahead log, as of the last round of retention. */
  readonly wal_bytes: number;
  /** What keeps it from being written back into the database, so that it grows; undefined: nothing. */
  readonly wal_held: string | undefined;
  readonly queue_bytes: number;
  readonly commits: number;
  readonly commit_failures: number;
  readonly file_bytes: number;
  /** Finished runs of rows that are not yet in the archive, or not in the rollups although it is time. */
  readonly spans_waiting: number;
  /** Blocks, chunks and rollups that this run could not read; their rows are left out. */
  readonly parts_damaged: number;
  /** Of the pass over all checksums that is under way (scrub.ts); 100 while it rests. */
  readonly scrub_done_pct: number;
  /** Whole passes so far. */
  readonly scrub_passes: number;
  /** Since the last of them; 0 while there is none. */
  readonly scrub_finished_ago_s: number;
  /** One line when this run found that rows, or the whole database, had been lost before it. */
  readonly lost: string | undefined;
  /** Databases that could not be read and lie beside the new one. */
  readonly quarantined: readonly string[];
  /** One line while writing fails; undefined while it works. */
  readonly fault: string | undefined;
}

export type HistoryFormat = 'json' | 'csv';

export interface HistoryRequest {
  readonly pack_id: string;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly max_points: number;
  /** Only of this cell, counted from 1; undefined: of all. */
  readonly cell_no?: number | undefined;
}

export interface AlertRequest {
  /** `open`: not yet back to normal. */
  readonly state: 'active' | 'cleared' | 'open' | 'all';
  readonly limit: number;
  /** Only of these batteries, and of the gateway itself where null is among them; undefined: of all and of it. */
  readonly battery_ids?: readonly (string | null)[] | undefined;
  readonly pack_id?: string | undefined;
  readonly severity?: AlertSeverity | undefined;
  /** Raised within this span, both ends included. */
  readonly from_ms?: number | undefined;
  readonly to_ms?: number | undefined;
  /** Only those that come after this one in the order, newest first. */
  readonly after?: Pick<Alert, 'raised_ms' | 'id'> | undefined;
}

export interface AuditRequest {
  readonly actor?: string | undefined;
  /** An action, or a group of them: what stands before the dot. */
  readonly action?: string | undefined;
  readonly from_ms?: number | undefined;
  readonly to_ms?: number | undefined;
  /** Only what is older than this `next` of a page before. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** Small JSON records by kind and id: users, settings, keys. */
export interface Documents {
  get(kind: string, id: string): Promise<unknown | undefined>;
  list(kind: string): Promise<{ id: string; body: unknown }[]>;
  put(kind: string, id: string, body: unknown): Promise<void>;
  delete(kind: string, id: string): Promise<boolean>;
}

export interface TimeSpan {
  readonly from_ms: number;
  readonly to_ms: number;
}

export interface AlertEventRequest extends TimeSpan {
  readonly limit: number;
}

/** Readings of some packs in a span (`to_ms` excluded), as text, piece by piece. */
export interface ExportRequest extends TimeSpan {
  readonly pack_ids: readonly string[];
  readonly form: ExportForm;
  /** 0 for the first piece, then `next_seq` of the piece before. */
  readonly after_seq: number;
}

export interface ExportChunk {
  readonly text: Uint8Array<ArrayBuffer>;
  /** Null after the last piece. */
  readonly next_seq: number | null;
  readonly readings: number;
  /** Readings whose bytes cannot be decoded; they are left out. */
  readonly undecodable: number;
}

/** Stored readings of some packs in a span (`to_ms` excluded), judged by two sets of rules. */
export interface RuleReplayRequest extends TimeSpan {
  readonly topology: Topology;
  readonly before: readonly ThresholdRule[];
  readonly after: readonly ThresholdRule[];
  /** Dense indices. */
  readonly packs: readonly number[];
  readonly silent_after_ms: number;
  readonly limit_ms: number;
}

export interface RuleReplayReply {
  readonly before: Replayed;
  readonly after: Replayed;
  /** False: there was no time for all of it; what comes after `last_ms` was not looked at. */
  readonly is_whole: boolean;
  readonly readings: number;
  /** Passed over: damaged, or of a pack that had other cells then. */
  readonly undecodable: number;
  /** Of the readings looked at; null: there was none. */
  readonly first_ms: number | null;
  readonly last_ms: number | null;
}

export interface ReadingCount {
  readonly readings: number;
  /** Of these: the pack had reported nothing since the one before. */
  readonly repeated: number;
}

/** An hour of a pack. */
export interface CompletenessRow extends Required<HourOfPack> {
  readonly hour_ms: number;
  /** Readings of the hour that the centre has; null: no centre is configured. */
  readonly synced: number | null;
}

export interface Store {
  /**
   * Opens or makes the files, runs migrations, records the topology in the log when it changed. Where the disk cannot be
   * written (full, read-only, fails) it resolves all the same: `fault` is set, what is appended and put waits in memory,
   * and opening is tried again until it works; see also `is_unread`. GatewayErrors else: STORE_IN_USE, OPTION_INVALID,
   * MIGRATION_CHANGED, SCHEMA_TOO_NEW.
   */
  open(topology: Topology): Promise<void>;
  /** Calls once the store can be written: at once when it can. */
  onOpen(listener: () => void): void;
  /** Encodes into the current batch at once (the reading may be reused) and returns; durable within the commit interval. */
  append(reading: PackReading): void;
  /** Records a change of an alert: in the ordered log for the centre and in the alert table, in one commit. */
  appendAlert(alert: Alert): void;
  /** Puts a small record into the ordered log for the centre; it may use room that readings may not. */
  appendRecord(kind: RecordKind, t_ms: number, record: object): void;
  /** Resolves when everything appended so far is durable; rejects when it cannot be made so. */
  flush(): Promise<void>;
  /** JSON as the contract's HistoryReply, or a table, in UTF-8: as it goes over the network. */
  history(request: HistoryRequest, format: HistoryFormat): Promise<Uint8Array<ArrayBuffer>>;
  alerts(request: AlertRequest): Promise<Alert[]>;

  /** When alerts were raised, cleared and acknowledged in a span, ascending; at most `limit`, the newest of them. */
  alertEvents(request: AlertEventRequest): Promise<AlertEvent[]>;

  /** Of each rule and subject the newest alert that is over. */
  pastAlerts(): Promise<Alert[]>;
  /** What was recorded with LogKind.audit, newest first. */
  audit(request: AuditRequest): Promise<AuditReply>;
  /** Readings in the log by pack id, of a span of time (`to_ms` excluded). */
  readingCounts(span: TimeSpan): Promise<Record<string, ReadingCount>>;
  /** What was recorded with LogKind.completeness, by hour and pack, ascending. */
  completeness(span: TimeSpan): Promise<CompletenessRow[]>;
  /** What was recorded with LogKind.clock of one boot, and the newest certain time of a reading. */
  clockState(boot_id: string): Promise<ClockState>;
  /** In the log's order. */
  exportChunk(request: ExportRequest): Promise<ExportChunk>;
  /** One at a time: another one ends the one before, and so does the signal; it then resolves with what it has. */
  replayRules(request: RuleReplayRequest, signal: AbortSignal): Promise<RuleReplayReply>;
  readonly documents: Documents;
  stats(): StoreStats;
  /** False when only a restart can help: a thread is gone, or does not answer. A disk that is full is no such fault. */
  isAlive(): boolean;
  /** Commits what is pending and closes; safe at any moment, also twice. */
  close(): Promise<void>;
  /** Readings that `close` could not write. */
  readonly lost_at_close: number;
  /**
   * At the start nothing that is stored could be read: users, settings and alerts are unknown. It stays so until the next
   * start, also when the store has been opened meanwhile (`onOpen`).
   */
  readonly is_unread: boolean;
}

/** What a log row holds, by `kind`. Numbers are stored: append only. */
export const LogKind = {
  /** JSON of a Topology; rows after it were made under it. */
  topology: 0,
  /** Bytes of core/reading/codec.ts; pack and time stand in the row. */
  reading: 1,
  /** JSON of an Alert, once for each change. */
  alert: 2,
  /** JSON of a ClockRecord: who vouches for the times of the rows after it, or by how much those of others are off. */
  clock: 3,
  /** JSON: readings that were lost, how many and why. */
  gap: 4,
  /** JSON: what of an hour was expected, received and stored, by pack. */
  completeness: 5,
  /** JSON: who did what. */
  audit: 6,
} as const;

/** Records that are JSON and nothing else to the store. */
export type RecordKind = (typeof LogKind)['clock' | 'gap' | 'completeness' | 'audit'];

/** Rows of the log in order, as parallel columns. Body `i` is `bytes.subarray(i ? end[i - 1] : 0, end[i])`. */
export interface LogBatch {
  readonly count: number;
  readonly seq: Float64Array;
  readonly kind: Uint8Array;
  /** Stable number of the pack, 0 where the row concerns none; its id is `LogSource.packId`. */
  readonly pack_key: Int32Array;
  readonly t_ms: Float64Array;
  readonly end: Uint32Array;
  readonly bytes: Uint8Array;
}

/** The one ordered log as those who send it on see it. Valid after the store was opened. */
export interface LogSource {
  /** Random name of this log, made once with its file. */
  readonly incarnation: string;
  /** Of the logs that this one follows, as their files could not be read or were removed; the latest first. */
  readonly predecessors: readonly string[];
  /** Of the first row this log ever had: numbers below are those of its predecessors. */
  readonly numbers_from: number;
  durableSeq(): number;
  /** Calls back after each commit that added rows. Returns the function that ends it. */
  onDurable(listener: () => void): () => void;
  /** Durable rows with `seq > after_seq`, at most `max_rows`, and `max_bytes` of bodies (but at least one row). */
  readBatch(after_seq: number, max_rows: number, max_bytes: number): Promise<LogBatch>;
  packId(pack_key: number): string | undefined;
  /**
   * The centre has rows up to `above_seq` of a log of this name, of which only those up to `after_seq` are also here:
   * the file was restored from an older copy. Rows after that are renumbered above, and the log gets a new name.
   */
  fork(after_seq: number, above_seq: number): Promise<void>;
  /**
   * The centre has everything up to `seq`, and as far as is known no more: older rows may go when their time has come.
   * The row itself stays. Remembered over restarts.
   */
  markSynced(seq: number): void;
}
