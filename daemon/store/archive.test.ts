/** The log reads the same whether its rows stand singly, in blocks, or in the archive. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeInto, maxEncodedBytes } from '../../core/reading/codec.ts';
import { BatchBuffer } from './batch-buffer.ts';
import { SQLITE_MIGRATIONS } from './migration-files.ts';
import { Reader } from './reader.ts';
import { LogKind } from './store.ts';
import { numberedReading, smallTopology, temporaryDirectory } from './testing.ts';
import { Writer } from './writer.ts';

const T0 = Date.UTC(2026, 0, 1);
const topology = smallTopology(3);
let directory: ReturnType<typeof temporaryDirectory>;
let file: string;
beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory.path, 'gateway.db');
});
afterEach(() => directory.remove());

function openWriter(span_rows: number, name = 'Site'): Writer {
  const writer = new Writer(file, SQLITE_MIGRATIONS);
  const pack_ids = topology.packs.map(({ id }) => id);
  writer.open({ pack_ids, topology: JSON.stringify({ name }), t_ms: T0, span_rows });
  return writer;
}

interface Row {
  readonly kind: number;
  readonly pack_key: number;
  readonly t_ms: number;
  readonly body: string;
}

/** Writes rows as one commit does. */
function commit(writer: Writer, rows: readonly (Row | { pack: number; n: number; t_ms: number })[]): Row[] {
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

function readingBody(pack: number, n: number, t_ms: number): Buffer {
  const reading = numberedReading(topology, pack, n, t_ms);
  const bytes = Buffer.alloc(maxEncodedBytes(reading.shape));
  return bytes.subarray(0, encodeInto(reading, new DataView(bytes.buffer), 0));
}

function archiveAll(writer: Writer): void {
  while (writer.archiveStep() !== 'idle') {}
}

function readAll(reader: Reader, after_seq: number, max_rows: number): (Row & { seq: number })[] {
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

const anyRow = fc.oneof(
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
      kind: fc.constantFrom(LogKind.clock, LogKind.gap, LogKind.reading),
      pack_key: fc.constant(0),
      t_ms: fc.constant(T0),
      body: fc.string({ maxLength: 20 }).map(text => Buffer.from(text).toString('latin1')),
    }),
  },
);
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.array(anyRow, { minLength: 1, maxLength: 25 }) },
  { weight: 4, arbitrary: fc.constantFrom('archive_step', 'archive_all', 'restart', 'new_topology', 'read') },
);

test('whatever is committed, moved, and restarted, every row is read in order, byte for byte', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), fc.integer({ min: 1, max: 60 }), (steps, span_rows) => {
      const own = temporaryDirectory();
      file = join(own.path, 'gateway.db');
      let site = 0;
      let writer = openWriter(span_rows, `${site}`);
      const topologyRow = () => ({
        kind: LogKind.topology,
        pack_key: 0,
        t_ms: T0,
        body: JSON.stringify({ name: `${site}` }),
      });
      const expected: Row[] = [topologyRow()];
      const reader = new Reader(file);
      for (const step of [...steps, 'archive_all', 'read'] as const) {
        if (Array.isArray(step)) expected.push(...commit(writer, step));
        else if (step === 'archive_step') writer.archiveStep();
        else if (step === 'archive_all') archiveAll(writer);
        else if (step === 'read') {
          const all = readAll(reader, 0, span_rows + 7);
          expect(all).toEqual(expected.map((row, i) => ({ seq: i + 1, ...row })));
          const from = Math.floor(expected.length / 2);
          expect(readAll(reader, from, 10)).toEqual(all.slice(from));
        } else {
          writer.close();
          if (step === 'new_topology') site++;
          writer = openWriter(span_rows, `${site}`);
          if (step === 'new_topology') expected.push(topologyRow());
        }
      }
      reader.close();
      writer.close();
      own.remove();
    }),
    { numRuns: 40 },
  );
});

test('a log of single rows, as older versions wrote it, is read on and moves into the archive', () => {
  openWriter(10).close();
  const old = new Database(file);
  for (let n = 0; n < 15; n++)
    old
      .prepare('INSERT INTO log (seq, kind, pack_key, t_ms, body) VALUES (?, 1, 1, ?, ?)')
      .run(n + 2, T0 + n, readingBody(0, n, T0 + n));
  old.exec(`INSERT INTO spans VALUES (2, 11, ${T0}, ${T0 + 9}, 0, 0)`);
  old.close();
  const writer = openWriter(10);
  const reader = new Reader(file);
  const before = readAll(reader, 0, 100);
  expect(before).toHaveLength(16);
  commit(writer, [{ pack: 1, n: 3, t_ms: T0 + 99 }]);
  archiveAll(writer);
  expect(readAll(reader, 0, 100).slice(0, 16)).toEqual(before);
  expect(readAll(reader, 16, 100)).toMatchObject([{ seq: 17, pack_key: 2, t_ms: T0 + 99 }]);
  reader.close();
  writer.close();
});

test('a chunk that the card damaged costs its own rows only', () => {
  const writer = openWriter(6);
  for (let n = 0; n < 3; n++)
    commit(
      writer,
      [0, 1].map(pack => ({ pack, n, t_ms: T0 + n })),
    );
  archiveAll(writer);
  writer.close();
  const card = new Database(file);
  card.exec(
    "UPDATE chunks SET body = CAST(substr(body, 1, 20) || x'00ff' || substr(body, 23) AS BLOB) WHERE pack_key = 1",
  );
  card.close();
  const reader = new Reader(file);
  expect(readAll(reader, 1, 100).map(row => row.pack_key)).toEqual([2, 2, 2]);
  reader.close();
});
