/** Devices that do not bear several requests are found out, and nobody else is taken for one. */
import { afterEach, expect, test } from 'vitest';
import { type Clock, sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import type { ModbusTcpConnection } from './connections.ts';
import type { Exchange } from './in-flight.ts';
import { InFlightLimit } from './in-flight-limit.ts';
import { createModbusDriver, maxInFlight } from './modbus-driver.ts';
import type { FailureKind } from './reply.ts';
import { createSunSpecImage } from './sunspec/sunspec-image.ts';
import {
  type Asked,
  goodPdu,
  isRight,
  linkTo,
  type ReceivedRequest,
  reply,
  serveHeld,
} from './testing/in-flight.ts';
import { bindingOf } from './testing/line.ts';
import { VirtualModbusHub } from './virtual-link.ts';

const SPEED = 10;
const fastClock: Clock = {
  wallMs: () => systemClock.wallMs(),
  monoMs: () => systemClock.monoMs() * SPEED,
  setTimer: (fn, delay_ms) => systemClock.setTimer(fn, delay_ms / SPEED),
  clearTimer: handle => systemClock.clearTimer(handle),
};
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(systemClock, 2);
}

/** A server that takes a moment for each request; `onMany` has one that comes meanwhile. */
async function serveOne(onMany: (received: ReceivedRequest) => void): Promise<number> {
  let working = false;
  const server = await serveHeld(async received => {
    if (working) return onMany(received);
    working = true;
    await sleep(systemClock, 3);
    working = false;
    reply(received, goodPdu(received));
  });
  cleanups.push(() => server.close());
  return server.port;
}

const narrow: Record<string, (received: ReceivedRequest) => void> = {
  'keeps silent': () => {},
  'says that it is busy': received => reply(received, Uint8Array.of(0x83, 6)),
  'mixes replies up': received => reply(received, Uint8Array.of(0x84, 1)),
  'hangs up': ({ socket }) => socket.destroy(),
};

test.each(Object.keys(narrow))(
  'one that %s at a second request is asked one by one from then on',
  async name => {
    const { link, given_up, ask } = linkTo(await serveOne(narrow[name]), fastClock, 4);
    cleanups.push(() => link.stop());
    link.start();
    const round = async (): Promise<Asked[]> => {
      const asked = [1, 2, 3, 4].map(unit => ask(unit, 10 * unit, 5));
      await until(() => asked.every(({ outcome }) => outcome !== undefined));
      for (const one of asked) if (one.outcome === 'good') expect(isRight(one)).toBe(true);
      return asked;
    };
    while (link.in_flight_limit > 1) {
      await round();
      await sleep(systemClock, 5);
    }
    expect(link.counters).toMatchObject({ pipelining_given_up: 1, pipelining_failures: 3 });
    expect(given_up).toHaveLength(1);
    const { requests_pipelined } = link.counters;
    for (let good = false; !good; ) good = (await round()).every(({ outcome }) => outcome === 'good');
    expect(link.counters.requests_pipelined).toBe(requests_pipelined);
    expect(link.counters.pipelining_given_up).toBe(1);
  },
);

interface Trial {
  readonly in_flight: InFlightLimit;
  readonly given_up: string[];
  /** Two requests at once to the unit, or one where it is to be asked alone; all with this outcome. */
  ask(unit: number, failure?: FailureKind, was_silent?: boolean): void;
  failTogether(units: readonly number[]): void;
}

function trial(): Trial {
  const given_up: string[] = [];
  const counters = { requests_pipelined: 0, pipelining_failures: 0, pipelining_given_up: 0 };
  const in_flight = new InFlightLimit(4, counters, reason => given_up.push(reason));
  let now_ms = 0;
  const exchange = (unit: number, is_alone: boolean): Exchange => ({
    request: { unit, code: 3, address: 0, count: 1 },
    sent_ms: now_ms,
    due_ms: now_ms,
    is_pipelined: !is_alone,
    is_alone,
    onOverdue: () => {},
    onLost: () => true,
  });
  return {
    in_flight,
    given_up,
    ask(unit, failure, was_silent = false) {
      const first = exchange(unit, in_flight.onSent(unit, 0));
      const second = in_flight.admits(unit, 1) ? exchange(unit, in_flight.onSent(unit, 1)) : undefined;
      expect(second === undefined).toBe(first.is_alone || in_flight.limit === 1);
      now_ms += 10;
      in_flight.onSettled(first, failure, was_silent, now_ms);
      if (second) in_flight.onSettled(second, failure, was_silent, now_ms + 1);
      now_ms += 2;
    },
    failTogether(units) {
      const exchanges = units.map((unit, i) => exchange(unit, in_flight.onSent(unit, i)));
      for (const one of exchanges) in_flight.onSettled(one, 'timeout', false, ++now_ms);
    },
  };
}

