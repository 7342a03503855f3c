/** The way from the log to a real PostgreSQL: everything arrives once and in order, whatever breaks on the way. */
import { cpSync } from 'node:fs';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { Quality } from '../../core/reading/quality.ts';
import type { LogSource, Store } from '../../daemon/store/store.ts';
import { numberedReading, smallTopology, someAlert } from '../../daemon/store/testing/fixtures.ts';
import type { UpstreamOptions } from '../../daemon/upstream/upstream.ts';
import { freePort } from '../support/postgres.ts';
import { appendRounds as appendRoundsOf, caughtUp, T0, until, useCentre } from './harness.ts';
import { startWireProxy } from './wire-proxy.ts';

const topology = smallTopology(100);
const centre = useCentre();
const query = <R extends pg.QueryResultRow>(sql: string) => centre.query<R>(sql);

const openStore = (directory?: string) => centre.openLog(topology, directory);

const follow = (source: LogSource, more: Partial<UpstreamOptions> = {}) =>
  centre.follow(source, { batch_rows: 300, ...more });

const appendRounds = (store: Store, first: number, count: number) =>
  appendRoundsOf(store, topology, first, count);

/** Every reading of rounds 0 … count-1 is there once, each pack's in the order of the log. */
async function expectExactlyOnce(rounds: number): Promise<void> {
  const [total] = await query<{ rows: string; seqs: string; pairs: string }>(
    `SELECT count(*) AS rows, count(DISTINCT seq) AS seqs, count(DISTINCT (pack_id, ts)) AS pairs FROM pack_readings`,
  );
  const expected = String(rounds * topology.packs.length);
  expect(total).toEqual({ rows: expected, seqs: expected, pairs: expected });
  const [order] = await query<{ wrong: string }>(
    `SELECT count(*) FILTER (WHERE before > ts) AS wrong
     FROM (SELECT ts, lag(ts) OVER (PARTITION BY pack_id ORDER BY seq) AS before FROM pack_readings) AS o`,
  );
  expect(order.wrong).toBe('0');
}

