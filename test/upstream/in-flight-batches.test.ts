/** What is in memory between the log and the centre, however long the backlog and however slow the network. */
import { expect, test } from 'vitest';
import { smallTopology } from '../../daemon/store/testing/fixtures.ts';
import { maxBytesInFlight } from '../../daemon/upstream/in-flight-batches.ts';
import { BATCH_BYTES, DEFAULT_BATCH_ROWS } from '../../daemon/upstream/upstream.ts';
import { appendRounds, until, useCentre } from './harness.ts';
import { startWireProxy } from './wire-proxy.ts';

const ROUNDS = 7000;
/** Large readings: more than the sockets on the way take at once. */
const topology = smallTopology(3, 200);
const centre = useCentre();

test('two batches at most, and every value as it was', async () => {
  const proxy = await startWireProxy(centre.postgres.port, 0, 1);
  centre.after(() => proxy.close());
  const log = await centre.openLog(topology);
  for (let n = 0; n < ROUNDS; n += 500) {
    appendRounds(log, topology, n, 500);
    await log.flush();
  }
  const database_url = centre.url.replace(String(centre.postgres.port), String(proxy.port));
  const upstream = centre.follow(log, { database_url });
  let most_bytes = 0;
  await until(
    () => {
      const { counters, state } = upstream.status();
      most_bytes = Math.max(most_bytes, counters.bytes_in_flight);
      return state === 'ok' && counters.last_seq === log.durableSeq();
    },
    () => upstream.status(),
  );
  // More than one was seen, so the next is read while one is sent.
  expect(most_bytes).toBeGreaterThan(maxBytesInFlight(DEFAULT_BATCH_ROWS, BATCH_BYTES) / 2);
  expect(most_bytes).toBeLessThanOrEqual(maxBytesInFlight(DEFAULT_BATCH_ROWS, BATCH_BYTES));
  expect(upstream.status().counters.bytes_in_flight).toBe(0);
  await centre.expectEqual(log);
  const rows = await centre.query<{ pack_id: string; wrong: string }>(
    `SELECT pack_id, count(*) AS wrong
     FROM pack_readings, LATERAL (SELECT (extract(epoch FROM ts - '2026-01-07 00:00Z') / 2)::int AS n) AS round
     WHERE abs(voltage_v - n / 100.0) > 0.001
        OR cell_voltage_v IS DISTINCT FROM
           ARRAY(SELECT (3.28 + (cell + n % 7) / 1000.0)::real FROM generate_series(0, 199) AS cell)
     GROUP BY pack_id`,
  );
  expect(rows).toEqual([]);
}, 120_000);
