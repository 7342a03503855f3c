/** Devices that answer over ISO-TP, on a virtual bus with the driver and others who ask. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import type { CanFrame } from '../../drivers/can/can-bus.ts';
import { createCanDriver } from '../../drivers/can/can-driver.ts';
import { bindingOf, shippedProfile, snapshot } from '../../drivers/can/testing/bench.ts';
import { type SentFrame, VirtualCanHub } from '../../drivers/can/virtual-bus.ts';
import type { LinkEvent } from '../../drivers/driver.ts';
import { simulatedCan } from './simulated-can.ts';

const REQUEST_ID = 0x7e4;
const REPLY_ID = 0x7ec;
const CELLS = 98;

interface Sent {
  readonly at_ms: number;
  readonly data: string;
}

function rig({ hasDevice = true } = {}) {
  const clock = new ManualClock();
  const hub = new VirtualCanHub();
  const binding = bindingOf(shippedProfile('hyundai-kia-64kwh'), { cells: CELLS, sensors: 4 });
  const truth = new PackReading(0, binding.shape);
  truth.values[PackMetric.voltage_v] = 352.8;
  truth.values[PackMetric.current_a] = -12.3;
  truth.values[PackMetric.soh_pct] = 97.5;
  truth.values[PackMetric.cell_voltage_max_v] = 3.66;
  truth.column(CellMetric.voltage_v).forEach((_, cell, column) => {
    column[cell] = 3.5 + 0.02 * (cell % 6);
  });
  truth.sensors.fill(21);
  const events: LinkEvent[] = [];
  const ours: Sent[] = [];
  // What another node on the bus hears of the gateway.
  const hear = ({ id, data, length }: CanFrame) => {
    if (id === REQUEST_ID && !isForeign)
      ours.push({ at_ms: clock.monoMs(), data: Buffer.from(data.subarray(0, length)).toString('hex') });
  };
  let isForeign = false;
  const listener = hub.bus('bus').attach(hear);
  const device =
    hasDevice &&
    simulatedCan.attachDevice('bus', binding, { reading: truth, isDead: () => false }, hub, clock);
  const driver = createCanDriver(
    { id: 'bus', type: 'virtual-can' },
    [binding],
    { clock, log: silentLogger, interval_ms: 2000, onUpdate() {}, onLink: event => void events.push(event) },
    hub,
  );
  const run = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) clock.advance(10);
  };
  const send = (id: number, hex: string) => {
    isForeign = true;
    const data = Buffer.from(hex, 'hex');
    const frame: SentFrame = { id, extended: false, data, length: data.length };
    listener.send(frame);
    isForeign = false;
  };
  return { clock, hub, driver, device, truth, ours, events, run, send };
}

test('every cell is read within ten seconds of the first request, which waits for ten seconds of silence', async () => {
  const { driver, clock, truth, ours, run } = rig();
  await driver.start();
  run(20_000);
  const reading = snapshot(driver.packs[0], clock.monoMs());
  expect(ours[0].at_ms).toBe(10_000);
  expect(reading.values[PackMetric.voltage_v]).toBeCloseTo(352.8, 3);
  expect(reading.values[PackMetric.current_a]).toBeCloseTo(-12.3, 3);
  expect(reading.values[PackMetric.soh_pct]).toBeCloseTo(97.5, 3);
  const { cell_count } = reading.shape;
  for (let cell = 0; cell < cell_count; cell++)
    expect(reading.column(CellMetric.voltage_v)[cell]).toBeCloseTo(
      truth.column(CellMetric.voltage_v)[cell],
      3,
    );
  expect([...reading.columnQuality(CellMetric.voltage_v)]).toEqual(Array(CELLS).fill(Quality.good));
  const { counters } = driver.health();
  expect(counters.iso_tp_requests).toBe(counters.iso_tp_replies);
  expect(counters.iso_tp_unanswered).toBe(0);
  await driver.stop();
  const sent = ours.length;
  run(20_000);
  expect(ours.length).toBe(sent);
});

test('nothing but read requests and flow control is ever sent', async () => {
  const { driver, ours, run } = rig();
  await driver.start();
  run(60_000);
  await driver.stop();
  const kinds = new Set(ours.map(({ data }) => data));
  expect([...kinds].sort()).toEqual([
    '0322010100000000',
    '0322010200000000',
    '0322010300000000',
    '0322010400000000',
    '0322010500000000',
    '3000000000000000',
  ]);
});

test('a sleeping controller, which answers with zeros, gives no values but those that hold', async () => {
  const { driver, clock, truth, run } = rig();
  truth.values[PackMetric.cell_voltage_max_v] = Number.NaN;
  truth.values[PackMetric.energy_in_kwh] = 1234.5;
  await driver.start();
  run(20_000);
  const reading = snapshot(driver.packs[0], clock.monoMs());
  expect(reading.value_quality[PackMetric.current_a]).toBe(Quality.missing);
  expect(reading.values[PackMetric.voltage_v]).toBeCloseTo(352.8, 3);
  expect(reading.values[PackMetric.energy_in_kwh]).toBeCloseTo(1234.5, 3);
  expect(driver.health().counters.no_readings).toBeGreaterThan(2);
});

test('refusals: "wait" is waited for, "not here" is not asked again, "busy" soon, "not now" later', async () => {
  const { driver, ours, run, send } = rig({ hasDevice: false });
  await driver.start();
  run(10_000);
  const asked = () => ours.map(({ data }) => data.slice(2, 8));
  expect(asked()).toEqual(['220101']);
  for (let i = 0; i < 3; i++) {
    send(REPLY_ID, '037f2278aaaaaaaa');
    run(4000);
  }
  expect(asked()).toEqual(['220101']);
  send(REPLY_ID, '037f2231aaaaaaaa');
  run(150);
  expect(asked()).toEqual(['220101', '220102']);
  send(REPLY_ID, '037f2221aaaaaaaa');
  run(150);
  send(REPLY_ID, '037f2222aaaaaaaa');
  run(150);
  expect(asked()).toEqual(['220101', '220102', '220103', '220104']);
  run(30_000);
  expect(asked().filter(one => one === '220101').length).toBe(1);
  expect(asked().filter(one => one === '220102').length).toBeGreaterThan(1);
  expect(asked().filter(one => one === '220103').length).toBe(1);
  run(60_000);
  expect(asked().filter(one => one === '220103').length).toBeGreaterThan(1);
  expect(driver.health().counters.iso_tp_refused).toBe(3);
});

test('a device that never answers is asked seldom, and its pack is down with the reason', async () => {
  const { driver, ours, events, run } = rig({ hasDevice: false });
  await driver.start();
  run(120_000);
  expect(ours.length).toBeLessThan(40);
  expect(events.find(({ pack, state }) => pack === 0 && state === 'down')?.reason).toBe(
    'no frame within 20 s of the start though asked (expected ids 7EC)',
  );
});

test('replies that somebody else asks for are read, and nothing is sent beside him', async () => {
  const { driver, clock, ours, events, run, send } = rig();
  await driver.start();
  run(5000);
  for (let i = 0; i < 30; i++) {
    send(REQUEST_ID, '0322010100000000');
    send(REQUEST_ID, '3000000000000000');
    send(REQUEST_ID, '0322010200000000');
    send(REQUEST_ID, '3000000000000000');
    run(1000);
  }
  expect(ours).toEqual([]);
  const reading = snapshot(driver.packs[0], clock.monoMs());
  expect(reading.values[PackMetric.voltage_v]).toBeCloseTo(352.8, 3);
  expect([...reading.columnQuality(CellMetric.voltage_v)].filter(q => q === Quality.good).length).toBe(32);
  // He has gone: once he was quiet for long the gateway asks.
  run(98_000);
  expect(ours).toEqual([]);
  expect(events.some(({ reason }) => reason?.startsWith('another tester asks this device'))).toBe(true);
  run(3000);
  expect(ours.length).toBeGreaterThan(0);
});

test('whenever another tester comes, he meets one of our transactions at most, and then has the bus', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 130_000 }), fc.integer({ min: 1, max: 5 })), {
        minLength: 1,
        maxLength: 6,
      }),
      async visits => {
        const { driver, clock, ours, run, send } = rig();
        await driver.start();
        const asked: number[] = [];
        for (const [pause_ms, did] of visits) {
          run(pause_ms);
          asked.push(clock.monoMs());
          const before = ours.length;
          send(REQUEST_ID, `03220${did > 0 ? '1' : '0'}0${did}00000000`);
          run(20);
          send(REQUEST_ID, '3000000000000000');
          run(200);
          expect(ours.length).toBe(before);
        }
        run(120_000);
        await driver.stop();
        for (const { at_ms, data } of ours) {
          const last = Math.max(Number.NEGATIVE_INFINITY, ...asked.filter(one => one < at_ms));
          expect([data, at_ms - last >= 100_000]).toEqual([data, true]);
        }
      },
    ),
    { numRuns: runsOf(15) },
  );
});
