/** The log reads the same whether its rows stand singly, in blocks, or in the archive. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { Reader } from '../read/reader.ts';
import { LogKind } from '../store.ts';
import { temporaryDirectory } from '../testing/fixtures.ts';
import {
  anyRow,
  archiveAll,
  commit,
  openWriter,
  type Row,
  readAll,
  readingBody,
} from '../testing/writer-bench.ts';

const T0 = Date.UTC(2026, 0, 1);
let directory: ReturnType<typeof temporaryDirectory>;
let file: string;
beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory.path, 'gateway.db');
});
afterEach(() => directory.remove());

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
      let writer = openWriter(file, span_rows, `${site}`);
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
          writer = openWriter(file, span_rows, `${site}`);
          if (step === 'new_topology') expected.push(topologyRow());
        }
      }
      reader.close();
      writer.close();
      own.remove();
    }),
    { numRuns: runsOf(40) },
  );
});

test('a log of single rows, as older versions wrote it, is read on and moves into the archive', () => {
  openWriter(file, 10).close();
  const old = new Database(file);
  for (let n = 0; n < 15; n++)
    old
      .prepare('INSERT INTO log (seq, kind, pack_key, t_ms, body) VALUES (?, 1, 1, ?, ?)')
      .run(n + 2, T0 + n, readingBody(0, n, T0 + n));
  old.exec(`INSERT INTO spans VALUES (2, 11, ${T0}, ${T0 + 9}, 0, 0)`);
  old.close();
  const writer = openWriter(file, 10);
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
  const writer = openWriter(file, 6);
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
