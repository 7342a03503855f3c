/** The account of readings, on its way to a real PostgreSQL and beside what has arrived there. */
import { expect, test } from 'vitest';
import { HOUR_MS } from '../../core/contract/completeness.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { numberedReading, smallTopology } from '../../daemon/store/testing/fixtures.ts';
import { caughtUp, useCentre } from './harness.ts';

const centre = useCentre();

test('each hour stands once, in its newest account, with the readings that are there', async () => {
  const topology = smallTopology(2);
  const store = await centre.openLog(topology);
  const hour_ms = Date.UTC(2026, 0, 7, 9);
  for (let n = 0; n < 30; n++) store.append(numberedReading(topology, 0, n, hour_ms + n * 2000));
  store.append(numberedReading(topology, 0, 30, hour_ms + HOUR_MS));
  const account = (stored: number) => ({
    hour_ms,
    packs: [
      { pack_id: 'p01', expected: 1800, received: 30, stored, repeated: 4 },
      { pack_id: 'p02', expected: 1800, received: 0, stored: 0 },
    ],
  });
  store.appendRecord(LogKind.completeness, hour_ms + HOUR_MS, account(29));
  store.appendRecord(LogKind.completeness, hour_ms + HOUR_MS, account(30));
  await store.flush();
  await caughtUp(centre.follow(store), store);
  const rows = await centre.query(
    `SELECT pack_id, hour = to_timestamp(${hour_ms / 1000}) AS is_it, expected, received, stored, repeated, synced::int
     FROM completeness_synced WHERE gateway_id = 'gw' ORDER BY pack_id`,
  );
  expect(rows).toEqual([
    { pack_id: 'p01', is_it: true, expected: 1800, received: 30, stored: 30, repeated: 4, synced: 30 },
    { pack_id: 'p02', is_it: true, expected: 1800, received: 0, stored: 0, repeated: 0, synced: 0 },
  ]);
});
