/** Cells that stand out of line now, as a technician would say it. */
import { expect, test } from 'vitest';
import { CellMetric } from '../metrics.ts';
import { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import { outOfLine } from './out-of-line.ts';

const CELLS = 10;
/** A few millivolts and tenths of a degree apart, as healthy cells are. */
const VOLTS = [3.301, 3.302, 3.3, 3.3, 3.301, 3.304, 3.3, 3.302, 3.301, 3.3];
const DEGREES = [24.8, 25.1, 25, 25.4, 24.9, 25, 25.2, 25.1, 25, 24.7];

function readingOf(volts: readonly number[], degrees: readonly number[] = DEGREES): PackReading {
  const reading = new PackReading(0, { cell_count: CELLS, sensor_count: 0, device_alarms: [] });
  reading.column(CellMetric.voltage_v).set(volts);
  reading.columnQuality(CellMetric.voltage_v).fill(Quality.good);
  reading.column(CellMetric.temperature_c).set(degrees);
  reading.columnQuality(CellMetric.temperature_c).fill(Quality.good);
  return reading;
}

test('healthy cells are all in line, and the furthest of them is known', () => {
  const found = outOfLine(readingOf(VOLTS));
  expect(found.cells).toEqual([]);
  expect(found.deviating_cell).toBe(5);
  expect(found.deviation_v).toBeCloseTo(0.003, 4);
});

test('a weak cell and a hot one are out of line, the weak one first', () => {
  const found = outOfLine(readingOf(VOLTS.with(6, 3.253), DEGREES.with(2, 47)));
  expect(found.cells).toEqual([6, 2]);
  expect(found.deviating_cell).toBe(6);
  expect(found.deviation_v).toBeCloseTo(0.048, 4);
});

test('a cold cell is no ill one', () => {
  expect(outOfLine(readingOf(VOLTS, DEGREES.with(2, 5))).cells).toEqual([]);
});

test('near full, where all differ, the same distance is nothing', () => {
  const apart = VOLTS.map((volts, cell) => volts + (cell % 5) * 0.03);
  expect(outOfLine(readingOf(apart.with(6, 3.253))).cells).toEqual([]);
});

test('a group of cells that is apart was read at another moment', () => {
  const group = VOLTS.map((volts, cell) => (cell < 3 ? volts - 0.05 : volts));
  expect(outOfLine(readingOf(group)).cells).toEqual([]);
});

test('a value that cannot be trusted makes no cell ill', () => {
  const reading = readingOf(VOLTS.with(6, 2.1));
  reading.columnQuality(CellMetric.voltage_v)[6] = Quality.suspect;
  expect(outOfLine(reading).cells).toEqual([]);
  reading.columnQuality(CellMetric.voltage_v).fill(Quality.missing);
  expect(outOfLine(reading)).toEqual({ cells: [], deviation_v: null, deviating_cell: null });
});
