/**
 * Records on their way to the writer: a batch is posted once per commit interval, or when full. While the writer is
 * behind, records gather in the current batch; when `queue_bytes` are on their way the newest are refused. Alerts and
 * other records may use one batch more than readings.
 */
import type { Clock, TimerHandle } from '../../../core/clock/clock.ts';
import type { GatewayError } from '../../../core/errors.ts';
import { BatchBuffer } from '../format/batch-buffer.ts';
import { LogKind } from '../store.ts';
import type { Committed } from '../worker-messages.ts';
import { FlushWaiters } from './flush-waiters.ts';

const QUEUE_BYTES = 16 << 20;
const BATCH_BYTES = 1 << 20;

export interface CommitQueueOptions {
  readonly clock: Clock;
  readonly commit_interval_ms: number;
  readonly queue_bytes?: number | undefined;
  readonly batch_bytes?: number | undefined;
  readonly commit: (buffer: ArrayBuffer, used: number) => Promise<Committed>;
  /** Called once the batch is no longer on its way; those who wait for it are answered before. */
  readonly onCommitted: (committed: Committed) => void;
  /** Given up for good. */
  readonly onLost: (readings: number) => void;
}

export class CommitQueue {
  readonly #options: CommitQueueOptions;
  readonly #batch_bytes: number;
  readonly #max_batches: number;
  readonly #free: ArrayBuffer[] = [];
  readonly #flush_waiters = new FlushWaiters();
  #current: BatchBuffer | undefined;
  #commit_timer: TimerHandle | undefined;
  /** The commit interval is over, but a batch was still on its way. */
  #commit_due = false;
  #posted_batches = 0;
  #settled_batches = 0;
  #posted_bytes = 0;
  #settled_mono_ms = 0;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
    this.#batch_bytes = options.batch_bytes ?? BATCH_BYTES;
    this.#max_batches = Math.max(4, Math.ceil((options.queue_bytes ?? QUEUE_BYTES) / this.#batch_bytes));
  }

  /** Of records that are not durable yet. */
  get bytes(): number {
    return this.#posted_bytes + (this.#current?.used ?? 0);
  }

  /** How long the oldest batch has been on its way; 0 when there is none. */
  get waiting_ms(): number {
    return this.#isBehind ? this.#options.clock.monoMs() - this.#settled_mono_ms : 0;
  }

  /** The batch that takes a body of this size; undefined: it must be dropped. */
  batchFor(kind: number, body_bytes: number): BatchBuffer | undefined {
    if (this.#current && !this.#current.hasRoom(body_bytes)) this.post();
    if (!this.#current) {
      const on_their_way = this.#posted_batches - this.#settled_batches;
      const allowed = kind === LogKind.reading ? this.#max_batches - 1 : this.#max_batches;
      if (on_their_way >= allowed) return undefined;
      const batch = new BatchBuffer(this.#free.pop() ?? new ArrayBuffer(this.#batch_bytes));
      if (!batch.hasRoom(body_bytes)) return undefined;
      this.#current = batch;
      this.#commit_timer ??= this.#options.clock.setTimer(
        () => this.#commitIntervalOver(),
        this.#options.commit_interval_ms,
      );
    }
    return this.#current;
  }

  /** The current batch goes, however little is in it. */
  post(): void {
    const batch = this.#current;
    if (!batch) return;
    const { clock, commit, onLost } = this.#options;
    this.stopTimer();
    this.#commit_due = false;
    this.#current = undefined;
    if (!this.#isBehind) this.#settled_mono_ms = clock.monoMs();
    this.#posted_batches++;
    this.#posted_bytes += batch.used;
    const { used, readings, buffer } = batch;
    commit(buffer, used).then(
      committed => this.#committed(committed, used),
      error => {
        this.#settle(used);
        onLost(readings);
        this.#flush_waiters.settle(this.#settled_batches, error);
      },
    );
  }

  /** Resolves when all that was appended so far is durable. `fault`: why it would wait for long. */
  flush(fault: GatewayError | undefined): Promise<void> {
    this.post();
    const batch = this.#posted_batches;
    if (this.#settled_batches >= batch) return Promise.resolve();
    if (fault) return Promise.reject(fault);
    return this.#flush_waiters.wait(batch);
  }

  /** Those who wait get the answer that it takes longer; what they wait for stays on its way. */
  failWaiters(error: GatewayError): void {
    this.#flush_waiters.settle(Number.POSITIVE_INFINITY, error);
  }

  stopTimer(): void {
    this.#options.clock.clearTimer(this.#commit_timer);
    this.#commit_timer = undefined;
  }

  get #isBehind(): boolean {
    return this.#posted_batches > this.#settled_batches;
  }

  #commitIntervalOver(): void {
    this.#commit_timer = undefined;
    // A full batch may wait behind others; a part-filled one rather goes on filling until the writer is free.
    if (this.#isBehind) this.#commit_due = true;
    else this.post();
  }

  #committed(committed: Committed, used: number): void {
    this.#free.push(committed.buffer);
    this.#settle(used);
    this.#options.onCommitted(committed);
    this.#flush_waiters.settle(this.#settled_batches);
    if (this.#commit_due && !this.#isBehind) this.post();
  }

  #settle(used: number): void {
    this.#settled_batches++;
    this.#posted_bytes -= used;
    this.#settled_mono_ms = this.#options.clock.monoMs();
  }
}
