/**
 * Frames of real devices, and what they mean (../shared/conformance/golden/devices-can.json), through the product's own
 * profiles, at the byte level. Skips where that folder is missing; in CI it is always there.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { canKey } from '../../drivers/can/can-bus.ts';
import { EcuReader } from '../../drivers/can/iso-tp/ecu-reader.ts';
import { Reassembler, Step } from '../../drivers/can/iso-tp/reassembler.ts';
import { PackDecoder } from '../../drivers/can/pack-decoder.ts';
import { bindingOf, snapshot } from '../../drivers/can/testing/bench.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';

const VECTORS = fileURLToPath(
  new URL('../../../shared/conformance/golden/devices-can.json', import.meta.url),
);
const isThere = existsSync(VECTORS);
const isSkipped = !isThere && !process.env.CI;

interface Vector {
  readonly device: string;
  readonly source: string;
  readonly frames: readonly { readonly id: number; readonly extended: boolean; readonly data: string }[];
  readonly expected: Readonly<Record<string, unknown>>;
}

const vectors: readonly Vector[] = isThere ? JSON.parse(readFileSync(VECTORS, 'utf8')) : [];
const { profiles } = loadProfiles();

/** What the vectors call it, in our words, and the factor to our unit. */
const PACK_VALUES: Readonly<Record<string, readonly [keyof typeof PackMetric, number]>> = {
  voltage_v: ['voltage_v', 1],
  current_a: ['current_a', 1],
  current_1_a: ['current_a', 1],
  current_raw_a: ['current_a', 1],
  soc_percent: ['soc_pct', 1],
  soh_percent: ['soh_pct', 1],
  temperature_c: ['temperature_c', 1],
  temperature_average_c: ['temperature_c', 1],
  temperature_max_c: ['cell_temperature_max_c', 1],
  temperature_min_c: ['cell_temperature_min_c', 1],
  cell_voltage_max_v: ['cell_voltage_max_v', 1],
  cell_voltage_min_v: ['cell_voltage_min_v', 1],
  charged_kwh: ['energy_in_kwh', 1],
  discharged_kwh: ['energy_out_kwh', 1],
  isolation_kohm: ['insulation_resistance_kohm', 1],
  charge_voltage_limit_v: ['charge_voltage_limit_v', 1],
  charge_current_limit_a: ['charge_current_limit_a', 1],
  capacity_ah: ['capacity_full_ah', 1],
  cell_capacity_min_ah: ['capacity_full_ah', 1],
  remaining_kwh: ['energy_remaining_kwh', 1],
  max_charge_power_kw: ['charge_power_limit_w', 1000],
  max_discharge_power_kw: ['discharge_power_limit_w', 1000],
};

/** Read of no pack yet, and why. */
const NOT_READ = new Set(['nmea2000-battery']);

function decoded(profile: Profile, options: Record<string, string | number | boolean>, { frames }: Vector) {
  const decoder = new PackDecoder(
    bindingOf(profile, { cells: profile.cells.max, sensors: profile.sensors?.max ?? 0, options }),
  );
  const { iso_tp, messages } = decoder.mapping;
  const bus = { name: 'none', counters: {}, open: async () => {}, close: async () => {}, restart() {} };
  const clock = new ManualClock();
  const readers = iso_tp.map(
    link =>
      new EcuReader(bus, clock, link, (read, data, length) => {
        const mapped = messages.find(({ message }) => message.name === read.message);
        if (mapped)
          decoder.decode(mapped, { id: 0, extended: false, data, length, fd: false, rx_mono_ms: 0 });
      }),
  );
  for (const { id, extended, data: hex } of frames) {
    const data = Buffer.from(hex, 'hex');
    const frame = { id, extended, data, length: data.length, fd: false, rx_mono_ms: 0 };
    const mapped = messages.find(
      one => !one.reply_head && canKey(one.id & one.mask, one.extended) === canKey(id & one.mask, extended),
    );
    if (mapped) decoder.decode(mapped, frame);
    for (const reader of readers) reader.take(frame);
  }
  return snapshot(decoder.state, 0);
}

