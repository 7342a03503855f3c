/** What a `registers` section can say: word orders, scale registers, poll classes, conditions, refusals. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../../core/reading/pack-reading.ts';
import { Quality } from '../../../core/reading/quality.ts';
import type { PackBinding } from '../../driver.ts';
import type { Profile } from '../../profiles/profile.ts';
import { RegisterImage, type RegisterSegment } from '../register-image.ts';
import { bindingFor, roundBench } from '../testing/registers.ts';
import { type ByteOrder, limitsOf, type RawType, readRaw, writeRaw } from './raw-number.ts';
import type { RegistersSection } from './registers-section.ts';

function profileOf(registers: RegistersSection, rest: Partial<Profile> = {}): Profile {
  return {
    id: 'acme',
    title: 'Acme',
    vendor: 'Acme',
    models: [],
    source: 'Acme',
    transport: 'modbus',
    cells: { max: 4 },
    sensors: { max: 2 },
    directory: '',
    ...rest,
    registers,
  };
}

function benchOf(
  registers: RegistersSection,
  segments: RegisterSegment[],
  choice = {},
  rest: Partial<Profile> = {},
) {
  const binding: PackBinding = bindingFor(profileOf(registers, rest), { cells: 2, sensors: 0, ...choice });
  const image = new RegisterImage(...segments);
  return roundBench(binding, pdu => image.answer(pdu));
}

const holding = (address: number, ...words: number[]): RegisterSegment => ({
  code: 3,
  address,
  registers: Uint16Array.from(words),
});

test('every type and order reads back what was written', () => {
  const types: RawType[] = [
    'u16',
    's16',
    'u32',
    's32',
    'u64',
    's64',
    'f32',
    'u8_high',
    'u8_low',
    's8_high',
    's8_low',
  ];
  const orders: ByteOrder[] = ['ABCD', 'CDAB', 'BADC', 'DCBA'];
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.constantFrom(...orders),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (type, order, share) => {
        const [lowest, highest] = limitsOf(type);
        const exact = lowest * (1 - share) + highest * share;
        // A register knows no minus zero.
        const raw = (type === 'f32' ? Math.fround(exact) : Math.round(exact)) + 0;
        const words = new Uint16Array(4);
        writeRaw(words, 0, type, order, raw);
        expect(readRaw(words, 0, type, order)).toBe(raw);
      },
    ),
  );
  const words = Uint16Array.of(0x0102, 0x0304);
  expect(orders.map(order => readRaw(words, 0, 'u32', order).toString(16))).toEqual([
    '1020304',
    '3040102',
    '2010403',
    '4030201',
  ]);
  const long = Uint16Array.of(1, 2, 3, 4);
  expect(orders.map(order => readRaw(long, 0, 'u64', order))).toEqual(
    [0x0001000200030004n, 0x0004000300020001n, 0x0100020003000400n, 0x0400030002000100n].map(Number),
  );
});

test('a value is multiplied with its scale register, which is read in the same request', async () => {
  const section: RegistersSection = {
    max_registers: 12,
    blocks: { all: { code: 3, first: 0, last: 39 } },
    pack: {
      voltage_v: { block: 'all', at: 20, scale_at: 30 },
      soc_pct: { block: 'all', at: 0 },
      current_a: { block: 'all', at: 22, type: 's16', scale_at: 31 },
    },
  };
  const registers = new Uint16Array(40);
  registers[0] = 55;
  registers[20] = 528;
  registers[22] = 0x10000 - 7;
  registers[30] = 0x10000 - 1;
  registers[31] = 11;
  const bench = benchOf(section, [{ code: 3, address: 0, registers }]);
  await bench.round();
  const { values } = bench.snapshot();
  expect([values[PackMetric.voltage_v], values[PackMetric.soc_pct]]).toEqual([52.8, 55]);
  expect(values[PackMetric.current_a]).toBeNaN();
  expect(bench.requests.map(({ address, count }) => [address, count])).toEqual([
    [0, 1],
    [20, 12],
  ]);
});

test('slow blocks are read in every n-th round, and keep their values in between', async () => {
  const section: RegistersSection = {
    blocks: { fast: { code: 3, first: 0, last: 1 }, slow: { code: 4, first: 0, last: 1, every: 3 } },
    pack: { voltage_v: { block: 'fast', at: 0 }, capacity_full_ah: { block: 'slow', at: 1 } },
  };
  const bench = benchOf(section, [holding(0, 48, 0), { ...holding(0, 0, 280), code: 4 }]);
  for (let i = 0; i < 7; i++) await bench.round();
  expect(bench.requests.map(({ code }) => code).join('')).toBe('3433343334');
  expect(bench.snapshot().values[PackMetric.capacity_full_ah]).toBe(280);
});

test('registers a unit lacks are found by halving, named, and not asked for again', async () => {
  const section: RegistersSection = {
    blocks: { all: { code: 3, first: 0, last: 9 } },
    pack: {
      voltage_v: { block: 'all', at: 0 },
      current_a: { block: 'all', at: 2 },
      soc_pct: { block: 'all', at: 5 },
      soh_pct: { block: 'all', at: 9 },
    },
  };
  const bench = benchOf(section, [holding(0, 52, 0, 7), holding(6, 0, 0, 0, 99)]);
  await bench.round();
  const { values } = bench.snapshot();
  const read = [PackMetric.voltage_v, PackMetric.current_a, PackMetric.soh_pct].map(metric => values[metric]);
  expect(read).toEqual([52, 7, 99]);
  expect(bench.snapshot().value_quality[PackMetric.soc_pct]).toBe(Quality.missing);
  expect(bench.complaints).toEqual(['the unit has no register 5']);
  bench.requests.length = 0;
  await bench.round();
  expect(bench.requests.map(({ address, count }) => [address, count])).toEqual([
    [0, 3],
    [9, 1],
  ]);
  bench.reader.forget();
  bench.requests.length = 0;
  await bench.round();
  expect(bench.requests[0]).toMatchObject({ address: 0, count: 10 });
});

test('a unit that refuses everything fails the round', async () => {
  const section: RegistersSection = {
    blocks: { all: { code: 3, first: 0, last: 9 } },
    pack: { voltage_v: { block: 'all', at: 0 } },
  };
  expect(await benchOf(section, [holding(100, 1)]).round()).toBe(false);
  expect(await benchOf(section, [{ ...holding(0, 1), code: 4 }]).round()).toBe(false);
});

test('options choose sources and signs', async () => {
  const section: RegistersSection = {
    blocks: { all: { code: 3, first: 0, last: 1 } },
    pack: {
      current_a: [
        { block: 'all', at: 0, use_when: { option: 'where', is: 'first' } },
        { block: 'all', at: 1, negate_when: { option: 'sign', is: true } },
      ],
    },
  };
  const current = async (where: string, sign: boolean) => {
    const bench = benchOf(section, [holding(0, 10, 20)], { options: { where, sign } });
    await bench.round();
    return bench.snapshot().values[PackMetric.current_a];
  };
  expect([
    await current('first', true),
    await current('second', true),
    await current('second', false),
  ]).toEqual([10, -20, 20]);
});

test('rows: strides, present bits, counts, sensors at cells', async () => {
  const section: RegistersSection = {
    blocks: { all: { code: 3, first: 0, last: 15 } },
    pack: { soc_pct: { block: 'all', at: 15 } },
    cells: {
      voltage_v: {
        block: 'all',
        at: 0,
        count: 4,
        stride: 2,
        scale: 0.001,
        present_bits: { block: 'all', at: 8, first_bit: 1 },
      },
      balancing: { block: 'all', at: 9, count: 4, type: 'bits' },
    },
    sensors: [{ block: 'all', at: 10, count: 2, present_count: { block: 'all', at: 12 } }],
  };
  const words = [3300, 0, 3301, 0, 3302, 0, 3303, 0, 0b10110, 0b0010, 21, 22, 1, 0, 0, 50];
  const choice = { cells: 4, sensors: 2, sensor_of_cell: [0, 0, 1, 1] };
  const bench = benchOf(section, [holding(0, ...words)], choice);
  await bench.round();
  const reading = bench.snapshot();
  expect([...reading.column(CellMetric.voltage_v)].map(v => Math.round(v * 1000))).toEqual([
    3300,
    3301,
    Number.NaN,
    3303,
  ]);
  expect([...reading.column(CellMetric.balancing)]).toEqual([0, 1, 0, 0]);
  expect([...reading.sensors]).toEqual([21, Number.NaN]);
  expect([...reading.column(CellMetric.temperature_c)]).toEqual([21, 21, Number.NaN, Number.NaN]);
});

test('an alarm whose other source is not read is unknown, not none', async () => {
  const section: RegistersSection = {
    blocks: { words: { code: 3, first: 0, last: 0 }, coils: { code: 1, first: 8, last: 15 } },
    pack: { soc_pct: { block: 'words', at: 0 } },
    alarms: [
      { block: 'words', at: 0, bits: { '0': 'both', '1': { code: 'word', level: 'warning' } } },
      { block: 'coils', at: 8, active: 0, bits: { '0': 'both', '7': 'inverted' } },
    ],
  };
  const rest = { device_alarms: ['both', 'word', 'inverted'].map(code => ({ code, label: code })) };
  const coils = { code: 1, address: 8, registers: Uint16Array.of(1, 0, 0, 0, 0, 0, 0, 0) };
  const levels = async (...segments: RegisterSegment[]) => {
    const bench = benchOf(section, segments, {}, rest);
    await bench.round();
    return [...bench.snapshot().device_alarm_level];
  };
  const { none, warning, alarm, unknown } = DeviceAlarmLevel;
  expect(await levels(holding(0, 0b10), coils)).toEqual([none, warning, alarm]);
  expect(await levels(holding(0, 0b10))).toEqual([unknown, warning, unknown]);
  expect(await levels(holding(0, 0b01))).toEqual([alarm, none, unknown]);
});
