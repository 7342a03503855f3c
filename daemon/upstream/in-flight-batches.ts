/**
 * The batches that are between the log and the centre: one that is sent and, beside it, the next that is read. Their
 * memory is given back when a batch has arrived, and does not wait for the collector, which would let it pile up.
 */
import type { LogBatch } from '../store/store.ts';

const BATCHES = 2;
/** Number, kind, pack, time and end of each row. */
const BYTES_PER_ROW = 25;

/** Whatever the backlog; a single row that is larger than `batch_bytes` comes alone. */
export function maxBytesInFlight(batch_rows: number, batch_bytes: number): number {
  return BATCHES * (batch_bytes + batch_rows * BYTES_PER_ROW);
}

export class InFlightBatches {
  readonly #batches = new Set<LogBatch>();

  get bytes(): number {
    let bytes = 0;
    for (const batch of this.#batches) for (const buffer of buffersOf(batch)) bytes += buffer.byteLength;
    return bytes;
  }

  add(batch: LogBatch): void {
    this.#batches.add(batch);
  }

  /** It cannot be read any more. */
  arrived(batch: LogBatch): void {
    this.#batches.delete(batch);
    for (const buffer of buffersOf(batch)) if (!buffer.detached) buffer.transfer(0);
  }
}

function buffersOf({ seq, kind, pack_key, t_ms, end, bytes }: LogBatch): ArrayBuffer[] {
  return [seq, kind, pack_key, t_ms, end, bytes].map(column => column.buffer as ArrayBuffer);
}
