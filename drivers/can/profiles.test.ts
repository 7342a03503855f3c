/** The shipped CAN profiles: they fit their DBC, decode golden frames, and encode what they decode. */
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { DeviceAlarmLevel, PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import type { PackBinding } from '../driver.ts';
import { createCanEncoder } from './can-encoder.ts';
import { canProfileOf, checkCanProfile } from './can-profile.ts';
import { decodeDbcBytes, parseDbc } from './dbc/dbc-parser.ts';
import { PackDecoder } from './pack-decoder.ts';
import { TargetKind } from './pack-mapping.ts';
import { type BindingChoice, bindingOf, shippedProfile, snapshot } from './test-bench.ts';

const jk = shippedProfile('jk-can-v2');
const foxbms = shippedProfile('foxbms-2');
const profiles = [jk, foxbms];

interface GoldenFrame {
  id: number;
  extended: boolean;
  data: string;
  expect: {
    pack?: Record<string, number>;
    cells?: Record<string, Record<string, number>>;
    sensors?: (number | null)[];
    alarms?: Record<string, keyof typeof DeviceAlarmLevel>;
  };
}

function send(decoder: PackDecoder, id: number, data: Uint8Array, now = 0, length = data.length): void {
  const mapped = decoder.mapping.messages.find(message => message.id === id);
  if (!mapped) throw new Error(`no message with id ${id.toString(16)}`);
  decoder.decode(mapped, { id, extended: mapped.extended, data, length, fd: false, rx_mono_ms: now });
}

function decodeHex(binding: PackBinding, frames: readonly [number, string][]): PackReading {
  const decoder = new PackDecoder(binding);
  for (const [id, hex] of frames) send(decoder, id, Buffer.from(hex, 'hex'));
  return snapshot(decoder.state, 0);
}

test.each(profiles)('$id: everything it names is in its DBC', profile => {
  expect(checkCanProfile(profile)).toEqual([]);
  expect(canProfileOf(profile).dbc.warnings).toEqual([]);
});

test('a profile that names what its DBC lacks is told every place at once', () => {
  const broken = structuredClone(jk);
  if (!broken.can) throw new Error('no can section');
  broken.can.messages.NOWHERE = {};
  broken.can.messages.BATT_ST1.pack = { voltage_v: 'SOC', current_a: 'Nothing' };
  broken.cells.max = 33;
  const problems = checkCanProfile(broken).join('\n');
  expect(problems).toContain('can.messages.NOWHERE: no such message in jk-can-v2.dbc');
  expect(problems).toContain('signal SOC has unit "%", expected "V" or "mV"');
  expect(problems).toContain('message BATT_ST1 has no signal Nothing');
  expect(problems).toContain('Cell33: no such signal');
});

test.each(profiles)('$id: golden frames give the right values in SI units', profile => {
  const path = new URL(`../profiles/${profile.id}.golden.json`, import.meta.url);
  const golden = JSON.parse(readFileSync(path, 'utf8')) as GoldenFrame[];
  expect(golden.length).toBeGreaterThan(0);
  for (const { id, data, expect: wanted } of golden) {
    const reading = decodeHex(bindingOf(profile, { cells: 16 }), [[id, data]]);
    for (const [name, value] of Object.entries(wanted.pack ?? {})) {
      const metric = PackMetric[name as keyof typeof PackMetric];
      expect([name, reading.values[metric]]).toEqual([name, expect.closeTo(value, 6)]);
      expect(reading.value_quality[metric]).toBe(Quality.good);
    }
    for (const [name, cells] of Object.entries(wanted.cells ?? {}))
      for (const [cell_no, value] of Object.entries(cells)) {
        const column = CellMetric[name as keyof typeof CellMetric];
        expect(reading.column(column)[Number(cell_no) - 1]).toBeCloseTo(value, 4);
        expect(reading.columnQuality(column)[Number(cell_no) - 1]).toBe(Quality.good);
      }
    (wanted.sensors ?? []).forEach((value, sensor) => {
      expect(reading.sensors[sensor]).toEqual(value ?? Number.NaN);
      expect(reading.sensor_quality[sensor]).toBe(value === null ? Quality.missing : Quality.good);
    });
    for (const [code, level] of Object.entries(wanted.alarms ?? {}))
      expect([code, reading.device_alarm_level[reading.shape.device_alarms.indexOf(code)]]).toEqual([
        code,
        DeviceAlarmLevel[level],
      ]);
  }
});

test('JK: a cell that reads 0 mV is missing, never zero volts', () => {
  const reading = decodeHex(bindingOf(jk), [[0x18e028f4, 'ad0e0000a30ea60e']]);
  expect(Array.from(reading.columnQuality(CellMetric.voltage_v).subarray(0, 4))).toEqual([
    Quality.good,
    Quality.missing,
    Quality.good,
    Quality.good,
  ]);
  expect(reading.column(CellMetric.voltage_v)[1]).toBeNaN();
});

test('JK: options turn the sign of the current and the byte order of the cycle count', () => {
  const frames: [number, string][] = [
    [0x2f4, '1301d71133006400'],
    [0x18f128f4, '2c019001e8030064'],
  ];
  const options = { positive_current_is: 'discharge', cycle_count_byte_order: 'big' };
  const turned = decodeHex(bindingOf(jk, { options }), frames);
  expect(turned.values[PackMetric.current_a]).toBeCloseTo(-56.7, 6);
  expect(turned.values[PackMetric.cycle_count]).toBe(100);
});

test('JK: the device address is added to 11- and 29-bit ids alike', () => {
  const ids = new PackDecoder(bindingOf(jk, { address: 5 })).mapping.messages.map(message => message.id);
  expect(ids).toContain(0x2f4 + 5);
  expect(ids).toContain(0x18e028f4 + 5);
});

test('JK: alarms are unknown until the pack speaks, none when the alarm frame stays away, unknown after', () => {
  const decoder = new PackDecoder(bindingOf(jk));
  const levels = (now: number) => new Set(snapshot(decoder.state, now).device_alarm_level);
  const speak = (now: number) => send(decoder, 0x2f4, Buffer.from('1301d71133006400', 'hex'), now);
  expect(decoder.clearAbsentAlarms(0)).toBe(false);
  for (let now = 0; now < 3000; now += 500) speak(now);
  decoder.clearAbsentAlarms(2500);
  expect(levels(2500)).toEqual(new Set([DeviceAlarmLevel.unknown]));
  speak(3000);
  expect(decoder.clearAbsentAlarms(3000)).toBe(true);
  expect(levels(3000)).toEqual(new Set([DeviceAlarmLevel.none]));
  send(decoder, 0x7f4, Buffer.from('4300200000000000', 'hex'), 3100);
  expect(decoder.clearAbsentAlarms(3200)).toBe(false);
  expect(levels(3200)).toContain(DeviceAlarmLevel.alarm);
  expect(levels(9000)).toEqual(new Set([DeviceAlarmLevel.unknown]));
});

test('a sensor gives its temperature to the cells the installer put it at', () => {
  const binding = bindingOf(jk, { cells: 4, sensor_of_cell: [0, 0, 1, 4] });
  const reading = decodeHex(binding, [[0x18f228f4, '07484750ffff0000']]);
  expect(Array.from(reading.column(CellMetric.temperature_c))).toEqual([22, 22, 21, Number.NaN]);
});

test('foxBMS: the flag marks a cell suspect; its polarity is an option', () => {
  const frames: [number, string][] = [[0x250, '0213e61f54fa27cf']];
  const qualities = (invalid_flag_is: string) => {
    const reading = decodeHex(bindingOf(foxbms, { cells: 12, options: { invalid_flag_is } }), frames);
    return Array.from(reading.columnQuality(CellMetric.voltage_v).subarray(8, 12));
  };
  const { good, suspect } = Quality;
  expect(qualities('1')).toEqual([suspect, good, good, good]);
  expect(qualities('0')).toEqual([good, suspect, suspect, suspect]);
  expect(qualities('ignored')).toEqual([good, good, good, good]);
});

test('foxBMS: each multiplexer value of the sweep goes stale on its own', () => {
  const decoder = new PackDecoder(bindingOf(foxbms, { cells: 12 }));
  send(decoder, 0x250, Buffer.from('0103e61f54fa27cf', 'hex'), 0);
  send(decoder, 0x250, Buffer.from('0203e61f54fa27cf', 'hex'), 10_000);
  const quality = snapshot(decoder.state, 17_000).columnQuality(CellMetric.voltage_v);
  const { missing, stale, good } = Quality;
  expect(Array.from(quality)).toEqual([
    ...Array(4).fill(missing),
    ...Array(4).fill(stale),
    ...Array(4).fill(good),
  ]);
});

test('frames that are too short give what fits and leave the rest as it was', () => {
  const decoder = new PackDecoder(bindingOf(jk));
  send(decoder, 0x2f4, Buffer.from('1301d711', 'hex'));
  const reading = snapshot(decoder.state, 0);
  expect(reading.values[PackMetric.voltage_v]).toBeCloseTo(27.5, 6);
  expect(reading.value_quality[PackMetric.soc_pct]).toBe(Quality.missing);
});

test.each(profiles)(
  '$id: random frames of any length never throw and never give a good value that is not finite',
  profile => {
    const decoder = new PackDecoder(bindingOf(profile, { cells: 16, sensor_of_cell: Array(16).fill(0) }));
    const { messages } = decoder.mapping;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: messages.length - 1 }),
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(80),
        (i, data, length) => {
          const { id, extended } = messages[i];
          decoder.decode(messages[i], { id, extended, data, length, fd: length > 8, rx_mono_ms: 0 });
          const reading = snapshot(decoder.state, 0);
          const columns: [ArrayLike<number>, Uint8Array][] = [
            [reading.values, reading.value_quality],
            [reading.cells, reading.cell_quality],
            [reading.sensors, reading.sensor_quality],
          ];
          for (const [values, quality] of columns)
            for (let v = 0; v < quality.length; v++)
              expect(quality[v] === Quality.missing || Number.isFinite(values[v])).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  },
);

