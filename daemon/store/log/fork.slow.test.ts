/**
 * A log that was restored from an older copy goes on above the numbers that the centre knows: every row once, in order,
 * wherever it stood.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { Reader } from '../read/reader.ts';
import { LogKind } from '../store.ts';
import { historyOf, temporaryDirectory } from '../testing/fixtures.ts';
import { anyRow, archiveAll, commit, openWriter, readAll } from '../testing/writer-bench.ts';

const T0 = Date.UTC(2026, 0, 1);
const forever = { from_ms: 0, to_ms: T0 + 1e12 };

const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.array(anyRow, { minLength: 1, maxLength: 25 }) },
  { weight: 3, arbitrary: fc.constantFrom('archive_step', 'archive_all', 'new_topology') },
);

test('rows up to the edge stay as they are, those after it are renumbered in the same order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { minLength: 1, maxLength: 25 }),
      fc.array(anyStep, { maxLength: 8 }),
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(1000),
      async (before, after, span_rows, edge, ahead) => {
        const directory = temporaryDirectory();
        const file = join(directory.path, 'gateway.db');
        let site = 0;
        let writer = openWriter(file, span_rows, '0');
        const run = (steps: typeof before) => {
          for (const step of steps) {
            if (Array.isArray(step)) commit(writer, step);
            else if (step === 'archive_step') writer.archiveStep();
            else if (step === 'archive_all') archiveAll(writer);
            else {
              writer.close();
              writer = openWriter(file, span_rows, `${++site}`);
            }
          }
        };
        run(before);
        const read = (after_seq = 0) => {
          const reader = new Reader(file);
          const rows = readAll(reader, after_seq, 50);
          reader.close();
          return rows;
        };
        const old = read();
        const last_seq = old[old.length - 1].seq;
        const after_seq = Math.floor(edge * last_seq);
        const above_seq = Math.max(after_seq, last_seq - 20 + ahead);
        const { incarnation } = writer.describe();
        const opened = writer.fork({ after_seq, above_seq, t_ms: T0 });
        expect(opened.predecessors).toEqual([incarnation]);
        const first_new = Math.max(above_seq, last_seq) + 1;
        const check = () => {
          const rows = read();
          const kept = old.filter(({ seq }) => seq <= after_seq);
          expect(rows.slice(0, kept.length)).toEqual(kept);
          const moved = rows.slice(kept.length, old.length);
          const plain = ({ seq: _, ...row }: (typeof rows)[number]) => row;
          expect(moved.map(plain)).toEqual(old.slice(kept.length).map(plain));
          expect(rows.slice(kept.length).map(({ seq }) => seq)).toEqual(
            rows.slice(kept.length).map((_, i) => first_new + i),
          );
          expect(rows[old.length].kind).toBe(LogKind.gap);
          return rows;
        };
        check();
        run(after);
        archiveAll(writer);
        const rows = check();
        // Nothing is counted twice where readings are found by time.
        const reader = new Reader(file);
        const counts = await reader.readingCounts(0, T0 + 1e12, Number.MAX_SAFE_INTEGER, async () => true);
        const steps = await historyOf(reader, { ...forever, pack_id: 'p01', max_points: 1 });
        const own = rows.filter(({ kind, pack_key }) => kind === LogKind.reading && pack_key === 1);
        expect(counts.p01?.readings ?? 0).toBe(own.length);
        expect(steps.reading_count).toBe(own.length);
        reader.close();
        writer.close();
        directory.remove();
      },
    ),
    { numRuns: runsOf(30) },
  );
});
