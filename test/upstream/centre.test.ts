/** The centre: migrations by hand, roles with few rights, many gateways, every change of an alert. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Store } from '../../daemon/store/store.ts';
import { numberedReading, smallTopology, someAlert } from '../../daemon/store/testing/fixtures.ts';
import { startGateway } from '../support/gateway-process.ts';
import { appendRounds as appendRoundsOf, caughtUp, T0, until, useCentre } from './harness.ts';

const DOCUMENT = new URL('../../docs/central-database.md', import.meta.url);
const centre = useCentre();
const query = (sql: string, database_url?: string) => centre.query(sql, database_url);

const openStore = (gateway_id: string, pack_count = 3) =>
  centre.openLog(smallTopology(pack_count, 10, gateway_id));

async function appendRounds(store: Store, rounds: number): Promise<void> {
  appendRoundsOf(store, smallTopology(3), 0, rounds);
  await store.flush();
}

async function migrate(database_url: string, ...args: string[]) {
  const process = startGateway(['migrate', ...args], { DATABASE_URL: database_url });
  return { code: await process.exited, text: process.output() };
}

test('migrate says what is pending and what it applied, and has nothing to do the second time', async () => {
  const before = await migrate(centre.url, '--check');
  expect(before.code).toBe(1);
  expect(before.text).toMatch(/001_users is pending\n002_hierarchy is pending/);
  const done = await migrate(centre.url);
  expect([done.code, done.text]).toEqual([
    0,
    expect.stringMatching(/001_users applied\n[\s\S]*008_alert_events applied/),
  ]);
  for (const args of [['--check'], []])
    expect(await migrate(centre.url, ...args)).toEqual({
      code: 0,
      text: expect.stringContaining('up to date'),
    });
  const wrong = new URL(centre.url);
  wrong.password = 'not-this-secret';
  wrong.username = 'nobody_known';
  const refused = await migrate(wrong.href);
  expect(refused.code).toBe(1);
  expect(refused.text).toMatch(/^bms-gateway: PostgreSQL at .*user "nobody_known".*\n$/);
  expect(refused.text).not.toContain('not-this-secret');
});

test('with the set-up of the document a gateway writes, an analyst reads, and neither does more', async () => {
  await migrate(centre.url);
  await query(`CREATE ROLE bms_analyst LOGIN PASSWORD 'of-bms_analyst'`);
  const [, sql] = /<!-- roles -->\n```sql\n([\s\S]*?)```/.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
  await query(sql);
  const analyst = centre.urlAs('bms_analyst', 'of-bms_analyst');
  const [{ url: writer }] = await centre.query<{ url: string }>("SELECT add_gateway('gw') AS url");
  const store = await openStore('gw');
  await appendRounds(store, 20);
  store.appendAlert(someAlert('a1', T0));
  await store.flush();
  const upstream = centre.follow(store, { database_url: writer });
  await caughtUp(upstream, store);
  expect(upstream.status().counters.readings).toBe(60);
  expect(await query('SELECT count(*)::int AS cells FROM readings', analyst)).toEqual([{ cells: 600 }]);
  expect(await query('SELECT count(*)::int AS parts FROM pack_readings_default')).toEqual([{ parts: 0 }]);
  store.append(numberedReading(smallTopology(3), 0, 1, T0 + 900_000));
  await store.flush();
  await until(
    () => upstream.status().counters.buckets_rolled_up === 1,
    () => upstream.status(),
  );
  expect(await query('SELECT count(*)::int AS cells FROM readings_15min', analyst)).toEqual([{ cells: 30 }]);
  for (const statement of [
    'DELETE FROM pack_readings',
    'INSERT INTO pack_readings_15min SELECT * FROM pack_readings_15min',
    'SELECT drop_readings_before(now())',
    'TRUNCATE alerts',
    'CREATE TABLE t ()',
    'SELECT * FROM audit_log',
  ])
    await expect(query(statement, writer)).rejects.toThrow(/permission denied/);
  for (const statement of [
    'SELECT * FROM users',
    'UPDATE gateways SET last_seq = 0',
    'SELECT make_readings_partition(now())',
    "SELECT roll_up_readings('gw')",
  ])
    await expect(query(statement, analyst)).rejects.toThrow(/permission denied/);

  await upstream.stop();
  // As after a storage was restored from an older copy.
  await query(
    "UPDATE gateways SET last_row_digest = 'another', last_sync_at = now() - interval '11 minutes'",
  );
  store.appendAlert(someAlert('a2', T0));
  await store.flush();
  const follower = centre.follow(store, { database_url: writer });
  await caughtUp(follower, store);
  expect(store.predecessors).toHaveLength(1);
  await follower.stop();
  await query("DROP TABLE alert_events; DELETE FROM schema_migrations WHERE name = 'alert_events'");
  const late = centre.follow(store, { database_url: writer });
  await until(
    () => late.status().reason?.includes('lacks 008_alert_events') ?? false,
    () => late.status(),
  );
  expect(late.status().reason).toContain('run bms-gateway migrate');
});

test('each change of an alert is an event, the newest is its state', async () => {
  const store = await openStore('gw', 1);
  store.appendAlert(someAlert('a1', T0));
  store.appendAlert(someAlert('a2', T0 + 1000));
  store.appendAlert(someAlert('a1', T0, T0 + 5000));
  await store.flush();
  await caughtUp(centre.follow(store), store);
  const events = await query(
    "SELECT alert_id, state, extract(epoch FROM at)::float8 * 1000 AS at_ms FROM alert_events WHERE gateway_id = 'gw' ORDER BY seq",
  );
  expect(events).toEqual([
    { alert_id: 'a1', state: 'active', at_ms: T0 },
    { alert_id: 'a2', state: 'active', at_ms: T0 + 1000 },
    { alert_id: 'a1', state: 'cleared', at_ms: T0 + 5000 },
  ]);
  expect(await query("SELECT state FROM alerts WHERE alert_id = 'a1'")).toEqual([{ state: 'cleared' }]);
});

test('an alert of the gateway itself arrives without battery and pack, and so does its end', async () => {
  const store = await openStore('gw');
  const upstream = centre.follow(store);
  const of_gateway = { ...someAlert('storage_fault::1', T0), rule_id: 'storage_fault' };
  const alert = {
    ...of_gateway,
    battery_id: null,
    pack_id: null,
    cell_no: null,
    value: null,
    threshold: null,
  };
  const stateThere = () =>
    query('SELECT alert_id, rule_id, battery_id, pack_id, state, raised_at, cleared_at FROM alerts');
  store.appendAlert(alert);
  await store.flush();
  await caughtUp(upstream, store);
  const there = { alert_id: alert.id, rule_id: 'storage_fault', battery_id: null, pack_id: null };
  const raised_at = new Date(T0);
  expect(await stateThere()).toEqual([{ ...there, state: 'active', raised_at, cleared_at: null }]);
  store.appendAlert({ ...alert, state: 'cleared', cleared_ms: T0 + 5000 });
  await store.flush();
  await caughtUp(upstream, store);
  const cleared_at = new Date(T0 + 5000);
  expect(await stateThere()).toEqual([{ ...there, state: 'cleared', raised_at, cleared_at }]);
  expect(await query('SELECT state FROM alert_events ORDER BY seq')).toEqual([
    { state: 'active' },
    { state: 'cleared' },
  ]);
});

test('ten gateways that begin at once in one empty database each have every reading there once', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `gw-${i}`);
  const stores = await Promise.all(names.map(name => openStore(name)));
  await Promise.all(stores.map((store, i) => appendRounds(store, 50 + i)));
  const upstreams = stores.map((store, i) => centre.follow(store, { gateway_id: names[i] }));
  await Promise.all(upstreams.map((upstream, i) => caughtUp(upstream, stores[i])));
  const rows = await query(
    `SELECT gateway_id, count(*)::int AS rows, count(DISTINCT (pack_id, ts))::int AS moments
     FROM pack_readings GROUP BY gateway_id ORDER BY gateway_id`,
  );
  expect(rows).toEqual(
    names.map((gateway_id, i) => ({ gateway_id, rows: 3 * (50 + i), moments: 3 * (50 + i) })),
  );
});