test('readings, hierarchy and alerts arrive as an analyst expects them', async () => {
  const store = await openStore();
  appendRounds(store, 0, 5);
  const doubtful = numberedReading(topology, 0, 5, T0 + 10_000);
  doubtful.column(CellMetric.voltage_v)[0] = 8.191;
  doubtful.columnQuality(CellMetric.voltage_v)[0] = Quality.suspect;
  doubtful.column(CellMetric.voltage_v)[1] = Number.NaN;
  doubtful.columnQuality(CellMetric.voltage_v)[1] = Quality.missing;
  doubtful.values[PackMetric.current_a] = Number.NaN;
  doubtful.value_quality[PackMetric.current_a] = Quality.missing;
  doubtful.value_quality[PackMetric.soc_pct] = Quality.stale;
  doubtful.device_alarm_level.set([2, 255]);
  doubtful.newest_age_ms = -20;
  doubtful.oldest_age_ms = 1980;
  doubtful.is_repeated = true;
  doubtful.values[PackMetric.device_status] = 4;
  doubtful.value_quality[PackMetric.device_status] = Quality.suspect;
  store.append(doubtful);
  store.appendAlert(someAlert('a1', T0));
  store.appendAlert(someAlert('a2', T0 + 1));
  store.appendAlert(someAlert('a1', T0, T0 + 5000));
  await store.flush();
  const upstream = follow(store);
  await caughtUp(upstream, store);

  const per_round = await query<{ count: number }>(
    `SELECT count(*)::int AS count FROM readings WHERE ts < '2026-01-07 00:00:10+00' GROUP BY ts ORDER BY ts`,
  );
  expect(per_round).toEqual(Array(5).fill({ count: 1000 }));
  const cell = await query(
    `SELECT ts, voltage, current, temperature, soc, soh, quality, current_quality, soc_quality, gateway_id
     FROM readings WHERE cell_id = 'p01/c08' ORDER BY ts`,
  );
  expect(cell).toHaveLength(6);
  expect(cell[0]).toEqual({
    ts: new Date(T0),
    voltage: 3.287,
    current: -12.5,
    temperature: 24.7,
    soc: 63.21,
    soh: 98.5,
    quality: 'good',
    current_quality: 'good',
    soc_quality: 'good',
    gateway_id: 'gw',
  });
  expect(cell[5]).toMatchObject({
    current: null,
    current_quality: 'missing',
    soc: 63.21,
    soc_quality: 'stale',
  });
  expect(
    await query(
      `SELECT newest_age_ms, oldest_age_ms, is_repeated FROM readings WHERE cell_id = 'p01/c08' ORDER BY ts DESC LIMIT 2`,
    ),
  ).toEqual([
    { newest_age_ms: -20, oldest_age_ms: 1980, is_repeated: true },
    { newest_age_ms: null, oldest_age_ms: null, is_repeated: false },
  ]);
  const [status] = await query<{ device_status: number; value_quality: string }>(
    'SELECT device_status, value_quality FROM pack_readings WHERE device_status IS NOT NULL',
  );
  expect(status.device_status).toBe(4);
  expect(status.value_quality[PackMetric.device_status]).toBe('u');
  const marked = await query(
    `SELECT cell_id, voltage, quality FROM readings WHERE ts = '2026-01-07 00:00:10+00' ORDER BY cell_id LIMIT 3`,
  );
  expect(marked).toEqual([
    { cell_id: 'p01/c01', voltage: 8.191, quality: 'suspect' },
    { cell_id: 'p01/c02', voltage: null, quality: 'missing' },
    { cell_id: 'p01/c03', voltage: expect.closeTo(3.287, 3), quality: 'good' },
  ]);
  expect(await query(`SELECT device_alarms FROM pack_readings WHERE ts = '2026-01-07 00:00:10+00'`)).toEqual([
    { device_alarms: 'au' },
  ]);
  expect(await query(`SELECT alert_id, state, raised_at, cleared_at FROM alerts ORDER BY alert_id`)).toEqual([
    { alert_id: 'a1', state: 'cleared', raised_at: new Date(T0), cleared_at: new Date(T0 + 5000) },
    { alert_id: 'a2', state: 'active', raised_at: new Date(T0 + 1), cleared_at: null },
  ]);
  const [counts] = await query(
    `SELECT (SELECT count(*)::int FROM batteries) AS batteries, (SELECT count(*)::int FROM packs) AS packs,
            (SELECT count(*)::int FROM cells) AS cells, (SELECT count(*)::int FROM users) AS users`,
  );
  expect(counts).toEqual({ batteries: 1, packs: 100, cells: 1000, users: 0 });
  expect(await query(`SELECT device_alarms FROM packs WHERE pack_id = 'p01'`)).toEqual([
    { device_alarms: ['cell_over_voltage', 'over_current'] },
  ]);
  const versions = await query('SELECT version, name FROM schema_migrations ORDER BY version');
  expect(versions.slice(0, 4).map(row => row.name)).toEqual(['users', 'hierarchy', 'readings', 'alerts']);
  expect(await query('SELECT count(*)::int AS rows FROM pack_readings_default')).toEqual([{ rows: 0 }]);
});

test('one cell of the view is found through the index', async () => {
  const store = await openStore();
  appendRounds(store, 0, 100);
  await store.flush();
  await caughtUp(follow(store), store);
  await query('ANALYZE');
  const plan = await query<{ 'QUERY PLAN': string }>(
    `EXPLAIN SELECT ts, voltage FROM readings WHERE cell_id = 'p07/c03' AND ts >= '2026-01-07' AND ts < '2026-01-08'`,
  );
  const text = plan.map(row => row['QUERY PLAN']).join('\n');
  expect(text).toMatch(/Index Scan.*pack_id/s);
  expect(text).not.toMatch(/Seq Scan on pack_readings/);
});

