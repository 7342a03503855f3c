/** The live feed over real sockets: slow, silent, confused and hostile clients, and what ends a connection. */
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { BINARY_PROTOCOL, JSON_PROTOCOL } from '../../../core/contract/live-binary.ts';
import { start } from '../testing/live.ts';
import type { StateMessage } from '../testing/live-client.ts';
import { PASSWORD } from '../testing/test-site.ts';

test('a client that does not read is skipped, then gets the newest; others are not held up', async () => {
  const { site, server, connect } = await start({
    live_buffer_soft_bytes: 20_000,
    live_behind_ms: 1e9,
    live_idle_ms: 1e9,
  });
  const [slow, quick] = [await connect('ada'), await connect('ada')];
  await slow.subscribed('pack:n1');
  await quick.subscribed('pack:n1');
  slow.socket.pause();
  const skipped = () => server.status().counters.live_states_skipped;
  let changes = 0;
  for (; skipped() < 10 && changes < 50_000; changes++) {
    site.setCells(0, 3 + (changes % 500) / 1000);
    site.clock.advance(200);
    if (changes % 20 === 0) await quick.settled();
  }
  expect(skipped()).toBeGreaterThanOrEqual(10);
  site.setCells(0, 3.456);
  site.clock.advance(200);
  await quick.settled();
  slow.socket.resume();
  for (;;) {
    const state = await slow.next('state');
    if (state.kind === 'pack' && state.data.cells.voltage_v.values[0] === 3.456) break;
  }
  expect(slow.states().length).toBeLessThan(quick.states().length);
});

test('a client that stays behind is disconnected', async () => {
  const { site, server, connect } = await start({ live_buffer_soft_bytes: 20_000, live_idle_ms: 1e9 });
  const slow = await connect('ada');
  await slow.subscribed('pack:n1');
  slow.socket.pause();
  const { counters } = server.status();
  expect(counters.live_clients).toBe(1);
  for (let i = 0; i < 50_000 && server.status().counters.live_clients_dropped === 0; i++) {
    site.setCells(0, 3 + (i % 500) / 1000);
    site.clock.advance(200);
    if (i % 20 === 0) await new Promise(setImmediate);
  }
  expect(server.status().counters.live_clients_dropped).toBe(1);
  slow.socket.resume();
  await slow.closed;
});

test.each([[[JSON_PROTOCOL]], [[BINARY_PROTOCOL]]])(
  'who reads nothing costs bounded memory, over %s',
  async protocols => {
    const live_buffer_soft_bytes = 20_000;
    const logged: object[] = [];
    const keep = (fields: object) => void logged.push(fields);
    const log = { debug: keep, info: keep, warn: keep, error: keep };
    const { site, server, connect } = await start(
      { live_buffer_soft_bytes, live_idle_ms: 1e9 },
      services => ({ ...services, log }),
      // The kernel is filled sooner.
      { cell_count: 200 },
    );
    const sockets = new Set<Socket>();
    server.app.server.on('connection', (socket: Socket) => sockets.add(socket));
    const slow = await connect('ada', protocols);
    const rooms = ['fleet', 'battery:north', 'pack:n1', 'alerts', 'system'];
    for (const room of rooms) await slow.subscribed(room);
    slow.socket.pause();
    let held = 0;
    for (let i = 0; i < 200_000 && server.status().counters.live_clients_dropped === 0; i++) {
      site.setCells(0, 3 + (i % 500) / 1000);
      site.clock.advance(200);
      for (const { writableLength } of sockets) held = Math.max(held, writableLength);
      // The kernel takes what it has room for.
      if (i % 20 === 0) await new Promise(setImmediate);
    }
    expect(held).toBeGreaterThan(live_buffer_soft_bytes);
    // One state above the limit, and pings.
    expect(held).toBeLessThan(live_buffer_soft_bytes + 10_000);
    expect(logged).toContainEqual(
      expect.objectContaining({ user: 'ada', code: 1013, reason: expect.stringContaining('too slow') }),
    );
    slow.socket.resume();
    await slow.closed;
  },
  120_000,
);

