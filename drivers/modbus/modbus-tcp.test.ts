/** The driver against TCP servers that misbehave at byte level: it never believes them and always recovers. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Clock, sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import type { Driver, LinkEvent } from '../driver.ts';
import { encodeMbap, type MbapFrame, MbapReader } from './mbap.ts';
import { createModbusDriver } from './modbus-driver.ts';
import { createSunSpecImage } from './sunspec/sunspec-image.ts';
import { bindingOf } from './testing/line.ts';
import { VirtualModbusHub } from './virtual-link.ts';

/** Time that runs faster, so that back-off of seconds passes in a moment. */
const SPEED = 20;
const fastClock: Clock = {
  wallMs: () => systemClock.wallMs(),
  monoMs: () => systemClock.monoMs() * SPEED,
  setTimer: (fn, delay_ms) => systemClock.setTimer(fn, delay_ms / SPEED),
  clearTimer: handle => systemClock.clearTimer(handle),
};

/** What the server does with one request, given the right reply. */
type Misdeed = (socket: Socket, frame: MbapFrame, reply: Uint8Array) => void;

const binding = bindingOf({ cells: 8 });
const unit = createSunSpecImage(binding);
const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function show(soc_pct: number): void {
  const reading = new PackReading(0, binding.shape);
  reading.values[PackMetric.soc_pct] = soc_pct;
  reading.column(CellMetric.voltage_v).fill(3.2);
  unit.write(reading);
}

