/** Gateways with odd headers: refused with the option that would help, and read whole with it. */
import { afterEach, expect, test } from 'vitest';
import { encodeMbap } from './mbap.ts';
import { crcFits, encodeRtu } from './rtu/crc.ts';
import { honest, oddDevice, type Request, startOn, until, VALUES } from './testing/odd-device.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Reply, option, and what is said without it. */
const odd: Record<string, [(request: Request) => Uint8Array, Record<string, unknown>, RegExp]> = {
  'transaction id 0': [
    ({ unit, pdu }) => encodeMbap(0, unit, honest(pdu)),
    { reply_transaction: 'zero' },
    /a reply with transaction id 0 to request \d+, allowed by "reply_transaction: zero" if the device always answers so/,
  ],
  'transaction id of the request and one': [
    ({ transaction, unit, pdu }) => encodeMbap(transaction + 1, unit, honest(pdu)),
    { reply_transaction: 'next' },
    /allowed by "reply_transaction: next" if/,
  ],
  'any transaction id': [
    ({ transaction, unit, pdu }) => encodeMbap((transaction * 77 + 4242) & 0xffff, unit, honest(pdu)),
    { reply_transaction: 'any' },
    /allowed by "reply_transaction: any" if/,
  ],
  'unit id 0': [
    ({ transaction, pdu }) => encodeMbap(transaction, 0, honest(pdu)),
    { reply_unit: 'zero' },
    /from unit 0, allowed by "reply_unit: zero" if/,
  ],
  'a check sum counted in the length': [
    ({ transaction, unit, pdu }) => encodeMbap(transaction, unit, encodeRtu(unit, honest(pdu)).subarray(1)),
    { length_counts_crc: true },
    /its length counts a checksum, allowed by "length_counts_crc: true"/,
  ],
};

test.each(Object.keys(odd))('%s in each reply', async name => {
  const [reply, option, said] = odd[name];
  const device = await oddDevice(request => request.socket.write(reply(request)));
  cleanups.push(() => device.close());
  const strict = await startOn(device);
  cleanups.push(() => strict.driver.stop());
  await until(() => strict.driver.health().packs[0].state === 'down');
  expect(strict.driver.health().packs[0].reason).toMatch(said);
  expect(strict.right()).toBe(0);
  await strict.driver.stop();
  const lenient = await startOn(device, { ...option, interval_ms: 100, max_in_flight: 4 });
  cleanups.push(() => lenient.driver.stop());
  await until(() => lenient.right() === VALUES && lenient.driver.health().counters.rounds > 5);
  expect(lenient.driver.health()).toMatchObject({ state: 'up', counters: { bad_replies: 0, timeouts: 0 } });
});

test.each(['zero', 'any'])(
  'transaction ids off (%s): a late reply is never taken for the next one',
  async mode => {
    const device = await oddDevice(({ socket, unit, pdu, number }) => {
      const frame = encodeMbap(0, unit, honest(pdu));
      setTimeout(() => !socket.destroyed && socket.write(frame), number % 5 === 0 ? 450 : 0);
    });
    cleanups.push(() => device.close());
    const { driver, right } = await startOn(device, { reply_transaction: mode, interval_ms: 100 });
    cleanups.push(() => driver.stop());
    // `right` fails on any value that stands in another's place.
    await until(() => {
      right();
      return driver.health().counters.timeouts >= 3 && driver.health().counters.rounds >= 3;
    });
  },
);

test('RTU frames on a Modbus TCP port: the type that would fit is named', async () => {
  const device = await oddDevice(({ socket, unit, pdu }) => {
    const frame = encodeRtu(unit, honest(pdu));
    expect(crcFits(frame, 0, frame.length)).toBe(true);
    socket.write(frame);
  });
  cleanups.push(() => device.close());
  const { driver } = await startOn(device);
  cleanups.push(() => driver.stop());
  await until(() => driver.health().packs[0].state === 'down');
  expect(driver.health().packs[0].reason).toContain(
    'RTU frames in place of Modbus TCP: try type modbus-rtu-tcp',
  );
});

test('replies that come after the time-out are named as late, with how long they take', async () => {
  const device = await oddDevice(({ socket, reply }) => {
    setTimeout(() => !socket.destroyed && socket.write(reply), 450);
  });
  cleanups.push(() => device.close());
  const { driver } = await startOn(device, { timeout_ms: 200 });
  cleanups.push(() => driver.stop());
  await until(() =>
    /no reply within 200 ms, replies come after \d+ ms, for registers/.test(
      driver.health().packs[0].reason ?? '',
    ),
  );
});

test.each([
  ['two bytes behind each reply', 1, 2],
  ['six zeros behind every other reply', 2, 6],
  ['twelve bytes behind each reply', 1, 12],
] as const)('%s: left out, counted, reported once, and no new connection', async (_, every, count) => {
  const device = await oddDevice(({ socket, reply, number }) => {
    const tail = new Uint8Array(number % every === 0 ? count : 0).fill(every === 1 ? 0xa5 : 0);
    socket.write(Buffer.concat([reply, tail]));
  });
  cleanups.push(() => device.close());
  const { driver, right, lines } = await startOn(device, { interval_ms: 100 });
  cleanups.push(() => driver.stop());
  await until(() => right() === VALUES && driver.health().counters.rounds > 5);
  expect(device.connections).toBe(1);
  expect(driver.health().counters.trailing_bytes).toBeGreaterThan(20);
  expect(lines).toEqual([expect.stringContaining('bytes follow its replies that belong to none')]);
});
