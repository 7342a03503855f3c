/** Bytes that earlier programs stored are read by this one: value by value, quality by quality. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CELL_METRICS, PACK_METRICS } from '../../../../core/metrics.ts';
import { ReadingDecoder } from '../../../../core/reading/codec.ts';
import { BodyTokens, joinTokens, maxJoinedBytes } from '../../../../core/reading/codec-tokens.ts';
import { BLOCK_KIND, visitRow, withBodies } from '../block.ts';
import { openChunk } from '../chunk.ts';
import { groupValues, valuesOfBodies } from '../chunk-series.ts';
import { Rollup } from '../rollup-block.ts';
import { type Golden, meaningOf, type ReadingMeaning, rollupMeaning } from './golden.ts';

const files = readdirSync(import.meta.dirname).filter(file => /^stored-\d+\.json$/.test(file));
const bytesOf = (hex: string) => Buffer.from(hex, 'hex');
const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Half a step, or what float32 keeps of a value that is far out of range. */
function expectClose(was: number | null, is: number | null, resolution: number, place: string) {
  if (was === null || is === null) return expect(is, place).toBe(was);
  expect(Math.abs(is - was), place).toBeLessThanOrEqual(resolution / 2 + Math.abs(was) * 1e-6);
}

function expectSame(was: ReadingMeaning, is: ReadingMeaning) {
  const { values, cells, sensors, ...exact } = was;
  expect(is).toMatchObject(exact);
  expect(Object.keys(is.values)).toEqual(Object.keys(values));
  expect(Object.keys(is.cells)).toEqual(Object.keys(cells));
  for (const { name, resolution } of PACK_METRICS)
    if (name in values) expectClose(values[name], is.values[name], resolution, name);
  for (const { name, resolution } of CELL_METRICS)
    cells[name]?.forEach((value, cell) => {
      expectClose(value, is.cells[name][cell], resolution, `${name} of cell ${cell}`);
    });
  sensors.forEach((value, s) => {
    expectClose(value, is.sensors[s], 0.1, `sensor ${s}`);
  });
}

test('there are golden bytes of every version of a reading', () => {
  expect(files.length).toBeGreaterThan(0);
});

describe.each(files)('%s', file => {
  const golden: Golden = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'));

  test('readings', () => {
    const decoder = new ReadingDecoder();
    for (const { bytes, ...meaning } of golden.readings) {
      const body = bytesOf(bytes);
      const reading = decoder.decode(viewOf(body), 0, body.length);
      if (typeof reading === 'number') throw new Error(`fault ${reading} in ${bytes}`);
      expectSame(meaning, meaningOf(reading));
    }
  });

  test('readings as tokens, which give back the bytes', () => {
    const tokens = new BodyTokens();
    for (const { bytes } of golden.readings) {
      const body = bytesOf(bytes);
      expect(tokens.split(viewOf(body), 0, body.length)).toBe(true);
      const widths = tokens.width.slice(0, tokens.count);
      const columns = Array.from(tokens.value.slice(0, tokens.count), value => Int32Array.of(value));
      const back = Buffer.alloc(maxJoinedBytes(widths));
      const length = joinTokens(widths, columns, 0, viewOf(back), 0);
      expect(back.toString('hex', 0, length)).toBe(bytes);
    }
  });

  test('a block of the log', () => {
    const { bytes, records } = golden.block;
    const rows: unknown[] = [];
    const row = { seq: 12, kind: BLOCK_KIND, pack_key: records.length, t_ms: 0, body: bytesOf(bytes) };
    visitRow(
      row,
      withBodies((seq, kind, pack_key, t_ms, body) => {
        rows.push({ seq, kind, pack_key, t_ms, body: body.toString('hex') });
        return true;
      }),
    );
    expect(rows).toEqual(records.map((record, i) => ({ seq: 13 - records.length + i, ...record })));
  });

  test.each([
    ['bytes', undefined],
    ['verbatim_bytes', 5],
  ] as const)('a chunk of the archive (%s)', (name, count) => {
    const rows: Golden['chunk']['rows'][number][] = [];
    for (const group of openChunk(bytesOf(golden.chunk[name]))) {
      const { bytes, ends } = group.bodies();
      const [rel_seqs, times] = [group.relSeqs(), group.times()];
      for (let i = 0; i < group.row_count; i++) {
        const body = bytes.toString('hex', i === 0 ? 0 : ends[i - 1], ends[i]);
        rows.push({ rel_seq: rel_seqs[i], t_ms: times[i], body });
      }
      // The short way to a history says the same as whole readings do.
      const [by_column, by_body] = [groupValues(group, {}), valuesOfBodies(group, {})];
      for (const series of new Set([...by_column.keys(), ...by_body.keys()])) {
        const whole = by_body.get(series) ?? new Float64Array(group.row_count).fill(Number.NaN);
        const short = by_column.get(series) ?? new Float64Array(group.row_count).fill(Number.NaN);
        whole.forEach((value, row) => {
          expect(Number.isNaN(short[row]) ? null : Math.fround(short[row])).toEqual(
            Number.isNaN(value) ? null : Math.fround(value),
          );
        });
      }
    }
    rows.sort((a, b) => a.rel_seq - b.rel_seq);
    expect(rows).toEqual(golden.chunk.rows.slice(0, count));
  });

  test('a block of rollups', () => {
    const { bytes, start_ms, step_ms, readings, series } = golden.rollup;
    const rollup = new Rollup(start_ms, step_ms, 60);
    rollup.addBlock(bytesOf(bytes), start_ms, step_ms);
    const is = rollupMeaning(rollup);
    expect(is.readings).toEqual(readings);
    expect(is.series.map(({ count }) => count)).toEqual(series.map(({ count }) => count));
    series.forEach((was, index) => {
      for (const name of ['mean', 'lowest', 'highest'] as const)
        was[name].forEach((value, step) => {
          expectClose(value, is.series[index][name][step], 0.1, `${name} of series ${index}, step ${step}`);
        });
    });
  });
});
