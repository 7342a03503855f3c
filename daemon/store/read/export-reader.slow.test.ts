/** Exports over a real store: every reading of the span once, in order, whatever the pieces; values as they were. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { Quality } from '../../../core/reading/quality.ts';
import { createSqliteStore } from '../sqlite-store.ts';
import type { ExportRequest, LogSource, Store } from '../store.ts';
import {
  numberedReading,
  smallTopology,
  someAlert,
  storeOptions,
  temporaryDirectory,
} from '../testing/fixtures.ts';

const T0 = Date.UTC(2026, 0, 7);
const topology = smallTopology(3, 4);
let directory: ReturnType<typeof temporaryDirectory>;
let store: Store & LogSource;

beforeEach(async () => {
  directory = temporaryDirectory();
  store = createSqliteStore(storeOptions(directory.path));
  await store.open(topology);
});
afterEach(async () => {
  await store.close();
  directory.remove();
});

async function exported(
  request: Omit<ExportRequest, 'after_seq'>,
): Promise<{ text: string; pieces: number }> {
  let text = '';
  let pieces = 0;
  for (let after_seq: number | null = 0; after_seq !== null; pieces++) {
    const chunk = await store.exportChunk({ ...request, after_seq });
    text += Buffer.from(chunk.text).toString();
    expect(chunk.undecodable).toBe(0);
    after_seq = chunk.next_seq;
  }
  return { text, pieces };
}

test('each reading of the span and packs stands once, in order, however many pieces it takes', async () => {
  const rounds = 6000;
  for (let n = 0; n < rounds; n++) {
    for (const pack of [0, 1, 2]) store.append(numberedReading(topology, pack, n, T0 + n * 1000));
    if (n % 500 === 0) {
      store.appendAlert(someAlert(`a${n}`, T0 + n * 1000));
      await store.flush();
    }
  }
  await store.flush();
  const span = { from_ms: T0 + 1000_000, to_ms: T0 + 5000_000 };
  const { text, pieces } = await exported({
    ...span,
    pack_ids: ['p01', 'p03'],
    form: { rows: 'cell', format: 'csv' },
  });
  expect(pieces).toBeGreaterThan(3);
  const [head, ...lines] = text.trimEnd().split('\r\n');
  expect(head).toMatch(/^time,t_ms,pack_id,cell_id,current_a,voltage_v,/);
  const expected: string[] = [];
  for (let n = 1000; n < 5000; n++)
    for (const pack of ['p01', 'p03'])
      for (let cell = 1; cell <= 4; cell++) expected.push(`${T0 + n * 1000},${pack},${pack}/c0${cell}`);
  expect(lines.map(line => line.split(',').slice(1, 4).join())).toEqual(expected);
});

test('values keep their resolution; what is missing is empty, what is doubtful says so', async () => {
  const reading = numberedReading(topology, 0, 7, T0);
  reading.values[PackMetric.soc_pct] = Number.NaN;
  reading.value_quality[PackMetric.soc_pct] = Quality.missing;
  reading.columnQuality(CellMetric.voltage_v)[1] = Quality.suspect;
  reading.columnQuality(CellMetric.temperature_c)[2] = Quality.missing;
  store.append(reading);
  await store.flush();
  const span = { from_ms: T0, to_ms: T0 + 1, pack_ids: ['p01'] };
  const cells = (await exported({ ...span, form: { rows: 'cell', format: 'ndjson' } })).text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(cells).toHaveLength(4);
  expect(cells[1]).toMatchObject({
    time: '2026-01-07T00:00:00.000Z',
    t_ms: T0,
    cell_id: 'p01/c02',
    voltage_v: 3.281,
    voltage_v_quality: 'suspect',
    current_a: -12.5,
    current_a_quality: 'good',
    time_certain: true,
    soc_pct: null,
    soc_pct_quality: 'missing',
  });
  expect(cells[2]).toMatchObject({ temperature_c: null, temperature_c_quality: 'missing' });
  const [pack] = (await exported({ ...span, form: { rows: 'pack', format: 'ndjson' } })).text.split('\n');
  expect(JSON.parse(pack)).toMatchObject({
    pack_id: 'p01',
    voltage_v: 0.07,
    soc_pct: null,
    soc_pct_quality: 'missing',
  });
  const csv = (await exported({ ...span, form: { rows: 'pack', format: 'csv' } })).text.split('\r\n');
  expect(csv[1]).toMatch(/^2026-01-07T00:00:00.000Z,\d+,p01,0.07,-12.5,24.3,,98.5,/);
  expect(csv[0].split(',')).toHaveLength(csv[1].split(',').length);
});

test('a span without readings is a head and nothing else', async () => {
  const { text } = await exported({
    from_ms: 0,
    to_ms: 1,
    pack_ids: ['p01'],
    form: { rows: 'pack', format: 'csv' },
  });
  expect(text).toMatch(/^time,.*\r\n$/);
});

test('a piece holds no more than its bound, however many cells the packs have', async () => {
  const wide = smallTopology(1, 400);
  const other = temporaryDirectory();
  const wide_store = createSqliteStore(storeOptions(other.path));
  try {
    await wide_store.open(wide);
    for (let n = 0; n < 600; n++) wide_store.append(numberedReading(wide, 0, n, T0 + n * 1000));
    await wide_store.flush();
    const request = { from_ms: T0, to_ms: T0 + 1e9, pack_ids: ['p01'] };
    for (const form of [
      { rows: 'cell', format: 'csv' },
      { rows: 'cell', format: 'ndjson' },
    ] as const) {
      let lines = 0;
      for (let after_seq: number | null = 0; after_seq !== null; ) {
        const { text, next_seq } = await wide_store.exportChunk({ ...request, form, after_seq });
        // 256 KiB, and the lines of the reading that was begun within them.
        expect(text.length).toBeLessThan(512 << 10);
        lines += Buffer.from(text).toString().split('\n').length - 1;
        after_seq = next_seq;
      }
      expect(lines).toBe(600 * 400 + (form.format === 'csv' ? 1 : 0));
    }
  } finally {
    await wide_store.close();
    other.remove();
  }
});
