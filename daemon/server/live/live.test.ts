/** The live feed over real sockets: who may enter which room, how often states come, and what ends a connection. */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { PasswordHasher } from '../auth/passwords.ts';
import { Sessions, sessionKey } from '../auth/sessions.ts';
import { UserDirectory } from '../auth/users.ts';
import type { ServerLimits } from '../limits.ts';
import { createServer, type HttpServer } from '../server.ts';
import type { GatewayServices } from '../services.ts';
import {
  addTestUsers,
  CHEAP,
  JWT_SECRET,
  makeTestSite,
  PASSWORD,
  type TestSite,
  testOptions,
} from '../test-services.ts';
import type { RoomKind } from './rooms.ts';
import { type StateMessage, TestClient } from './test-client.ts';

interface Started {
  readonly site: TestSite;
  readonly server: HttpServer;
  readonly url: string;
  token(username: string): Promise<string>;
  connect(username: string): Promise<TestClient>;
}

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function start(
  limits: Partial<ServerLimits> = {},
  change: (services: GatewayServices) => GatewayServices = services => services,
  session_hours = 12,
): Promise<Started> {
  const site = makeTestSite();
  await addTestUsers(site);
  const server = await createServer(change(site.services), testOptions({ limits, session_hours }));
  servers.push(server);
  const { url } = await server.listen();
  const users = new UserDirectory(site.documents, site.clock, new PasswordHasher(CHEAP), 0);
  const key = await sessionKey(site.documents, JWT_SECRET);
  const sessions = new Sessions(key, site.topology.gateway_id, users, site.clock, session_hours);
  const token = async (username: string) => sessions.issue((await users.find(username))!);
  const connect = async (username: string) =>
    TestClient.open(url, { authorization: `Bearer ${await token(username)}` });
  return { site, server, url, token, connect };
}

/** By kind of room: a room in `north`, and whether each role may be in one of `south`. */
const ROOMS: Record<RoomKind, { readonly own: string; readonly foreign?: string }> = {
  fleet: { own: 'fleet' },
  alerts: { own: 'alerts' },
  system: { own: 'system' },
  battery: { own: 'battery:north', foreign: 'battery:south' },
  pack: { own: 'pack:n1', foreign: 'pack:s1' },
};

test.each(['una', 'mo', 'ada'])('%s enters the rooms of what it may see, and no others', async username => {
  const { connect } = await start();
  const client = await connect(username);
  expect(await client.next('hello')).toMatchObject({ user: { username }, interval_ms: 2000 });
  for (const [kind, { own, foreign }] of Object.entries(ROOMS)) {
    expect(await client.subscribed(own)).toMatchObject({ kind, room: own });
    if (!foreign) continue;
    client.send({ type: 'subscribe', room: foreign });
    if (username === 'ada') expect(await client.next('state')).toMatchObject({ room: foreign });
    else
      expect(await client.next('error')).toMatchObject({
        room: foreign,
        problem: { code: 'NOT_FOUND', detail: expect.stringContaining(foreign.split(':')[1]) },
      });
  }
  await client.settled();
  const seen = JSON.stringify(client.states());
  expect(seen.includes('"south"')).toBe(username === 'ada');
});

test('without a valid session, or from a foreign page, there is no connection', async () => {
  const { url, token } = await start();
  const refused = (headers: Record<string, string>) =>
    TestClient.open(url, headers).then(
      () => 'open',
      error => error.message,
    );
  const una = await token('una');
  const cookie = `bms_session=${una}`;
  expect(await refused({})).toBe('401');
  expect(await refused({ authorization: 'Bearer nonsense' })).toBe('401');
  expect(await refused({ cookie: 'bms_session=nonsense' })).toBe('401');
  expect(await refused({ cookie, origin: 'http://evil.example' })).toBe('403');
  expect(await refused({ authorization: `Bearer ${una}`, origin: 'null' })).toBe('403');
  expect(await refused({ cookie, origin: url })).toBe('open');
  expect(await refused({ cookie })).toBe('open');
});

test('a change goes out promptly, then at most every 200 ms, and the last one always arrives', async () => {
  const { site, connect } = await start();
  const client = await connect('una');
  await client.subscribed('pack:n1');
  const steps = fc.array(fc.record({ wait_ms: fc.integer({ min: 0, max: 300 }) }), {
    minLength: 1,
    maxLength: 60,
  });
  let voltage_v = 3.3;
  await fc.assert(
    fc.asyncProperty(steps, async list => {
      site.clock.advance(1000);
      await client.settled();
      const before = client.states().length;
      const began_ms = site.clock.monoMs();
      const change = () => {
        voltage_v = voltage_v > 3.5 ? 3.2 : voltage_v + 0.001;
        site.setCells(0, voltage_v);
      };
      change();
      site.clock.advance(5);
      await client.settled();
      expect(client.states().length).toBe(before + 1);
      for (const { wait_ms } of list) {
        change();
        site.clock.advance(wait_ms);
      }
      site.clock.advance(200);
      await client.settled();
      const states = client.states();
      const span_ms = site.clock.monoMs() - began_ms;
      expect(states.length - before).toBeLessThanOrEqual(1 + Math.ceil(span_ms / 200));
      const last = states.at(-1)!;
      expect(last.kind === 'pack' && last.data.cells.voltage_v.values[0]).toBeCloseTo(voltage_v, 3);
    }),
    { numRuns: 20 },
  );
});

