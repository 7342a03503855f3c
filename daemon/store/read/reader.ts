/** Everything that only reads the file, on a read-only connection. Runs in the reader's thread. */

import Database from 'better-sqlite3';
import { type Alert, storedAlert } from '../../../core/alerts/alert.ts';
import type { AuditReply } from '../../../core/contract/access.ts';
import type { ClockState } from '../../../core/contract/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isRepeatedAt } from '../../../core/reading/codec.ts';
import type { AlertEvent } from '../../../core/reports/alert-performance.ts';
import type { VisitBytes } from '../format/block.ts';
import { type CheckedParts, PartsCheck, type PartsPosition } from '../log/check-parts.ts';
import { readClockState } from '../log/clock-records.ts';
import { LogBatchBuilder } from '../log/log-batch.ts';
import { type Chunk, LogRows } from '../log/log-rows.ts';
import {
  type AlertEventRequest,
  type AlertRequest,
  type AuditRequest,
  type CompletenessRow,
  type ExportChunk,
  type ExportRequest,
  type HistoryFormat,
  type HistoryRequest,
  type LogBatch,
  LogKind,
  type ReadingCount,
  type RuleReplayReply,
  type RuleReplayRequest,
  type TimeSpan,
} from '../store.ts';
import type { Document } from '../worker-messages.ts';
import { readAudit } from './audit-reader.ts';
import { readCompleteness } from './completeness-reader.ts';
import { exportChunk } from './export-reader.ts';
import { HistoryReader } from './history-reader.ts';
import { historyText } from './history-text.ts';
import { type Pause, RuleReplayReader } from './rule-replay-reader.ts';

/** Unpacked for counting, before others are answered. */
const CHUNKS_PER_TURN = 16;

export class Reader {
  readonly #db: Database.Database;
  readonly #rows: LogRows;
  readonly #history: HistoryReader;
  readonly #selectPackId: Database.Statement<[number], string>;
  readonly #pack_ids = new Map<number, string>();
  readonly #onDamage: (what: string) => void;
  #parts: PartsCheck | undefined;

  /**
   * `onDamage` is called for every part of the file that cannot be read; its rows are left out. `cache_kib`: of pages
   * (default: 16 MiB).
   */
  constructor(file: string, onDamage: (what: string) => void = () => {}, cache_kib?: number) {
    this.#db = new Database(file, { readonly: true, fileMustExist: true });
    if (cache_kib !== undefined) this.#db.pragma(`cache_size = -${cache_kib}`);
    this.#onDamage = onDamage;
    this.#rows = new LogRows(this.#db, onDamage);
    this.#history = new HistoryReader(this.#db, this.#rows, onDamage);
    this.#selectPackId = this.#db
      .prepare<[number], string>('SELECT pack_id FROM packs WHERE pack_key = ?')
      .pluck();
  }

