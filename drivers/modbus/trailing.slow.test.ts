/** Bytes that belong to no reply and come in packets of their own: passed over, counted to the byte, and the connection stays. */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { encodeMbap, MbapReader } from './mbap.ts';
import { fourCells, oddDevice, type Request, startOn, until, VALUES } from './testing/odd-device.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** By their number: zeros look like headers, the others do not. */
const fillings: Record<string, (count: number) => Uint8Array> = {
  zeros: count => new Uint8Array(count),
  ones: count => new Uint8Array(count).fill(0xff),
  numbers: count => Uint8Array.from({ length: count }, (_, i) => i + 1),
  // Says that 200 bytes follow, which would be those of the next replies.
  'a header': count => Uint8Array.from({ length: count }, (_, i) => [0x77, 0x77, 0, 0, 0, 200, 1, 4][i] ?? 9),
};

/** However busy the machine is, a time-out here is a reply that was lost. */
const PATIENT = { interval_ms: 100, timeout_ms: 10_000 };

const soon = (act: () => void, ms = 3) => setTimeout(act, ms);

/** When the bytes of one reply come: before the next reply, with the next request under way. */
const before = (stray: Uint8Array, { socket, reply }: Request) => {
  socket.write(stray);
  soon(() => !socket.destroyed && socket.write(reply));
};
const inPieces = (stray: Uint8Array, { socket, reply }: Request) => {
  const half = stray.length >> 1;
  socket.write(stray.subarray(0, half));
  soon(() => !socket.destroyed && socket.write(Buffer.concat([stray.subarray(half), reply.subarray(0, 5)])));
  soon(() => !socket.destroyed && socket.write(reply.subarray(5)), 6);
};
const after = (stray: Uint8Array, { socket, reply }: Request) => {
  socket.write(reply);
  soon(() => !socket.destroyed && socket.write(stray), 1);
};

const cases = Object.keys(fillings).flatMap(filling =>
  [1, 3, 6, 7, 8, 40].map(count => [filling, count] as const),
);

test.each(cases)('%s, %i bytes, after the next request was sent', async (filling, count) => {
  const stray = fillings[filling](count);
  let sent = 0;
  let act = before;
  const device = await oddDevice(request => {
    sent += count;
    act(stray, request);
  });
  cleanups.push(() => device.close());
  const { driver, right, lines } = await startOn(device, PATIENT);
  cleanups.push(() => driver.stop());
  const rounds = () => driver.health().counters.rounds;
  await until(() => rounds() > 2);
  act = inPieces;
  await until(() => rounds() > 4);
  expect(right()).toBe(VALUES);
  const { counters } = driver.health();
  expect(device.connections).toBe(1);
  expect(counters).toMatchObject({ timeouts: 0, bad_replies: 0, retries: 0, reconnects: 0 });
  // At a moment when all that was sent has been passed over: a round has ended, the next one has not begun.
  await until(() => driver.health().counters.trailing_bytes === sent && sent === device.requests * count);
  expect(lines).toEqual([expect.stringContaining('bytes follow its replies that belong to none')]);
});

test.each(Object.keys(fillings))('%s, while the line is idle', async filling => {
  let sent = 0;
  const device = await oddDevice(request => {
    const count = 1 + (request.number % 12);
    sent += count;
    after(fillings[filling](count), request);
  });
  cleanups.push(() => device.close());
  const { driver, right } = await startOn(device, PATIENT);
  cleanups.push(() => driver.stop());
  await until(() => driver.health().counters.rounds > 6);
  expect(right()).toBe(VALUES);
  expect(device.connections).toBe(1);
  expect(driver.health().counters).toMatchObject({ timeouts: 0, bad_replies: 0, reconnects: 0 });
  expect(driver.health().counters.trailing_bytes).toBeGreaterThan(0);
  expect(driver.health().counters.trailing_bytes).toBeLessThanOrEqual(sent);
});

test.each(cases.filter(([, count]) => [1, 7, 40].includes(count)))(
  '%s, %i bytes, with several requests in flight',
  async (filling, count) => {
    const stray = fillings[filling](count);
    const waiting: Request[] = [];
    let sent = 0;
    const device = await oddDevice(request => {
      waiting.push(request);
      if (waiting.length > 1) return;
      soon(() => {
        // In turned order, each with stray bytes before it.
        for (const { socket, reply } of waiting.splice(0).reverse()) {
          if (socket.destroyed) continue;
          sent += count;
          socket.write(stray);
          socket.write(reply);
        }
      });
    });
    cleanups.push(() => device.close());
    const packs = [fourCells(0, 1), fourCells(1, 2), fourCells(2, 3)];
    const settings = { ...PATIENT, max_in_flight: 4 };
    const { driver, right } = await startOn(device, settings, undefined, packs);
    cleanups.push(() => driver.stop());
    await until(() => driver.health().counters.rounds > 12);
    expect([right(0), right(1), right(2)]).toEqual([VALUES, VALUES, VALUES]);
    expect(device.connections).toBe(1);
    const { counters } = driver.health();
    expect(counters).toMatchObject({ timeouts: 0, bad_replies: 0, reconnects: 0, pipelining_given_up: 0 });
    expect(counters.requests_pipelined).toBeGreaterThan(0);
    await until(() => driver.health().counters.trailing_bytes === sent);
  },
);

test('a reader that awaits nothing keeps its bound: a stream of stray bytes is broken, not kept', () => {
  const reader = new MbapReader({ isKnown: () => false, beginsAt: () => false });
  for (let i = 0; i < 100 && !reader.broken; i++) reader.push(new Uint8Array(100).fill(0xff));
  expect(reader.broken).toBe(true);
  expect(reader.pending_bytes).toBeLessThan(2000);
});

test('whole frames that nobody waits for cost none that follow, well or garbled, however the bytes come', () => {
  const KNOWN = 100;
  const frame = fc.record({
    transaction: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: KNOWN, max: KNOWN + 50 })),
    pdu: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    is_garbled: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 })),
      (sent, cuts) => {
        // Awaited replies begin with function 3 and their transaction's number as a mark; garbled ones do not.
        const marked = sent.map(({ transaction, pdu, is_garbled }) => ({
          transaction,
          pdu:
            transaction >= KNOWN && !is_garbled
              ? Uint8Array.of(3, transaction, ...pdu)
              : Uint8Array.of(0x7f, ...pdu),
        }));
        const reader = new MbapReader({
          isKnown: transaction => transaction >= KNOWN && transaction <= KNOWN + 50,
          beginsAt: (data, at) =>
            data[at] === 0 && data[at + 1] >= KNOWN && data[at + 7] === 3 && data[at + 8] === data[at + 1],
        });
        const bytes = Buffer.concat(marked.map(({ transaction, pdu }) => encodeMbap(transaction, 1, pdu)));
        const read: { transaction: number; pdu: Uint8Array }[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          reader.read(Uint8Array.from(bytes.subarray(at, at + cut)), (transaction, _, pdu) =>
            read.push({ transaction, pdu: Uint8Array.from(pdu) }),
          );
          at += cut;
        }
        expect(read).toEqual(marked);
        expect(reader.passed_over_bytes).toBe(0);
      },
    ),
  );
});
