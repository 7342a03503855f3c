/** Recorded replies of real devices through the whole driver, byte by byte: what they are known to mean comes out. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import type { PackReading } from '../../../core/reading/pack-reading.ts';
import type { PackBinding } from '../../driver.ts';
import { encodeMbap } from '../mbap.ts';
import { crcFits } from '../rtu/crc.ts';
import { readWire } from '../testing/recorded-device.ts';
import { bindingFor, shipped } from '../testing/registers.ts';

const FILE = new URL('../../../../shared/conformance/golden/devices-modbus.json', import.meta.url);
const present = existsSync(FILE) || process.env.CI === 'true';

interface Vector {
  readonly device: string;
  readonly framing: 'rtu' | 'tcp' | 'givenergy';
  readonly unit: number;
  readonly function: 3 | 4;
  readonly address: number;
  readonly count: number;
  readonly request_hex?: string;
  readonly reply_hex: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

interface Use {
  readonly profile: string;
  readonly options?: PackBinding['options'];
  /** Cell of the first in the reply. */
  readonly first_cell?: number;
  /** Sensor at the power stage. */
  readonly mos_sensor?: number;
}

/** By the beginning of the device's name, the most exact one first. */
const USES: readonly (readonly [string, Use])[] = [
  ['EG4 LL 12 V', { profile: 'eg4-ll', options: { current_step_a: 0.1 } }],
  ['EG4 LL 48 V', { profile: 'eg4-ll', mos_sensor: 6 }],
  ['Zetara BMS 4S 100 Ah', { profile: 'eg4-ll', options: { current_step_a: 0.1 } }],
  ['Zetara BMS 4S 400 Ah', { profile: 'eg4-ll', options: { current_step_a: 0.1, remaining_step_ah: 0.1 } }],
  ['EG4 280 Ah WallMount, second pack', { profile: 'eg4-ll' }],
  ['EG4', { profile: 'growatt-battery', options: { capacity_registers: true } }],
  ['Gobel', { profile: 'pace-30s', mos_sensor: 10 }],
  ['Buknuwo', { profile: 'pace-30s', mos_sensor: 10 }],
  ['Revov', { profile: 'pace-16s' }],
  ['Vatrer', { profile: 'vatrer', mos_sensor: 5 }],
  ['Renogy Pro', { profile: 'renogy', options: { current_step_a: 0.1 } }],
  ['Renogy', { profile: 'renogy' }],
  ['Pylontech RT', { profile: 'pylontech-rt' }],
  ['Ective', { profile: 'lipower' }],
  ['Shoto', { profile: 'huawei-esm', options: { voltage_register: 1 } }],
  ['Enepaq', { profile: 'tiny-bms', first_cell: 5 }],
  ['Huawei SUN2000', { profile: 'huawei-luna2000' }],
  ['Sungrow', { profile: 'sungrow-sbr' }],
];

/** Why a device has no profile, by its name. */
const WITHOUT: readonly (readonly [string, string])[] = [
  ['GivEnergy', 'an envelope of its own around each frame'],
];

const useOf = ({ device }: Vector) => USES.find(([name]) => device.startsWith(name))?.[1];

/** Of a device: what is expected under the name of a metric, and what one of ours is under another name. */
const RENAMED: Readonly<Record<string, keyof typeof PackMetric>> = {
  cycles: 'cycle_count',
  current_limit_a: 'charge_current_limit_a',
  bus_voltage_v: 'voltage_v',
  bus_current_a: 'current_a',
  energy_charged_kwh: 'energy_in_kwh',
  energy_discharged_kwh: 'energy_out_kwh',
};

/** Values that are the device's own words, or that no metric of ours stands for. */
const NOT_OURS =
  /_raw$|^(words_|temperature_(19|20|pcb|mos)|ambient_c|cell_voltage_difference|sensor_count|cell_count|capacity_design|state$|model$|power_w|energy_total|hours_left|minutes_left|current_magnitude|running_status|exception|cells_|temps_c)/;