test('who answers pings stays, who does not is disconnected', async () => {
  const { site, connect } = await start();
  const [alive, dead] = [await connect('una'), await connect('mo')];
  dead.socket.pause();
  for (let i = 0; i < 4; i++) {
    site.clock.advance(20_000);
    await alive.settled();
  }
  dead.socket.resume();
  expect(await dead.closed).toMatchObject({ code: 1008 });
  await alive.settled();
});

test('what is not understood is answered; only who keeps on is disconnected', async () => {
  const { connect } = await start();
  const client = await connect('una');
  const nonsense = ['', '{', '[]', 'null', '{"type":"subscribe"}', '{"type":"subscribe","room":"nowhere"}'];
  for (const text of nonsense) {
    client.socket.send(text);
    expect(await client.next('error')).toMatchObject({ problem: { code: 'BAD_REQUEST', status: 400 } });
  }
  client.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
  expect(await client.next('error')).toMatchObject({
    problem: { detail: expect.stringContaining('binary') },
  });
  await client.settled();
  for (let i = 0; i < 20; i++) client.socket.send('nonsense');
  expect(await client.closed).toMatchObject({ code: 1008, reason: 'Too many invalid messages' });
});

test('floods, too large messages and too many rooms have an end', async () => {
  const { server, connect } = await start({ live_message_burst: 10, live_rooms_per_client: 2 });
  const large = await connect('una');
  large.socket.send('x'.repeat(5000));
  expect(await large.closed).toMatchObject({ code: 1009 });
  const greedy = await connect('una');
  await greedy.subscribed('fleet');
  await greedy.subscribed('alerts');
  greedy.send({ type: 'subscribe', room: 'system' });
  expect(await greedy.next('error')).toMatchObject({ room: 'system', problem: { code: 'RATE_LIMITED' } });
  for (let i = 0; i < 10; i++) greedy.send({ type: 'ping' });
  expect(await greedy.closed).toMatchObject({ code: 1008 });
  expect(server.status().counters.live_clients_dropped).toBe(1);
});

test('there are only so many connections', async () => {
  const { connect } = await start({ live_clients: 1 });
  const first = await connect('una');
  await expect(connect('una')).rejects.toThrow('503');
  first.socket.close();
  await first.closed;
});

test('a session that ends ends its connections; a changed one keeps what it may still see', async () => {
  const { site, url, token, connect } = await start();
  const headers = { authorization: `Bearer ${await token('ada')}`, 'content-type': 'application/json' };
  const change = (method: string, username: string, body?: object) =>
    fetch(`${url}/api/admin/users/${username}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
  const [una, mo] = [await connect('una'), await connect('mo')];
  await una.subscribed('pack:n1');
  const shown = (state: StateMessage) => state.kind === 'fleet' && state.data.batteries.map(({ id }) => id);
  expect(shown(await una.subscribed('fleet'))).toEqual(['north']);
  await change('PUT', 'una', { batteries: ['south'] });
  expect(await una.next('error')).toMatchObject({ room: 'pack:n1', problem: { code: 'NOT_FOUND' } });
  expect(shown(await una.next('state'))).toEqual(['south']);
  expect(await una.subscribed('pack:s1')).toMatchObject({ room: 'pack:s1' });
  site.setCells(0, 3.4);
  site.clock.advance(500);
  await una.settled();
  expect(una.states().at(-1)!.room).not.toBe('pack:n1');
  await change('PUT', 'una', { password: `${PASSWORD} two` });
  expect(await una.closed).toMatchObject({ code: 4401 });
  await change('DELETE', 'mo');
  expect(await mo.closed).toMatchObject({ code: 4401 });
});

test('a connection does not outlive its token', async () => {
  const { site, connect } = await start({}, undefined, { session_hours: 0.01 });
  const client = await connect('una');
  site.clock.advance(37_000);
  expect(await client.closed).toMatchObject({ code: 4401 });
});

test('closing the server says so to everybody, leaves no timer, and can be done twice', async () => {
  const { site, server, connect } = await start();
  const clients = [await connect('una'), await connect('ada')];
  clients[0].socket.pause();
  for (const client of clients) client.send({ type: 'subscribe', room: 'pack:n1' });
  await clients[1].next('state');
  site.setCells(0, 3.4);
  await server.close();
  await server.close();
  clients[0].socket.resume();
  expect(await clients[1].closed).toMatchObject({ code: 1001 });
  await clients[0].closed;
  expect(site.clock.pendingTimers).toBe(0);
});
