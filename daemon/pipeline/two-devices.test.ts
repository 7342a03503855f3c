/**
 * From the bytes of a wire to the alert: two devices under one address or id, and replies that change places. Driver,
 * sampler, judge and alert service as the gateway has them.
 */
import { afterEach, expect, test } from 'vitest';
import type { Alert } from '../../core/alerts/alert.ts';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { Quality } from '../../core/reading/quality.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { createCanDriver } from '../../drivers/can/can-driver.ts';
import { createCanEncoder } from '../../drivers/can/can-encoder.ts';
import { bindingOf, shippedProfile } from '../../drivers/can/testing/bench.ts';
import { VirtualCanHub } from '../../drivers/can/virtual-bus.ts';
import type { Driver, DriverContext, PackBinding } from '../../drivers/driver.ts';
import { createModbusDriver } from '../../drivers/modbus/modbus-driver.ts';
import { addressOf, fourCells, honest } from '../../drivers/modbus/testing/odd-device.ts';
import { VirtualModbusHub } from '../../drivers/modbus/virtual-link.ts';
import { MemoryDocuments } from '../server/testing/test-site.ts';
import { smallTopology } from '../store/testing/fixtures.ts';
import { AlertService } from './alert-service.ts';
import { Sampler } from './sampler.ts';

const INTERVAL_MS = 1000;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Rig {
  /** Moves time on; `act` is called each step. */
  run(ms: number, act?: () => void): Promise<void>;
  /** Each row of the alert log: "raised: …", "cleared". */
  readonly alerts: string[];
  /** Of the newest reading. */
  readonly quality: () => Set<number>;
  readonly reasons: () => string[];
  readonly newest: () => PackReading;
}

async function rig(
  binding: PackBinding,
  make: (context: DriverContext) => Driver,
  clock = new ManualClock(),
): Promise<Rig> {
  const alerts: string[] = [];
  const small = smallTopology(1);
  const topology = { ...small, packs: small.packs.map(pack => ({ ...pack, shape: binding.shape })) };
  const store = {
    documents: new MemoryDocuments(),
    appendAlert: ({ rule_id, state, message }: Alert) => {
      if (rule_id === 'two_devices') alerts.push(state === 'active' ? `raised: ${message}` : 'cleared');
    },
    alerts: async () => [],
    pastAlerts: async () => [],
  };
  const options = { silent_after_ms: 15_000, deviceAlarmLabel: (_: number, code: string) => code };
  const service = new AlertService(topology, [], options, store);
  const driver = make({
    clock,
    log: silentLogger,
    interval_ms: INTERVAL_MS,
    onUpdate: () => {},
    onLink: () => {},
  });
  const [state] = driver.packs;
  const judge = new PackJudge(state, plausibleLimits(binding.profile.plausible));
  const newest = new PackReading(0, binding.shape);
  const sampler = new Sampler({
    clock,
    interval_ms: INTERVAL_MS,
    packs: [{ state, judge }],
    onReading: reading => newest.copyFrom(reading),
    onMoment: (t_ms, mono_ms) =>
      service.judge(
        0,
        {
          reading: newest.t_ms === t_ms ? newest : undefined,
          silent_ms: 0,
          silent_reason: undefined,
          two_devices: judge.twoDevices(),
        },
        t_ms,
        mono_ms,
      ),
  });
  await driver.start();
  cleanups.push(() => driver.stop());
  sampler.start();
  cleanups.push(() => sampler.stop());
  return {
    alerts,
    async run(ms, act = () => {}) {
      for (let passed = 0; passed < ms; passed += 50) {
        act();
        for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve));
        clock.advance(50);
      }
    },
    quality: () =>
      new Set([...newest.value_quality, ...newest.cell_quality].filter(one => one !== Quality.missing)),
    reasons: () => judge.reasons(newest),
    newest: () => newest,
  };
}

const ALL_GOOD = new Set([Quality.good]);
const ALL_SUSPECT = new Set([Quality.suspect]);

/** Two devices of a profile on one bus, that differ by what `differ` sets. */
async function canRig(profile_id: string, differ: Partial<Record<keyof typeof PackMetric, number>>) {
  const clock = new ManualClock();
  const hub = new VirtualCanHub();
  const binding = bindingOf(shippedProfile(profile_id), { cells: profile_id.startsWith('jk') ? 8 : 0 });
  const made = await rig(
    binding,
    context => createCanDriver({ id: 'bus', type: 'virtual-can' }, [binding], context, hub),
    clock,
  );
  const node = hub.bus('bus').attach();
  const device = (values: Partial<Record<keyof typeof PackMetric, number>>) => {
    const truth = new PackReading(0, binding.shape);
    const all = {
      voltage_v: 26.4,
      current_a: 0,
      soc_pct: 60,
      soh_pct: 99,
      temperature_c: 25,
      cycle_count: 120,
      charge_voltage_limit_v: 29,
      charge_current_limit_a: 50,
      discharge_current_limit_a: 50,
      discharge_voltage_limit_v: 22,
      capacity_full_ah: 100,
      capacity_remaining_ah: 60,
      cell_voltage_min_v: 3.3,
      cell_voltage_max_v: 3.3,
      ...values,
    };
    for (const [name, value] of Object.entries(all)) {
      const metric = PackMetric[name as keyof typeof PackMetric];
      truth.values[metric] = value;
      truth.value_quality[metric] = Quality.good;
    }
    truth.column(CellMetric.voltage_v).fill(3.3);
    const encoder = createCanEncoder(binding);
    return () => encoder.frames(truth, frame => node.send(frame));
  };
  return { ...made, first: device({}), second: device(differ) };
}

