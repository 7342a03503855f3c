/** One piece of an export out of the log: as much as fits, and where the next one goes on. */
import { ReadingDecoder } from '../../../core/reading/codec.ts';
import type { VisitBytes } from '../format/block.ts';
import type { ShiftedRange } from '../log/clock-corrections.ts';
import { type ExportChunk, type ExportRequest, LogKind } from '../store.ts';
import { ExportText } from './export-text.ts';

/** A piece ends after so many bytes or rows read, so that others are answered in between. */
const CHUNK_BYTES = 256 << 10;
const CHUNK_ROWS = 8192;
/** For the lines of the last reading, which is begun while there is room. */
const LAST_READING_BYTES = 32 << 10;

export interface LogView {
  /** Runs of numbers that can hold rows of the span, ascending. */
  ranges(from_ms: number, to_ms: number): ShiftedRange[];
  isUncertain(seq: number): boolean;
  /** Visits rows with `after_seq < seq <= up_to_seq` until asked to stop. */
  scanBytes(after_seq: number, up_to_seq: number, visit: VisitBytes): void;
  packId(pack_key: number): string | undefined;
}

const decoder = new ReadingDecoder();

/** Rows go from where they are unpacked straight into text: nothing else grows with the piece. */
export function exportChunk(log: LogView, request: ExportRequest): ExportChunk {
  const { from_ms, to_ms, pack_ids, form, after_seq } = request;
  const wanted = new Set(pack_ids);
  const text = new ExportText(form, CHUNK_BYTES + LAST_READING_BYTES);
  if (after_seq === 0) text.head();
  let readings = 0;
  let undecodable = 0;
  let rows_read = 0;
  let done_seq = after_seq;
  let is_full = false;
  let viewed: Buffer | undefined;
  let view: DataView = new DataView(new ArrayBuffer(0));
  for (const { first_seq, last_seq, shift_ms } of log.ranges(from_ms, to_ms)) {
    if (last_seq <= done_seq) continue;
    log.scanBytes(
      Math.max(done_seq, first_seq - 1),
      last_seq,
      (seq, kind, pack_key, t_ms, bytes, at, end) => {
        is_full = text.bytes >= CHUNK_BYTES || rows_read >= CHUNK_ROWS;
        if (is_full) return false;
        rows_read++;
        done_seq = seq;
        if (kind === LogKind.reading) add(seq, pack_key, t_ms + shift_ms, bytes, at, end);
        return true;
      },
    );
    if (is_full) return { text: text.done(), next_seq: done_seq, readings, undecodable };
    done_seq = last_seq;
  }
  return { text: text.done(), next_seq: null, readings, undecodable };

  function add(seq: number, pack_key: number, t_ms: number, bytes: Buffer, at: number, end: number): void {
    if (t_ms < from_ms || t_ms >= to_ms) return;
    const pack_id = log.packId(pack_key);
    if (pack_id === undefined || !wanted.has(pack_id)) return;
    // Many rows stand in the same bytes.
    if (bytes !== viewed) {
      viewed = bytes;
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const reading = decoder.decode(view, at, end - at);
    if (typeof reading === 'number') {
      undecodable++;
      return;
    }
    text.reading(reading, { pack_id, t_ms, certain: !log.isUncertain(seq) });
    readings++;
  }
}