/** A truth within what the profile's bits can say, and the resolution it comes back with, per target. */
function encodableTruth(
  binding: PackBinding,
  random: () => number,
): { truth: PackReading; steps: Map<string, number> } {
  const truth = new PackReading(binding.pack, binding.shape);
  const steps = new Map<string, number>();
  for (const { targets, message, alarms } of new PackDecoder(binding).mapping.messages) {
    for (const target of targets) {
      if (!target) continue;
      const { scale, offset, length_bit, signed } = message.signals[target.signal];
      const span = 2 ** length_bit;
      const raw = (signed ? -span / 2 : 0) + 1 + random() * (span - 3);
      const value = (raw * scale + offset) / target.divisor;
      if (target.kind === TargetKind.pack) truth.values[target.metric] = value;
      else if (target.kind === TargetKind.cell) truth.column(target.metric)[target.index] = value;
      else truth.sensors[target.index] = value;
      steps.set(`${target.kind}/${target.metric}/${target.index}`, Math.abs(scale / target.divisor));
    }
    for (const { alarm, sources } of alarms) {
      const known = [DeviceAlarmLevel.none, ...new Set(sources.flatMap(source => [...source.levels]))];
      truth.device_alarm_level[alarm] = known[Math.floor(random() * known.length)];
    }
  }
  return { truth, steps };
}