test.each([
  ['can-bus-bms-lv', { soc_pct: 80 }, /^raised: Two devices answer in turn: state of charge 60 % and 80 %/],
  ['can-bus-bms-lv', { soh_pct: 90 }, /^raised: Two devices answer in turn: state of health 90 % and 99 %/],
  ['jk-can-v2', { cycle_count: 121 }, /^raised: Two devices answer in turn: cycles 120 and 121/],
] as const)('%s: a second device on the bus with %o', async (profile, differ, message) => {
  const { run, first, second, alerts, quality, reasons } = await canRig(profile, differ);
  await run(20_000, first);
  expect(alerts).toEqual([]);
  expect(quality()).toEqual(ALL_GOOD);
  let step = 0;
  await run(20_000, () => {
    // Each at its own pace, as two clocks have it.
    if (step % 7 === 0) first();
    if (step % 8 === 3) second();
    step++;
  });
  expect(alerts).toEqual([expect.stringMatching(message)]);
  expect(quality()).toEqual(ALL_SUSPECT);
  expect(reasons()[0]).toMatch(/^two devices answer in turn: /);
  await run(50_000, second);
  expect(alerts).toHaveLength(1);
  await run(30_000, second);
  expect(alerts).toEqual([expect.any(String), 'cleared']);
  expect(quality()).toEqual(ALL_GOOD);
});

/** Registers as the odd devices of drivers/modbus hold them, but for some. */
const reply = (pdu: Uint8Array, registers: Record<number, readonly number[]>): Uint8Array => {
  const words = registers[addressOf(pdu)];
  if (!words) return honest(pdu);
  return Uint8Array.from([pdu[0], 2 * words.length, ...words.flatMap(word => [word >> 8, word & 0xff])]);
};

async function modbusRig(answer: (pdu: Uint8Array) => Uint8Array) {
  const hub = new VirtualModbusHub();
  const binding = fourCells();
  const behave = { answer };
  hub.attach('line', 1, pdu => behave.answer(pdu));
  const made = await rig(binding, context =>
    createModbusDriver({ id: 'line', type: 'virtual-modbus' }, [binding], context, hub),
  );
  return { ...made, behave };
}

test('two units of one address that answer in turn, by rounds or by requests in any order', async () => {
  const { run, alerts, quality, reasons, behave } = await modbusRig(honest);
  await run(20_000);
  expect(alerts).toEqual([]);
  expect(quality()).toEqual(ALL_GOOD);
  let request = 0;
  // The second one: 12.5 V, no current, 3.125 V a cell, 31 %.
  const second = (pdu: Uint8Array) =>
    reply(pdu, { 0: [1250, 0], 100: [3125, 3125, 3125, 3125], 200: [31], 300: [20, 20] });
  behave.answer = pdu => ((request++ * 2654435761) % 7 < 3 ? second(pdu) : honest(pdu));
  await run(60_000);
  expect(alerts).toEqual([
    expect.stringMatching(/^raised: Two devices answer in turn: state of charge 31 % and 77 %/),
  ]);
  expect(quality()).toEqual(ALL_SUSPECT);
  expect(reasons()[0]).toMatch(/^two devices answer in turn: /);
  behave.answer = second;
  await run(90_000);
  expect(alerts).toEqual([expect.any(String), 'cleared']);
  expect(quality()).toEqual(ALL_GOOD);
});

test('replies of equal length that change places, each under the id of the other: no wrong value is good', async () => {
  const { run, quality, reasons, newest, behave } = await modbusRig(honest);
  await run(5000);
  expect(quality()).toEqual(ALL_GOOD);
  const before = new Map<number, Uint8Array>();
  behave.answer = pdu => {
    // What was asked for last with this length.
    const bytes = honest(pdu);
    const previous = before.get(bytes.length) ?? bytes;
    before.set(bytes.length, bytes);
    return previous;
  };
  let moments = 0;
  let changed = 0;
  await run(30_000, () => {
    const { values, value_quality, sensors, sensor_quality } = newest();
    moments++;
    const reported = values[PackMetric.voltage_v];
    if (Math.abs(reported - 13.2) < 0.01) return;
    changed++;
    expect(reported).toBeCloseTo(0.21, 2);
    expect(value_quality[PackMetric.voltage_v]).toBe(Quality.suspect);
    expect(value_quality[PackMetric.current_a]).toBe(Quality.suspect);
    for (const [i, sensor] of sensors.entries())
      if (Math.abs(sensor - [21, 22][i]) > 0.01) expect(sensor_quality[i]).toBe(Quality.suspect);
    expect(reasons()).toContain('cells add up to 13.2 V, the pack says 0.2 V');
  });
  expect(changed).toBeGreaterThan(moments / 2);
});
