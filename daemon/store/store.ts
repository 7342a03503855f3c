/**
 * What the rest of the daemon knows of storage. Implementation: one writer worker and one reader worker
 * over SQLite (WAL); nothing here ever blocks the caller's thread on a disk.
 */
import type { Alert } from '../../core/alerts/alert.ts';
import type { HistoryReply } from '../../core/contract/http.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { Topology } from '../../core/topology/topology.ts';

export interface StoreStats {
  /** Highest sequence number that a commit has made durable; 0 when the log is empty. */
  readonly durable_seq: number;
  /** Lowest sequence number still in the log. */
  readonly first_seq: number;
  readonly readings_appended: number;
  readonly readings_committed: number;
  /** Lost because the bounded queue to the writer was full, or because a write failed for good. */
  readonly readings_dropped: number;
  readonly queue_bytes: number;
  readonly commits: number;
  readonly commit_failures: number;
  readonly file_bytes: number;
  /** One line while writing fails; undefined while it works. */
  readonly fault: string | undefined;
}

export interface HistoryRequest {
  readonly pack_id: string;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly max_points: number;
}

export interface AlertRequest {
  readonly state: 'active' | 'cleared' | 'all';
  readonly limit: number;
  /** Only of these batteries; undefined: of all. */
  readonly battery_ids?: readonly string[] | undefined;
}

/** Small JSON records by kind and id: users, settings, keys. */
export interface Documents {
  get(kind: string, id: string): Promise<unknown | undefined>;
  list(kind: string): Promise<{ id: string; body: unknown }[]>;
  put(kind: string, id: string, body: unknown): Promise<void>;
  delete(kind: string, id: string): Promise<boolean>;
}

export interface Store {
  /** Opens or makes the files, runs migrations, records the topology in the log when it changed. */
  open(topology: Topology): Promise<void>;
  /** Encodes into the current batch at once (the reading may be reused) and returns; durable within the commit interval. */
  append(reading: PackReading): void;
  /** Records a raised or cleared alert: in the ordered log for the centre and in the alert table, in one commit. */
  appendAlert(alert: Alert): void;
  /** Resolves when everything appended so far is durable; rejects when it cannot be made so. */
  flush(): Promise<void>;
  history(request: HistoryRequest): Promise<HistoryReply>;
  alerts(request: AlertRequest): Promise<Alert[]>;
  readonly documents: Documents;
  stats(): StoreStats;
  /** Commits what is pending and closes; safe at any moment, also twice. */
  close(): Promise<void>;
}
