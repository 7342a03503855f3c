/** Boxes whose clock was wrong, at a real centre: readings stand once, at the time they were of, and marks say what is uncertain. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import type { ClockCorrection, Trust } from '../../core/contract/clock.ts';
import { HOUR_MS } from '../../core/contract/completeness.ts';
import { silentLogger } from '../../core/log.ts';
import { INTERVAL_MS, TestBox, TRUE_START_MS } from '../../daemon/pipeline/testing/clock-box.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { someAlert } from '../../daemon/store/testing/fixtures.ts';
import { createUpstream, type Upstream } from '../../daemon/upstream/upstream.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

let postgres: TestPostgres;
let database_url: string;
let database_count = 0;
let client: pg.Client;
let box: TestBox;
let upstream: Upstream | undefined;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  database_url = await postgres.createDatabase(`clock_${++database_count}`);
  client = new pg.Client(database_url);
  await client.connect();
  box = new TestBox({ keep_unsynced: true, span_rows: 25 });
});
afterEach(async () => {
  await upstream?.stop();
  upstream = undefined;
  await client.end();
  await box.remove();
});

/** Connects the box with the centre until everything has arrived. */
async function sync(): Promise<void> {
  await box.store.flush();
  const { store } = box;
  const options = { gateway_id: 'gw', source: store, database_url, clock: systemClock, log: silentLogger };
  upstream = createUpstream(options);
  upstream.start();
  const give_up_ms = systemClock.monoMs() + 60_000;
  while (upstream.status().counters.last_seq !== store.durableSeq()) {
    if (systemClock.monoMs() > give_up_ms) throw new Error(`waited in vain: ${upstream.status().reason}`);
    await sleep(systemClock, 20);
  }
  await upstream.stop();
  upstream = undefined;
}

interface AtCentre {
  readonly n: number;
  readonly t_ms: number;
  readonly time_certain: boolean;
  readonly time_corrected_ms: number;
}

/** Readings of the first cell, in the order of the log. */
async function readings(): Promise<AtCentre[]> {
  const { rows } = await client.query<AtCentre>(
    `SELECT round(p.voltage_v * 100)::int AS n, (extract(epoch FROM r.ts) * 1000)::float8 AS t_ms,
       r.time_certain, r.time_corrected_ms::float8
     FROM readings r JOIN pack_readings p ON p.gateway_id = r.gateway_id AND p.ts = r.ts
     WHERE r.gateway_id = 'gw' AND r.cell_id = 'p01/c01' ORDER BY p.seq`,
  );
  return rows;
}

async function expectTrueTimes(taken = box.taken): Promise<void> {
  const rows = await readings();
  expect(rows.map(({ n }) => n)).toEqual(box.taken.map(({ n }) => n));
  for (const { n, true_ms } of taken) {
    expect(Math.abs(rows[n].t_ms - true_ms), `reading ${n}`).toBeLessThan(INTERVAL_MS);
    expect(rows[n].time_certain, `reading ${n}`).toBe(true);
  }
}

const count = async (sql: string) => Number((await client.query<{ n: string }>(sql)).rows[0].n);

test('readings that arrived under 1970 move to their time and partition, once', async () => {
  await box.boot(0);
  box.read(30);
  box.store.appendAlert(someAlert('early', 20_000));
  box.store.appendAlert(someAlert('early', 20_000, 40_000));
  await sync();
  expect((await readings()).every(row => !row.time_certain && row.time_corrected_ms === 0)).toBe(true);
  expect(await count('SELECT count(*) AS n FROM pack_readings_default')).toBe(30);
  while ((await client.query("SELECT roll_up_readings('gw')")).rowCount) {}
  box.synchronise();
  box.read(30);
  await box.settle();
  await sync();
  await expectTrueTimes();
  const rows = await readings();
  expect(rows.map(row => row.time_corrected_ms)).toEqual(rows.map(({ n }) => (n < 30 ? TRUE_START_MS : 0)));
  expect(await count('SELECT count(*) AS n FROM pack_readings_default')).toBe(0);
  expect(await count('SELECT count(*) AS n FROM pack_readings')).toBe(60);
  while ((await client.query("SELECT roll_up_readings('gw')")).rowCount) {}
  const { rows: buckets } = await client.query('SELECT bucket, readings FROM pack_readings_15min ORDER BY 1');
  expect(buckets).toEqual([{ bucket: new Date(TRUE_START_MS), readings: 60 }]);
  const { rows: alerts } = await client.query(
    `SELECT raised_at, cleared_at, at FROM alerts JOIN alert_events USING (gateway_id, alert_id) ORDER BY seq`,
  );
  const [raised_at, cleared_at] = [20_000, 40_000].map(ms => new Date(TRUE_START_MS + ms));
  expect(alerts).toEqual([
    { raised_at, cleared_at, at: raised_at },
    { raised_at, cleared_at, at: cleared_at },
  ]);
});

