/** The centre: migrations by hand, roles with few rights, many gateways, every change of an alert. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { createSqliteStore } from '../../daemon/store/sqlite-store.ts';
import type { LogSource, Store } from '../../daemon/store/store.ts';
import {
  numberedReading,
  smallTopology,
  someAlert,
  storeOptions,
  temporaryDirectory,
} from '../../daemon/store/testing.ts';
import { createUpstream, type Upstream } from '../../daemon/upstream/upstream.ts';
import { startGateway } from '../support/gateway-process.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const T0 = Date.UTC(2026, 0, 7);
const DOCUMENT = new URL('../../docs/central-database.md', import.meta.url);
let postgres: TestPostgres;
let url: string;
let database_count = 0;
let cleanUp: (() => unknown)[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  url = await postgres.createDatabase(`roles_${++database_count}`);
});
afterEach(async () => {
  for (const step of cleanUp.reverse()) await step();
  cleanUp = [];
});

async function openStore(gateway_id: string, pack_count = 3): Promise<Store & LogSource> {
  const { path, remove } = temporaryDirectory();
  const store = createSqliteStore(storeOptions(path, { keep_unsynced: true }));
  cleanUp.push(remove, () => store.close());
  await store.open(smallTopology(pack_count, 10, gateway_id));
  return store;
}

function follow(source: LogSource, gateway_id: string, database_url: string): Upstream {
  const options = { gateway_id, source, database_url, clock: systemClock, log: silentLogger };
  const upstream = createUpstream(options);
  cleanUp.push(() => upstream.stop());
  upstream.start();
  return upstream;
}

async function until(condition: () => boolean, how = () => ''): Promise<void> {
  const give_up_ms = systemClock.monoMs() + 60_000;
  while (!condition()) {
    if (systemClock.monoMs() > give_up_ms) throw new Error(`waited in vain: ${how()}`);
    await sleep(systemClock, 20);
  }
}

const caughtUp = (upstream: Upstream, store: LogSource) =>
  until(
    () => upstream.status().counters.last_seq === store.durableSeq(),
    () => JSON.stringify(upstream.status()),
  );

async function query(sql: string, database_url = url): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(database_url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function appendRounds(store: Store, rounds: number, pack_count = 3): Promise<void> {
  const topology = smallTopology(pack_count);
  for (let n = 0; n < rounds; n++)
    for (let pack = 0; pack < pack_count; pack++)
      store.append(numberedReading(topology, pack, n, T0 + n * 2000));
  await store.flush();
}

async function migrate(database_url: string, ...args: string[]) {
  const process = startGateway(['migrate', ...args], { DATABASE_URL: database_url });
  return { code: await process.exited, text: process.output() };
}

test('migrate says what is pending and what it applied, and has nothing to do the second time', async () => {
  const before = await migrate(url, '--check');
  expect(before.code).toBe(1);
  expect(before.text).toMatch(/001_users is pending\n002_hierarchy is pending/);
  const done = await migrate(url);
  expect([done.code, done.text]).toEqual([
    0,
    expect.stringMatching(/001_users applied\n[\s\S]*008_alert_events applied/),
  ]);
  for (const args of [['--check'], []])
    expect(await migrate(url, ...args)).toEqual({ code: 0, text: expect.stringContaining('up to date') });
  const wrong = new URL(url);
  wrong.password = 'not-this-secret';
  wrong.username = 'nobody_known';
  const refused = await migrate(wrong.href);
  expect(refused.code).toBe(1);
  expect(refused.text).toMatch(/^bms-gateway: PostgreSQL at .*user "nobody_known".*\n$/);
  expect(refused.text).not.toContain('not-this-secret');
});

test('with the roles of the document a gateway writes, an analyst reads, and neither does more', async () => {
  await migrate(url);
  const roles = ['bms_writer', 'bms_analyst'];
  for (const role of roles) await query(`CREATE ROLE ${role} LOGIN PASSWORD 'of-${role}'`);
  const [, sql] = /<!-- roles -->\n```sql\n([\s\S]*?)```/.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
  await query(sql);
  const [writer, analyst] = roles.map(role => {
    const as = new URL(url);
    as.username = role;
    as.password = `of-${role}`;
    return as.href;
  });
  const store = await openStore('gw');
  await appendRounds(store, 20);
  store.appendAlert(someAlert('a1', T0));
  await store.flush();
  const upstream = follow(store, 'gw', writer);
  await caughtUp(upstream, store);
  expect(upstream.status().counters.readings).toBe(60);
  expect(await query('SELECT count(*)::int AS cells FROM readings', analyst)).toEqual([{ cells: 600 }]);
  expect(await query('SELECT count(*)::int AS parts FROM pack_readings_default')).toEqual([{ parts: 0 }]);
  store.append(numberedReading(smallTopology(3), 0, 1, T0 + 900_000));
  await store.flush();
  await until(
    () => upstream.status().counters.quarters === 1,
    () => JSON.stringify(upstream.status()),
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
  await query("DROP TABLE alert_events; DELETE FROM schema_migrations WHERE name = 'alert_events'");
  const late = follow(store, 'gw', writer);
  await until(
    () => late.status().reason?.includes('lacks 008_alert_events') ?? false,
    () => JSON.stringify(late.status()),
  );
  expect(late.status().reason).toContain('run bms-gateway migrate');
});

test('each change of an alert is an event, the newest is its state', async () => {
  const store = await openStore('gw', 1);
  store.appendAlert(someAlert('a1', T0));
  store.appendAlert(someAlert('a2', T0 + 1000));
  store.appendAlert(someAlert('a1', T0, T0 + 5000));
  await store.flush();
  await caughtUp(follow(store, 'gw', url), store);
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

test('ten gateways that begin at once in one empty database each have every reading there once', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `gw-${i}`);
  const stores = await Promise.all(names.map(name => openStore(name)));
  await Promise.all(stores.map((store, i) => appendRounds(store, 50 + i)));
  const upstreams = stores.map((store, i) => follow(store, names[i], url));
  await Promise.all(upstreams.map((upstream, i) => caughtUp(upstream, stores[i])));
  const rows = await query(
    `SELECT gateway_id, count(*)::int AS rows, count(DISTINCT (pack_id, ts))::int AS moments
     FROM pack_readings GROUP BY gateway_id ORDER BY gateway_id`,
  );
  expect(rows).toEqual(
    names.map((gateway_id, i) => ({ gateway_id, rows: 3 * (50 + i), moments: 3 * (50 + i) })),
  );
});
