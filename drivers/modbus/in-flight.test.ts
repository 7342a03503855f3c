/** Several requests in flight on a real socket: whatever the server does, each request gets its own outcome. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Clock, sleep } from '../../core/clock/clock.ts';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import {
  type Asked,
  goodPdu,
  isRight,
  linkTo,
  type ReceivedRequest,
  reply,
  serveHeld,
} from './testing/in-flight.ts';

const TIMEOUT_MS = 1000;
/** First register of each request: far enough apart that no two share one. */
const STRIDE = 16;

const PATIENCE_MS = 10_000;

async function until(condition: () => boolean): Promise<void> {
  const give_up_ms = systemClock.monoMs() + PATIENCE_MS;
  while (!condition()) {
    if (systemClock.monoMs() > give_up_ms) throw new Error(`waited in vain: ${condition}`);
    await sleep(systemClock, 1);
  }
}

/** What a server does with a request, and what becomes of it. */
const OUTCOMES = {
  good: 'good',
  twice: 'good',
  busy: 'busy',
  refused: 'exception',
  garbled: 'bad_reply',
  dropped: 'timeout',
  late: 'timeout',
} as const;
type Deed = keyof typeof OUTCOMES;
const DEEDS = Object.keys(OUTCOMES) as Deed[];

function act(received: ReceivedRequest, deed: Deed): void {
  const pdu = goodPdu(received);
  if (deed === 'busy') reply(received, Uint8Array.of(0x83, 6));
  else if (deed === 'refused') reply(received, Uint8Array.of(0x83, 2));
  else if (deed === 'garbled') reply(received, pdu.subarray(0, -2));
  else reply(received, pdu);
  if (deed === 'twice') reply(received, pdu);
}

const scripts = fc.array(
  fc.record({
    unit: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 1, max: STRIDE }),
    deed: fc.oneof({ weight: 3, arbitrary: fc.constant('good' as Deed) }, fc.constantFrom(...DEEDS)),
    /** Replies held together go out in ascending order of it. */
    order: fc.nat(1000),
  }),
  { minLength: 1, maxLength: 40 },
);

test('replies in any order, twice, late or never: each request gets its own, and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(scripts, fc.integer({ min: 1, max: 16 }), async (script, max_in_flight) => {
      const held: ReceivedRequest[] = [];
      const late: ReceivedRequest[] = [];
      const server = await serveHeld(received => held.push(received));
      const clock = new ManualClock();
      const { link, ask } = linkTo(server.port, clock, max_in_flight);
      try {
        link.start();
        const asked: Asked[] = script.map(({ unit, count }, i) => ask(unit, STRIDE * i, count));
        const indexOf = (received: ReceivedRequest) => received.address / STRIDE;
        const settled = () => asked.filter(({ outcome }) => outcome !== undefined).length;
        while (settled() < script.length) {
          await until(() => server.received_count === link.counters.requests);
          const batch = held.splice(0).sort((a, b) => script[indexOf(a)].order - script[indexOf(b)].order);
          expect(link.counters.requests - settled()).toBeLessThanOrEqual(max_in_flight);
          const overdue = late.filter(received => asked[indexOf(received)].outcome !== undefined);
          for (const received of overdue) reply(late.splice(late.indexOf(received), 1)[0], goodPdu(received));
          for (const received of batch) {
            const { deed } = script[indexOf(received)];
            if (deed === 'late') late.push(received);
            else if (deed !== 'dropped') act(received, deed);
          }
          await until(() =>
            batch.every(
              received =>
                OUTCOMES[script[indexOf(received)].deed] === 'timeout' ||
                asked[indexOf(received)].outcome !== undefined,
            ),
          );
          if (held.length > 0 || server.received_count < link.counters.requests) continue;
          if (settled() < link.counters.requests) clock.advance(TIMEOUT_MS);
          await sleep(systemClock, 0);
        }
        for (const [i, one] of asked.entries()) {
          const kind = one.outcome === 'good' || !one.outcome ? one.outcome : one.outcome.kind;
          expect(kind).toBe(OUTCOMES[script[i].deed]);
          if (kind === 'good') expect(isRight(one)).toBe(true);
        }
        const counted = (kind: string) => script.filter(({ deed }) => OUTCOMES[deed] === kind).length;
        expect(link.counters).toMatchObject({
          requests: script.length,
          timeouts: counted('timeout'),
          bad_replies: counted('bad_reply'),
          exceptions: counted('busy') + counted('exception'),
        });
        if (max_in_flight === 1) expect(link.counters.requests_pipelined).toBe(0);
      } finally {
        await link.stop();
        await server.close();
      }
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: runsOf(40) },
  );
});

