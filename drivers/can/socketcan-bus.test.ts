/** SocketCanBus above a stand-in for the native channel and real files in place of sysfs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import type { CanBusState } from './can-bus.ts';
import { loadSocketCan, type RawChannel, type RawMessage, SocketCanBus } from './socketcan-bus.ts';

/** Behaves as the package does: stop() calls the stopped listeners, and throws on a channel that is not running. */
class NativeChannel implements RawChannel {
  filters: { id: number; mask: number; invert?: boolean }[] = [];
  running = false;
  room = true;
  readonly #message: ((message: RawMessage) => void)[] = [];
  readonly #stopped: (() => void)[] = [];

  addListener(
    event: 'onMessage' | 'onStopped',
    listener: ((message: RawMessage) => void) | (() => void),
  ): void {
    if (event === 'onMessage') this.#message.push(listener);
    else this.#stopped.push(listener as () => void);
  }

  setRxFilters(filters: { id: number; mask: number; invert?: boolean }[]): void {
    this.filters = filters;
  }

  start(): void {
    this.running = true;
  }

  stop(): void {
    if (!this.running) throw new Error('Channel not started');
    this.running = false;
    for (const listener of this.#stopped) listener();
  }

  send(): number {
    return this.room ? 16 : -1;
  }

  receive(message: RawMessage): void {
    for (const listener of this.#message) listener(message);
  }
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sysfs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function setInterface(index: number, flags: string, lost = 0): void {
  mkdirSync(join(folder, 'can0', 'statistics'), { recursive: true });
  writeFileSync(join(folder, 'can0', 'statistics', 'rx_dropped'), `${lost}\n`);
  writeFileSync(join(folder, 'can0', 'statistics', 'rx_over_errors'), '0\n');
  writeFileSync(join(folder, 'can0', 'ifindex'), `${index}\n`);
  writeFileSync(join(folder, 'can0', 'flags'), `${flags}\n`);
}

const UP = '0x40041';
const DOWN = '0x40080';

function rig(refuse: () => boolean = () => false) {
  const clock = new ManualClock();
  const channels: NativeChannel[] = [];
  const createRawChannelWithOptions = () => {
    if (refuse()) throw new Error('Error while creating channel');
    const channel = new NativeChannel();
    channels.push(channel);
    return channel;
  };
  const bus = new SocketCanBus('can0', clock, {
    sys_class_net: folder,
    load: async () => ({ createRawChannelWithOptions }),
  });
  const states: [CanBusState, string | undefined][] = [];
  const frames: string[] = [];
  const listener = {
    onFrame: (frame: { id: number; data: Uint8Array; length: number }) =>
      void frames.push(`${frame.id.toString(16)}#${Buffer.from(frame.data).toString('hex')}`),
    onState: (state: CanBusState, reason: string | undefined) => void states.push([state, reason]),
  };
  const open = async () => {
    await bus.open(
      [
        { id: 0x2f4, extended: false },
        { id: 0x18f128f4, extended: true },
      ],
      listener,
    );
  };
  const second = async () => {
    clock.advance(1000);
    // The check of the interface reads files; it ends by setting its next timer.
    for (let i = 0; i < 100_000 && clock.pendingTimers === 0; i++)
      await new Promise(resolve => setImmediate(resolve));
  };
  const newest = () => states.at(-1);
  return { bus, clock, channels, states, frames, open, second, newest };
}

test('opens with one exact kernel filter per id and delivers frames', async () => {
  setInterface(3, UP);
  const { bus, channels, frames, states, open } = rig();
  await open();
  expect(states).toEqual([['up', undefined]]);
  expect(channels[0].filters).toEqual([
    { id: 0x2f4, mask: 0xc00007ff },
    { id: 0x98f128f4, mask: 0xdfffffff },
  ]);
  channels[0].receive({ id: 0x2f4, data: Buffer.from([1, 2]) });
  channels[0].receive({ id: 0x2f4, rtr: true, data: Buffer.alloc(0) });
  expect(frames).toEqual(['2f4#0102']);
  expect(bus.counters.remote_frames).toBe(1);
  await bus.close();
  expect(channels[0].running).toBe(false);
  channels[0].receive({ id: 0x2f4, data: Buffer.from([3]) });
  expect(frames).toHaveLength(1);
});

test('an interface that is absent is awaited and opened when it appears', async () => {
  const { bus, channels, open, second, newest } = rig();
  await open();
  expect(newest()).toEqual(['down', expect.stringContaining('can0: no such interface')]);
  setInterface(3, UP);
  await second();
  expect(newest()).toEqual(['up', undefined]);
  expect(channels).toHaveLength(1);
  await bus.close();
});

test('an interface taken down and up again is reported; the socket stays', async () => {
  setInterface(3, UP);
  const { bus, channels, open, second, newest } = rig();
  await open();
  setInterface(3, DOWN);
  await second();
  expect(newest()).toEqual(['down', expect.stringContaining('ip link set can0 up')]);
  setInterface(3, UP);
  await second();
  expect(newest()).toEqual(['up', undefined]);
  expect(channels).toHaveLength(1);
  await bus.close();
});

test('an adapter that was pulled and plugged in again gets a new socket', async () => {
  setInterface(3, UP);
  const { bus, channels, open, second, newest } = rig();
  await open();
  channels[0].stop();
  expect(newest()).toEqual(['down', 'can0: interface was removed']);
  setInterface(4, UP);
  await second();
  expect(newest()).toEqual(['up', undefined]);
  expect(channels).toHaveLength(2);
  setInterface(5, UP);
  await second();
  expect(channels.map(channel => channel.running)).toEqual([false, false, true]);
  expect(bus.counters.reopenings).toBe(2);
  await bus.close();
});

test('bus-off and error-passive come from error frames; data or a restart clears them', async () => {
  setInterface(3, UP);
  const { bus, channels, open, second, newest } = rig();
  await open();
  const error = (id: number, controller = 0) =>
    channels[0].receive({ id, err: true, data: Buffer.from([0, controller, 0, 0, 0, 0, 0, 0]) });
  error(0x04, 0x20);
  expect(newest()).toEqual(['degraded', expect.stringContaining('error-passive')]);
  error(0x40);
  expect(newest()).toEqual(['down', expect.stringContaining('bus-off')]);
  error(0x100);
  expect(newest()).toEqual(['up', undefined]);
  error(0x40);
  channels[0].receive({ id: 0x2f4, data: Buffer.alloc(8) });
  expect(newest()).toEqual(['up', undefined]);
  error(0x04, 0x01);
  for (let i = 0; i < 11; i++) await second();
  expect(newest()).toEqual(['up', undefined]);
  expect(bus.counters).toMatchObject({ error_frames: 5, bus_offs: 2, controller_overflows: 1 });
  await bus.close();
});

test('an interface that refuses is tried again, ever more rarely', async () => {
  setInterface(3, UP);
  let tries = 0;
  const { bus, open, second, newest } = rig(() => ++tries > 0);
  await open();
  expect(newest()).toEqual(['down', expect.stringContaining('is it a CAN interface')]);
  for (let i = 0; i < 15; i++) await second();
  expect(tries).toBe(5);
  await bus.close();
});

test('a restart on silence closes the socket and opens another', async () => {
  setInterface(3, UP);
  const { bus, channels, open, second } = rig();
  await open();
  bus.restart();
  await second();
  expect(channels.map(channel => channel.running)).toEqual([false, true]);
  await bus.close();
  bus.restart();
  expect(channels).toHaveLength(2);
});

test('frames the interface lost are counted from the opening on, also when it begins again', async () => {
  setInterface(3, UP, 100);
  const { bus, open, second } = rig();
  await open();
  for (const [index, lost] of [
    [3, 107],
    [4, 0],
    [4, 2],
  ]) {
    setInterface(index, UP, lost);
    await second();
  }
  expect(bus.counters.interface_drops).toBe(9);
  await bus.close();
});

test('sending never waits: what the kernel does not take at once is refused and counted', async () => {
  setInterface(3, UP);
  const { bus, channels, open } = rig();
  const frame = { id: 1, extended: false, data: new Uint8Array(8), length: 8 };
  expect(bus.send(frame)).toBe(false);
  await open();
  expect(bus.send(frame)).toBe(true);
  channels[0].room = false;
  expect(bus.send(frame)).toBe(false);
  expect(bus.counters.send_refusals).toBe(2);
  await bus.close();
});

test('without the package the error says what to do', async () => {
  await expect(loadSocketCan('socketcan-that-is-not-there')).rejects.toMatchObject({
    code: 'CAN_UNAVAILABLE',
    message: expect.stringContaining('npm install socketcan'),
  });
});
