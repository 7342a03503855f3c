/** A battery's values drift; only foreign bytes jump, and not just once. */
import { expect, test } from 'vitest';
import { PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { Steadiness } from './steadiness.ts';

function jumpsOf(volts: readonly number[]): string[] {
  const reading = new PackReading(0, { cell_count: 0, sensor_count: 0, device_alarms: [] });
  const steadiness = new Steadiness();
  for (const value of volts) {
    reading.values[PackMetric.voltage_v] = value;
    steadiness.check(reading);
  }
  return steadiness.jumps();
}

test.each([
  ['still', [52, 52, 52, 52], []],
  ['drifting', [52, 52.4, 51.7, 53], []],
  ['switched on', [0, 52, 52.1, 52.2], []],
  ['missing at times', [52, Number.NaN, 52.1], []],
  ['jumping', [52, 310, 7, 640], ['voltage']],
])('%s', (_, volts, jumps) => {
  expect(jumpsOf(volts)).toEqual(jumps);
});
