/** Alerts about a pack as a whole that come from one or two of its cells say which. */
import { expect, test } from 'vitest';
import { CellMetric } from '../metrics.ts';
import { Quality } from '../reading/quality.ts';
import { AlertBench } from './testing/alert-bench.ts';
import { makeRule } from './testing/make-rule.ts';

const spreadOf = (metric: 'cell_temperature_spread_c' | 'cell_voltage_spread_v', warning: number) =>
  makeRule({
    id: metric,
    on: { scope: 'pack', metric },
    limits: [{ warning, hysteresis: 0, from: 'default' }],
  });

function temperatures(bench: AlertBench, degrees: readonly number[]): void {
  bench.reading.column(CellMetric.temperature_c).set(degrees);
  bench.reading.columnQuality(CellMetric.temperature_c).fill(Quality.good);
}

test('a spread of temperatures names the hottest and the coldest cell, and leads to the hottest', () => {
  const bench = new AlertBench([spreadOf('cell_temperature_spread_c', 15)]);
  temperatures(bench, [25, 25.5, 47, 24.8]);
  bench.at(1000);
  expect(bench.emitted[0]).toMatchObject({
    cell_no: 3,
    value: 22.2,
    message: 'Cell temperature spread 22.2 °C is above 15 °C: cell 3 at 47 °C, cell 4 at 24.8 °C',
  });
});

test.each([
  { volts: [3.3, 3.301, 3.06, 3.302], cell_no: 3, named: 'cell 3 at 3.06 V, cell 4 at 3.302 V' },
  { volts: [3.3, 3.301, 3.299, 3.54], cell_no: 4, named: 'cell 4 at 3.54 V, cell 3 at 3.299 V' },
])('a spread of voltages leads to the cell that stands alone: $cell_no', ({ volts, cell_no, named }) => {
  const bench = new AlertBench([spreadOf('cell_voltage_spread_v', 0.2)]);
  for (const [cell, voltage_v] of volts.entries()) bench.cell(cell, voltage_v);
  bench.at(1000);
  expect(bench.emitted[0]).toMatchObject({ cell_no });
  expect(bench.emitted[0].message).toContain(`V is above 0.2 V: ${named}`);
});

test('a spread that the device reports itself is of no cell that could be named', () => {
  const bench = new AlertBench([spreadOf('cell_voltage_spread_v', 0.2)]);
  bench.reading.columnQuality(CellMetric.voltage_v).fill(Quality.missing);
  bench.value('cell_voltage_min_v', 3);
  bench.value('cell_voltage_max_v', 3.4);
  bench.at(1000);
  expect(bench.emitted[0]).toMatchObject({
    cell_no: null,
    message: 'Cell voltage spread 0.4 V is above 0.2 V',
  });
});

test('a fast rise names the hottest cell', () => {
  const rise = makeRule({
    id: 'rise',
    on: { scope: 'pack', metric: 'temperature_rise_c_per_min' },
    limits: [{ warning: 3, hysteresis: 1, from: 'default' }],
  });
  const bench = new AlertBench([rise]);
  temperatures(bench, [25, 25, 25, 25]);
  bench.at(0);
  bench.at(60_000);
  temperatures(bench, [25, 33, 25, 25]);
  bench.at(120_000);
  expect(bench.emitted[0]).toMatchObject({
    cell_no: 2,
    message: 'Temperature rise 8 °C/min is above 3 °C/min: cell 2 at 33 °C',
  });
});
