/** Devices and gateways that close the connection whenever they like: between exchanges that is normal, and everything is read. */
import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Clock } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { encodeRtu } from './rtu/crc.ts';
import {
  fastClock,
  fourCells,
  honest,
  type OddBench,
  type OddDevice,
  oddDevice,
  startOn,
  until,
  VALUES,
} from './testing/odd-device.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function served(
  device: OddDevice,
  settings = {},
  clock?: Clock,
  bindings = [fourCells()],
): Promise<OddBench> {
  cleanups.push(() => device.close());
  // A busy machine may be slow to answer; nothing here is about time-outs.
  const bench = await startOn(device, { timeout_ms: 3000, ...settings }, clock, bindings);
  cleanups.push(() => bench.driver.stop());
  return bench;
}

/** Read whole for so many rounds, without a word but one. */
async function staysWell({ driver, events, lines, right }: OddBench, rounds = 12): Promise<void> {
  await until(() => right() === VALUES);
  const first = driver.health().counters.rounds;
  await until(() => {
    expect([right(), driver.health().reason]).toEqual([VALUES, undefined]);
    return driver.health().counters.rounds >= first + rounds;
  }, 30_000);
  // That a busy machine was late with a round is no word of the device.
  const states = events
    .filter(({ reason }) => !reason?.startsWith('a round takes'))
    .map(({ pack, state }) => [pack, state])
    .filter((event, i, all) => String(event) !== String(all[i - 1]));
  expect(states).toEqual(
    [
      [0, 'starting'],
      [undefined, 'starting'],
      [0, 'up'],
      [undefined, 'up'],
    ].filter(([, state]) => state === 'up'),
  );
  expect(lines.length).toBeLessThanOrEqual(1);
}

const endings: Record<string, (socket: Socket, reply: Uint8Array) => void> = {
  'in the same packet': (socket, reply) => socket.end(reply),
  'a moment later': (socket, reply) => {
    socket.write(reply);
    setTimeout(() => socket.end(), 3);
  },
  'with a reset': (socket, reply) => {
    socket.write(reply, () => setTimeout(() => socket.resetAndDestroy(), 1));
  },
};

test.each(Object.keys(endings))('a device that closes after each reply, %s, is read whole', async ending => {
  const device = await oddDevice(({ socket, reply }) => endings[ending](socket, reply));
  const bench = await served(device, { interval_ms: 100 });
  await staysWell(bench);
  expect(bench.lines).toEqual([
    expect.stringMatching(
      /^connection odd to 127\.0\.0\.1:\d+: the other side closes it (after each reply; it is opened for each request|between requests; it is opened again when it is needed)$/,
    ),
  ]);
  // It was closed each time before the next request was due: whether that is its habit is not known.
  if (!bench.lines[0].includes('after each reply')) return;
  // Once it is known, no request is sent into a connection that is about to close.
  const before = [device.requests, bench.driver.health().counters.replies];
  const { rounds } = bench.driver.health().counters;
  await until(() => bench.driver.health().counters.rounds >= rounds + 5);
  const { replies } = bench.driver.health().counters;
  expect(device.requests - before[0] - (replies - before[1])).toBeLessThanOrEqual(2);
});

test('so is a serial server that does, with RTU frames, and several units behind one', async () => {
  const device = await oddDevice(({ socket, unit, pdu }) => socket.end(encodeRtu(unit, honest(pdu))), {
    rtu: true,
  });
  const bench = await served(device, { type: 'modbus-rtu-tcp', interval_ms: 200 }, systemClock, [
    fourCells(0, 1),
    fourCells(1, 2),
  ]);
  await until(() => bench.right(0) === VALUES && bench.right(1) === VALUES);
  const first = bench.driver.health().counters.rounds;
  await until(() => bench.driver.health().counters.rounds >= first + 10);
  expect(bench.events.some(({ state }) => state === 'down')).toBe(false);
});

test('several in flight on a connection that closes after each reply: all is read', async () => {
  const device = await oddDevice(({ socket, reply }) => socket.end(reply));
  const bench = await served(device, { interval_ms: 100, max_in_flight: 4 });
  await until(() => bench.right() === VALUES);
  const first = bench.driver.health().counters.rounds;
  await until(() => {
    expect(bench.right()).toBe(VALUES);
    return bench.driver.health().counters.rounds >= first + 10;
  });
});

test.each([
  [400, 500],
  [1000, 5000],
  [500, 500],
])(
  'a device that closes when idle for %d ms, read every %d ms, is well, and it is reported once',
  async (idle_ms, interval_ms) => {
    const speed = 5;
    const timers = new Map<Socket, NodeJS.Timeout>();
    const device = await oddDevice(({ socket, reply }) => {
      clearTimeout(timers.get(socket));
      timers.set(
        socket,
        setTimeout(() => socket.end(), idle_ms / speed),
      );
      socket.write(reply);
    });
    const bench = await served(device, { interval_ms, timeout_ms: 2000 }, fastClock(speed));
    await staysWell(bench, 8);
  },
);

test('one that went away is down at the next round, with the reason, and comes back', async () => {
  const device = await oddDevice(({ socket, reply }) => socket.end(reply));
  const bench = await served(device, { interval_ms: 100 }, fastClock(4));
  await until(() => bench.right() === VALUES);
  await device.close();
  await until(() => bench.driver.health().state === 'down');
  // First the connection may have been lost. Reset: asked while the listener was being closed.
  await expect
    .poll(() => bench.driver.health().packs[0].reason)
    .toMatch(/^cannot connect to 127\.0\.0\.1:\d+: connect ECONN(REFUSED|RESET)/);
  expect(bench.driver.health().packs[0].state).toBe('down');
});

test('one that accepts and closes without a reply is down, with back-off', async () => {
  const device = await oddDevice(({ socket }) => socket.end());
  const bench = await served(device, { interval_ms: 100 });
  await until(() => bench.driver.health().state === 'down');
  expect(bench.driver.health().reason).toMatch(/lost: closed by the other side$/);
  expect(device.requests).toBeLessThanOrEqual(2);
});

test('a request that was under way when the connection ended is sent again, and no more than a few times', async () => {
  let fatal = 0;
  const device = await oddDevice(({ socket, pdu, reply }) => {
    if (pdu[2] !== 200) socket.write(reply);
    else if (++fatal % 2 === 1) socket.destroy();
    else socket.write(reply);
  });
  const bench = await served(device, { interval_ms: 100 });
  await staysWell(bench, 5);
  expect(bench.driver.health().counters.requests_resent).toBeGreaterThanOrEqual(5);
});
