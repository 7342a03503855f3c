/** What an estimator has learned, as stored bytes: golden, taken over as a whole or not at all. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../metrics.ts';
import { PackReading } from '../../reading/pack-reading.ts';
import { Quality } from '../../reading/quality.ts';
import { ModelTables } from '../model/tables.ts';
import { madeDrive, madeModel, madeSeries } from '../testing/made-cell.ts';
import { PackEstimator } from './pack-estimator.ts';
import { restoreState, stateBytes } from './state-bytes.ts';

const CELLS = 4;
const T_MS = Date.UTC(2026, 4, 6);
const model = madeModel('nmc', 100);
const tables = new ModelTables(model);
const GOLDEN = new URL('./testing/state-1.hex', import.meta.url);

function worked(samples = 1500): PackEstimator {
  const estimator = new PackEstimator(tables, CELLS);
  const series = madeSeries(model, madeDrive(samples, 100), { begin_soc: 0.8, dt_s: 4 });
  const reading = new PackReading(0, { cell_count: CELLS, sensor_count: 0, device_alarms: [] });
  const voltages_ms = new Float64Array(CELLS);
  for (let i = 0; i < samples; i++) {
    reading.mono_ms = 4000 * i;
    voltages_ms.fill(reading.mono_ms);
    reading.values[PackMetric.current_a] = series.current_a[i];
    reading.value_quality[PackMetric.current_a] = Quality.good;
    reading.column(CellMetric.voltage_v).fill(series.voltage_v[i]);
    reading.columnQuality(CellMetric.voltage_v).fill(Quality.good);
    estimator.take(reading, { voltages_ms, current_ms: reading.mono_ms });
  }
  return estimator;
}

const before = worked();

test('what was learned is taken over, and goes on', () => {
  const after = new PackEstimator(tables, CELLS);
  expect(restoreState(after, stateBytes(before, T_MS))).toEqual({ t_ms: T_MS });
  for (let cell = 0; cell < CELLS; cell++) {
    expect(after.cells.soc(cell)).toBeCloseTo(before.cells.soc(cell), 6);
    expect(after.cells.socSd(cell)).toBeCloseTo(before.cells.socSd(cell), 6);
  }
  expect(after.fit.isConfirmed).toBe(before.fit.isConfirmed);
  expect(after.steps.ratio(0)).toBeCloseTo(before.steps.ratio(0), 5);
});

test('bytes of version 1 are read as they were', () => {
  const golden = Buffer.from(readFileSync(GOLDEN, 'utf8').replaceAll(/\s/g, ''), 'hex');
  const after = new PackEstimator(tables, CELLS);
  expect(restoreState(after, golden)).toEqual({ t_ms: T_MS });
  expect(after.cells.soc(0)).toBeCloseTo(0.5, 6);
  expect(after.cells.socSd(3)).toBeCloseTo(0.0212, 3);
  expect(Buffer.from(stateBytes(after, T_MS)).equals(golden)).toBe(true);
});

test.each([
  ['cut short', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 1)],
  ['longer', (bytes: Uint8Array) => Uint8Array.from([...bytes, 0])],
  ['empty', () => new Uint8Array(0)],
  ['of a later version', (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, i) => (i === 0 ? 9 : byte))],
  ['of other columns', (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, i) => (i === 1 ? 99 : byte))],
  ['of other cells', (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, i) => (i === 3 ? 5 : byte))],
])('bytes that are %s are not taken, and nothing is changed', (_, change) => {
  const after = new PackEstimator(tables, CELLS);
  expect(restoreState(after, change(stateBytes(before, T_MS)))).toBeUndefined();
  expect(after.cells.isStarted(0)).toBe(false);
});
