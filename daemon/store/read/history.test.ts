/** History says the same before and after its readings moved into the archive, and its steps are those of the readings. */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HistoryReply } from '../../../core/contract/http.ts';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { encodeInto, maxEncodedBytes } from '../../../core/reading/codec.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { Quality } from '../../../core/reading/quality.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { SQLITE_MIGRATIONS } from '../file/migration-files.ts';
import { BatchBuffer } from '../format/batch-buffer.ts';
import { encodeChunk, openChunk } from '../format/chunk.ts';
import { groupValues, valuesOfBodies } from '../format/chunk-series.ts';
import { LogKind } from '../store.ts';
import { historyOf, temporaryDirectory } from '../testing/fixtures.ts';
import { Writer } from '../write/writer.ts';
import { ThinnedSeries } from './history.ts';
import { Reader } from './reader.ts';

const T0 = Date.UTC(2026, 0, 1);
const CELLS = 3;
const goes = async () => true;

interface Sample {
  readonly pack: number;
  readonly after_ms: number;
  readonly voltage_v: number;
  readonly cells_v: readonly number[];
  readonly newest_age_ms: number;
  readonly is_repeated: boolean;
  readonly quality: number;
}

const anySample = fc.record({
  pack: fc.nat(1),
  after_ms: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -7_200_000, max: 14_400_000 }) },
  ),
  voltage_v: fc.integer({ min: 0, max: 8000 }).map(n => n / 100),
  cells_v: fc.array(
    fc.integer({ min: 20_000, max: 40_000 }).map(n => n / 10_000),
    {
      minLength: CELLS,
      maxLength: CELLS,
    },
  ),
  newest_age_ms: fc.option(
    fc.integer({ min: -50, max: 200 }).map(n => n * 10),
    { nil: Number.NaN, freq: 8 },
  ),
  is_repeated: fc.boolean(),
  quality: fc.constantFrom(Quality.good, Quality.good, Quality.good, Quality.stale, Quality.missing),
});

function bodyOf({ voltage_v, cells_v, quality, newest_age_ms, is_repeated }: Sample): Buffer {
  const reading = new PackReading(0, { cell_count: CELLS, sensor_count: 0, device_alarms: [] });
  reading.values[PackMetric.voltage_v] = voltage_v;
  reading.value_quality[PackMetric.voltage_v] = Quality.good;
  reading.newest_age_ms = newest_age_ms;
  reading.oldest_age_ms = newest_age_ms + 700;
  reading.is_repeated = is_repeated;
  const is_missing = quality === Quality.missing;
  reading.column(CellMetric.voltage_v).set(cells_v);
  reading.columnQuality(CellMetric.voltage_v).fill(Quality.good);
  reading.columnQuality(CellMetric.voltage_v)[1] = quality;
  if (is_missing) reading.column(CellMetric.voltage_v)[1] = Number.NaN;
  const bytes = Buffer.alloc(maxEncodedBytes(reading.shape));
  return bytes.subarray(0, encodeInto(reading, new DataView(bytes.buffer), 0));
}

/** What the steps of cell 2 must be, counted one by one. */
function expectedSteps(samples: readonly (Sample & { t_ms: number })[], start_ms: number, step_ms: number) {
  const steps = new Map<number, number[]>();
  for (const { pack, t_ms, cells_v, quality } of samples) {
    if (pack !== 0) continue;
    const step = start_ms + Math.floor((t_ms - start_ms) / step_ms) * step_ms;
    const values = steps.get(step) ?? [];
    if (quality === Quality.good) values.push(cells_v[1]);
    steps.set(step, values);
  }
  return [...steps].sort(([a], [b]) => a - b);
}

test('the same readings and the same steps, archived or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anySample, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 60 }),
      async (commits, span_rows) => {
        const directory = temporaryDirectory();
        const file = join(directory.path, 'gateway.db');
        const writer = new Writer(file, SQLITE_MIGRATIONS);
        writer.open({ pack_ids: ['p1', 'p2'], topology: '{}', t_ms: T0, span_rows });
        let t_ms = T0;
        const samples: (Sample & { t_ms: number })[] = [];
        for (const commit of commits) {
          const batch = new BatchBuffer(new ArrayBuffer(1 << 16));
          for (const sample of commit) {
            t_ms += sample.after_ms;
            samples.push({ ...sample, t_ms });
            const body = bodyOf(sample);
            batch.bytes.set(body, batch.bodyOffset);
            batch.finish(LogKind.reading, sample.pack + 1, t_ms, body.length);
          }
          writer.commit(batch.buffer, batch.used);
        }
        const reader = new Reader(file);
        const times = samples.map(sample => sample.t_ms);
        const from_ms = Math.min(...times);
        const to_ms = Math.max(...times);
        const ask = (max_points: number, more = {}) =>
          historyOf(reader, { pack_id: 'p1', from_ms, to_ms, max_points, ...more });
        const askAll = async () => ({
          all: await ask(50_000),
          part: await ask(50_000, { from_ms: from_ms + 30_000, to_ms: to_ms - 30_000 }),
          cell: await ask(50_000, { cell_no: 2 }),
          minutes: await ask(Math.max(1, Math.floor((to_ms - from_ms) / 60_000))),
          buckets: await ask(Math.max(1, Math.floor((to_ms - from_ms) / 900_000))),
          counts: await reader.readingCounts(from_ms + 30_000, to_ms, samples.length / 2, goes),
        });
        const before = await askAll();
        while (writer.archiveStep() !== 'idle') {}
        const after = await askAll();
        expect(sorted(after.all)).toEqual(sorted(before.all));
        expect(after.part.reading_count).toBe(before.part.reading_count);
        expect(after.counts).toEqual(before.counts);
        expect(after.cell.cells.voltage_v).toEqual([after.all.cells.voltage_v[1] ?? []]);
        const repeated = samples.filter(({ pack, is_repeated }) => pack === 0 && is_repeated);
        expect(after.all.is_repeated?.filter(Boolean).length).toBe(repeated.length);
        expect(after.all.reading_count).toBe(samples.filter(({ pack }) => pack === 0).length);
        for (const reply of [after.minutes, before.minutes]) checkSteps(reply, samples, 60_000);
        checkSteps(after.buckets, samples, 900_000);
        reader.close();
        writer.close();
        directory.remove();
      },
    ),
    { numRuns: runsOf(40) },
  );
});

