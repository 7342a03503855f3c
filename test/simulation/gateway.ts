/** One gateway without its threads: the real Writer, Reader and sync over the virtual disk, wire and clock. */
import { silentLogger } from '../../core/log.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { SQLITE_MIGRATIONS } from '../../daemon/store/file/migration-files.ts';
import { ProcessLock } from '../../daemon/store/file/process-lock.ts';
import { BatchBuffer } from '../../daemon/store/format/batch-buffer.ts';
import { Reader } from '../../daemon/store/read/reader.ts';
import type { LogBatch, LogSource } from '../../daemon/store/store.ts';
import type { OpenedLog, WriterMethods } from '../../daemon/store/worker-messages.ts';
import type { RetainRequest } from '../../daemon/store/write/retention.ts';
import { Writer } from '../../daemon/store/write/writer.ts';
import { createUpstream, type Upstream } from '../../daemon/upstream/upstream.ts';
import { type NewRow, type Row, rowsOf } from './log-model.ts';
import type { SimClock } from './sim-clock.ts';

const MORE_THAN_A_BATCH = 1 << 20;

export interface GatewayOptions {
  readonly file: string;
  readonly gateway_id: string;
  readonly database_url: string;
  readonly clock: SimClock;
  readonly topology: Topology;
  readonly span_rows: number;
  readonly batch_rows: number;
}

/** A run of the process, from its start to its end. */
export class Gateway implements LogSource {
  readonly writer: Writer;
  reader: Reader;
  readonly upstream: Upstream;
  readonly #file: string;
  readonly #lock: ProcessLock;
  readonly #clock: SimClock;
  opened: OpenedLog;
  readonly #listeners = new Set<() => void>();
  readonly #pack_ids: ReadonlyMap<number, string>;
  #durable_seq: number;
  /** What the sync said the centre has. */
  synced_seq: number;

  /** Throws what a fault of the disk makes of it, or STORE_IN_USE; nothing stays open then. */
  constructor({ file, gateway_id, database_url, clock, topology, span_rows, batch_rows }: GatewayOptions) {
    this.#clock = clock;
    this.#file = file;
    let writer: Writer | undefined;
    const lock = ProcessLock.take(`${file}.lock`, file, 'stop that one first');
    try {
      writer = new Writer(file, SQLITE_MIGRATIONS);
      const pack_ids = topology.packs.map(({ id }) => id);
      const params = { pack_ids, topology: JSON.stringify(topology), t_ms: clock.wallMs(), span_rows };
      this.opened = writer.open(params);
      this.reader = new Reader(file);
    } catch (error) {
      attempt(() => writer?.close());
      attempt(() => lock.release());
      throw error;
    }
    this.#lock = lock;
    this.writer = writer;
    this.#durable_seq = this.opened.last_seq;
    this.synced_seq = this.opened.synced_seq;
    this.#pack_ids = new Map(this.opened.packs.map(({ pack_key, pack_id }) => [pack_key, pack_id]));
    const log = silentLogger;
    this.upstream = createUpstream({ database_url, gateway_id, source: this, clock, log, batch_rows });
  }

  get incarnation(): string {
    return this.opened.incarnation;
  }

  get predecessors(): readonly string[] {
    return this.opened.predecessors;
  }

  get numbers_from(): number {
    return this.opened.numbers_from;
  }

  durableSeq(): number {
    return this.#durable_seq;
  }

  onDurable(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async readBatch(after_seq: number, max_rows: number, max_bytes: number): Promise<LogBatch> {
    return this.reader.readBatch(after_seq, max_rows, max_bytes);
  }

  async fork(after_seq: number, above_seq: number): Promise<void> {
    this.opened = this.writer.fork({ after_seq, above_seq, t_ms: this.#clock.wallMs() });
    this.reader.close();
    this.reader = new Reader(this.#file);
    this.#noteLastSeq(this.opened.last_seq);
  }

  packId(pack_key: number): string | undefined {
    return this.#pack_ids.get(pack_key);
  }

  markSynced(seq: number): void {
    this.synced_seq = seq;
  }

  /** As the store posts a batch to its writer; on return all of it is acknowledged. */
  commit(rows: readonly NewRow[]): void {
    const batch = batchOf(rows);
    const { last_seq } = this.writer.commit(batch.buffer, batch.used);
    if (last_seq !== this.#durable_seq + rows.length)
      throw new Error(
        `the batch of ${rows.length} rows after ${this.#durable_seq} ends with row ${last_seq}`,
      );
    this.#noteLastSeq(last_seq);
  }

  retain(request: RetainRequest): WriterMethods['retain'][1] {
    const retained = this.writer.retain(request);
    this.#noteLastSeq(retained.last_seq);
    return retained;
  }

  readAll(after_seq = 0, max_rows = MORE_THAN_A_BATCH): Row[] {
    const rows: Row[] = [];
    for (let seq = after_seq; ; ) {
      const found = rowsOf(this.reader.readBatch(seq, max_rows, MORE_THAN_A_BATCH));
      if (found.length === 0) return rows;
      rows.push(...found);
      seq = found[found.length - 1].seq;
    }
  }

  #noteLastSeq(last_seq: number): void {
    if (last_seq === this.#durable_seq) return;
    this.#durable_seq = last_seq;
    for (const listener of this.#listeners) listener();
  }

  /** Lets go of the files, whether the disk still answers or not. */
  release(): void {
    attempt(() => this.reader.close());
    attempt(() => this.writer.close(this.synced_seq));
    attempt(() => this.#lock.release());
  }
}

export function batchOf(rows: readonly NewRow[]): BatchBuffer {
  const byte_count = rows.reduce((sum, { body }) => sum + body.length + 20, 0);
  const batch = new BatchBuffer(new ArrayBuffer(byte_count));
  for (const { kind, pack_key, t_ms, body } of rows) {
    batch.bytes.set(Buffer.from(body, 'latin1'), batch.bodyOffset);
    batch.finish(kind, pack_key, t_ms, body.length);
  }
  return batch;
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The disk of this run is gone, and what it thinks of that does not matter.
  }
}