function compare(reading: PackReading, vector: Vector, use: Use): number {
  let compared = 0;
  const { expected } = vector;
  for (const [key, value] of Object.entries(expected)) {
    const name = RENAMED[key] ?? key;
    if (!(name in PackMetric)) {
      expect(key, 'a value nobody compares').toMatch(NOT_OURS);
      continue;
    }
    const found = reading.values[PackMetric[name as keyof typeof PackMetric]];
    if (shipped(use.profile).registers?.pack[name] === undefined) continue;
    // Limits are amounts for us, whatever sign the device gives them.
    const wanted = /_limit_a$/.test(name) ? Math.abs(Number(value)) : Number(value);
    expect([key, found]).toEqual([key, expect.closeTo(wanted, 5)]);
    compared++;
  }
  const mos_c = expected.temperature_mos_c ?? expected.temperature_pcb_c;
  if (mos_c !== undefined && use.mos_sensor !== undefined) {
    expect(reading.sensors[use.mos_sensor]).toBeCloseTo(Number(mos_c), 4);
    compared++;
  }
  const cells = (expected.cells_v ?? expected.cells_5_9_v) as number[] | undefined;
  const column = reading.column(CellMetric.voltage_v);
  cells?.forEach((volts, i) => {
    expect(column[(use.first_cell ?? 0) + i]).toBeCloseTo(volts, 5);
    compared++;
  });
  const temperatures = (expected.temps_c ?? []) as number[];
  const at_cells = reading.column(CellMetric.temperature_c);
  temperatures.forEach((celsius, i) => {
    const found = reading.sensors.length > 0 ? reading.sensors[i] : at_cells[i];
    const is_fitted = celsius > -50;
    expect([i, found]).toEqual([i, is_fitted ? expect.closeTo(celsius, 4) : Number.NaN]);
    compared++;
  });
  return compared;
}

const vectors: Vector[] = present ? JSON.parse(readFileSync(FILE, 'utf8')) : [];
const named = vectors.map((vector, i) => ({
  name: `${i}: ${vector.device}, from ${vector.address}`,
  vector,
}));
const used = named.filter(({ vector }) => useOf(vector));

// In CI the folder is always there: what is missing fails.
const isSkipped = !present && !process.env.CI;

test.skipIf(isSkipped)('there are recorded replies of real devices (../shared/conformance/golden)', () => {
  expect(used.length).toBeGreaterThan(20);
});

test.skipIf(isSkipped).each(used)('$name', async ({ vector }) => {
  const use = useOf(vector);
  if (!use) throw new Error('no profile');
  const profile = shipped(use.profile);
  const bytes = Buffer.from(vector.reply_hex, 'hex');
  const pdu = vector.framing === 'tcp' ? bytes.subarray(7) : bytes.subarray(1, -2);
  if (vector.framing === 'rtu') expect(crcFits(bytes, 0, bytes.length)).toBe(true);
  else expect(bytes).toEqual(Buffer.from(encodeMbap(bytes.readUInt16BE(0), vector.unit, pdu)));
  const binding = {
    ...bindingFor(profile, { cells: Math.min(16, profile.cells.max), options: use.options }),
    address: vector.unit,
  };
  const { reading, requests } = await readWire(
    binding,
    vectors.filter(({ device, unit }) => device === vector.device && unit === vector.unit),
  );
  expect(requests.filter(code => code !== 3 && code !== 4)).toEqual([]);
  const compared = compare(reading, vector, use);
  if (vector.expected.exception === undefined)
    expect(compared + Number('model' in vector.expected)).toBeGreaterThan(0);
  else expect(reading.values.every(Number.isNaN)).toBe(true);
});

test.skipIf(isSkipped)('each device without a profile is known, and why', () => {
  const without = named.filter(({ vector }) => !useOf(vector));
  const lines = without.map(({ name, vector }) => {
    const [, why] = WITHOUT.find(([device]) => vector.device.startsWith(device)) ?? [];
    return `${name}: ${why}`;
  });
  expect(lines.filter(line => line.endsWith('undefined'))).toEqual([]);
  process.stdout.write(`recorded replies without a profile:\n${lines.join('\n')}\n`);
});
