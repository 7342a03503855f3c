/** The live feed against a socket in hand: conflation, reconnecting, and what counts as fresh. */
import { effect } from '@preact/signals';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { joinState, partState } from '../../../core/contract/live-binary.ts';
import { LiveFeed, type SocketEvents } from './feed.ts';

class Wire {
  readonly sent: { type: string; room?: string }[] = [];
  isClosed = false;
  readonly events: SocketEvents;

  constructor(events: SocketEvents) {
    this.events = events;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  say(message: object): void {
    this.events.onMessage(JSON.stringify(message));
  }

  hello(t_ms = 5_000_000): void {
    this.say({ type: 'hello', user: { username: 'a', role: 'user' }, t_ms, interval_ms: 2000 });
  }

  fleet(name: string, t_ms = 5_000_000): void {
    this.say({
      type: 'state',
      kind: 'fleet',
      room: 'fleet',
      t_ms,
      data: { site: { id: 's', name }, batteries: [] },
    });
  }
}

/** A device that sleeps: time passes, but no timer fires. */
class SleepyClock extends ManualClock {
  slept_ms = 0;

  override monoMs(): number {
    return super.monoMs() + this.slept_ms;
  }
}

function setUp() {
  const clock = new SleepyClock();
  const wires: Wire[] = [];
  let frame: (() => void) | undefined;
  let refused = 0;
  const feed = new LiveFeed({
    clock,
    open: events => {
      const wire = new Wire(events);
      wires.push(wire);
      return wire;
    },
    schedule: fn => {
      frame = fn;
    },
    random: () => 1,
    onRefused: () => {
      refused++;
    },
  });
  return {
    clock,
    wires,
    feed,
    wire: () => wires[wires.length - 1],
    drawFrame: () => {
      frame?.();
      frame = undefined;
    },
    refused: () => refused,
  };
}

test('many messages between two frames are one change, with the newest state', () => {
  const { feed, wire, drawFrame } = setUp();
  const room = feed.join<'fleet'>('fleet');
  feed.start();
  wire().hello();
  expect(wire().sent).toEqual([{ type: 'subscribe', room: 'fleet' }]);
  const seen: (string | undefined)[] = [];
  const stop = effect(() => {
    seen.push(room.value.data?.site.name);
  });
  for (const name of ['one', 'two', 'three']) wire().fleet(name);
  expect(seen).toEqual([undefined]);
  drawFrame();
  expect(seen).toEqual([undefined, 'three']);
  expect(room.value.is_fresh).toBe(true);
  stop();
});

test('a lost connection leaves the values, marked as not fresh; the snapshot after it makes them fresh', () => {
  const { feed, wire, wires, drawFrame, clock } = setUp();
  const room = feed.join<'fleet'>('fleet');
  feed.start();
  wire().hello();
  wire().fleet('before', 5_000_000);
  drawFrame();
  clock.advance(3000);
  wire().events.onClose(1006);
  expect(feed.link.value).toEqual({ phase: 'lost', last_message_ms: 5_000_000 });
  expect(room.value).toMatchObject({ is_fresh: false, data: { site: { name: 'before' } } });
  clock.advance(500);
  expect(wires.length).toBe(2);
  wire().hello();
  expect(feed.link.value.phase).toBe('live');
  expect(wire().sent).toEqual([{ type: 'subscribe', room: 'fleet' }]);
  expect(room.value.is_fresh).toBe(false);
  wire().fleet('after');
  drawFrame();
  expect(room.value).toMatchObject({ is_fresh: true, data: { site: { name: 'after' } } });
});

test('what arrived just before the loss but was not drawn yet is not shown as fresh', () => {
  const { feed, wire, drawFrame } = setUp();
  const room = feed.join<'fleet'>('fleet');
  feed.start();
  wire().hello();
  wire().fleet('late');
  wire().events.onClose(1006);
  drawFrame();
  expect(room.value).toMatchObject({ is_fresh: false, data: { site: { name: 'late' } } });
});

test('retries back off to ten seconds, and a live connection starts them over', () => {
  const { feed, wire, wires, clock } = setUp();
  feed.start();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 7; attempt++) {
    const before = wires.length;
    wire().events.onClose(1006);
    let waited = 0;
    while (wires.length === before) {
      clock.advance(250);
      waited += 250;
    }
    waits.push(waited);
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  wire().hello();
  const before = wires.length;
  wire().events.onClose(1006);
  clock.advance(500);
  expect(wires.length).toBe(before + 1);
});

test('a connection that is silent in spite of pings is given up', () => {
  const { feed, wire, wires, clock } = setUp();
  feed.start();
  wire().hello();
  clock.advance(4000);
  expect(wire().sent).toEqual([{ type: 'ping' }]);
  wire().say({ type: 'pong', t_ms: 5_004_000 });
  clock.advance(8000);
  expect(feed.link.value.phase).toBe('live');
  const silent = wire();
  clock.advance(4000);
  expect(feed.link.value.phase).toBe('lost');
  expect(silent.isClosed).toBe(true);
  clock.advance(500);
  expect(wires.length).toBe(2);
});

test('a connection that never says hello is given up too', () => {
  const { feed, wires, clock, refused } = setUp();
  feed.start();
  clock.advance(12_000);
  expect(wires[0].isClosed).toBe(true);
  expect(refused()).toBe(1);
  expect(feed.link.value.phase).toBe('connecting');
});

test('closed because the session ended, or before hello: the session is checked; other losses are not', () => {
  const { feed, wire, clock, refused } = setUp();
  feed.start();
  wire().events.onClose(1006);
  expect(refused()).toBe(1);
  clock.advance(500);
  wire().hello();
  wire().events.onClose(1001);
  expect(refused()).toBe(1);
  clock.advance(500);
  wire().hello();
  wire().events.onClose(4401);
  expect(refused()).toBe(2);
});

test('a room is left only when nobody came back for a while', () => {
  const { feed, wire, clock } = setUp();
  feed.start();
  wire().hello();
  feed.join('fleet');
  feed.leave('fleet');
  clock.advance(3000);
  feed.join('fleet');
  wire().say({ type: 'pong', t_ms: 1 });
  clock.advance(3000);
  wire().say({ type: 'pong', t_ms: 1 });
  expect(wire().sent.filter(({ type }) => type !== 'ping')).toEqual([{ type: 'subscribe', room: 'fleet' }]);
  feed.leave('fleet');
  clock.advance(9000);
  wire().say({ type: 'pong', t_ms: 1 });
  clock.advance(1000);
  expect(wire().sent.at(-1)).toEqual({ type: 'unsubscribe', room: 'fleet' });
});

test('a refused room says why and shows nothing', () => {
  const { feed, wire, drawFrame } = setUp();
  const room = feed.join<'pack'>('pack:x');
  feed.start();
  wire().hello();
  const problem = {
    type: 'about:blank',
    title: 'Not found',
    status: 404,
    detail: 'No pack x',
    code: 'NOT_FOUND',
  };
  wire().say({ type: 'error', room: 'pack:x', problem });
  drawFrame();
  expect(room.value).toMatchObject({ problem, data: undefined });
});

test('stopping forgets what the last user saw, at any moment and twice', () => {
  const { feed, wire, drawFrame, clock } = setUp();
  feed.stop();
  const room = feed.join<'fleet'>('fleet');
  feed.start();
  wire().hello();
  wire().fleet('secret');
  drawFrame();
  wire().fleet('more');
  feed.stop();
  feed.stop();
  drawFrame();
  expect(room.value.data).toBeUndefined();
  expect(feed.link.value.phase).toBe('stopped');
  expect(wire().isClosed).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

test('coming back on line tries at once instead of waiting', () => {
  const { feed, wire, wires } = setUp();
  feed.start();
  wire().events.onClose(1006);
  feed.retryNow();
  expect(wires.length).toBe(2);
  feed.retryNow();
  expect(wires.length).toBe(2);
});

test('woken after a long sleep, it does not trust the connection it had', () => {
  const { feed, wire, wires, clock } = setUp();
  feed.start();
  wire().hello();
  clock.slept_ms = 2000;
  feed.retryNow();
  expect(wires.length).toBe(1);
  clock.slept_ms = 3_600_000;
  feed.retryNow();
  expect(wires.length).toBe(2);
  expect(wires[0].isClosed).toBe(true);
  expect(feed.link.value.phase).toBe('lost');
});

test('what is not a message of the contract is counted and changes nothing', () => {
  const { feed, wire } = setUp();
  feed.start();
  for (const text of ['', '{', 'null', '[]', '7']) wire().events.onMessage(text);
  expect(feed.malformed_count).toBe(5);
  expect(feed.link.value.phase).toBe('connecting');
});

test('binary states show like those in JSON; one that cannot be read is counted', () => {
  const { feed, wire, drawFrame } = setUp();
  const room = feed.join<'fleet'>('fleet');
  feed.start();
  wire().hello();
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const send = (data: object, seq: number, is_whole = true) => {
    const { structure, values } = partState('fleet', 'fleet', data);
    const head = { structure_no: 1, seq, t_ms: 5_000_000 + seq };
    const frame = joinState(head, is_whole ? utf8(structure) : new Uint8Array(0), values);
    wire().events.onMessage(frame.buffer as ArrayBuffer);
    drawFrame();
  };
  send({ site: { id: 's', name: 'one' }, batteries: [{ power_w: 1.5 }] }, 1);
  send({ site: { id: 's', name: 'one' }, batteries: [{ power_w: -2 }] }, 2, false);
  expect(room.value).toMatchObject({
    is_fresh: true,
    t_ms: 5_000_002,
    data: { batteries: [{ power_w: -2 }] },
  });
  wire().events.onMessage(new ArrayBuffer(5));
  expect(feed.malformed_count).toBe(1);
  wire().events.onClose(1006);
  feed.retryNow();
  wire().hello();
  send({ site: { id: 's', name: 'one' }, batteries: [{ power_w: 3 }] }, 3, false);
  expect(feed.malformed_count).toBe(2);
  expect(room.value.is_fresh).toBe(false);
});

test('times follow the clock of the gateway, not of this device', () => {
  const { feed, wire, clock } = setUp();
  feed.start();
  wire().hello(5_000_000);
  clock.advance(1500);
  expect(feed.gatewayNow()).toBe(5_001_500);
});