test('a unit that is silent also alone, or was silent before, says nothing against overlapping', () => {
  const { in_flight, ask } = trial();
  for (let i = 0; i < 50; i++) {
    ask(1, 'timeout');
    ask(1, 'timeout');
    ask(2, 'timeout', true);
  }
  expect(in_flight.limit).toBe(4);
  expect(in_flight.admits(2, 3)).toBe(true);
  expect(in_flight.admits(2, 4)).toBe(false);
});

test('while a unit is asked alone, nobody else is asked, and nobody is overtaken for good', () => {
  const { in_flight, ask } = trial();
  ask(1, 'timeout');
  expect(in_flight.admits(1, 1)).toBe(false);
  expect(in_flight.admits(2, 1)).toBe(true);
  expect(in_flight.admits(1, 0)).toBe(true);
  expect(in_flight.onSent(1, 0)).toBe(true);
  expect(in_flight.admits(2, 1)).toBe(false);
});

test('rare losses are chance, frequent ones are not', () => {
  const rare = trial();
  for (let i = 0; i < 20; i++) {
    rare.ask(1, 'timeout');
    rare.ask(1);
    for (let j = 0; j < 60; j++) rare.ask(1);
  }
  expect(rare.in_flight.limit).toBe(4);
  const frequent = trial();
  for (let i = 0; i < 3; i++) {
    expect(frequent.in_flight.limit).toBe(4);
    frequent.ask(1, 'busy');
    frequent.ask(1);
    for (let j = 0; j < 10; j++) frequent.ask(1);
  }
  expect(frequent.in_flight.limit).toBe(1);
  expect(frequent.given_up).toEqual(['unit 1 answers when asked alone, and not beside other requests']);
});

test('a moment in which nothing comes through is one failure, however much was in flight', () => {
  const { in_flight, given_up, ask, failTogether } = trial();
  for (let i = 1; i <= 3; i++) {
    expect(in_flight.limit).toBe(4);
    failTogether([1, 2, 3, 4]);
    for (const unit of [1, 2, 3, 4]) ask(unit);
  }
  expect(in_flight.limit).toBe(1);
  expect(given_up).toHaveLength(1);
});

test('the connection allows, the devices on it bear: the lesser counts', () => {
  const tcp: ModbusTcpConnection = { id: 'link', type: 'modbus-tcp', host: '10.0.0.5', max_in_flight: 8 };
  const plain = bindingOf({ cells: 8 });
  const registers = { blocks: {}, pack: {} };
  const bears = (more: object) => ({
    ...plain,
    profile: { ...plain.profile, registers: { ...registers, ...more } },
  });
  expect(maxInFlight({ ...tcp, max_in_flight: undefined }, [plain])).toBe(1);
  expect(maxInFlight(tcp, [plain, bears({})])).toBe(8);
  expect(maxInFlight(tcp, [plain, bears({ max_in_flight: 4 })])).toBe(4);
  expect(maxInFlight(tcp, [bears({ max_in_flight: 16 })])).toBe(8);
  expect(maxInFlight(tcp, [plain, bears({ gap_ms: 100 })])).toBe(1);
  expect(maxInFlight({ ...tcp, gap_ms: 1 }, [plain])).toBe(1);
  expect(maxInFlight({ ...tcp, type: 'modbus-rtu-tcp', port: 502 }, [plain])).toBe(1);
});

/** A second of real time: a reply that a busy machine holds up is not taken for one that never comes. */
const PATIENT_MS = 1000 * SPEED;

test('units behind a gateway are read side by side, and a gateway that does not bear it is named in the log', async () => {
  const bindings = [1, 2, 3, 4].map(address => bindingOf({ pack: address - 1, cells: 8, address }));
  const image = createSunSpecImage(bindings[0]).image;
  let at_work = 0;
  let most = 0;
  let is_narrow = false;
  const server = await serveHeld(async received => {
    if (is_narrow && at_work > 0) return;
    most = Math.max(most, ++at_work);
    await sleep(systemClock, 2);
    at_work--;
    reply(received, image.answer(received.frame.pdu));
  });
  cleanups.push(() => server.close());
  const warnings: string[] = [];
  const driver = createModbusDriver(
    {
      id: 'rack',
      type: 'modbus-tcp',
      host: '127.0.0.1',
      port: server.port,
      max_in_flight: 3,
      timeout_ms: PATIENT_MS,
    },
    bindings,
    {
      clock: fastClock,
      log: { ...silentLogger, warn: (_, message) => warnings.push(message) },
      interval_ms: 200,
      onUpdate: () => {},
      onLink: () => {},
    },
    new VirtualModbusHub(),
  );
  cleanups.push(() => driver.stop());
  await driver.start();
  await until(() => driver.health().counters.rounds > 20);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(3);
  expect(warnings).toEqual([]);
  is_narrow = true;
  await until(() => driver.health().counters.pipelining_given_up > 0);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^connection rack to 127\.0\.0\.1:\d+: unit \d answers when asked alone, and not beside other requests; from now on one request is in flight at a time$/,
    ),
  ]);
  const { rounds } = driver.health().counters;
  const allUp = () => driver.health().packs.every(({ state }) => state === 'up');
  await until(() => driver.health().counters.rounds > rounds + 10 && allUp());
});