/** Rows of one moment may come in any order. */
function sorted({ t_ms, pack, cells, newest_age_ms, oldest_age_ms, is_repeated, ...rest }: HistoryReply) {
  const rows = t_ms.map((moment, i) => [
    moment,
    newest_age_ms?.[i],
    oldest_age_ms?.[i],
    is_repeated?.[i],
    pack.voltage_v[i],
    ...cells.voltage_v.map(series => series[i]),
  ]);
  return { ...rest, rows: rows.sort((a, b) => (String(a) < String(b) ? -1 : 1)) };
}

/** `asked_ms`: the width of a step that was asked for; one whole span that is shorter than it gets finer ones. */
function checkSteps(
  reply: HistoryReply,
  samples: readonly (Sample & { t_ms: number })[],
  asked_ms: number,
): void {
  const { resolution_ms, t_ms, cells, lowest, highest } = reply;
  if (resolution_ms === 0) return;
  const is_short = reply.to_ms - reply.from_ms < asked_ms;
  const level_ms = resolution_ms % 900_000 === 0 && !(is_short && asked_ms === 900_000) ? 900_000 : 60_000;
  const start_ms = Math.floor(reply.from_ms / level_ms) * level_ms;
  const steps = expectedSteps(samples, start_ms, resolution_ms);
  expect(t_ms).toEqual(steps.map(([step]) => step));
  steps.forEach(([, values], i) => {
    if (values.length === 0) {
      expect(cells.voltage_v[1][i]).toBeNull();
      return;
    }
    expect(lowest?.cells.voltage_v[1][i]).toBeCloseTo(Math.min(...values), 4);
    expect(highest?.cells.voltage_v[1][i]).toBeCloseTo(Math.max(...values), 4);
    // The mean of each of the spans it was gathered from is rounded to 0.1 mV.
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs((cells.voltage_v[1][i] ?? 0) - mean)).toBeLessThan(0.0002);
  });
}

test('values out of columns are those of whole readings', () => {
  fc.assert(
    fc.property(fc.array(anySample, { minLength: 1, maxLength: 20 }), fc.nat(CELLS), (samples, cell) => {
      const rows = samples.map((sample, i) => ({ rel_seq: i, t_ms: T0 + i, body: bodyOf(sample) }));
      for (const group of openChunk(encodeChunk(rows))) {
        const round = (values: Map<number, Float64Array>) =>
          [...values]
            .map(
              ([series, column]) => [series, [...column].map(value => Math.round(value * 10_000))] as const,
            )
            .filter(([, column]) => column.some(value => !Number.isNaN(value)))
            .sort(([a], [b]) => a - b);
        for (const wanted of [{}, { cell }, { good_only: true }])
          expect(round(groupValues(group, wanted))).toEqual(round(valuesOfBodies(group, wanted)));
      }
    }),
  );
});

test('rows are thinned evenly, whenever a series begins', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(400), fc.nat(400), (max_points, count, begins) => {
      const rows = new ThinnedSeries(max_points);
      for (let n = 0; n < count; n++) rows.add(n, n >= begins ? [0, 1] : [0], series => n * 10 + series);
      expect(rows.seen).toBe(count);
      expect(rows.times.length).toBeLessThanOrEqual(max_points);
      expect(rows.times.length).toBeGreaterThanOrEqual(Math.min(count, Math.floor(max_points / 2)));
      expect(new Set(Array.from(rows.times.slice(1), (t, i) => t - rows.times[i])).size).toBeLessThanOrEqual(
        1,
      );
      rows.times.forEach((n, row) => {
        expect(rows.column(0)?.[row]).toBe(n * 10);
        expect(rows.column(1)?.[row] ?? Number.NaN).toBe(n >= begins ? n * 10 + 1 : Number.NaN);
      });
    }),
  );
});