/** What of it is read, beside what it should be. */
function compared(reading: PackReading, expected: Vector['expected']): [string, number, unknown][] {
  const pairs: [string, number, unknown][] = [];
  const row = (name: string, first: number, values: unknown, column: Float32Array) => {
    if (!Array.isArray(values)) return;
    values.forEach((value, i) => {
      if (first - 1 + i < column.length) pairs.push([`${name} ${first + i}`, column[first - 1 + i], value]);
    });
  };
  const voltages = reading.column(CellMetric.voltage_v);
  // Lowest and highest of one module are none of the pack.
  if (!('module' in expected))
    for (const [name, value] of Object.entries(expected)) {
      const [metric, factor] = PACK_VALUES[name] ?? [];
      if (metric === undefined || factor === undefined) continue;
      pairs.push([
        metric,
        reading.values[PackMetric[metric]],
        value === null ? null : Number(value) * factor,
      ]);
    }
  row('cell', Number(expected.first_cell), expected.cells_v, voltages);
  if ('cell' in expected) row('cell', Number(expected.cell), [expected.cell_voltage_v], voltages);
  if ('sensor' in expected)
    row('sensor', Number(expected.sensor), [expected.sensor_temperature_c], reading.sensors);
  for (const name of ['module_temperatures_c', 'sensor_temperatures_c'])
    row('sensor', 1, expected[name], reading.sensors);
  return pairs;
}

/** As close as the vector's last digit says. */
function isRight([, found, wanted]: [string, number, unknown]): boolean {
  if (wanted === null) return Number.isNaN(found);
  const decimals = String(wanted).split('.')[1]?.length ?? 4;
  return Math.abs(found - Number(wanted)) <= Math.max(0.0006, 0.5 * 10 ** -decimals + 1e-6);
}

function optionsOf({ options = {} }: Profile): Record<string, string | number | boolean>[] {
  const single = Object.entries(options).flatMap(([name, { values }]) =>
    values.map(value => ({ [name]: value })),
  );
  return [{}, ...single];
}

test.skipIf(isSkipped)('there are vectors (../shared/conformance/golden/devices-can.json)', () => {
  expect(vectors.length).toBeGreaterThan(100);
});

test.skipIf(isSkipped)('every device of the vectors has a profile, or is named as not read', () => {
  const without = new Set(vectors.map(({ device }) => device).filter(device => !profiles.has(device)));
  without.delete('iso-tp');
  expect([...without].filter(device => !NOT_READ.has(device))).toEqual([]);
});

test.skipIf(isSkipped)('frames of real devices mean what they should, under one of the options', () => {
  const wrong: unknown[] = [];
  let checked = 0;
  for (const vector of vectors) {
    const profile = profiles.get(vector.device);
    if (!profile) continue;
    const attempts = optionsOf(profile).map(options =>
      compared(decoded(profile, options, vector), vector.expected),
    );
    const best = attempts.find(pairs => pairs.every(isRight)) ?? attempts[0];
    if (best.every(isRight)) checked += best.length;
    else wrong.push({ source: vector.source, found: best.filter(pair => !isRight(pair)) });
  }
  expect(wrong).toEqual([]);
  expect(checked).toBeGreaterThan(600);
});

test.skipIf(isSkipped)('messages over ISO-TP are put together as they were sent', () => {
  for (const { frames, expected } of vectors.filter(({ device }) => device === 'iso-tp')) {
    const incoming = new Reassembler(undefined);
    const whole: string[] = [];
    frames.forEach(({ data: hex }, i) => {
      const data = Buffer.from(hex, 'hex');
      if (incoming.take(data, data.length, i) === Step.whole)
        whole.push(Buffer.from(incoming.message.subarray(0, incoming.length)).toString('hex'));
    });
    expect(whole).toEqual([expected.payload]);
  }
});
