/** PackState, PackReading and plausibility: what quality a value gets, and when. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CELL_METRICS, CellMetric, PACK_METRICS, PackMetric, roundTo } from '../metrics.ts';
import { DeviceAlarmLevel, PackReading } from './pack-reading.ts';
import { PackState } from './pack-state.ts';
import { markImplausible, plausibleLimits } from './plausibility.ts';
import { Quality, qualityLetters } from './quality.ts';

const shape = { cell_count: 4, sensor_count: 2, device_alarms: ['cell_over_voltage'] };

function snapshot(state: PackState, mono_ms: number): PackReading {
  const reading = new PackReading(0, shape);
  state.snapshotInto(reading, 1_000_000 + mono_ms, mono_ms);
  return reading;
}

test('what was never reported is missing, and NaN, never zero', () => {
  const reading = snapshot(new PackState(0, shape, 3000), 10);
  expect(reading.value_quality.every(quality => quality === Quality.missing)).toBe(true);
  expect(reading.values.every(Number.isNaN)).toBe(true);
  expect(reading.cells.every(Number.isNaN)).toBe(true);
  expect(reading.device_alarm_level[0]).toBe(DeviceAlarmLevel.unknown);
});

test('age is kept per value: one cell goes stale while its neighbour stays good', () => {
  const state = new PackState(0, shape, 3000);
  state.setCell(CellMetric.voltage_v, 0, 3.3, 0);
  state.setCell(CellMetric.voltage_v, 1, 3.31, 2000);
  const reading = snapshot(state, 3001);
  expect(qualityLetters(reading.columnQuality(CellMetric.voltage_v))).toBe('sgmm');
  expect(reading.column(CellMetric.voltage_v)[0]).toBeCloseTo(3.3, 5);
  const updated_ms = [0, 1, 2].map(cell => state.cellUpdatedMonoMs(CellMetric.voltage_v, cell));
  expect(updated_ms).toEqual([0, 2000, Number.NEGATIVE_INFINITY]);
});

test('a stale limit of its own holds for its quantity alone', () => {
  const state = new PackState(0, shape, 3000);
  state.setValueStaleLimit(PackMetric.cycle_count, 60_000);
  state.setValue(PackMetric.cycle_count, 12, 0);
  state.setValue(PackMetric.voltage_v, 52, 0);
  const reading = snapshot(state, 10_000);
  expect(reading.value_quality[PackMetric.cycle_count]).toBe(Quality.good);
  expect(reading.value_quality[PackMetric.voltage_v]).toBe(Quality.stale);
});

test('a stale device alarm is unknown, not none', () => {
  const state = new PackState(0, shape, 3000);
  state.setDeviceAlarm(0, DeviceAlarmLevel.none, 0);
  expect(snapshot(state, 100).device_alarm_level[0]).toBe(DeviceAlarmLevel.none);
  expect(snapshot(state, 4000).device_alarm_level[0]).toBe(DeviceAlarmLevel.unknown);
});

test('outside physics is suspect and kept; inside stays good; the profile only narrows', () => {
  const state = new PackState(0, shape, 3000);
  state.setCell(CellMetric.voltage_v, 0, 8.191, 0);
  state.setCell(CellMetric.voltage_v, 1, 3.3, 0);
  state.setCell(CellMetric.voltage_v, 2, 4.4, 0);
  state.setSensor(0, 300, 0);
  const reading = snapshot(state, 0);
  expect(markImplausible(reading, plausibleLimits({ cell: { voltage_v: [1.5, 4.0] } }))).toBe(3);
  expect(qualityLetters(reading.columnQuality(CellMetric.voltage_v))).toBe('ugum');
  expect(reading.column(CellMetric.voltage_v)[0]).toBeCloseTo(8.191, 3);
  const wide = plausibleLimits({ cell: { voltage_v: [-100, 100] } });
  expect(wide.cell_max[CellMetric.voltage_v]).toBe(CELL_METRICS[CellMetric.voltage_v].max);
});

test('whatever a driver writes, a good value is finite and within the metric table', () => {
  const limits = plausibleLimits();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(PACK_METRICS.length - 1), fc.double(), fc.boolean())),
      fc.array(fc.tuple(fc.nat(CELL_METRICS.length - 1), fc.nat(3), fc.double(), fc.boolean())),
      (values, cells) => {
        const state = new PackState(0, shape, 3000);
        for (const [metric, value, suspect] of values) state.setValue(metric, value, 0, suspect);
        for (const [metric, cell, value, suspect] of cells) state.setCell(metric, cell, value, 0, suspect);
        const reading = snapshot(state, 0);
        markImplausible(reading, limits);
        reading.values.forEach((value, m) => {
          if (reading.value_quality[m] !== Quality.good) return;
          expect(value >= PACK_METRICS[m].min && value <= PACK_METRICS[m].max).toBe(true);
        });
        reading.cells.forEach((value, slot) => {
          expect(Math.abs(value)).not.toBe(Number.POSITIVE_INFINITY);
          expect(Number.isNaN(value)).toBe(reading.cell_quality[slot] === Quality.missing);
          if (reading.cell_quality[slot] !== Quality.good) return;
          const metric = CELL_METRICS[Math.floor(slot / shape.cell_count)];
          expect(value >= metric.min && value <= metric.max).toBe(true);
        });
      },
    ),
  );
});

test('a copy is whole and independent', () => {
  const state = new PackState(3, shape, 3000);
  state.setCell(CellMetric.temperature_c, 2, 21.5, 0);
  const original = snapshot(state, 5);
  const copy = new PackReading(0, shape);
  copy.copyFrom(original);
  original.column(CellMetric.temperature_c)[2] = 99;
  expect(copy.pack).toBe(3);
  expect(copy.column(CellMetric.temperature_c)[2]).toBe(21.5);
  expect(copy.t_ms).toBe(original.t_ms);
});

test('metric indices and lists agree, and rounding leaves no binary noise', () => {
  for (const [name, index] of Object.entries(PackMetric)) expect(PACK_METRICS[index].name).toBe(name);
  for (const [name, index] of Object.entries(CellMetric)) expect(CELL_METRICS[index].name).toBe(name);
  expect(roundTo(CELL_METRICS[CellMetric.voltage_v], Math.fround(3.287))).toBe(3.287);
});
