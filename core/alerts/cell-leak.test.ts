/** The alert of a cell that loses charge faster than its siblings. */
import { expect, test } from 'vitest';
import type { LeakingCell } from '../siblings/charge-drift.ts';
import { AlertBench, makeTopology } from './testing/alert-bench.ts';

const leak = (cell: number, leak_ma: number): LeakingCell => ({
  cell,
  leak_ma,
  lost_pct_per_day: leak_ma / 42,
  usual_pct_per_day: 0.02,
});

test('it is raised with cell, current and others, updated when it is clearly worse, and cleared', () => {
  const bench = new AlertBench([], makeTopology(2));
  const at = (t_ms: number, leaking: readonly LeakingCell[] | undefined) =>
    bench.facts(t_ms, { reading: bench.reading, leaking }, 1);
  at(0, undefined);
  at(1, []);
  expect(bench.emitted).toEqual([]);
  const first = [leak(6, 12.6)];
  at(2, first);
  at(3, first);
  at(4, [leak(6, 13.5)]);
  expect(bench.emitted).toMatchObject([
    {
      rule_id: 'cell_leak',
      severity: 'warning',
      pack_id: 'p2',
      cell_no: 7,
      value: 12.6,
      unit: 'mA',
      message:
        'Cell 7 loses 0.30 % of its charge a day more than its siblings, as a leak of 13 mA would; they differ by 0.02 %',
    },
  ]);
  at(5, [leak(6, 20)]);
  at(6, [leak(6, 20), leak(1, 8)]);
  expect(bench.emitted.at(-1)?.message).toMatch(/a leak of 20 mA would; .*\. So does cell 2$/);
  bench.facts(7, { silent_ms: 20_000 }, 1);
  at(8, [leak(6, 20), leak(1, 8)]);
  at(9, []);
  expect(bench.emitted.filter(({ rule_id }) => rule_id === 'cell_leak').map(({ change }) => change)).toEqual([
    'raised',
    'updated',
    'updated',
    'unknown',
    'known',
    'cleared',
  ]);
});