/** Time that runs faster, so that time-outs and back-off pass in a moment. */
const SPEED = 50;
const fastClock: Clock = {
  wallMs: () => systemClock.wallMs(),
  monoMs: () => systemClock.monoMs() * SPEED,
  setTimer: (fn, delay_ms) => systemClock.setTimer(fn, delay_ms / SPEED),
  clearTimer: handle => systemClock.clearTimer(handle),
};

test('a request that waits while more others pass than the library has numbers is still judged as what it is', async () => {
  const kept: ReceivedRequest[] = [];
  const server = await serveHeld(received => {
    if (received.address === 0) kept.push(received);
    else if (received.address % 3 === 0) reply(received, Uint8Array.of(received.frame.pdu[0] | 0x80, 2));
    else reply(received, goodPdu(received));
  });
  const { link, ask } = linkTo(server.port, new ManualClock(), 3);
  try {
    link.start();
    const waiting = ask(1, 0, 4);
    await until(() => kept.length === 1);
    for (let first = 1; first <= 2401; first += 800) {
      const asked = Array.from({ length: 800 }, (_, i) => ask(1, first + i, 4, 4));
      await until(() => asked.every(({ outcome }) => outcome !== undefined));
      for (const one of asked) {
        if (one.request.address % 3 === 0)
          expect(one.outcome).toMatchObject({ kind: 'exception', exception: 2 });
        else expect(one.outcome === 'good' && isRight(one)).toBe(true);
      }
    }
    expect(waiting.outcome).toBeUndefined();
    reply(kept[0], Uint8Array.of(0x83, 3));
    await until(() => waiting.outcome !== undefined);
    expect(waiting.outcome).toMatchObject({ kind: 'exception', exception: 3 });
    expect(link.counters.bad_replies).toBe(0);
  } finally {
    await link.stop();
    await server.close();
  }
});

test('a connection that is lost while it is to be replaced counts as lost, so that its units are read again', async () => {
  const held: ReceivedRequest[] = [];
  const server = await serveHeld(received => held.push(received));
  const clock = new ManualClock();
  const { link, ask, states } = linkTo(server.port, clock, 2);
  try {
    link.start();
    const [odd, other] = [ask(1, 0, 4), ask(2, 16, 4)];
    await until(() => held.length === 2);
    act(held[0], 'garbled');
    await until(() => odd.outcome !== undefined);
    const next = ask(1, 32, 4);
    expect(other.outcome).toBeUndefined();
    held[1].socket.destroy();
    await until(() => other.outcome !== undefined && next.outcome !== undefined);
    expect(other.outcome).toMatchObject({ kind: 'link' });
    clock.advance(1000);
    await until(() => states.length === 3);
    expect(states).toEqual(['up', 'down', 'up']);
  } finally {
    await link.stop();
    await server.close();
  }
});

test('connections that break or carry nonsense, and a stop at any moment, settle everything', async () => {
  const deed = fc.constantFrom('good', 'good', 'good', 'dropped', 'nonsense', 'hang_up', 'half');
  const scripted = fc.array(fc.record({ unit: fc.integer({ min: 1, max: 3 }), deed, wait_ms: fc.nat(3) }), {
    minLength: 1,
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(
      scripted,
      fc.integer({ min: 2, max: 16 }),
      fc.nat(40),
      async (script, max_in_flight, stop_after) => {
        const server = await serveHeld(async received => {
          const step = script[received.address / STRIDE];
          await sleep(systemClock, step.wait_ms);
          if (step.deed === 'good') reply(received, goodPdu(received));
          else if (step.deed === 'nonsense') received.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
          else if (step.deed === 'hang_up') received.socket.destroy();
          else if (step.deed === 'half' && !received.socket.destroyed)
            received.socket.end(Uint8Array.of(0, 1, 0, 0, 0));
        });
        const { link, ask } = linkTo(server.port, fastClock, max_in_flight);
        try {
          link.start();
          const asked = script.map(({ unit }, i) => ask(unit, STRIDE * i, 4));
          const settled = () => asked.filter(({ outcome }) => outcome !== undefined).length;
          await until(() => settled() >= Math.min(stop_after, script.length));
          await Promise.all([link.stop(), link.stop()]);
          const { requests, requests_resent } = link.counters;
          const begun = asked.filter(({ is_begun }) => is_begun);
          for (const { outcome } of begun) expect(outcome).toBeDefined();
          expect(begun.length).toBeGreaterThanOrEqual(requests - requests_resent);
          for (const one of asked) if (one.outcome === 'good') expect(isRight(one)).toBe(true);
          expect(link.run(async () => {})).toBe(false);
        } finally {
          await link.stop();
          await server.close();
        }
      },
    ),
    { numRuns: runsOf(40) },
  );
});
