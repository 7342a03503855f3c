/** A cell apart from close neighbours is named with the reason; wide scatter, load and short looks name nobody. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WeakCells } from './weak-cells.ts';

const HOURS = 3;
const pack = (apart: (cell: number) => number) => Float64Array.from({ length: 20 }, (_, i) => 3.7 + apart(i));
const near = (i: number) => 0.001 * Math.sin(i * 7);

function observed(voltages_v: Float64Array, current_a = 0, hours = HOURS): WeakCells {
  const cells = new WeakCells(voltages_v.length, 5);
  for (let s = 0; s < hours * 3600; s += 10) cells.observe(10, current_a, voltages_v);
  return cells;
}

test('one apart is named, the weakest first, with the reason', () => {
  const found = observed(pack(i => (i === 4 ? -0.02 : i === 11 ? -0.03 : near(i)))).found();
  expect(found.map(({ cell }) => cell)).toEqual([11, 4]);
  expect(found[0].reason).toMatch(/^stands 3\d mV below its neighbours at rest, \d+ times their spread$/);
});

test('cells that scatter widely are not weak, nor is a group that stands above the rest', () => {
  expect(observed(pack(i => 0.015 * Math.sin(i * 7) + (i > 14 ? 0.05 : 0))).found()).toEqual([]);
});

test('under load, for minutes, or of few cells nothing is said', () => {
  const apart = pack(i => (i === 4 ? -0.05 : near(i)));
  expect(observed(apart, 50).found()).toEqual([]);
  expect(observed(apart, 0, 0.5).found()).toEqual([]);
  expect(observed(apart.slice(0, 5)).found()).toEqual([]);
});

test('missing values and any others never throw, and name no cell that was not seen', () => {
  fc.assert(
    fc.property(fc.array(fc.double(), { minLength: 8, maxLength: 8 }), fc.nat(7), (values, missing) => {
      const voltages = Float64Array.from(values, (v, i) => (i === missing ? Number.NaN : v));
      for (const { cell } of observed(voltages).found()) expect(cell).not.toBe(missing);
    }),
    { numRuns: 30 },
  );
});
