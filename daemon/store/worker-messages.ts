/** Requests and replies between the daemon's thread and the store's workers. */

import type { Alert } from '../../core/alerts/alert.ts';
import type { AuditReply } from '../../core/contract/access.ts';
import type { ClockState } from '../../core/contract/clock.ts';
import type { GapRecord } from '../../core/contract/gap.ts';
import { describeError, type ErrorCode, GatewayError } from '../../core/errors.ts';
import type { AlertEvent } from '../../core/reports/alert-performance.ts';
import type { WalState } from './file/wal-watch.ts';
import type { CheckedParts, PartsPosition } from './log/check-parts.ts';
import type {
  AlertEventRequest,
  AlertRequest,
  AuditRequest,
  CompletenessRow,
  ExportChunk,
  ExportRequest,
  HistoryFormat,
  HistoryRequest,
  LogBatch,
  ReadingCount,
  RuleReplayReply,
  RuleReplayRequest,
  TimeSpan,
} from './store.ts';
import type { RetainRequest } from './write/retention.ts';

export interface OpenedLog {
  readonly incarnation: string;
  /** Of the logs before this one, the latest first. */
  readonly predecessors: readonly string[];
  /** Of the first row this log ever had. */
  readonly numbers_from: number;
  /** What the centre had when it was last noted; 0: not known. */
  readonly synced_seq: number;
  /** One line when rows that had been written are not there any more. */
  readonly lost: string | undefined;
  /** Databases that could not be read and were kept under another name. */
  readonly quarantined: readonly string[];
  readonly last_seq: number;
  readonly first_seq: number;
  readonly file_bytes: number;
  readonly packs: readonly { readonly pack_key: number; readonly pack_id: string }[];
}

/** `buffer` goes back to its sender for reuse. */
export interface Committed {
  readonly buffer: ArrayBuffer;
  readonly last_seq: number;
  readonly readings: number;
  readonly file_bytes: number;
}

export interface Document {
  readonly id: string;
  readonly body: unknown;
}

/** What the writer does, by method: [parameters, result]. */
export interface WriterMethods {
  open: [
    {
      pack_ids: readonly string[];
      topology: string;
      t_ms: number;
      span_rows?: number | undefined;
      /** Keys that are in use already. */
      pack_keys?: OpenedLog['packs'];
    },
    OpenedLog,
  ];
  commit: [{ buffer: ArrayBuffer; used: number }, Committed];
  put: [{ kind: string; id: string; body: string }, null];
  delete: [{ kind: string; id: string }, boolean];
  /** One round of removing what is old or has no room. */
  retain: [
    RetainRequest,
    {
      lost: GapRecord | null;
      last_seq: number;
      first_seq: number;
      used_bytes: number;
      free_bytes: number;
      quarantined: string[];
    } & WalState,
  ];
  /** See Writer.fork. */
  fork: [{ after_seq: number; above_seq: number; t_ms: number }, OpenedLog];
  /** What the centre has; infinite where there is none. */
  close: [{ synced_seq: number }, null];
}

export interface ReaderMethods {
  /** Also again, when the file was replaced. */
  open: [null, null];
  history: [HistoryRequest & { format: HistoryFormat }, Uint8Array<ArrayBuffer>];
  alerts: [AlertRequest, Alert[]];
  past_alerts: [undefined, Alert[]];
  alert_events: [AlertEventRequest, AlertEvent[]];
  clock_state: [{ boot_id: string }, ClockState];
  audit: [AuditRequest, AuditReply];
  export_chunk: [ExportRequest, ExportChunk];
  reading_counts: [TimeSpan, Record<string, ReadingCount>];
  completeness: [TimeSpan & { synced_seq: number | null }, CompletenessRow[]];
  replay_rules: [RuleReplayRequest, RuleReplayReply];
  /** The one under way is to end soon. */
  end_replay: [null, null];
  get: [{ kind: string; id: string }, Document | null];
  list: [{ kind: string }, Document[]];
  check_parts: [{ position: PartsPosition | null; at_least_bytes: number }, CheckedParts];
  read_batch: [{ after_seq: number; max_rows: number; max_bytes: number }, LogBatch];
  close: [null, null];
}

export type Methods = { readonly [method: string]: [unknown, unknown] };

/** Asks a thread to end itself; it gets no reply. */
export const END = 'end';

export interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

/** Finished spans that wait for the archive, and what keeps it from being written. */
export interface ArchiveState {
  readonly waiting_spans: number;
  readonly fault: string | undefined;
}

/** What a worker says unasked: what keeps it from writing, `undefined` when it works again; and of the archive. */
export interface WorkerEvent {
  readonly fault?: string | undefined;
  /** The thread is gone; only a restart of the process brings it back. */
  readonly ended?: true;
  readonly archive?: ArchiveState;
  /** A part of the file that cannot be read; its rows are left out. */
  readonly damage?: string;
  /** The file could not be read any more; a new one was begun. */
  readonly reopened?: OpenedLog;
}

export type WorkerMessage =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly code: ErrorCode; readonly message: string }
  | { readonly id?: undefined; readonly event: WorkerEvent };

export function failedReply(id: number, error: unknown): WorkerMessage {
  const code = error instanceof GatewayError ? error.code : 'STORE_FAILED';
  return { id, ok: false, code, message: describeError(error) };
}

/** What a worker is started with. */
export interface WorkerSetup {
  readonly file: string;
  readonly migrations: string;
}