async function serve(behave: { now: Misdeed | undefined }, port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer(socket => {
    sockets.add(socket);
    const reader = new MbapReader();
    socket.on('error', () => socket.destroy());
    socket.on('data', bytes => {
      for (const frame of reader.push(bytes)) {
        const reply = encodeMbap(frame.transaction, frame.unit, unit.image.answer(frame.pdu));
        if (behave.now) behave.now(socket, frame, reply);
        else socket.write(reply);
      }
    });
  });
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise(resolve => server.close(resolve));
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

async function startTcp(port: number): Promise<{ driver: Driver; soc: () => number; events: LinkEvent[] }> {
  const events: LinkEvent[] = [];
  const driver = createModbusDriver(
    { id: 'link', type: 'modbus-tcp', host: '127.0.0.1', port, timeout_ms: 3000 },
    [binding],
    {
      clock: fastClock,
      log: silentLogger,
      interval_ms: 400,
      onUpdate: () => {},
      onLink: event => events.push(event),
    },
    new VirtualModbusHub(),
  );
  cleanups.push(() => driver.stop());
  await driver.start();
  const reading = new PackReading(0, binding.shape);
  const soc = () => {
    driver.packs[0].snapshotInto(reading, 0, fastClock.monoMs());
    return reading.values[PackMetric.soc_pct];
  };
  return { driver, soc, events };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(systemClock, 2);
}

const misdeeds: Record<string, { act: Misdeed; counter: string }> = {
  'a frame cut short, then silence': {
    act: (socket, _, reply) => socket.write(reply.subarray(0, reply.length - 3)),
    counter: 'timeouts',
  },
  'the transaction id of another request': {
    act: (socket, { unit: id, transaction }, reply) =>
      socket.write(encodeMbap((transaction + 100) & 0xff, id, reply.subarray(7))),
    counter: 'timeouts',
  },
  'another unit': {
    act: (socket, { transaction }, reply) => socket.write(encodeMbap(transaction, 9, reply.subarray(7))),
    counter: 'bad_replies',
  },
  'an exception from another unit': {
    act: (socket, { transaction }) => socket.write(encodeMbap(transaction, 9, Uint8Array.of(0x83, 2))),
    counter: 'bad_replies',
  },
  'a byte count that lies': {
    act: (socket, _, reply) => {
      reply[8] -= 2;
      socket.write(reply);
    },
    counter: 'bad_replies',
  },
  'fewer registers than asked': {
    act: (socket, { transaction, unit: id }, reply) => {
      const pdu = reply.slice(7, -2);
      pdu[1] -= 2;
      socket.write(encodeMbap(transaction, id, pdu));
    },
    counter: 'bad_replies',
  },
  'another function code': {
    act: (socket, { transaction, unit: id }, reply) => {
      const pdu = reply.slice(7);
      pdu[0] = 4;
      socket.write(encodeMbap(transaction, id, pdu));
    },
    counter: 'bad_replies',
  },
  'a length of zero': {
    act: (socket, { transaction }) => socket.write(Uint8Array.of(0, transaction & 0xff, 0, 0, 0, 0, 1)),
    counter: 'timeouts',
  },
  'very many bytes that are no Modbus': {
    act: socket => socket.write('HTTP/1.1 400 Bad Request\r\n'.repeat(100)),
    counter: 'bad_replies',
  },
  'bytes that are no Modbus': {
    // They might stand before the reply: so it is waited for.
    act: socket => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    counter: 'timeouts',
  },
  silence: { act: () => {}, counter: 'timeouts' },
  'the end of the connection in mid-reply': {
    act: (socket, _, reply) => {
      socket.write(reply.subarray(0, 9));
      socket.end();
    },
    counter: 'reconnects',
  },
};

test.each(Object.keys(misdeeds))('recovers from %s', async name => {
  const { act, counter } = misdeeds[name];
  const behave: { now: Misdeed | undefined } = { now: undefined };
  show(50);
  const { driver, soc } = await startTcp(await serve(behave));
  await until(() => soc() === 50);
  const before = driver.health().counters[counter];
  show(51);
  behave.now = act;
  await until(() => driver.health().counters[counter] > before);
  expect(soc()).toBe(50);
  behave.now = undefined;
  await until(() => soc() === 51 && driver.health().state === 'up');
});

test('a late reply is not taken for the answer to the next request', async () => {
  const behave: { now: Misdeed | undefined } = { now: undefined };
  show(50);
  const { driver, soc } = await startTcp(await serve(behave));
  await until(() => soc() === 50);
  const held: Uint8Array[] = [];
  show(10);
  behave.now = (_, __, reply) => held.push(reply);
  await until(() => driver.health().counters.timeouts > 0);
  show(52);
  behave.now = (socket, _, reply) => {
    for (const late of held.splice(0)) socket.write(late);
    socket.write(reply);
  };
  const seen = new Set<number>();
  await until(() => seen.add(soc()).has(52));
  expect([...seen]).toEqual([50, 52]);
});

test('replies in pieces, byte by byte, are whole', async () => {
  const behave = {
    now: (socket: Socket, _: MbapFrame, reply: Uint8Array) => {
      socket.setNoDelay(true);
      for (const byte of reply) socket.write(Uint8Array.of(byte));
    },
  };
  show(53);
  const { driver, soc } = await startTcp(await serve(behave));
  await until(() => soc() === 53);
  expect(driver.health().counters.bad_replies).toBe(0);
});

test('a refused connection is reported in one line and heals when the server comes', async () => {
  const probe = { now: undefined };
  const port = await serve(probe);
  await cleanups.pop()?.();
  const { driver, soc, events } = await startTcp(port);
  await until(() => driver.health().state === 'down');
  expect(driver.health().reason).toBe(
    `cannot connect to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
  );
  expect(driver.health().packs[0]).toMatchObject({ state: 'down', reason: driver.health().reason });
  await until(() => driver.health().counters.reconnects > 2);
  expect(events.filter(({ pack }) => pack === undefined)).toHaveLength(1);
  show(54);
  await serve(probe, port);
  await until(() => soc() === 54);
  expect(driver.health()).toMatchObject({ state: 'up', reason: undefined });
});

test('virtual units served on a port are ordinary Modbus TCP', async () => {
  const hub = new VirtualModbusHub();
  hub.attach('elsewhere', 1, pdu => unit.image.answer(pdu));
  const server = createServer(socket => hub.serve('elsewhere', socket));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise(resolve => server.close(resolve)));
  const address = server.address();
  show(55);
  const { soc } = await startTcp(typeof address === 'object' && address ? address.port : 0);
  await until(() => soc() === 55);
});
