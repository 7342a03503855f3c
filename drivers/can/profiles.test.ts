/** What is particular to single CAN profiles; what all must do stands in the conformance suite beside them. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CellMetric, PACK_METRICS, PackMetric, SENSOR_METRIC } from '../../core/metrics.ts';
import { DeviceAlarmLevel, PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import type { PackBinding } from '../driver.ts';
import { createCanEncoder } from './can-encoder.ts';
import { canProfileOf, unitDivisor } from './can-profile.ts';
import { checkCanProfile, describeCanProblem } from './check-profile.ts';
import { decodeDbcBytes, parseDbc } from './dbc/dbc-parser.ts';
import { PackDecoder } from './pack-decoder.ts';
import { bindingOf, shippedProfile, snapshot } from './testing/bench.ts';

const jk = shippedProfile('jk-can-v2');
const foxbms = shippedProfile('foxbms-2');

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

test('a profile that names what its DBC lacks is reported every place at once', () => {
  const broken = structuredClone(jk);
  if (!broken.can) throw new Error('no can section');
  broken.can.messages.NOWHERE = {};
  broken.can.messages.BATT_ST1.pack = { voltage_v: 'SOC', current_a: 'Nothing' };
  broken.cells.max = 33;
  const problems = checkCanProfile(broken)
    .map(problem => describeCanProblem(broken, problem))
    .join('\n');
  expect(problems).toContain('can.messages.NOWHERE: no such message in jk-can-v2.dbc');
  expect(problems).toContain('signal SOC has unit "%", expected "V" or "mV"');
  expect(problems).toContain('message BATT_ST1 has no signal Nothing');
  expect(problems).toContain('Cell33: no such signal');
});

test('units of a DBC are taken as tools and people spell them; a unit that does not fit is refused', () => {
  const divisors = (name: string, ...units: string[]) => {
    const metric = PACK_METRICS.find(other => other.name === name) ?? SENSOR_METRIC;
    return units.map(unit => unitDivisor(metric, unit));
  };
  expect(divisors('voltage_v', 'V', 'volts', ' VDC ', 'mV', 'millivolt')).toEqual([1, 1, 1, 1000, 1000]);
  expect(divisors('voltage_v', '', 'A', 'kV', 'furlong')).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(divisors('temperature_c', 'degC', 'C', 'ºC', 'deg C', 'Celsius', 'degF')).toEqual([
    ...[1, 1, 1, 1, 1],
    undefined,
  ]);
  expect(divisors('cycle_count', '', '-', 'cycles', '%')).toEqual([1, 1, 1, undefined]);
});

test('a dialect, a checksum, a finer value and a request that cannot be are reported too', () => {
  const lv = structuredClone(shippedProfile('can-bus-bms-lv'));
  const orion = structuredClone(shippedProfile('orion-2-cells'));
  const daly = structuredClone(shippedProfile('daly-can'));
  if (!lv.can?.identity || !orion.can || !daly.can?.polls) throw new Error('not the profiles expected');
  lv.can.identity = { message: 'Nobody', option: 'accent', starts_with: { MG: 'mg' }, otherwise: 'standard' };
  lv.can.messages.StateOfCharge.pack = {
    soc_pct: [{ signal: 'SOC', only_near: { signal: 'SOC_HiRes', within: 1 } }],
  };
  orion.can.messages.CellBroadcast.checksum = { kind: 'sum8', byte: 8, start: 8 };
  daly.can.polls[0].data = '01';
  delete daly.address;
  const problems = [lv, orion, daly].flatMap(profile =>
    checkCanProfile(profile).map(problem => describeCanProblem(profile, problem)),
  );
  const text = problems.join('\n');
  for (const words of [
    'soc_pct: signal SOC stands before SOC_HiRes in the DBC, expected after it',
    'can.identity.message: no message Nobody in can-bus-bms-lv.dbc',
    'can.identity.option: the profile has no option accent',
    'checksum.byte: message CellBroadcast has 8 bytes only',
    'can.id_plus_address: set, but the profile declares no address range',
    'can.polls[0]: is not among the requests known to read only',
    'can.polls[9].address_shift: set, but the profile declares no address range',
  ])
    expect(text).toContain(words);
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

test('what a device flags as doubtful is encoded as its flag', () => {
  const binding = bindingOf(foxbms, { cells: 12, options: { invalid_flag_is: '1' } });
  const truth = new PackReading(binding.pack, binding.shape);
  truth.column(CellMetric.voltage_v).fill(3.3);
  truth.columnQuality(CellMetric.voltage_v)[7] = Quality.suspect;
  const decoder = new PackDecoder(binding);
  createCanEncoder(binding).frames(truth, frame => send(decoder, frame.id, frame.data.slice()));
  const quality = snapshot(decoder.state, 0).columnQuality(CellMetric.voltage_v);
  expect(Array.from(quality, one => one === Quality.suspect).indexOf(true)).toBe(7);
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
