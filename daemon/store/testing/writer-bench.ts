/** Drives the writer and the reader of the store without their threads, for tests. */
import fc from 'fast-check';
import { encodeInto, maxEncodedBytes } from '../../../core/reading/codec.ts';
import { SQLITE_MIGRATIONS } from '../file/migration-files.ts';
import { BatchBuffer } from '../format/batch-buffer.ts';
import type { Reader } from '../read/reader.ts';
import { LogKind } from '../store.ts';
import { Writer } from '../write/writer.ts';
import { numberedReading, smallTopology } from './fixtures.ts';

const T0 = Date.UTC(2026, 0, 1);
const topology = smallTopology(3);

export function openWriter(file: string, span_rows: number, name = 'Site'): Writer {
  const writer = new Writer(file, SQLITE_MIGRATIONS);
  const pack_ids = topology.packs.map(({ id }) => id);
  writer.open({ pack_ids, topology: JSON.stringify({ name }), t_ms: T0, span_rows });
  return writer;
}

export interface Row {
  readonly kind: number;
  readonly pack_key: number;
  readonly t_ms: number;
  readonly body: string;
}

/** Writes rows as one commit does. */
export function commit(
  writer: Writer,
  rows: readonly (Row | { pack: number; n: number; t_ms: number })[],
): Row[] {
  const batch = new BatchBuffer(new ArrayBuffer(1 << 20));
  const written: Row[] = [];
  for (const row of rows) {
    const kind = 'pack' in row ? LogKind.reading : row.kind;
    const pack_key = 'pack' in row ? row.pack + 1 : row.pack_key;
    const body = 'pack' in row ? readingBody(row.pack, row.n, row.t_ms) : Buffer.from(row.body, 'latin1');
    batch.bytes.set(body, batch.bodyOffset);
    batch.finish(kind, pack_key, row.t_ms, body.length);
    written.push({ kind, pack_key, t_ms: row.t_ms, body: body.toString('latin1') });
  }
  writer.commit(batch.buffer, batch.used);
  return written;
}

export function readingBody(pack: number, n: number, t_ms: number): Buffer {
  const reading = numberedReading(topology, pack, n, t_ms);
  const bytes = Buffer.alloc(maxEncodedBytes(reading.shape));
  return bytes.subarray(0, encodeInto(reading, new DataView(bytes.buffer), 0));
}

export function archiveAll(writer: Writer): void {
  while (writer.archiveStep() !== 'idle') {}
}

export function readAll(reader: Reader, after_seq: number, max_rows: number): (Row & { seq: number })[] {
  const rows: (Row & { seq: number })[] = [];
  for (let seq = after_seq; ; ) {
    const batch = reader.readBatch(seq, max_rows, 1 << 16);
    if (batch.count === 0) return rows;
    for (let i = 0; i < batch.count; i++) {
      const bytes = batch.bytes.subarray(i === 0 ? 0 : batch.end[i - 1], batch.end[i]);
      const body = Buffer.from(bytes).toString('latin1');
      rows.push({
        seq: batch.seq[i],
        kind: batch.kind[i],
        pack_key: batch.pack_key[i],
        t_ms: batch.t_ms[i],
        body,
      });
    }
    seq = batch.seq[batch.count - 1];
  }
}

export const anyRow = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      pack: fc.nat(2),
      n: fc.nat(100_000),
      t_ms: fc.integer({ min: -5000, max: 100_000 }).map(t => T0 + t),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom(LogKind.gap, LogKind.reading),
      pack_key: fc.constant(0),
      t_ms: fc.constant(T0),
      body: fc.string({ maxLength: 20 }).map(text => Buffer.from(text).toString('latin1')),
    }),
  },
);
