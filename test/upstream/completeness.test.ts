/** The account of readings, on its way to a real PostgreSQL and beside what has arrived there. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { HOUR_MS } from '../../core/contract/completeness.ts';
import { silentLogger } from '../../core/log.ts';
import { createSqliteStore } from '../../daemon/store/sqlite-store.ts';
import { LogKind } from '../../daemon/store/store.ts';
import {
  numberedReading,
  smallTopology,
  storeOptions,
  temporaryDirectory,
} from '../../daemon/store/testing.ts';
import { createUpstream } from '../../daemon/upstream/upstream.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());

test('each hour stands once, in its newest account, with the readings that are there', async () => {
  const database_url = await postgres.createDatabase('completeness');
  const directory = temporaryDirectory();
  const store = createSqliteStore(storeOptions(directory.path, { keep_unsynced: true }));
  const topology = smallTopology(2);
  await store.open(topology);
  const hour_ms = Date.UTC(2026, 0, 7, 9);
  for (let n = 0; n < 30; n++) store.append(numberedReading(topology, 0, n, hour_ms + n * 2000));
  store.append(numberedReading(topology, 0, 30, hour_ms + HOUR_MS));
  const account = (stored: number) => ({
    hour_ms,
    packs: [
      { pack_id: 'p01', expected: 1800, received: 30, stored },
      { pack_id: 'p02', expected: 1800, received: 0, stored: 0 },
    ],
  });
  store.appendRecord(LogKind.completeness, hour_ms + HOUR_MS, account(29));
  store.appendRecord(LogKind.completeness, hour_ms + HOUR_MS, account(30));
  await store.flush();
  const upstream = createUpstream({
    ...{ database_url, gateway_id: 'gw', source: store, clock: systemClock, log: silentLogger },
  });
  upstream.start();
  const give_up_ms = systemClock.monoMs() + 30_000;
  while (upstream.status().counters.last_seq !== store.durableSeq() && systemClock.monoMs() < give_up_ms)
    await sleep(systemClock, 20);
  const client = new pg.Client(database_url);
  await client.connect();
  const { rows } = await client.query(
    `SELECT pack_id, hour = to_timestamp(${hour_ms / 1000}) AS is_it, expected, received, stored, synced::int
     FROM completeness_synced WHERE gateway_id = 'gw' ORDER BY pack_id`,
  );
  await client.end();
  await upstream.stop();
  await store.close();
  directory.remove();
  expect(rows).toEqual([
    { pack_id: 'p01', is_it: true, expected: 1800, received: 30, stored: 30, synced: 30 },
    { pack_id: 'p02', is_it: true, expected: 1800, received: 0, stored: 0, synced: 0 },
  ]);
});
