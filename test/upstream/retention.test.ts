/** What is dropped at the centre when its time is over, while gateways go on. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { numberedReading, smallTopology } from '../../daemon/store/testing/fixtures.ts';
import { appendRounds, caughtUp, type Log, T0, until, useCentre } from './harness.ts';

const WEEK_MS = 7 * 86_400_000;
const topology = smallTopology(3);
const centre = useCentre();

/** The Monday of the week of T0, and of others. */
const monday = (weeks: number) => new Date(Date.UTC(2026, 0, 5) + weeks * WEEK_MS).toISOString();
const dropReadings = (before: string) =>
  centre.query<{ dropped: string; rows: string | null; bytes: string | null }>(
    `SELECT * FROM drop_readings_before('${before}')`,
  );

async function append(log: Log, ...moments: number[]): Promise<void> {
  moments.forEach((t_ms, n) => {
    log.append(numberedReading(topology, 0, n, t_ms));
  });
  await log.flush();
}

const weeksLeft = () =>
  centre.query(`SELECT to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day FROM pack_readings ORDER BY ts`);

test('whole weeks go, and from the default partition what is older; rollups are made first and stay', async () => {
  const log = await centre.openLog(topology);
  const upstream = centre.follow(log);
  await append(log, 1000, T0 - 3 * WEEK_MS, T0 - WEEK_MS, T0, Date.UTC(2199, 0, 1));
  await caughtUp(upstream, log);
  await upstream.stop();
  // As if the gateway had gone before it rolled up.
  await centre.query(`TRUNCATE pack_readings_15min;
    INSERT INTO rollup_marks SELECT 'gw', date_bin('15 minutes', ts, '2000-01-01 00:00+00') FROM pack_readings
    ON CONFLICT DO NOTHING`);
  // In the midst of a week: that week stays.
  const dropped = await dropReadings('2026-01-09T12:00:00Z');
  expect(dropped.map(({ dropped, rows, bytes }) => [dropped, rows, Number(bytes) > 0])).toEqual([
    ['pack_readings_default', '1', false],
    ['pack_readings_20251215', null, true],
    ['pack_readings_20251222', null, true],
    ['pack_readings_20251229', null, true],
  ]);
  expect(await weeksLeft()).toEqual([{ day: '2026-01-07' }, { day: '2199-01-01' }]);
  expect(await dropReadings('2026-01-09T12:00:00Z')).toEqual([]);
  const rollups = () =>
    centre.query(
      `SELECT to_char(bucket AT TIME ZONE 'UTC', 'YYYY-MM') AS month, readings FROM pack_readings_15min ORDER BY bucket`,
    );
  const of = (month: string) => ({ month, readings: 1 });
  expect((await rollups()).slice(0, 4)).toEqual(['1970-01', '2025-12', '2025-12', '2026-01'].map(of));
  expect(await centre.query("SELECT dropped, rows FROM drop_rollups_before('2026-01-15')")).toEqual([
    { dropped: 'pack_readings_15min_default', rows: '1' },
    { dropped: 'pack_readings_15min_202512', rows: null },
  ]);
  expect((await rollups())[0]).toEqual(of('2026-01'));
});

test('late readings of a week that is gone arrive, spoil no rollup, and go the next time', async () => {
  const log = await centre.openLog(topology);
  const upstream = centre.follow(log);
  const old_ms = T0 - 10 * WEEK_MS;
  await append(log, old_ms, old_ms + 1000, T0);
  await until(
    () => upstream.status().counters.buckets_rolled_up === 1,
    () => upstream.status(),
  );
  await dropReadings(monday(-5));
  await append(log, old_ms + 2000, T0 + 1000);
  await until(
    () => upstream.status().counters.buckets_rolled_up === 2,
    () => upstream.status(),
  );
  expect(await centre.query('SELECT count(*)::int AS rows FROM pack_readings_default')).toEqual([
    { rows: 1 },
  ]);
  expect(await centre.query('SELECT readings FROM pack_readings_15min ORDER BY bucket LIMIT 1')).toEqual([
    { readings: 2 },
  ]);
  expect(await dropReadings(monday(-5))).toEqual([
    { dropped: 'pack_readings_default', rows: '1', bytes: null },
  ]);
  expect(upstream.status()).toMatchObject({ state: 'ok', counters: { connects: 1 } });
});

