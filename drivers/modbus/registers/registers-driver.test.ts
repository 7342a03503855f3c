/** Register profiles through the whole driver: virtual units on Modbus TCP bytes, and RTU frames over TCP. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock/system-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { PackMetric } from '../../../core/metrics.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { Quality } from '../../../core/reading/quality.ts';
import type { Driver, PackBinding } from '../../driver.ts';
import type { Profile } from '../../profiles/profile.ts';
import type { ModbusConnection } from '../connections.ts';
import { createModbusDriver } from '../modbus-driver.ts';
import { crcFits, encodeRtu } from '../rtu/crc.ts';
import { startVirtual } from '../testing/line.ts';
import { bindingFor, shippedRegisterProfiles } from '../testing/registers.ts';
import { createUnitImage } from '../unit-image.ts';
import { VirtualModbusHub } from '../virtual-link.ts';

/** Several profiles have the same default unit: the later ones stand elsewhere. */
const taken = new Set<number>();
function ownUnit({ address }: Profile): number {
  let unit = address?.default ?? 1;
  while (taken.has(unit)) unit = (unit + 100) % 247;
  taken.add(unit);
  return unit;
}

const bindings: PackBinding[] = shippedRegisterProfiles.map((profile, pack) => ({
  ...bindingFor(profile),
  pack,
  address: ownUnit(profile),
}));

/** Shows percent of charge 50 + pack on each unit. */
const units = bindings.map(binding => {
  const { image, write } = createUnitImage(binding);
  const reading = new PackReading(binding.pack, binding.shape);
  reading.values[PackMetric.soc_pct] = 50 + binding.pack;
  write(reading);
  return { unit: binding.address ?? 1, reply: (pdu: Uint8Array) => image.answer(pdu), binding };
});

function socs(driver: Driver, mono_ms: number): number[] {
  return driver.packs.map(state => {
    const reading = new PackReading(state.pack, state.shape);
    state.snapshotInto(reading, 0, mono_ms);
    return reading.values[PackMetric.soc_pct];
  });
}

const expected = bindings.map(({ pack }) => 50 + pack);

test('virtual units of every profile, unit 0 among them, are read over Modbus TCP', async () => {
  const bench = startVirtual(bindings);
  for (const { unit, reply } of units) bench.hub.attach('link', unit, reply);
  // One line, and the pauses of so many devices.
  await bench.run(10_000);
  expect(bench.driver.health().packs.map(({ state, reason }) => [state, reason])).toEqual(
    bindings.map(() => ['up', undefined]),
  );
  expect(socs(bench.driver, bench.clock.monoMs())).toEqual(expected);
  await bench.driver.stop();
});

test('a unit that answers every other request is read, a block that never answers is asked less and less', async () => {
  const jk = bindings.filter(({ profile }) => profile.id === 'jk-pb-modbus');
  const { unit, reply } = units[jk[0].pack];
  const flaky = startVirtual([{ ...jk[0], pack: 0 }], { timeout_ms: 100 });
  let asked = 0;
  flaky.hub.attach('link', unit, pdu => (asked++ % 2 === 0 ? undefined : reply(pdu)));
  await flaky.run(60_000);
  expect(flaky.driver.health().packs[0].state).toBe('up');
  expect(flaky.updates.length).toBeGreaterThan(20);
  await flaky.driver.stop();

  const half = startVirtual([{ ...jk[0], pack: 0 }], { timeout_ms: 100 });
  let silent = 0;
  half.hub.attach('link', unit, pdu => {
    const live = pdu[1] === 0x12;
    if (live) silent++;
    return live ? undefined : reply(pdu);
  });
  await half.run(60_000);
  expect(half.driver.health().packs[0].state).toBe('down');
  // Back-off of 1, 2, 4 ... 32 s, and four repeats each time: 6 or 7 rounds of 5 requests.
  expect(silent).toBeGreaterThanOrEqual(25);
  expect(silent).toBeLessThanOrEqual(35);
  await half.driver.stop();
});

test('a block that stays silent costs its own values only, is asked less and less, and comes back', async () => {
  for (const [id, silent_first, watched] of [
    ['jk-pb-modbus', 0x10, PackMetric.soc_pct],
    ['seplos-v3', 0x10, PackMetric.discharge_enabled],
  ] as const) {
    const found = bindings.find(({ profile }) => profile.id === id);
    if (!found) throw new Error(`no ${id}`);
    const { unit, reply } = units[found.pack];
    const bench = startVirtual([{ ...found, pack: 0 }], { timeout_ms: 100 });
    let silent = true;
    let asked = 0;
    bench.hub.attach('link', unit, pdu => {
      if (pdu[1] !== silent_first) return reply(pdu);
      asked++;
      return silent ? undefined : reply(pdu);
    });
    await bench.run(60_000);
    const { state, reason } = bench.driver.health().packs[0];
    expect([id, state, reason]).toEqual([
      id,
      'degraded',
      expect.stringMatching(/no reply for registers 4096 to/),
    ]);
    expect(bench.snapshot(0).value_quality[watched]).toBe(Quality.good);
    expect(bench.updates.length).toBeGreaterThan(45);
    expect(asked).toBeLessThan(25);
    silent = false;
    await bench.run(200_000);
    expect([id, bench.driver.health().packs[0].state]).toEqual([id, 'up']);
    await bench.driver.stop();
  }
});

let server: Server | undefined;
let driver: Driver | undefined;
const sockets = new Set<Socket>();
afterEach(async () => {
  await driver?.stop();
  for (const socket of sockets) socket.destroy();
  server?.close();
});

/** A serial server with the units behind it; it passes bytes on as they come. */
async function serialServer(): Promise<number> {
  server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    let received = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      for (; received.length >= 8 && crcFits(received, 0, 8); received = received.subarray(8)) {
        const found = units.find(({ unit }) => unit === received[0]);
        const plus = found?.binding.profile.registers?.reply_unit_plus ?? 0;
        if (found) socket.write(encodeRtu(found.unit + plus, found.reply(received.subarray(1, 6))));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

test('the same units are read as RTU frames over TCP, and again after the server hangs up', async () => {
  const connection: ModbusConnection = {
    id: 'line',
    type: 'modbus-rtu-tcp',
    host: '127.0.0.1',
    port: await serialServer(),
  };
  const context = {
    clock: systemClock,
    log: silentLogger,
    interval_ms: 200,
    onUpdate: () => {},
    onLink: () => {},
  };
  const line = createModbusDriver(connection, bindings, context, new VirtualModbusHub());
  driver = line;
  await line.start();
  const allUp = () => line.health().packs.every(({ state }) => state === 'up');
  await expect.poll(allUp, { timeout: 10_000 }).toBe(true);
  expect(socs(line, systemClock.monoMs())).toEqual(expected);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => line.health().counters.reconnects, { timeout: 10_000 }).toBe(1);
  await expect.poll(allUp, { timeout: 10_000 }).toBe(true);
  expect(line.health().counters).toMatchObject({ bad_replies: 0, stray_bytes: 0 });
});
