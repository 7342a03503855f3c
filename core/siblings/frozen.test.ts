/** A value that hangs is found while its neighbours move; rest, coarse steps and quiet cells are left alone. */
import { expect, test } from 'vitest';
import { Quality } from '../reading/quality.ts';
import { FrozenWatch } from './frozen.ts';

const STEP_MS = 2000;

/** `valueAt` gives the value of a cell at a round. */
function watched(rounds: number, valueAt: (cell: number, round: number) => number, cells = 8) {
  const watch = new FrozenWatch(cells, 0.005, 0.0001);
  const values = new Float32Array(cells);
  const quality = new Uint8Array(cells).fill(Quality.good);
  const updated_ms = new Float64Array(cells);
  const found_at = Array<number>(cells).fill(-1);
  for (let round = 0; round < rounds; round++) {
    for (let cell = 0; cell < cells; cell++) values[cell] = valueAt(cell, round);
    watch.observe(values, quality, updated_ms.fill(round * STEP_MS));
    watch.frozen.forEach((is, cell) => {
      if (is && found_at[cell] < 0) found_at[cell] = round;
    });
  }
  return { watch, found_at, frozen: [...watch.frozen] };
}

const stepped = (value: number, step: number) => Math.round(value / step) * step;
/** The same for all: load and charge; 18 mV in ten minutes. */
const common = (round: number) => 3.3 - 0.00006 * round;
const noise = (cell: number, round: number) => 0.0006 * Math.sin(1000 * Math.sin(cell * 99 + round * 7));
const healthy = (cell: number, round: number) =>
  stepped(common(round) + 0.001 * cell + noise(cell, round), 0.001);

test('a cell that hangs is found within ten minutes, alone, and since when', () => {
  const { watch, frozen, found_at } = watched(450, (cell, round) =>
    healthy(cell, cell === 2 ? Math.min(round, 100) : round),
  );
  expect(frozen).toEqual([0, 0, 1, 0, 0, 0, 0, 0]);
  expect(found_at[2] - 100).toBeLessThanOrEqual(300);
  expect(watch.since_ms[2]).toBeLessThanOrEqual(100 * STEP_MS);
  expect(watch.count).toBe(1);
});

test('it is good again as soon as it moves', () => {
  const { watch } = watched(451, (cell, round) =>
    healthy(cell, cell === 2 && round < 450 ? Math.min(round, 100) : round),
  );
  expect(watch.count).toBe(0);
});

test('one that hung from the start is found too, but later', () => {
  const { frozen, found_at } = watched(1500, (cell, round) => healthy(cell, cell === 2 ? 0 : round));
  expect(frozen[2]).toBe(1);
  expect(found_at[2]).toBeGreaterThanOrEqual(900);
});

test('a bank at rest is left alone, whoever of it has jitter', () => {
  const rest = (cell: number, round: number) =>
    round < 100 ? healthy(cell, round) : cell % 2 ? healthy(cell, 100) : healthy(cell, 100 + (round % 2));
  expect(watched(3000, rest).frozen.includes(1)).toBe(false);
});

test('neither is a device of coarse steps, nor a cell that stands where its neighbours stand', () => {
  expect(watched(3000, (cell, round) => stepped(common(round) + 0.003 * cell, 0.02)).found_at).toEqual(
    Array(8).fill(-1),
  );
  const comes_to = (cell: number, round: number) => (cell === 2 && round > 100 ? 3.284 : healthy(0, round));
  const { found_at } = watched(300, comes_to);
  expect(found_at[2]).toBe(-1);
});

test('one outlier among the neighbours is not the movement of all', () => {
  const one_moves = (cell: number, round: number) =>
    cell === 0 ? 3.3 + 0.001 * round : healthy(cell, Math.min(round, 100));
  expect(watched(1000, one_moves).frozen.includes(1)).toBe(false);
});

test('a cell that always moved seldom is given its time', () => {
  const seldom = (cell: number, round: number) =>
    cell === 2 ? stepped(3.25 - 0.001 * Math.floor(round / 140), 0.001) : healthy(cell, round);
  expect(watched(3000, seldom).found_at[2]).toBe(-1);
});

test('what was not updated, and what is not good, is not taken for frozen', () => {
  const watch = new FrozenWatch(4, 0.005, 0.0001);
  const values = new Float32Array(4);
  const quality = new Uint8Array(4).fill(Quality.good);
  const updated_ms = new Float64Array(4);
  for (let round = 0; round < 600; round++) {
    for (let cell = 0; cell < 4; cell++) {
      const reported = cell === 3 ? Math.min(round, 100) : round;
      values[cell] = healthy(cell, reported);
      updated_ms[cell] = reported * STEP_MS;
    }
    watch.observe(values, quality, updated_ms);
  }
  expect(watch.count).toBe(0);
});