test('a gateway that sends meanwhile loses nothing, and a partition in use stays until the next time', async () => {
  const log = await centre.openLog(topology);
  const upstream = centre.follow(log, { batch_rows: 50 });
  await append(log, T0 - 4 * WEEK_MS, T0 - 3 * WEEK_MS, T0);
  await caughtUp(upstream, log);
  const analyst = new pg.Client(centre.url);
  await analyst.connect();
  centre.after(() => analyst.end());
  await analyst.query('BEGIN');
  await analyst.query('SELECT count(*) FROM pack_readings');
  const sending = (async () => {
    for (let round = 0; round < 100; round++) {
      appendRounds(log, topology, round, 1);
      await log.flush();
    }
  })();
  await expect(dropReadings(monday(-1))).rejects.toThrow(
    'nothing is dropped: pack_readings_20251208 is in use',
  );
  await analyst.query('COMMIT');
  const dropped = await dropReadings(monday(-1));
  expect(dropped.map(row => row.dropped)).toEqual(
    ['08', '15', '22'].map(day => `pack_readings_202512${day}`),
  );
  await sending;
  await caughtUp(upstream, log);
  const [{ rows }] = await centre.query<{ rows: number }>('SELECT count(*)::int AS rows FROM pack_readings');
  expect(rows).toBe(301);
});

test('where somebody has replaced the tables by plain ones, readings, rollups and retention go on', async () => {
  const log = await centre.openLog(topology);
  const first = centre.follow(log);
  await append(log, T0);
  await caughtUp(first, log);
  await first.stop();
  for (const table of ['pack_readings', 'pack_readings_15min'])
    await centre.query(`
      CREATE TABLE plain (LIKE ${table} INCLUDING ALL);
      INSERT INTO plain SELECT * FROM ${table};
      ALTER TABLE ${table} RENAME TO ${table}_partitioned;
      ALTER TABLE plain RENAME TO ${table}`);
  const shown = async (sql: string) => (await centre.query<{ rows: number }>(sql))[0].rows;
  const cells = () => shown('SELECT count(*)::int AS rows FROM readings');
  const upstream = centre.follow(log);
  await append(log, T0 + 900_000, T0 + WEEK_MS);
  await caughtUp(upstream, log);
  await until(
    () => upstream.status().counters.buckets_rolled_up > 0,
    () => upstream.status(),
  );
  await centre.expectEqual(log);
  // Views stay with the old tables until the new ones take them over.
  await centre.query('GRANT SELECT ON pack_readings_partitioned TO pg_monitor');
  expect(await cells()).toBe(10);
  for (const table of ['pack_readings', 'pack_readings_15min'])
    await centre.query(`SELECT adopt_table('${table}_partitioned', '${table}')`);
  expect(await cells()).toBe(30);
  expect(await shown('SELECT count(DISTINCT bucket)::int AS rows FROM readings_15min')).toBe(
    await shown('SELECT count(DISTINCT bucket)::int AS rows FROM pack_readings_15min'),
  );
  expect(
    await centre.query(`SELECT has_table_privilege('pg_monitor', 'pack_readings', 'SELECT') AS granted,
      relrowsecurity AS isolated FROM pg_class WHERE oid = 'pack_readings'::regclass`),
  ).toEqual([{ granted: true, isolated: true }]);
  await centre.query('DROP TABLE pack_readings_partitioned, pack_readings_15min_partitioned');
  expect(await dropReadings(monday(1))).toEqual([{ dropped: 'pack_readings', rows: '2', bytes: null }]);
  expect(await centre.query('SELECT count(*)::int AS rows FROM pack_readings')).toEqual([{ rows: 1 }]);
  expect(await centre.query('SELECT count(*)::int > 0 AS some FROM pack_readings_15min')).toEqual([
    { some: true },
  ]);
});
