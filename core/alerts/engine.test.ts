/** The alert engine: hysteresis, delay, quality, silence, device alarms, restart. */
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../metrics.ts';
import { DeviceAlarmLevel, PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import type { Topology } from '../topology/topology.ts';
import type { Alert, ThresholdRule } from './alert.ts';
import { AlertEngine } from './engine.ts';

const shape = { cell_count: 4, sensor_count: 0, device_alarms: ['short_circuit'] };
const topology: Topology = {
  site: { id: 's', name: 'Site' },
  gateway_id: 'g',
  batteries: [{ battery: 0, id: 'b1', name: 'Battery 1', chemistry: 'lfp', packs: [0] }],
  packs: [
    {
      pack: 0,
      id: 'p1',
      name: 'Pack 1',
      battery: 0,
      battery_id: 'b1',
      profile_id: 'x',
      connection_id: 'c',
      address: undefined,
      shape,
    },
  ],
};
const overVoltage: ThresholdRule = {
  id: 'cell_over_voltage',
  label: 'Cell over-voltage',
  severity: 'critical',
  on: { scope: 'cell', metric: 'voltage_v' },
  direction: 'above',
  raise_at: 3.65,
  clear_at: 3.6,
  delay_ms: 4000,
};
const lowSoc: ThresholdRule = {
  ...overVoltage,
  id: 'low_soc',
  severity: 'warning',
  on: { scope: 'pack', metric: 'soc_pct' },
  direction: 'below',
  raise_at: 10,
  clear_at: 12,
  delay_ms: 0,
};

function harness(rules: ThresholdRule[] = [overVoltage, lowSoc]) {
  const engine = new AlertEngine(topology, rules, {
    silent_after_ms: 15_000,
    deviceAlarmLabel: (_pack, code) => code.replace('_', ' '),
  });
  const reading = new PackReading(0, shape);
  reading.column(CellMetric.voltage_v).fill(3.3);
  reading.columnQuality(CellMetric.voltage_v).fill(Quality.good);
  const emitted: Alert[] = [];
  const at = (t_ms: number) => {
    reading.t_ms = reading.mono_ms = t_ms;
    engine.evaluate(0, { reading }, t_ms, t_ms, alert => emitted.push(alert));
  };
  const cell = (index: number, voltage_v: number) => {
    reading.column(CellMetric.voltage_v)[index] = voltage_v;
  };
  return { engine, reading, emitted, at, cell };
}

test('raised only after its delay, by the worst cell, and cleared only beyond the hysteresis', () => {
  const { emitted, at, cell, engine } = harness();
  cell(2, 3.7);
  cell(1, 3.66);
  at(0);
  at(2000);
  expect(emitted).toEqual([]);
  at(4000);
  expect(emitted).toMatchObject([{ rule_id: 'cell_over_voltage', cell_no: 3, state: 'active', value: 3.7 }]);
  expect(emitted[0].message).toBe('Cell 3: cell voltage 3.7 V is above 3.65 V (1 more cell)');
  cell(2, 3.62);
  cell(1, 3.3);
  at(6000);
  expect(engine.active()).toHaveLength(1);
  cell(2, 3.59);
  at(8000);
  expect(engine.active()).toEqual([]);
  expect(emitted[1]).toMatchObject({ id: emitted[0].id, state: 'cleared', cleared_ms: 8000 });
});

test('a dip back inside starts the delay again', () => {
  const { emitted, at, cell } = harness();
  cell(0, 3.7);
  at(0);
  cell(0, 3.64);
  at(3000);
  cell(0, 3.7);
  at(4000);
  at(6000);
  expect(emitted).toEqual([]);
  at(8000);
  expect(emitted).toHaveLength(1);
});

test('a value that cannot be trusted neither raises nor clears', () => {
  const { emitted, at, cell, reading, engine } = harness([{ ...overVoltage, delay_ms: 0 }]);
  const quality = reading.columnQuality(CellMetric.voltage_v);
  cell(0, 8.191);
  quality[0] = Quality.suspect;
  at(0);
  expect(emitted).toEqual([]);
  cell(0, 3.7);
  quality[0] = Quality.good;
  at(1000);
  expect(emitted).toHaveLength(1);
  quality.fill(Quality.stale);
  reading.column(CellMetric.voltage_v).fill(3.2);
  at(2000);
  expect(engine.active()).toHaveLength(1);
});

test('below rules mirror above rules', () => {
  const { emitted, at, reading } = harness();
  reading.value_quality[PackMetric.soc_pct] = Quality.good;
  for (const [t_ms, soc] of [
    [0, 10],
    [1, 9.9],
    [2, 11.9],
    [3, 12.1],
  ]) {
    reading.values[PackMetric.soc_pct] = soc;
    at(t_ms);
  }
  expect(emitted.map(alert => [alert.state, alert.cleared_ms ?? alert.raised_ms])).toEqual([
    ['active', 1],
    ['cleared', 3],
  ]);
  expect(emitted[0].message).toBe('state of charge 9.9 % is below 10 %');
});

test('a device that reports no single cell is judged by the extremes it reports', () => {
  const { emitted, at, reading } = harness([{ ...overVoltage, delay_ms: 0 }]);
  reading.columnQuality(CellMetric.voltage_v).fill(Quality.missing);
  reading.values[PackMetric.cell_voltage_max_v] = 3.7;
  at(0);
  expect(emitted).toEqual([]);
  reading.value_quality[PackMetric.cell_voltage_max_v] = Quality.good;
  at(1);
  expect(emitted).toMatchObject([
    { cell_no: null, value: 3.7, message: 'cell voltage 3.7 V is above 3.65 V' },
  ]);
});

test('a rule for another chemistry does not concern the pack', () => {
  const { emitted, at, cell } = harness([{ ...overVoltage, delay_ms: 0, chemistry: 'nmc' }]);
  cell(0, 4.0);
  at(0);
  expect(emitted).toEqual([]);
});

test("silence raises with the driver's reason and clears when the pack speaks", () => {
  const { engine, emitted } = harness();
  const emit = (alert: Alert) => emitted.push(alert);
  const silent_reason = 'unit 3: no reply';
  engine.evaluate(0, { silent_ms: 14_999 }, 0, 0, emit);
  engine.evaluate(0, { silent_ms: 15_000, silent_reason }, 1, 1, emit);
  engine.evaluate(0, { silent_ms: 17_000, silent_reason }, 2, 2, emit);
  engine.evaluate(0, { silent_ms: 100 }, 3, 3, emit);
  expect(emitted.map(alert => alert.state)).toEqual(['active', 'cleared']);
  expect(emitted[0].message).toBe('No data: unit 3: no reply');
});

test('a device alarm is quoted; unknown keeps it as it was', () => {
  const { emitted, at, reading, engine } = harness();
  reading.device_alarm_level[0] = DeviceAlarmLevel.alarm;
  at(0);
  expect(emitted).toMatchObject([
    {
      rule_id: 'device_alarm/short_circuit',
      severity: 'critical',
      message: 'The device reports alarm: short circuit',
    },
  ]);
  reading.device_alarm_level[0] = DeviceAlarmLevel.unknown;
  at(1);
  expect(engine.active()).toHaveLength(1);
  reading.device_alarm_level[0] = DeviceAlarmLevel.none;
  at(2);
  expect(engine.active()).toEqual([]);
});

test('a restart takes over what was active and clears what no longer exists', () => {
  const first = harness([{ ...overVoltage, delay_ms: 0 }]);
  first.cell(0, 3.7);
  first.at(0);
  const [alert] = first.emitted;
  const second = harness([{ ...overVoltage, delay_ms: 0 }]);
  const orphans = second.engine.adopt([alert, { ...alert, id: 'x', pack_id: 'gone' }], 99);
  expect(orphans).toMatchObject([{ id: 'x', state: 'cleared', cleared_ms: 99 }]);
  second.cell(0, 3.7);
  second.at(100);
  expect(second.emitted).toEqual([]);
  second.cell(0, 3.3);
  second.at(200);
  expect(second.emitted).toMatchObject([{ id: alert.id, state: 'cleared' }]);
});