test('a correction reported again under another number, as after a restore, moves nothing', async () => {
  await box.boot(0);
  box.read(30);
  await sync();
  box.synchronise();
  box.read(5);
  await box.settle();
  await sync();
  const { rows } = await client.query<
    Record<'first_seq' | 'last_seq' | 'offset_ms', string> & { trust: Trust }
  >('SELECT first_seq, last_seq, offset_ms, trust FROM clock_corrections');
  expect(rows).toHaveLength(1);
  const [{ first_seq, last_seq, offset_ms, trust }] = rows;
  box.store.appendRecord(LogKind.clock, box.clock.wallMs(), {
    reason: 'correction',
    boot_id: 'reported again',
    t_ms: box.clock.wallMs(),
    trust,
    first_seq: Number(first_seq),
    last_seq: Number(last_seq),
    offset_ms: Number(offset_ms),
    from_ms: 0,
    to_ms: box.clock.wallMs() + HOUR_MS,
  } satisfies ClockCorrection);
  await sync();
  await expectTrueTimes();
  expect(await count('SELECT count(*) AS n FROM clock_corrections')).toBe(1);
});

test('two boots without a network, sent at once; the first never learned the time', async () => {
  await box.boot(0);
  box.read(40);
  await box.end();
  box.clock.advance(HOUR_MS);
  await box.boot(0);
  box.read(40);
  box.clock.stepWall(3 * HOUR_MS);
  box.read(40);
  box.synchronise();
  box.read(40);
  await box.settle();
  await sync();
  await expectTrueTimes(box.taken.slice(40));
  const rows = await readings();
  expect(rows.slice(0, 40)).toEqual(
    box.taken.slice(0, 40).map(({ n }) => ({
      n,
      t_ms: n * INTERVAL_MS,
      time_certain: false,
      time_corrected_ms: 0,
    })),
  );
  expect(await count('SELECT count(*) AS n FROM clock_corrections WHERE readings = 40')).toBe(2);
});

test('a clock set back by hours and forward again, while the centre follows', async () => {
  box.facts = { synchronised: true };
  await box.boot(TRUE_START_MS);
  box.read(20);
  await sync();
  box.facts = { synchronised: false, has_time_service: true };
  box.clock.stepWall(-5 * HOUR_MS);
  box.read(20);
  await box.settle();
  await sync();
  expect((await readings()).map(row => row.time_certain)).toEqual(box.taken.map(({ n }) => n < 20));
  box.clock.stepWall(9 * HOUR_MS);
  box.read(20);
  await sync();
  box.synchronise();
  box.read(20);
  await box.settle();
  await sync();
  await expectTrueTimes();
  const times = (await readings()).map(row => row.t_ms);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('a new storage under the same name begins its own account', async () => {
  await box.boot(0);
  box.read(10);
  await sync();
  await box.remove();
  box = new TestBox({ keep_unsynced: true });
  box.facts = { synchronised: true };
  await box.boot(TRUE_START_MS);
  box.read(30);
  await box.store.flush();
  await client.query(`UPDATE gateways SET incarnation = $1, last_seq = 0, last_row_digest = NULL`, [
    box.store.incarnation,
  ]);
  await sync();
  expect(await count('SELECT count(*) AS n FROM clock_uncertain WHERE last_seq IS NULL')).toBe(0);
  const { rows } = await client.query(
    `SELECT DISTINCT time_certain FROM readings WHERE ts >= '2026-01-01' AND cell_id = 'p01/c01'`,
  );
  expect(rows).toEqual([{ time_certain: true }]);
});
