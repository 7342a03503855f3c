/** A block: all records of one commit, compressed, as one row of the log. */
import { RECORD_HEADER_BYTES, recordBytes, recordKind, recordPackKey, recordTime } from './batch-buffer.ts';
import { compress, decompress } from './packed-columns.ts';

/** In the log's `kind`, which for single records is a LogKind. */
export const BLOCK_KIND = 255;

/** A row of the log as it stands in the file; see migrations/sqlite/006_archive.sql. */
export interface StoredRow {
  readonly seq: number;
  readonly kind: number;
  readonly pack_key: number;
  readonly t_ms: number;
  readonly body: Buffer;
}

/** False ends the visit. `body` stays valid. */
export type Visit = (seq: number, kind: number, pack_key: number, t_ms: number, body: Buffer) => boolean;
/** The same without an object per row: the body is from `start` to `end` of `bytes`. */
export type VisitBytes = (
  seq: number,
  kind: number,
  pack_key: number,
  t_ms: number,
  bytes: Buffer,
  start: number,
  end: number,
) => boolean;

export function withBodies(visit: Visit): VisitBytes {
  return (seq, kind, pack_key, t_ms, bytes, start, end) =>
    visit(seq, kind, pack_key, t_ms, bytes.subarray(start, end));
}

export function encodeBlock(records: Uint8Array): Buffer {
  return compress(records);
}

/**
 * Visits the records of a row, whatever form it has; with `only_pack` only those of that pack key. Throws when the row
 * is damaged. Returns what the last visit said.
 */
export function visitRow(row: StoredRow, visit: VisitBytes, only_pack?: number): boolean {
  if (row.kind !== BLOCK_KIND) {
    if (only_pack !== undefined && row.pack_key !== only_pack) return true;
    return visit(row.seq, row.kind, row.pack_key, row.t_ms, row.body, 0, row.body.length);
  }
  let seq = row.seq - row.pack_key;
  const bytes = decompress(row.body);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0, end = 0; at < bytes.length; at = end) {
    seq++;
    end = at + recordBytes(view, at);
    const pack_key = recordPackKey(view, at);
    if (only_pack !== undefined && pack_key !== only_pack) continue;
    if (end > bytes.length) throw new RangeError('a block ends too early');
    const start = at + RECORD_HEADER_BYTES;
    if (!visit(seq, recordKind(view, at), pack_key, recordTime(view, at), bytes, start, end)) return false;
  }
  return true;
}
