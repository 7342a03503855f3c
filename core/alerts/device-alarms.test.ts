/** Alarms that a device reports: quoted, followed, and over after a while. */
import { expect, test } from 'vitest';
import { DeviceAlarmLevel } from '../reading/pack-reading.ts';
import { CLEAR_AFTER_MS } from './kinds/device-alarms.ts';
import { AlertBench } from './testing/alert-bench.ts';

test('a device alarm is quoted; its level is followed; unknown keeps it as it was; it is over after a while', () => {
  const bench = new AlertBench([]);
  const level = (value: number) => {
    bench.reading.device_alarm_level[0] = value;
  };
  level(DeviceAlarmLevel.warning);
  bench.at(0);
  level(DeviceAlarmLevel.alarm);
  bench.at(1);
  expect(bench.emitted.map(({ rule_id, severity, message }) => [rule_id, severity, message])).toEqual([
    ['device_alarm/short_circuit', 'warning', 'The device reports warning: short circuit'],
    ['device_alarm/short_circuit', 'critical', 'The device reports alarm: short circuit'],
  ]);
  level(DeviceAlarmLevel.unknown);
  bench.at(2);
  expect(bench.active()).toHaveLength(1);
  level(DeviceAlarmLevel.none);
  bench.at(3);
  level(DeviceAlarmLevel.alarm);
  bench.at(200_000);
  level(DeviceAlarmLevel.none);
  bench.at(300_000);
  bench.at(300_000 + CLEAR_AFTER_MS - 1);
  expect(bench.active()).toHaveLength(1);
  bench.at(300_000 + CLEAR_AFTER_MS);
  expect(bench.active()).toEqual([]);
  expect(bench.emitted.at(-1)?.occurrences).toBe(1);
});

test('a device alarm that is no longer reported is over in its time, also when a restart lies in it', () => {
  const bench = new AlertBench([]);
  const at = (level: number, mono_ms: number) => {
    bench.reading.device_alarm_level[0] = level;
    bench.at(mono_ms);
  };
  at(DeviceAlarmLevel.alarm, 0);
  at(DeviceAlarmLevel.none, 1000);
  bench.restart(100_000, []);
  at(DeviceAlarmLevel.none, 1000 + CLEAR_AFTER_MS - 1);
  expect(bench.active()).toHaveLength(1);
  at(DeviceAlarmLevel.none, 1000 + CLEAR_AFTER_MS);
  expect(bench.active()).toEqual([]);
  // Silence in between counts for nothing.
  at(DeviceAlarmLevel.alarm, 1_000_000);
  at(DeviceAlarmLevel.none, 1_001_000);
  at(DeviceAlarmLevel.unknown, 1_002_000);
  at(DeviceAlarmLevel.none, 3_000_000);
  expect(bench.active()).toHaveLength(1);
});
