/** The alert about weak cells: raised, updated and cleared by what was learnt, in words with numbers. */
import { expect, test } from 'vitest';
import type { WeakCell } from '../siblings/deviation.ts';
import { AlertBench } from './testing/alert-bench.ts';
import { makeRule } from './testing/make-rule.ts';

const spread = makeRule({
  id: 'cell_voltage_spread_rest',
  on: { scope: 'pack', metric: 'cell_voltage_spread_v' },
  during: 'rest',
  limits: [{ warning: 0.15, hysteresis: 0.03, from: 'default' }],
});
const cell = (no: number, deviation_v: number, per_day_v?: number): WeakCell => ({
  cell: no - 1,
  state: 'discharging',
  deviation_v,
  usual_v: 0.004,
  per_day_v,
});

test('it names the cell, how far, how fast, and when it reaches the limit; others beside it', () => {
  const bench = new AlertBench([spread]);
  const say = (t_ms: number, ...weak_cells: WeakCell[]) => bench.facts(t_ms, { weak_cells });
  say(0);
  expect(bench.emitted).toEqual([]);
  say(1, cell(3, -0.038, -0.002));
  expect(bench.emitted[0]).toMatchObject({
    rule_id: 'weak_cell',
    severity: 'warning',
    cell_no: 3,
    value: -38,
    unit: 'mV',
  });
  expect(bench.emitted[0].message).toBe(
    'Cell 3 stands 38 mV below its siblings while discharging; they differ by 4.0 mV. It grows by 2.0 mV a day; ' +
      'at this rate it reaches the limit of 0.15 V in 8 weeks',
  );
  say(2, cell(3, -0.04, -0.002));
  say(3, cell(3, -0.044, -0.002));
  say(4, cell(3, -0.044), cell(2, -0.03));
  say(5);
  expect(bench.story()).toEqual([
    '1 raised warning',
    '3 updated warning',
    '4 updated warning',
    '5 cleared warning',
  ]);
  expect(bench.emitted[2].message).toMatch(/Weak as well: cell 2$/);
});

test('it goes on over a restart without a word, and is unknown while the pack is silent', () => {
  const bench = new AlertBench([]);
  bench.facts(1, { weak_cells: [cell(3, -0.04)] });
  bench.restart(2);
  bench.facts(3, { weak_cells: [cell(3, -0.041)] });
  expect(bench.story()).toEqual(['1 raised warning']);
  bench.facts(20_000, { silent_ms: 16_000, weak_cells: [cell(3, -0.041)] });
  expect(bench.active().find(({ rule_id }) => rule_id === 'weak_cell')).toMatchObject({
    unknown_since_ms: 4000,
  });
});
