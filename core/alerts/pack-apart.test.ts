/** The alert of a pack that stands apart from the others of its battery. */
import { expect, test } from 'vitest';
import type { PackApart } from '../siblings/fleet-deviation.ts';
import { AlertBench, makeTopology } from './testing/alert-bench.ts';

const warmer = (deviation: number): PackApart => ({
  figure: 'temperature',
  deviation,
  usual: 0.8,
  per_day: undefined,
  others: 11,
});
const emptier: PackApart = { ...warmer(-20), figure: 'charge', usual: 1.5 };

test('it is raised with pack, figures and others, updated when it is clearly worse or another, and cleared', () => {
  const bench = new AlertBench([], makeTopology(2));
  const at = (t_ms: number, apart: readonly PackApart[] | undefined) =>
    bench.facts(t_ms, { reading: bench.reading, apart }, 1);
  at(0, undefined);
  at(1, []);
  expect(bench.emitted).toEqual([]);
  const first = [warmer(7.2)];
  at(2, first);
  at(3, first);
  at(4, [warmer(7.9)]);
  expect(bench.emitted).toMatchObject([
    {
      rule_id: 'pack_apart',
      severity: 'warning',
      pack_id: 'p2',
      cell_no: null,
      value: 7.2,
      unit: '°C',
      message:
        'Pack 2 is warmer than the 11 other packs of its battery by 7.2 °C, in the median of the last days; they differ by 0.80 °C',
    },
  ]);
  at(5, [warmer(11)]);
  at(6, [warmer(11), emptier]);
  expect(bench.emitted.at(-1)?.message).toMatch(/by 11\.0 °C.*\. It also holds less charge than .* by 20 %/);
  bench.facts(7, { silent_ms: 20_000 }, 1);
  expect(bench.emitted.at(-1)?.change).not.toBe('cleared');
  at(8, []);
  expect(bench.emitted.map(({ rule_id, change }) => `${rule_id} ${change}`)).toEqual([
    'pack_apart raised',
    'pack_apart updated',
    'pack_apart updated',
    'pack_apart unknown',
    'pack_silent raised',
    'pack_apart known',
    'pack_apart cleared',
    'pack_silent cleared',
  ]);
});
