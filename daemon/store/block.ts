/** A block: all records of one commit, compressed, as one row of the log. */
import { recordBody, recordBytes, recordKind, recordPackKey, recordTime } from './batch-buffer.ts';
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

export function encodeBlock(records: Uint8Array): Buffer {
  return compress(records);
}

/**
 * Visits the records of a row, whatever form it has; with `only_pack` only those of that pack key. Throws when the row
 * is damaged. Returns what the last visit said.
 */
export function visitRow(row: StoredRow, visit: Visit, only_pack?: number): boolean {
  if (row.kind !== BLOCK_KIND) {
    if (only_pack !== undefined && row.pack_key !== only_pack) return true;
    return visit(row.seq, row.kind, row.pack_key, row.t_ms, row.body);
  }
  let seq = row.seq - row.pack_key;
  const bytes = decompress(row.body);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += recordBytes(view, at)) {
    seq++;
    const pack_key = recordPackKey(view, at);
    if (only_pack !== undefined && pack_key !== only_pack) continue;
    if (!visit(seq, recordKind(view, at), pack_key, recordTime(view, at), recordBody(view, at))) return false;
  }
  return true;
}
