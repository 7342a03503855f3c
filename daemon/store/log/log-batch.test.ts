/** A batch read out of the log holds what a scan of its rows gives, byte for byte, within its limits. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { Reader } from '../read/reader.ts';
import type { LogBatch } from '../store.ts';
import { temporaryDirectory } from '../testing/fixtures.ts';
import { anyRow, archiveAll, commit, openWriter } from '../testing/writer-bench.ts';
import { LogRows } from './log-rows.ts';

/** Row by row, as an object each. */
function scanned(rows: LogRows, after_seq: number, max_rows: number, max_bytes: number): LogBatch {
  const found: { seq: number; kind: number; pack_key: number; t_ms: number; body: Buffer }[] = [];
  let byte_count = 0;
  rows.scan(after_seq, Number.MAX_SAFE_INTEGER, (seq, kind, pack_key, t_ms, body) => {
    if (found.length === max_rows || (found.length > 0 && byte_count + body.length > max_bytes)) return false;
    byte_count += body.length;
    found.push({ seq, kind, pack_key, t_ms, body });
    return true;
  });
  let end = 0;
  return {
    count: found.length,
    seq: Float64Array.from(found, row => row.seq),
    kind: Uint8Array.from(found, row => row.kind),
    pack_key: Int32Array.from(found, row => row.pack_key),
    t_ms: Float64Array.from(found, row => row.t_ms),
    end: Uint32Array.from(found, row => (end += row.body.length)),
    bytes: Uint8Array.from(Buffer.concat(found.map(row => row.body))),
  };
}

test('a batch is what a scan gives, however many rows it takes and wherever they stand', () => {
  const anyCommit = fc.array(anyRow, { minLength: 1, maxLength: 60 });
  const anyLimits = fc.record({
    max_rows: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5000 })),
    max_bytes: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 1 << 20 })),
  });
  const property = fc.property(
    fc.array(anyCommit, { maxLength: 20, size: '+1' }),
    fc.array(anyCommit, { maxLength: 4 }),
    anyLimits,
    (to_archive, loose, { max_rows, max_bytes }) => {
      const { path, remove } = temporaryDirectory();
      const file = join(path, 'gateway.db');
      const writer = openWriter(file, 150);
      for (const rows of to_archive) commit(writer, rows);
      archiveAll(writer);
      for (const rows of loose) commit(writer, rows);
      const db = new Database(file, { readonly: true });
      const [reader, rows] = [new Reader(file), new LogRows(db)];
      for (let seq = 0; ; ) {
        const batch = reader.readBatch(seq, max_rows, max_bytes);
        expect(batch).toEqual(scanned(rows, seq, max_rows, max_bytes));
        if (batch.count === 0) break;
        seq = batch.seq[batch.count - 1];
      }
      const just_full = scanned(rows, 0, 7, 1 << 20).bytes.length;
      expect(reader.readBatch(0, 1000, just_full)).toEqual(scanned(rows, 0, 1000, just_full));
      reader.close();
      db.close();
      writer.close();
      remove();
    },
  );
  fc.assert(property, { numRuns: runsOf(20) });
}, 60_000);
