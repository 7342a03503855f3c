/** One piece of an export out of the log: as much as fits, and where the next one goes on. */

import { ReadingDecoder } from '../../core/reading/codec.ts';
import type { ShiftedRange } from './corrections.ts';
import { exportHead, exportLines } from './export-text.ts';
import type { ExportChunk, ExportRequest } from './store.ts';
import { type LogBatch, LogKind } from './store.ts';

/** A piece ends after so many characters or rows looked at, so that others are answered in between. */
const CHUNK_CHARACTERS = 256 << 10;
const CHUNK_ROWS = 8192;
const BATCH_ROWS = 1024;
const BATCH_BYTES = 1 << 20;

export interface LogView {
  /** Runs of numbers that can hold rows of the span, ascending. */
  ranges(from_ms: number, to_ms: number): ShiftedRange[];
  isUncertain(seq: number): boolean;
  readBatch(after_seq: number, max_rows: number, max_bytes: number): LogBatch;
  packId(pack_key: number): string | undefined;
}

const decoder = new ReadingDecoder();

export function exportChunk(log: LogView, request: ExportRequest): ExportChunk {
  const { from_ms, to_ms, pack_ids, form, after_seq } = request;
  const wanted = new Set(pack_ids);
  const ranges = log.ranges(from_ms, to_ms).filter(range => range.last_seq > after_seq);
  let text = after_seq === 0 ? exportHead(form) : '';
  let readings = 0;
  let undecodable = 0;
  let looked_at = 0;
  let seq = after_seq;
  for (const { first_seq, last_seq, shift_ms } of ranges) {
    seq = Math.max(seq, first_seq - 1);
    while (seq < last_seq) {
      if (text.length >= CHUNK_CHARACTERS || looked_at >= CHUNK_ROWS) return done(seq);
      const batch = log.readBatch(seq, Math.min(BATCH_ROWS, last_seq - seq), BATCH_BYTES);
      if (batch.count === 0) break;
      looked_at += batch.count;
      // Where numbers are missing it reaches beyond the range.
      seq = Math.min(batch.seq[batch.count - 1], last_seq);
      addBatch(batch, seq, shift_ms);
    }
  }
  return done(null);

  function done(next_seq: number | null): ExportChunk {
    return { text: Buffer.from(text), next_seq, readings, undecodable };
  }

  function addBatch(batch: LogBatch, up_to_seq: number, shift_ms: number): void {
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
    for (let i = 0; i < batch.count && batch.seq[i] <= up_to_seq; i++) {
      const t_ms = batch.t_ms[i] + shift_ms;
      if (batch.kind[i] !== LogKind.reading || t_ms < from_ms || t_ms >= to_ms) continue;
      const pack_id = log.packId(batch.pack_key[i]);
      if (pack_id === undefined || !wanted.has(pack_id)) continue;
      const start = i === 0 ? 0 : batch.end[i - 1];
      const reading = decoder.decode(view, start, batch.end[i] - start);
      if (typeof reading === 'number') undecodable++;
      else {
        text += exportLines(form, reading, { pack_id, t_ms, certain: !log.isUncertain(batch.seq[i]) });
        readings++;
      }
    }
  }
}
