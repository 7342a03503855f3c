/** The CAN driver over a virtual bus: routing, silence, bus faults, counting, start and stop at any moment. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { DeviceAlarmLevel, PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import type { Driver, LinkEvent, PackBinding } from '../driver.ts';
import { formatCanId } from './can-bus.ts';
import { createCanDriver } from './can-driver.ts';
import { createCanEncoder } from './can-encoder.ts';
import type { VirtualCanConnection } from './connections.ts';
import { PackDecoder } from './pack-decoder.ts';
import { bindingOf, shippedProfile, snapshot } from './testing/bench.ts';
import { VirtualCanHub, type VirtualCanNode } from './virtual-bus.ts';

const jk = shippedProfile('jk-can-v2');
const connection: VirtualCanConnection = { id: 'bus-1', type: 'virtual-can' };

interface Rig {
  driver: Driver;
  clock: ManualClock;
  hub: VirtualCanHub;
  node: VirtualCanNode;
  events: LinkEvent[];
  updates: number[];
}

function rig(bindings: readonly PackBinding[]): Rig {
  const clock = new ManualClock();
  const hub = new VirtualCanHub();
  const events: LinkEvent[] = [];
  const updates: number[] = [];
  const context = {
    clock,
    log: silentLogger,
    interval_ms: 2000,
    onUpdate: (pack: number) => void updates.push(pack),
    onLink: (event: LinkEvent) => void events.push(event),
  };
  const driver = createCanDriver(connection, bindings, context, hub);
  return { driver, clock, hub, node: hub.bus('bus-1').attach(), events, updates };
}

const twoPacks = [
  bindingOf(jk, { pack: 0, address: 0, cells: 8 }),
  bindingOf(jk, { pack: 1, address: 1, cells: 8 }),
];

function truthOf(binding: PackBinding, voltage_v: number): PackReading {
  const truth = new PackReading(binding.pack, binding.shape);
  truth.values[PackMetric.voltage_v] = voltage_v * binding.shape.cell_count;
  truth.column(CellMetric.voltage_v).fill(voltage_v);
  return truth;
}

test('one bus, many packs: each frame reaches the pack of its address and no other', async () => {
  const { driver, node, updates } = rig(twoPacks);
  await driver.start();
  const encoder = createCanEncoder(twoPacks[1]);
  encoder.frames(truthOf(twoPacks[1], 3.31), frame => node.send(frame));
  expect(new Set(updates)).toEqual(new Set([1]));
  expect(snapshot(driver.packs[1], 0).column(CellMetric.voltage_v)[7]).toBeCloseTo(3.31, 4);
  expect(snapshot(driver.packs[0], 0).columnQuality(CellMetric.voltage_v)[7]).toBe(Quality.missing);
  expect(driver.health().counters.frames).toBe(updates.length);
  await driver.stop();
});

test('a frame with a wrong checksum is counted and changes nothing', async () => {
  const { driver, node, updates } = rig([bindingOf(shippedProfile('orion-2-cells'), { cells: 2 })]);
  await driver.start();
  const send = (hex: string) =>
    node.send({ id: 0x36, extended: false, data: Buffer.from(hex, 'hex'), length: hex.length / 2 });
  send('009bf300559bfab7');
  send('009bf300559bfa');
  expect(driver.health().counters).toMatchObject({ checksum_errors: 2, truncated_frames: 0 });
  expect(updates).toEqual([]);
  expect(driver.health().packs[0].state).toBe('starting');
  send('009bf300559bfab6');
  expect(snapshot(driver.packs[0], 0).column(CellMetric.voltage_v)[0]).toBeCloseTo(3.9923, 4);
  expect(driver.health().packs[0].state).toBe('up');
  await driver.stop();
});

test('a device says which dialect it speaks; the installer may say otherwise', async () => {
  const lv = shippedProfile('can-bus-bms-lv');
  const volts = async (options: Record<string, string>, ...frames: [number, string][]) => {
    const { driver, node } = rig([bindingOf(lv, { cells: 0, options })]);
    await driver.start();
    for (const [id, hex] of frames)
      node.send({ id, extended: false, data: Buffer.from(hex, 'hex'), length: hex.length / 2 });
    await driver.stop();
    return snapshot(driver.packs[0], 0).values[PackMetric.voltage_v];
  };
  const maker = (name: string): [number, string] => [0x35e, Buffer.from(name.padEnd(8)).toString('hex')];
  const high: [number, string] = [0x356, '409c00008c00'];
  expect(await volts({}, high)).toBeCloseTo(-255.36, 6);
  expect(await volts({}, maker('MG-BMS'), high)).toBeCloseTo(400, 6);
  expect(await volts({}, maker('mg-bms'), maker('PYLON'), high)).toBeCloseTo(-255.36, 6);
  expect(await volts({ dialect: 'mg' }, maker('PYLON'), high)).toBeCloseTo(400, 6);
});

test('an alarm that two messages report is active while either says so', () => {
  const decoder = new PackDecoder(bindingOf(shippedProfile('can-bus-bms-lv'), { cells: 0 }));
  const over_voltage = decoder.binding.shape.device_alarms.indexOf('over_voltage');
  const receive = (name: string, hex: string, rx_mono_ms: number) => {
    const mapped = decoder.mapping.messages.find(({ message }) => message.name === name);
    if (!mapped) throw new Error(name);
    const data = Buffer.from(hex, 'hex');
    decoder.decode(mapped, { id: mapped.id, extended: false, data, length: 8, fd: false, rx_mono_ms });
    return snapshot(decoder.state, rx_mono_ms).device_alarm_level[over_voltage];
  };
  expect(receive('VictronAlarms', 'a6aaaaaaaaaaaaaa', 0)).toBe(DeviceAlarmLevel.alarm);
  expect(receive('PylonAlarms', '0000000001504e00', 100)).toBe(DeviceAlarmLevel.alarm);
  expect(receive('VictronAlarms', 'aaaaaaaaaaaaaaaa', 1000)).toBe(DeviceAlarmLevel.none);
  expect(receive('PylonAlarms', '0000020001504e00', 1100)).toBe(DeviceAlarmLevel.warning);
  expect(receive('VictronAlarms', 'aaaaaaaaaaaaaaaa', 9000)).toBe(DeviceAlarmLevel.none);
});

test('a pack that never spoke and one that falls silent are reported with the ids they should use', async () => {
  const { driver, node, clock, events } = rig(twoPacks);
  await driver.start();
  const encoder = createCanEncoder(twoPacks[0]);
  const speak = () => encoder.frames(truthOf(twoPacks[0], 3.3), frame => node.send(frame));
  for (let i = 0; i < 4; i++) {
    speak();
    clock.advance(1000);
  }
  const [first, second] = driver.health().packs;
  expect(first).toEqual({ pack: 0, state: 'up', reason: undefined });
  expect(second.state).toBe('down');
  expect(second.reason).toContain('no frame within 3 s of the start (expected ids 2F5, 4F5, 5F5, 7F5');
  expect(driver.health().state).toBe('up');
  clock.advance(3000);
  expect(driver.health().packs[0].reason).toMatch(/^no frame for 3 s \(expected ids /);
  speak();
  expect(driver.health().packs[0].state).toBe('up');
  expect(events.filter(event => event.pack === 0).map(event => event.state)).toEqual([
    'starting',
    'up',
    'down',
    'up',
  ]);
  await driver.stop();
});

test('a silent bus goes down with a reason and comes back with the first frame', async () => {
  const { driver, node, clock, events } = rig(twoPacks);
  await driver.start();
  expect(driver.health().state).toBe('starting');
  clock.advance(10_500);
  expect(driver.health()).toMatchObject({ state: 'down', counters: { silent_restarts: 1 } });
  expect(driver.health().reason).toContain('bus-1: no frame for 10 s');
  createCanEncoder(twoPacks[0]).frames(truthOf(twoPacks[0], 3.3), frame => node.send(frame));
  expect(driver.health()).toMatchObject({ state: 'up', reason: undefined });
  const own = events.filter(event => event.pack === undefined).map(event => event.state);
  expect(own).toEqual(['starting', 'down', 'up']);
  await driver.stop();
});

test('a fault that the bus itself reports is the state, word for word, until it heals', async () => {
  const { driver, node, hub } = rig(twoPacks);
  await driver.start();
  hub.bus('bus-1').setDown('can0: bus-off');
  expect(driver.health()).toMatchObject({ state: 'down', reason: 'can0: bus-off' });
  expect(node.send({ id: 0x2f4, extended: false, data: new Uint8Array(8), length: 8 })).toBe(false);
  hub.bus('bus-1').setDown(undefined);
  node.send({ id: 0x2f4, extended: false, data: new Uint8Array(8), length: 8 });
  expect(driver.health().state).toBe('up');
  expect(driver.health().counters.bus_drops).toBe(1);
  await driver.stop();
});

test('short frames are counted; ids of nobody are counted and reach no pack', async () => {
  const { driver, node, updates } = rig(twoPacks);
  await driver.start();
  node.send({ id: 0x2f4, extended: false, data: new Uint8Array(4), length: 4 });
  node.send({ id: 0x2f4, extended: true, data: new Uint8Array(8), length: 8 });
  node.send({ id: 0x123, extended: false, data: new Uint8Array(8), length: 8 });
  expect(updates).toEqual([0]);
  expect(driver.health().counters).toMatchObject({ frames: 1, truncated_frames: 1, unknown_ids: 2 });
  await driver.stop();
});

test('a recorded log is a bus too: its frames fill the pack, its end is reported', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'candump-'));
  const file = join(folder, 'jk.log');
  const golden = new URL('../profiles/jk-can-v2.golden.json', import.meta.url);
  const frames = JSON.parse(readFileSync(golden, 'utf8')) as {
    id: number;
    extended: boolean;
    data: string;
  }[];
  const lines = frames.map(
    ({ id, extended, data }, i) => `(${i}.0) can0 ${formatCanId(id, extended)}#${data.toUpperCase()}`,
  );
  writeFileSync(file, [...lines, 'not a frame'].join('\n'));
  const clock = new ManualClock();
  const context = { clock, log: silentLogger, interval_ms: 2000, onUpdate() {}, onLink() {} };
  const replay = { id: 'log', type: 'candump', file, speed: 1000 } as const;
  const driver = createCanDriver(replay, [bindingOf(jk, { cells: 4 })], context, new VirtualCanHub());
  await driver.start();
  for (let i = 0; i < 100_000 && driver.health().state !== 'down'; i++) {
    await new Promise(resolve => setImmediate(resolve));
    if (i % 10 === 0) clock.advance(1);
  }
  expect(driver.health().reason).toContain('replay is over');
  expect(driver.health().counters).toMatchObject({ frames: frames.length, bad_lines: 1 });
  const reading = snapshot(driver.packs[0], clock.monoMs());
  expect(reading.values[PackMetric.voltage_v]).toBeCloseTo(27.5, 6);
  expect(reading.column(CellMetric.voltage_v)[0]).toBeCloseTo(3.757, 4);
  await driver.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('two packs with one address are refused by name', () => {
  const clash = [twoPacks[0], bindingOf(jk, { pack: 1, address: 0 })];
  expect(() => rig(clash)).toThrowError(/packs pack-1 and pack-2 both use CAN id 2F4/);
  expect(() => rig(clash)).toThrowError(GatewayError);
});

test('start and stop in any order leave nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('start', 'stop', 'time'), { maxLength: 12 }), async steps => {
      const { driver, clock, node, updates } = rig(twoPacks);
      const pending: Promise<void>[] = [];
      for (const step of steps) {
        if (step === 'start') pending.push(driver.start());
        else if (step === 'stop') pending.push(driver.stop());
        else clock.advance(700);
      }
      await Promise.all(pending);
      await driver.stop();
      await driver.stop();
      expect(driver.health().state).toBe('stopped');
      expect(clock.pendingTimers).toBe(0);
      const before = updates.length;
      node.send({ id: 0x2f4, extended: false, data: new Uint8Array(8), length: 8 });
      expect(updates.length).toBe(before);
    }),
    { numRuns: runsOf(60) },
  );
});

test('a node that answers while it receives is delivered after, in order, within a bound', () => {
  const bus = new VirtualCanHub().bus('b');
  const received: number[] = [];
  const echo: VirtualCanNode = bus.attach(frame => {
    if (frame.id < 3)
      echo.send({ id: frame.id + 1, extended: false, data: frame.data, length: frame.length });
  });
  bus.attach(frame => {
    received.push(frame.id);
    if (frame.id === 9)
      for (let i = 0; i < 5000; i++) other.send({ id: 7, extended: false, data: frame.data, length: 0 });
  });
  const other = bus.attach();
  other.send({ id: 1, extended: false, data: new Uint8Array(2), length: 2 });
  expect(received).toEqual([1, 2, 3].slice(0, received.length));
  other.send({ id: 9, extended: false, data: new Uint8Array(0), length: 0 });
  expect(bus.dropped).toBe(5000 - 4096);
});
