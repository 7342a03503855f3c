/** What a map can say beyond plain numbers: groups, bits, directions, whole blocks, packs behind one unit. */
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../../core/reading/pack-reading.ts';
import type { Profile } from '../../profiles/profile.ts';
import { RegisterImage } from '../register-image.ts';
import { bindingFor, roundBench } from '../testing/registers.ts';
import type { RegistersSection } from './registers-section.ts';

const section: RegistersSection = {
  blocks: {
    live: { code: 3, first: 0, last: 9, whole: true, no_reading_when: { at: 0, is: 0 } },
    cells: { code: 3, first: 100, last: 121, plus: { option: 'tower', each: 1000 } },
  },
  pack: {
    voltage_v: { block: 'live', at: 0, scale: 0.1 },
    current_a: {
      block: 'live',
      at: 1,
      scale: 0.01,
      negative_when: { at: 2, is: 1, otherwise: 0 },
    },
    charge_enabled: { block: 'live', at: 3, bit: 4, invert: true },
    soh_pct: { block: 'live', at: 3, bits: [8, 7] },
  },
  cells: {
    voltage_v: {
      block: 'cells',
      at: 100,
      count: 4,
      scale: 0.001,
      groups: { of: 2, stride: 20 },
      present_count: { block: 'live', at: 5, times: { block: 'live', at: 6 } },
    },
  },
  sensors: [{ block: 'live', at: 7, count: 2, type: 's8', absent: [-56] }],
  alarms: [{ block: 'live', at: 8, code: 'hot', levels: { 1: 'warning', 2: 'alarm' }, absent: [0xffff] }],
};

const profile: Profile = {
  id: 'acme',
  title: 'Acme',
  vendor: 'Acme',
  models: [],
  source: 'Acme',
  transport: 'modbus',
  cells: { max: 4 },
  sensors: { max: 2 },
  device_alarms: [{ code: 'hot', label: 'Hot' }],
  options: { tower: { values: [1, 2], default: 1, doc: 'Which tower', selects_part: true } },
  directory: '',
  registers: section,
};

function benchOf(live: number[], cells_at: number, tower = 1) {
  const registers = Uint16Array.from({ length: 22 }, (_, i) => 3300 + i);
  const image = new RegisterImage(
    { code: 3, address: 0, registers: Uint16Array.from(live) },
    { code: 3, address: cells_at, registers },
  );
  const binding = bindingFor(profile, { cells: 4, sensors: 2, options: { tower } });
  return roundBench(binding, pdu => image.answer(pdu));
}

const live = (level: number) => [532, 250, 1, (98 << 8) | 0x10, 0, 2, 2, 0xecc8, level, 0];

test('bits, direction, groups, bytes with sign, a level by number; the block asked for as a whole', async () => {
  const bench = benchOf(live(1), 100);
  expect(await bench.round()).toBe(true);
  expect(bench.complaints).toEqual([undefined]);
  const { values, sensors, device_alarm_level } = bench.snapshot();
  expect(values[PackMetric.current_a]).toBe(-2.5);
  expect(values[PackMetric.charge_enabled]).toBe(0);
  expect(values[PackMetric.soh_pct]).toBe(98);
  expect([...bench.snapshot().column(CellMetric.voltage_v)]).toEqual(
    [3.3, 3.301, 3.32, 3.321].map(Math.fround),
  );
  expect([...sensors]).toEqual([-20, Number.NaN]);
  expect(device_alarm_level[0]).toBe(DeviceAlarmLevel.warning);
  expect(bench.requests[0]).toMatchObject({ address: 0, count: 10 });
});

test('a number by which the device has no such alarm says nothing of it', async () => {
  const bench = benchOf(live(0xffff), 100);
  await bench.round();
  expect(bench.snapshot().device_alarm_level[0]).toBe(DeviceAlarmLevel.unknown);
});

test('another pack behind the same unit stands further on', async () => {
  const bench = benchOf(live(0), 1100, 2);
  expect(await bench.round()).toBe(true);
  expect(bench.requests[1].address).toBe(1100);
  expect(bench.snapshot().column(CellMetric.voltage_v)[2]).toBe(Math.fround(3.32));
});

test('a reply that is no reading leaves every value missing', async () => {
  const bench = benchOf(
    Array.from({ length: 10 }, () => 0),
    100,
  );
  expect(await bench.round()).toBe(false);
  expect(bench.snapshot().values.every(Number.isNaN)).toBe(true);
});