  /** `pause` is awaited between steps; when it returns false the query is given up with STORE_FAILED. */
  async history(
    request: HistoryRequest,
    format: HistoryFormat,
    pause: () => Promise<boolean>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return historyText(await this.#history.read(request, pause), format);
  }

  /** Of a span, ascending; at most `limit`, the newest of them. */
  alertEvents({ from_ms, to_ms, limit }: AlertEventRequest): AlertEvent[] {
    return this.#db
      .prepare<object, AlertEvent>(
        `SELECT t_ms, alert_id, rule_id, battery_id, pack_id, severity, change FROM alert_events
         WHERE t_ms >= :from_ms AND t_ms < :to_ms ORDER BY t_ms DESC, log_seq DESC LIMIT :limit`,
      )
      .all({ from_ms, to_ms, limit })
      .reverse();
  }

  /** Of each rule and subject the newest one that is over. */
  pastAlerts(): Alert[] {
    const bodies = this.#db
      .prepare<[], { body: string }>(
        `SELECT body, max(raised_ms) FROM alerts WHERE NOT coalesce(body ->> 'is_open', state = 'active')
         GROUP BY body ->> 'rule_id', body ->> 'pack_id', body ->> 'connection_id'`,
      )
      .all();
    return bodies.map(({ body }) => storedAlert(JSON.parse(body)));
  }

  /** Newest first; the same as alert-page.ts makes of a list. */
  alerts(request: AlertRequest): Alert[] {
    const bodies = this.#db
      .prepare<object, string>(
        `SELECT body FROM alerts
         WHERE (:state = 'all' OR state = :state OR (:state = 'open' AND coalesce(body ->> 'is_open', state = 'active')))
           AND raised_ms BETWEEN :from_ms AND :to_ms
           AND (:after_ms IS NULL OR (raised_ms, alert_id) < (:after_ms, :after_id))
           AND (:battery_ids IS NULL OR body ->> 'battery_id' IN (SELECT value FROM json_each(:battery_ids))
                OR (:with_gateway AND body ->> 'battery_id' IS NULL))
           AND (:pack_id IS NULL OR body ->> 'pack_id' = :pack_id)
           AND (:severity IS NULL OR body ->> 'severity' = :severity)
         ORDER BY raised_ms DESC, alert_id DESC LIMIT :limit`,
      )
      .pluck()
      .all({
        state: request.state,
        limit: request.limit,
        from_ms: request.from_ms ?? 0,
        to_ms: request.to_ms ?? Number.MAX_SAFE_INTEGER,
        after_ms: request.after?.raised_ms ?? null,
        after_id: request.after?.id ?? null,
        battery_ids: request.battery_ids
          ? JSON.stringify(request.battery_ids.filter(id => id !== null))
          : null,
        with_gateway: request.battery_ids?.includes(null) ? 1 : 0,
        pack_id: request.pack_id ?? null,
        severity: request.severity ?? null,
      });
    return bodies.map(body => storedAlert(JSON.parse(body)));
  }

  /** Of every pack ever configured, in the order they came. */
  packIds(): string[] {
    return this.#db.prepare<[], string>('SELECT pack_id FROM packs ORDER BY pack_key').pluck().all();
  }

  exportChunk(request: ExportRequest): ExportChunk {
    const ranges = (from_ms: number, to_ms: number) => this.#rows.ranges(from_ms, to_ms);
    const scanBytes = (...args: [number, number, VisitBytes]) => this.#rows.scanBytes(...args);
    const packId = (pack_key: number) => this.#packId(pack_key);
    const isUncertain = (seq: number) => this.#rows.corrections.isUncertain(seq);
    return exportChunk({ ranges, isUncertain, scanBytes, packId }, request);
  }

  /** Readings with a time in the span and a number up to `up_to_seq`, by pack id. `pause` as in `history`. */
  async readingCounts(
    from_ms: number,
    to_ms: number,
    up_to_seq: number,
    pause: () => Promise<boolean>,
  ): Promise<Record<string, ReadingCount>> {
    const by_key = new Map<number, { readings: number; repeated: number }>();
    const count = (pack_key: number, readings: number, repeated: number) => {
      if (readings === 0) return;
      const counted = by_key.get(pack_key) ?? { readings: 0, repeated: 0 };
      counted.readings += readings;
      counted.repeated += repeated;
      by_key.set(pack_key, counted);
    };
    const isWanted = (seq: number, t_ms: number) => seq <= up_to_seq && t_ms >= from_ms && t_ms < to_ms;
    const partly: Chunk[] = [];
    this.#rows.inOneState(() => {
      for (const chunk of this.#rows.chunks(undefined, from_ms, to_ms - 1)) {
        const { pack_key, row_count, repeated_count, min_t_ms, max_t_ms, last_seq } = chunk;
        if (pack_key === 0) continue;
        if (min_t_ms >= from_ms && max_t_ms < to_ms && last_seq <= up_to_seq)
          count(pack_key, row_count, repeated_count);
        else partly.push(chunk);
      }
      this.#rows.scanUnarchived(from_ms, to_ms - 1, undefined, (seq, kind, pack_key, t_ms, body) => {
        if (kind === LogKind.reading && isWanted(seq, t_ms))
          count(pack_key, 1, isRepeatedAt(body, 0) ? 1 : 0);
        return true;
      });
    });
    for (const [i, chunk] of partly.entries()) {
      for (const group of this.#rows.groups(chunk)) {
        const times = this.#rows.times(chunk, group);
        const rel_seqs = group.relSeqs();
        const { bytes, ends } = group.bodies();
        times.forEach((t_ms, row) => {
          if (!isWanted(chunk.first_seq + rel_seqs[row], t_ms)) return;
          count(chunk.pack_key, 1, isRepeatedAt(bytes, row === 0 ? 0 : ends[row - 1]) ? 1 : 0);
        });
      }
      if (i % CHUNKS_PER_TURN === 0 && !(await pause()))
        throw new GatewayError('STORE_FAILED', 'counting readings takes too long');
    }
    return Object.fromEntries(
      [...by_key].flatMap(([pack_key, count]) => {
        const pack_id = this.#packId(pack_key);
        return pack_id === undefined ? [] : [[pack_id, count]];
      }),
    );
  }

  completeness(
    span: TimeSpan & { synced_seq: number | null },
    pause: () => Promise<boolean>,
  ): Promise<CompletenessRow[]> {
    return readCompleteness(this.#db, span, (from_ms, to_ms, up_to_seq) =>
      this.readingCounts(from_ms, to_ms, up_to_seq, pause),
    );
  }

  replayRules(request: RuleReplayRequest, pause: Pause): Promise<RuleReplayReply> {
    const keys = this.#db
      .prepare<[], { pack_key: number; pack_id: string }>('SELECT pack_key, pack_id FROM packs')
      .all();
    const by_id = new Map(keys.map(({ pack_key, pack_id }) => [pack_id, pack_key]));
    return new RuleReplayReader(this.#rows, request, pack_id => by_id.get(pack_id), pause).read();
  }

  clockState(boot_id: string): ClockState {
    return readClockState(this.#db, this.#rows, boot_id);
  }

  audit(request: AuditRequest): AuditReply {
    return readAudit(this.#db, request);
  }

  get(kind: string, id: string): Document | null {
    const body = this.#db
      .prepare<[string, string], string>('SELECT body FROM documents WHERE kind = ? AND id = ?')
      .pluck()
      .get(kind, id);
    return body === undefined ? null : { id, body: parsed(body) };
  }

  list(kind: string): Document[] {
    return this.#db
      .prepare<[string], { id: string; body: string }>(
        'SELECT id, body FROM documents WHERE kind = ? ORDER BY id',
      )
      .all(kind)
      .map(({ id, body }) => ({ id, body: parsed(body) }));
  }

  /** See check-parts.ts. What is damaged is reported like any other damage. */
  checkParts(position: PartsPosition | undefined, at_least_bytes: number): CheckedParts {
    this.#parts ??= new PartsCheck(
      this.#db,
      ({ name, reason }) => this.#onDamage(`${name}: ${reason}`),
      what => this.#onDamage(what),
    );
    return this.#parts.check(position, at_least_bytes);
  }

  readBatch(after_seq: number, max_rows: number, max_bytes: number): LogBatch {
    const batch = new LogBatchBuilder(max_rows, max_bytes);
    this.#rows.scanBytes(after_seq, Number.MAX_SAFE_INTEGER, (seq, kind, pack_key, t_ms, bytes, start, end) =>
      batch.add(seq, kind, pack_key, t_ms, bytes, start, end),
    );
    return batch.done();
  }

  #packId(pack_key: number): string | undefined {
    const known = this.#pack_ids.get(pack_key) ?? this.#selectPackId.get(pack_key);
    if (known !== undefined) this.#pack_ids.set(pack_key, known);
    return known;
  }

  close(): void {
    this.#db.close();
  }
}

/** Null, which no kind of document is, where the bytes are no longer JSON. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