test('battery and fleet come at most once a second', async () => {
  const { site, connect } = await start();
  const client = await connect('ada');
  await client.subscribed('fleet');
  await client.subscribed('battery:north');
  const before = client.states().length;
  for (let i = 0; i < 300; i++) {
    site.setCells(0, 3.2 + i / 1000);
    site.clock.advance(10);
  }
  await client.settled();
  const rooms = client
    .states()
    .slice(before)
    .map(state => state.room);
  for (const room of ['fleet', 'battery:north']) {
    const count = rooms.filter(name => name === room).length;
    expect(count).toBeGreaterThanOrEqual(3);
    expect(count).toBeLessThanOrEqual(4);
  }
});

test('a value that grows stale shows without a word from the device', async () => {
  const { site, connect } = await start();
  const client = await connect('una');
  expect(await client.subscribed('pack:n1')).toMatchObject({ data: { summary: { state: 'ok' } } });
  site.clock.advance(20_000);
  expect(await client.next('state')).toMatchObject({ data: { summary: { state: 'offline' } } });
  await client.settled();
  const count = client.states().length;
  site.clock.advance(30_000);
  await client.settled();
  expect(client.states().length).toBe(count);
});

test('alerts come when they change, to those who see the battery', async () => {
  const { site, connect } = await start();
  const [una, ada] = [await connect('una'), await connect('ada')];
  expect(await una.subscribed('alerts')).toMatchObject({ data: { alerts: [] } });
  await ada.subscribed('alerts');
  for (const pack of [0, 2]) {
    site.setCells(pack, 3.9);
    site.judge(pack);
  }
  site.clock.advance(5);
  const batteries = async (client: TestClient) => {
    const state = await client.next('state');
    return state.kind === 'alerts' && state.data.alerts.map(alert => alert.battery_id).sort();
  };
  expect(await batteries(una)).toEqual(['north']);
  expect(await batteries(ada)).toEqual(['north', 'south']);
});

test('a state is made once for all who see the same', async () => {
  let made = 0;
  const { site, connect } = await start({}, services => ({
    ...services,
    live: {
      fleet: () => {
        made++;
        return services.live.fleet();
      },
      battery: id => services.live.battery(id),
      pack: id => services.live.pack(id),
      onPackChanged: listener => services.live.onPackChanged(listener),
    },
  }));
  const clients = await Promise.all(['ada', 'ada', 'ada', 'una', 'mo'].map(connect));
  for (const client of clients) await client.subscribed('fleet');
  made = 0;
  site.setCells(0, 3.4);
  site.clock.advance(5);
  for (const client of clients) await client.next('state');
  expect(made).toBe(2);
});

test('unsubscribed is quiet, and twice subscribed is once', async () => {
  const { site, connect } = await start();
  const client = await connect('una');
  await client.subscribed('pack:n1');
  await client.subscribed('pack:n1');
  client.send({ type: 'unsubscribe', room: 'pack:n1' });
  await client.next('unsubscribed');
  const count = client.states().length;
  site.setCells(0, 3.4);
  site.clock.advance(1000);
  await client.settled();
  expect(client.states().length).toBe(count);
});

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
  const { site, connect } = await start({}, undefined, 0.01);
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

test('no text a client may send does more than get an answer', async () => {
  const { server, connect } = await start({ live_invalid_messages: 1e9, live_message_burst: 1e9 });
  const client = await connect('una');
  const room = fc.oneof(
    fc.string({ maxLength: 140 }),
    fc.constantFrom('pack:', 'pack:__proto__', 'battery:constructor', 'pack:s1', 'toString', 'battery:north'),
  );
  const message = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ type: fc.constantFrom('subscribe', 'unsubscribe', 'ping', 'hello'), room })
      .map(m => JSON.stringify(m)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 10 }), async texts => {
      for (const text of texts) client.socket.send(text);
      await client.settled();
    }),
    { numRuns: 100 },
  );
  const problems = client.messages.flatMap(one => (one.type === 'error' ? [one.problem.status] : []));
  expect(problems.filter(status => status >= 500)).toEqual([]);
  expect(client.states().filter(state => state.room.includes('s1'))).toEqual([]);
  expect(client.socket.readyState).toBe(WebSocket.OPEN);
  expect(server.status().counters.live_clients).toBe(1);
});