const choices: [string, BindingChoice][] = [
  ['jk-can-v2', { cells: 14, address: 3 }],
  ['jk-can-v2', { cells: 32, options: { positive_current_is: 'discharge', cycle_count_byte_order: 'big' } }],
  ['foxbms-2', { cells: 10, sensors: 7 }],
  [
    'foxbms-2',
    { cells: 216, sensors: 180, options: { invalid_flag_is: '0', positive_current_is: 'charge' } },
  ],
];

test.each(choices)('%s %o: what is encoded decodes to the same within resolution', (id, choice) => {
  const binding = bindingOf(shippedProfile(id), choice);
  const encoder = createCanEncoder(binding);
  fc.assert(
    fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), stream => {
      const random = () => stream.next().value;
      const { truth, steps } = encodableTruth(binding, random);
      const suspectCell = Math.floor(random() * binding.shape.cell_count);
      truth.columnQuality(CellMetric.voltage_v)[suspectCell] = Quality.suspect;
      const decoder = new PackDecoder(binding);
      encoder.frames(truth, frame => send(decoder, frame.id, frame.data.slice()));
      decoder.clearAbsentAlarms(0);
      const back = snapshot(decoder.state, 0);
      for (const [key, step] of steps) {
        const [kind, metric, index] = key.split('/').map(Number);
        const pick = (reading: PackReading) =>
          kind === TargetKind.pack
            ? reading.values[metric]
            : kind === TargetKind.cell
              ? reading.column(metric)[index]
              : reading.sensors[index];
        const tolerance = step * 0.5 + Math.abs(pick(truth)) * 1e-6;
        expect(Math.abs(pick(back) - pick(truth)), key).toBeLessThanOrEqual(tolerance);
      }
      if (id === 'foxbms-2')
        expect(back.columnQuality(CellMetric.voltage_v)[suspectCell]).toBe(Quality.suspect);
      const active = truth.device_alarm_level.some(level => level > DeviceAlarmLevel.none);
      if (active) expect(back.device_alarm_level).toEqual(truth.device_alarm_level);
      return true;
    }),
    { numRuns: 10 },
  );
});

const reference = new URL('../../../shared/conformance/dbc/foxbms/foxbms.dbc', import.meta.url);
const referenceTest = existsSync(reference) || process.env.CI === 'true' ? test : test.skip;

referenceTest("foxBMS: every signal of our DBC lies where foxBMS's own database puts it", () => {
  const theirs = parseDbc(decodeDbcBytes(readFileSync(reference)));
  let compared = 0;
  for (const message of canProfileOf(foxbms).dbc.messages) {
    const other = theirs.messages.find(candidate => candidate.name === message.name);
    expect(other, message.name).toBeDefined();
    expect([message.id, message.extended, message.cycle_ms]).toEqual([
      other?.id,
      other?.extended,
      other?.cycle_ms,
    ]);
    for (const signal of message.signals) {
      const { name, start_bit, length_bit, byte_order, signed, scale, offset, unit, mux } = signal;
      expect(other?.signals.find(candidate => candidate.name === name)).toMatchObject({
        name,
        start_bit,
        length_bit,
        signed,
        scale,
        offset,
        unit,
        mux,
        ...(length_bit > 1 ? { byte_order } : {}),
      });
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(800);
});
