/** Lines slower than the interval: packs that are read in turn stay good, and the connection says what is wrong. */
import { afterEach, expect, test } from 'vitest';
import { encodeRtu } from './rtu/crc.ts';
import { startVirtual } from './testing/line.ts';
import {
  addressOf,
  fastClock,
  fourCells,
  honest,
  oddDevice,
  rightOf,
  startOn,
  until,
  VALUES,
} from './testing/odd-device.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test('units on a line that takes many intervals stay good while read in turn; the connection says which would fit', async () => {
  const units = Array.from({ length: 20 }, (_, i) => fourCells(i, i + 1));
  // Four requests of 300 ms each: 24 s for all of them.
  const bench = startVirtual(units, { gap_ms: 300 });
  const detach = units.map((_, i) => bench.hub.attach('link', i + 1, honest));
  const right = () => units.map((_, i) => rightOf(bench.driver, bench.clock.monoMs(), i));
  await bench.run(30_000);
  for (let check = 0; check < 100; check++) {
    expect(right()).toEqual(units.map(() => VALUES));
    await bench.run(1000);
  }
  expect(bench.driver.health()).toMatchObject({
    state: 'degraded',
    reason:
      'a round of its 20 units takes 24 s, longer than the interval of 1 s; interval_ms 30000 would fit',
  });
  expect(bench.driver.health().packs.map(({ state }) => state)).toEqual(units.map(() => 'up'));
  const reported = bench.events.filter(({ pack, state }) => pack === undefined && state === 'degraded');
  expect(reported.length).toBeLessThanOrEqual(2);

  // A unit that falls silent is stale after two rounds or so, not for ever good; the others do not mind.
  detach[6]();
  await bench.run(150_000);
  expect(right()).toEqual(units.map((_, i) => (i === 6 ? 0 : VALUES)));
  expect(bench.driver.packs[6].silent_after_ms).toBeLessThan(150_000);
  await bench.driver.stop();
});

test('from the first round on: no unit is stale before the second one was possible', async () => {
  const units = Array.from({ length: 10 }, (_, i) => fourCells(i, i + 1));
  const bench = startVirtual(units, { gap_ms: 300 });
  for (const i of units.keys()) bench.hub.attach('link', i + 1, honest);
  const seen = units.map(() => false);
  for (let check = 0; check < 120; check++) {
    await bench.run(250);
    units.forEach((_, i) => {
      const right = rightOf(bench.driver, bench.clock.monoMs(), i);
      if (seen[i]) expect([check, i, right]).toEqual([check, i, VALUES]);
      seen[i] ||= right === VALUES;
    });
  }
  expect(seen).not.toContain(false);
  await bench.driver.stop();
});

test('every other reply with a wrong byte count and a right check sum: values stay good, the share of bad replies is reported', async () => {
  const clock = fastClock(4);
  const device = await oddDevice(
    ({ socket, unit, pdu, number }) => {
      const reply = Uint8Array.from(honest(pdu));
      if (number % 2 === 1) reply[1] = 0x4a;
      socket.write(encodeRtu(unit, reply));
    },
    { rtu: true },
  );
  cleanups.push(() => device.close());
  const { driver, right } = await startOn(device, { type: 'modbus-rtu-tcp' }, clock);
  cleanups.push(() => driver.stop());
  await until(() => right() === VALUES);
  let worst = VALUES;
  await until(() => {
    worst = Math.min(worst, right());
    return driver.health().counters.rounds >= 9 && /% of the replies/.test(driver.health().reason ?? '');
  }, 40_000);
  expect(worst).toBe(VALUES);
  expect(driver.health()).toMatchObject({ state: 'degraded', packs: [{ state: 'up' }] });
  expect(driver.health().reason).toMatch(
    /^a round takes \d(\.\d)? s, longer than the interval of 0.5 s; interval_ms \d+ would fit; 50 % of the replies are bad$/,
  );
});

test('a quick line says nothing of its rounds', async () => {
  const bench = startVirtual([fourCells()]);
  bench.hub.attach('link', 1, pdu => (addressOf(pdu) > 500 ? undefined : honest(pdu)));
  await bench.run(60_000);
  expect(bench.driver.health()).toMatchObject({ state: 'up', reason: undefined });
  await bench.driver.stop();
});
