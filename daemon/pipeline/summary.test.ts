/** What people see of a reading: states with their reasons, columns with quality, never a zero for a missing value. */
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { detailColumns, type PackContext, summarisePack } from './summary.ts';

const shape = { cell_count: 3, sensor_count: 1, device_alarms: ['cell_over_voltage'] };
const node = {
  pack: 0,
  id: 'p1',
  name: 'Pack 1',
  battery: 0,
  battery_id: 'b1',
  profile_id: 'x',
  connection_id: 'c',
  address: 1,
  shape,
};
const calm: PackContext = {
  link_reason: undefined,
  doubts: [],
  no_estimate_reason: null,
  last_update_ms: 5,
  alerts: { critical: 0, warning: 0, info: 0 },
  ill_cell_nos: [],
};

function goodReading(): PackReading {
  const reading = new PackReading(0, shape);
  reading.column(CellMetric.voltage_v).set([3.301, 3.287, 3.312]);
  reading.columnQuality(CellMetric.voltage_v).fill(Quality.good);
  reading.values[PackMetric.voltage_v] = 9.9;
  reading.value_quality[PackMetric.voltage_v] = Quality.good;
  return reading;
}

test('all well', () => {
  expect(summarisePack(node, goodReading(), calm)).toMatchObject({
    state: 'ok',
    reason: null,
    voltage_v: { value: 9.9, quality: 'good' },
    current_a: { value: null, quality: 'missing' },
    cell_voltage_min_v: 3.287,
    cell_voltage_max_v: 3.312,
    cell_voltage_spread_v: 0.025,
    lowest_cell_no: 2,
    highest_cell_no: 3,
    cells_out_of_line: [],
    cells: { voltage_v: { values: [3.301, 3.287, 3.312], quality: 'ggg' } },
  });
});

test('doubtful cells degrade the pack and do not count as extremes', () => {
  const reading = goodReading();
  reading.columnQuality(CellMetric.voltage_v).set([Quality.good, Quality.suspect, Quality.stale]);
  expect(summarisePack(node, reading, calm)).toMatchObject({
    state: 'degraded',
    reason: 'cell voltages: 1 of 3 stale, 1 of 3 suspect',
    cell_voltage_min_v: 3.301,
    cell_voltage_max_v: 3.301,
    cells: { voltage_v: { quality: 'gus' } },
  });
});

test('a device that reports no single cell is taken at its own word and is not called degraded', () => {
  const reading = new PackReading(0, { ...shape, cell_count: 0, sensor_count: 0 });
  const reported = {
    [PackMetric.cell_voltage_min_v]: 3.306,
    [PackMetric.cell_voltage_max_v]: 3.329,
    [PackMetric.cell_temperature_max_c]: 17,
  };
  for (const [metric, value] of Object.entries(reported)) {
    reading.values[Number(metric)] = value;
    reading.value_quality[Number(metric)] = Quality.good;
  }
  expect(summarisePack({ ...node, shape: reading.shape }, reading, calm)).toMatchObject({
    state: 'ok',
    cell_voltage_min_v: 3.306,
    cell_voltage_max_v: 3.329,
    cell_voltage_spread_v: 0.023,
    cell_temperature_min_c: null,
    cell_temperature_max_c: 17,
    lowest_cell_no: null,
    hottest_cell_no: null,
    hottest_sensor_no: null,
    cells: { voltage_v: { values: [], quality: '' } },
  });
});

test('an estimate that is still good keeps no silent device online', () => {
  const reading = new PackReading(0, shape);
  reading.values[PackMetric.estimated_soc_pct] = 54;
  reading.value_quality[PackMetric.estimated_soc_pct] = Quality.good;
  expect(summarisePack(node, reading, calm).state).toBe('offline');
});

test("nothing fresh is offline, with the driver's reason", () => {
  const silent = summarisePack(node, new PackReading(0, shape), { ...calm, link_reason: 'unit 1: no reply' });
  expect(silent).toMatchObject({ state: 'offline', reason: 'unit 1: no reply', cell_voltage_min_v: null });
  expect(silent.cells.voltage_v).toEqual({ values: [null, null, null], quality: 'mmm' });
  const never = summarisePack(node, new PackReading(0, shape), { ...calm, last_update_ms: null });
  expect(never).toMatchObject({ state: 'offline', reason: 'no data yet' });
  const reported = { ...calm, last_update_ms: Date.UTC(2026, 10, 30, 21, 40, 53, 999) };
  const stale = goodReading();
  stale.columnQuality(CellMetric.voltage_v).fill(Quality.stale);
  stale.value_quality.fill(Quality.stale);
  expect(summarisePack(node, stale, reported)).toMatchObject({
    state: 'offline',
    reason: 'no data since 2026-11-30 21:40:53 UTC',
  });
});

test('a pack without cell temperatures is judged by its sensors', () => {
  const reading = goodReading();
  reading.sensors[0] = 21.5;
  reading.sensor_quality[0] = Quality.good;
  expect(summarisePack(node, reading, calm)).toMatchObject({
    cell_temperature_min_c: 21.5,
    cell_temperature_max_c: 21.5,
    hottest_cell_no: null,
    hottest_sensor_no: 1,
  });
});

test('a hot cell is named, whatever the device says of the pack as a whole', () => {
  const reading = goodReading();
  reading.values[PackMetric.temperature_c] = 25;
  reading.value_quality[PackMetric.temperature_c] = Quality.good;
  reading.column(CellMetric.temperature_c).set([24.5, 47, 25]);
  reading.columnQuality(CellMetric.temperature_c).fill(Quality.good);
  expect(summarisePack(node, reading, calm)).toMatchObject({
    cell_temperature_max_c: 47,
    hottest_cell_no: 2,
    hottest_sensor_no: null,
  });
});

test('cells with an alert, and those found weak, are out of line while their data is good', () => {
  expect(summarisePack(node, goodReading(), { ...calm, ill_cell_nos: [3, 1, 3] })).toMatchObject({
    state: 'ok',
    cells_out_of_line: [3, 1],
  });
});

test('details name every quantity and quote the device', () => {
  const reading = goodReading();
  reading.device_alarm_level[0] = 2;
  const detail = detailColumns(reading, code => `label of ${code}`);
  expect(detail.values.soc_pct).toEqual({ value: null, quality: 'missing' });
  expect(detail.sensors).toEqual({ values: [null], quality: 'm' });
  expect(detail.device_alarms).toEqual([
    { code: 'cell_over_voltage', label: 'label of cell_over_voltage', level: 'alarm' },
  ]);
});