test('new readings follow when caught up, and a restart goes on where the centre stands', async () => {
  const directory = centre.newDirectory();
  const first = await openStore(directory);
  const upstream = follow(first);
  appendRounds(first, 0, 3);
  await first.flush();
  await caughtUp(upstream, first);
  appendRounds(first, 3, 2);
  await first.flush();
  await caughtUp(upstream, first);
  await upstream.stop();
  await upstream.stop();
  appendRounds(first, 5, 2);
  await first.close();
  const second = await openStore(directory);
  appendRounds(second, 7, 1);
  await second.flush();
  await caughtUp(follow(second), second);
  await expectExactlyOnce(8);
});

test.each(['before', 'after'] as const)(
  'a connection cut %s COMMIT leaves nothing double and nothing out',
  async how => {
    const proxy = await startWireProxy(centre.postgres.port);
    centre.after(() => proxy.close());
    const store = await openStore();
    appendRounds(store, 0, 10);
    await store.flush();
    const database_url = centre.url.replace(String(centre.postgres.port), String(proxy.port));
    const upstream = follow(store, { database_url });
    await until(() => upstream.status().counters.batches >= 1);
    proxy.cutCommits(how, 3);
    appendRounds(store, 10, 10);
    await store.flush();
    await until(() => proxy.cuts === 3);
    await caughtUp(upstream, store);
    expect(upstream.status().counters.retries).toBeGreaterThanOrEqual(3);
    await expectExactlyOnce(20);
  },
);

test('a server restarted under load: nothing double, nothing lost, order kept', async () => {
  const store = await openStore();
  const upstream = follow(store, { batch_rows: 50 });
  for (let round = 0; round < 30; round++) {
    appendRounds(store, round, 1);
    await store.flush();
    if (round === 10 || round === 20) {
      await until(() => upstream.status().state !== 'down');
      await centre.postgres.halt();
      await until(() => upstream.status().state === 'down');
      await centre.postgres.resume();
    }
  }
  await caughtUp(upstream, store);
  expect(upstream.status().counters.connects).toBeGreaterThanOrEqual(3);
  await expectExactlyOnce(30);
});

test('a row refused in the midst of a batch leaves nothing of it, and all follows when the cause is gone', async () => {
  const store = await openStore();
  const first = follow(store);
  await caughtUp(first, store);
  await first.stop();
  await query('ALTER TABLE pack_readings ADD CONSTRAINT no_such_row CHECK (seq <> 40)');
  appendRounds(store, 0, 30);
  await store.flush();
  const upstream = follow(store, { batch_rows: 5000 });
  await until(() => upstream.status().counters.retries >= 2);
  expect(upstream.status().reason).toMatch(/violates check constraint "no_such_row"/);
  expect(await query('SELECT count(*)::int AS rows FROM pack_readings')).toEqual([{ rows: 0 }]);
  await query('ALTER TABLE pack_readings DROP CONSTRAINT no_such_row');
  await caughtUp(upstream, store);
  await expectExactlyOnce(30);
});

test('absent at start: one clear line without the password, local work goes on, then everything follows', async () => {
  const lines: string[] = [];
  const log = { ...silentLogger, warn: (_: object, line: string) => void lines.push(line) };
  const port = await freePort();
  const store = await openStore();
  appendRounds(store, 0, 2);
  const absent = centre.url.replace(String(centre.postgres.port), String(port));
  const upstream = follow(store, { database_url: absent, log });
  await until(() => upstream.status().counters.retries >= 2);
  await store.flush();
  expect(store.stats().readings_committed).toBe(200);
  expect(upstream.status()).toMatchObject({ state: 'down', counters: { lag_rows: 201 } });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    new RegExp(`PostgreSQL at 127.0.0.1:${port}, database "centre_\\d+", user "bms" refuses the connection`),
  );
  const proxy = await startWireProxy(centre.postgres.port, port);
  centre.after(() => proxy.close());
  await caughtUp(upstream, store);
  await expectExactlyOnce(2);
});

