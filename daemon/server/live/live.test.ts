/** The live feed over real sockets: who may connect, and how often states come. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { start } from '../testing/live.ts';
import { TestClient } from '../testing/live-client.ts';

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
    { numRuns: runsOf(20) },
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
  const seenBy = async (client: TestClient) => {
    const state = await client.next('state');
    return (
      state.kind === 'alerts' &&
      state.data.alerts.map(alert => `${alert.battery_name}: ${alert.pack_name}`).sort()
    );
  };
  expect(await seenBy(una)).toEqual(['North: Pack n1']);
  expect(await seenBy(ada)).toEqual(['North: Pack n1', 'South: Pack s1']);
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
  const clients = await Promise.all(['ada', 'ada', 'ada', 'una', 'mo'].map(name => connect(name)));
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
