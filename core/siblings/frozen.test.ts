/** A value that hangs is found while its neighbours move; rest, coarse steps and quiet cells are left alone. */
import { expect, test } from 'vitest';
import { Quality } from '../reading/quality.ts';
import { FrozenWatch } from './frozen.ts';

const STEP_MS = 2000;

/** `valueAt` gives the value of a cell at a look. */
function watched(looks: number, valueAt: (cell: number, look: number) => number, cells = 8) {
  const watch = new FrozenWatch(cells, 0.005, 0.0001);
  const values = new Float32Array(cells);
  const quality = new Uint8Array(cells).fill(Quality.good);
  const told_ms = new Float64Array(cells);
  const found_at = Array<number>(cells).fill(-1);
  for (let look = 0; look < looks; look++) {
    for (let cell = 0; cell < cells; cell++) values[cell] = valueAt(cell, look);
    watch.look(values, quality, told_ms.fill(look * STEP_MS));
    watch.frozen.forEach((is, cell) => {
      if (is && found_at[cell] < 0) found_at[cell] = look;
    });
  }
  return { watch, found_at, frozen: [...watch.frozen] };
}

const stepped = (value: number, step: number) => Math.round(value / step) * step;
/** The same for all: load and charge; 18 mV in ten minutes. */
const common = (look: number) => 3.3 - 0.00006 * look;
const noise = (cell: number, look: number) => 0.0006 * Math.sin(1000 * Math.sin(cell * 99 + look * 7));
const healthy = (cell: number, look: number) =>
  stepped(common(look) + 0.001 * cell + noise(cell, look), 0.001);

test('a cell that hangs is found within ten minutes, alone, and since when', () => {
  const { watch, frozen, found_at } = watched(450, (cell, look) =>
    healthy(cell, cell === 2 ? Math.min(look, 100) : look),
  );
  expect(frozen).toEqual([0, 0, 1, 0, 0, 0, 0, 0]);
  expect(found_at[2] - 100).toBeLessThanOrEqual(300);
  expect(watch.since_ms[2]).toBeLessThanOrEqual(100 * STEP_MS);
  expect(watch.count).toBe(1);
});

test('it is good again as soon as it moves', () => {
  const { watch } = watched(451, (cell, look) =>
    healthy(cell, cell === 2 && look < 450 ? Math.min(look, 100) : look),
  );
  expect(watch.count).toBe(0);
});

test('one that hung from the start is found too, but later', () => {
  const { frozen, found_at } = watched(1500, (cell, look) => healthy(cell, cell === 2 ? 0 : look));
  expect(frozen[2]).toBe(1);
  expect(found_at[2]).toBeGreaterThanOrEqual(900);
});

test('a bank at rest is left alone, whoever of it has jitter', () => {
  const rest = (cell: number, look: number) =>
    look < 100 ? healthy(cell, look) : cell % 2 ? healthy(cell, 100) : healthy(cell, 100 + (look % 2));
  expect(watched(3000, rest).frozen.includes(1)).toBe(false);
});

test('neither is a device of coarse steps, nor a cell that stands where its neighbours stand', () => {
  expect(watched(3000, (cell, look) => stepped(common(look) + 0.003 * cell, 0.02)).found_at).toEqual(
    Array(8).fill(-1),
  );
  const comes_to = (cell: number, look: number) => (cell === 2 && look > 100 ? 3.284 : healthy(0, look));
  const { found_at } = watched(300, comes_to);
  expect(found_at[2]).toBe(-1);
});

test('one outlier among the neighbours is not the movement of all', () => {
  const one_moves = (cell: number, look: number) =>
    cell === 0 ? 3.3 + 0.001 * look : healthy(cell, Math.min(look, 100));
  expect(watched(1000, one_moves).frozen.includes(1)).toBe(false);
});

test('a cell that always moved seldom is given its time', () => {
  const seldom = (cell: number, look: number) =>
    cell === 2 ? stepped(3.25 - 0.001 * Math.floor(look / 140), 0.001) : healthy(cell, look);
  expect(watched(3000, seldom).found_at[2]).toBe(-1);
});

test('what was not told anew, and what is not good, is not held to be still', () => {
  const watch = new FrozenWatch(4, 0.005, 0.0001);
  const values = new Float32Array(4);
  const quality = new Uint8Array(4).fill(Quality.good);
  const told_ms = new Float64Array(4);
  for (let look = 0; look < 600; look++) {
    for (let cell = 0; cell < 4; cell++) {
      const told = cell === 3 ? Math.min(look, 100) : look;
      values[cell] = healthy(cell, told);
      told_ms[cell] = told * STEP_MS;
    }
    watch.look(values, quality, told_ms);
  }
  expect(watch.count).toBe(0);
});