test('wrong password, unknown database and an unreadable URL are distinguished, never with the password', async () => {
  const store = await openStore();
  for (const [database_url, expected] of [
    [centre.url.replace(/:[^:@/]+@/, ':hunter2@'), /refuses the password/],
    [centre.url.replace(/centre_\d+/, 'nowhere'), /database "nowhere".* has no such database/],
    ['postgres://user:hunter2@[oops', /cannot be read; expected postgres:/],
  ] as const) {
    const upstream = follow(store, { database_url });
    await until(() => upstream.status().counters.retries >= 1);
    expect(upstream.status().reason).toMatch(expected);
    expect(upstream.status().reason).not.toContain('hunter2');
    await upstream.stop();
  }
  expect(follow(store, { database_url: undefined }).status().state).toBe('off');
});

test('another storage under the same gateway id is refused, and so is a copy that went its own way', async () => {
  const directory = centre.newDirectory();
  const original = await openStore(directory);
  appendRounds(original, 0, 2);
  await original.flush();
  await caughtUp(follow(original), original);

  const stranger = await openStore();
  const refused = follow(stranger);
  await until(() => refused.status().counters.retries >= 1);
  expect(refused.status()).toMatchObject({ state: 'down' });
  expect(refused.status().reason).toMatch(/gateway "gw" there .* is not this one .*same gateway_id/);

  await original.close();
  const copied = centre.newDirectory();
  cpSync(directory, copied, { recursive: true });
  const again = await openStore(directory);
  appendRounds(again, 2, 2);
  await again.flush();
  await caughtUp(follow(again), again);
  const copy = await openStore(copied);
  const behind = follow(copy);
  await until(() => behind.status().counters.retries >= 1);
  expect(behind.status().reason).toMatch(/which ends at/);
  await behind.stop();
  appendRounds(copy, 100, 3);
  await copy.flush();
  const beyond = follow(copy);
  await until(() => beyond.status().counters.retries >= 1);
  expect(beyond.status().reason).toMatch(/differs from ours: its storage was copied/);
  await expectExactlyOnce(4);
});

test('a centre with a newer schema is left alone', async () => {
  const store = await openStore();
  await caughtUp(follow(store), store);
  await query(`INSERT INTO schema_migrations (version, name, checksum) VALUES (999, 'future', 'x')`);
  const upstream = follow(store);
  await until(() => upstream.status().counters.retries >= 1);
  expect(upstream.status().reason).toMatch(/its schema is version 999, this program knows versions up to/);
});

test('several gateways migrate one centre at the same moment', async () => {
  const lines: string[] = [];
  const stores = await Promise.all([openStore(), openStore(), openStore()]);
  for (const store of stores) appendRounds(store, 0, 1);
  await Promise.all(stores.map(store => store.flush()));
  const upstreams = stores.map((source, i) => {
    const log = { ...silentLogger, warn: (_: object, line: string) => void lines.push(line) };
    return follow(source, { gateway_id: `gw${i}`, log });
  });
  await Promise.all(upstreams.map((upstream, i) => caughtUp(upstream, stores[i])));
  expect(lines).toEqual([]);
  expect(await query('SELECT count(*)::int AS gateways FROM gateways')).toEqual([{ gateways: 3 }]);
});

test('rows of a clock that is far off wait in the default partition, and move when their week comes', async () => {
  const store = await openStore();
  for (const t_ms of [1000, T0, Date.UTC(2199, 0, 1)]) store.append(numberedReading(topology, 0, 1, t_ms));
  await store.flush();
  await caughtUp(follow(store), store);
  expect(await query('SELECT count(*)::int AS rows FROM pack_readings_default')).toEqual([{ rows: 2 }]);
  await query(`SELECT make_readings_partition('2199-01-01 00:00+00')`);
  expect(await query('SELECT count(*)::int AS rows FROM pack_readings_default')).toEqual([{ rows: 1 }]);
  expect(await query('SELECT count(*)::int AS rows FROM pack_readings')).toEqual([{ rows: 3 }]);
});
