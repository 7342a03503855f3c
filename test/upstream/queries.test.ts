/** The queries of docs/central-database.md, each run as it stands there over a day that is known. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../core/clock/system-clock.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { numberedReading, smallTopology, someAlert } from '../../daemon/store/testing/fixtures.ts';
import { Centre, caughtUp, until } from './harness.ts';

const HOUR_MS = 3_600_000;
const INTERVAL_MS = 10_000;
const ROUNDS = (2 * HOUR_MS) / INTERVAL_MS;
const CURRENT_A = 20;
/** Everything happens in the two hours before it. */
const END_MS = Math.floor(systemClock.wallMs() / HOUR_MS) * HOUR_MS;
const START_MS = END_MS - 2 * HOUR_MS;
const QUERIES = new Map(
  [
    ...readFileSync(new URL('../../docs/central-database.md', import.meta.url), 'utf8').matchAll(
      /<!-- query: ([a-z-]+) -->\n```sql\n([\s\S]*?)```/g,
    ),
  ].map(([, name, sql]) => [name, sql]),
);

const centre = new Centre({});

/** One hour of charging, one of discharging; north has a weak cell p01/c03, south a hot one p02/c02 at the end. */
function readingAt(topology: Topology, pack: number, n: number): PackReading {
  const reading = numberedReading(topology, pack, 0, START_MS + n * INTERVAL_MS);
  const current_a = n < ROUNDS / 2 ? CURRENT_A : -CURRENT_A;
  const is_north = topology.gateway_id === 'north';
  reading.values[PackMetric.current_a] = current_a;
  reading.values[PackMetric.voltage_v] = 13.2;
  for (let cell = 0; cell < 4; cell++) {
    const ohm = is_north && pack === 0 && cell === 2 ? 0.005 : 0.001;
    const is_hot = !is_north && pack === 1 && cell === 1 && n >= (ROUNDS * 3) / 4;
    reading.column(CellMetric.voltage_v)[cell] = 3.3 + current_a * ohm;
    reading.column(CellMetric.temperature_c)[cell] = is_hot ? 50 : 25;
  }
  return reading;
}

async function fill(gateway_id: string, name: string): Promise<void> {
  const topology = { ...smallTopology(2, 4, gateway_id), site: { id: gateway_id, name } };
  const log = await centre.openLog(topology);
  for (let n = 0; n < ROUNDS; n++)
    // A bus that was silent for a while.
    for (const pack of [0, 1])
      if (gateway_id === 'north' || pack === 1 || n % 10 !== 0) log.append(readingAt(topology, pack, n));
  // The bucket before grows no more.
  log.append(numberedReading(topology, 0, 0, END_MS));
  for (const hour_ms of [START_MS, START_MS + HOUR_MS])
    log.appendRecord(LogKind.completeness, hour_ms + HOUR_MS, {
      hour_ms,
      packs: [0, 1].map(pack => {
        const received = gateway_id === 'south' && pack === 0 ? 324 : 360;
        return { pack_id: topology.packs[pack].id, expected: 360, received, stored: received };
      }),
    });
  log.appendAlert(someAlert('a1', START_MS));
  log.appendAlert(someAlert('a1', START_MS, START_MS + 60_000));
  log.appendAlert(someAlert('a2', START_MS + HOUR_MS));
  await log.flush();
  const upstream = centre.follow(log, { gateway_id });
  await caughtUp(upstream, log);
  await until(
    () => upstream.status().counters.buckets_rolled_up >= 8,
    () => upstream.status(),
  );
}

beforeAll(async () => {
  await centre.start();
  await centre.newDatabase();
  await fill('north', 'North');
  await fill('south', 'South');
  await centre.query(
    "UPDATE gateways SET last_sync_at = now() - interval '1 hour' WHERE gateway_id = 'south'",
  );
});
afterAll(async () => {
  await centre.cleanUp();
  await centre.postgres.stop();
});

/** By query: what must be among its rows, the first one first. */
const EXPECTED: Record<string, (rows: Record<string, unknown>[]) => void> = {
  'weak-cells': rows => {
    expect(rows[0]).toMatchObject({ gateway_id: 'north', pack_id: 'p01', cell_id: 'p01/c03' });
    expect(rows[0].below_v).toBeCloseTo(-0.06, 3);
    expect(rows[1].below_v).toBeGreaterThan(-0.03);
  },
  spread: rows => {
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({ gateway_id: 'north', pack_id: 'p01' });
    expect(rows[0].spread_v).toBeCloseTo(0.08, 3);
    expect(rows[1].spread_v).toBeCloseTo(0, 3);
  },
  resistance: rows => {
    expect(rows[0]).toMatchObject({ gateway_id: 'north', cell_id: 'p01/c03' });
    expect(rows.map(row => Math.round(Number(row.milliohm)))).toEqual([5, ...Array(9).fill(1)]);
  },
  throughput: rows => {
    const of = (gateway_id: string, pack_id: string, column: string) =>
      rows
        .filter(row => row.gateway_id === gateway_id && row.pack_id === pack_id)
        .reduce((sum, row) => sum + Number(row[column]), 0);
    for (const column of ['charged_ah', 'discharged_ah']) {
      expect(of('north', 'p01', column)).toBeCloseTo(20, 1);
      expect(of('south', 'p01', column)).toBeCloseTo(20, 1);
    }
  },
  'daily-energy': rows => {
    const north = rows.filter(row => row.site_name === 'North');
    expect(north.reduce((sum, row) => sum + Number(row.charged_kwh), 0)).toBeCloseTo(0.528, 3);
    expect(north.reduce((sum, row) => sum + Number(row.discharged_kwh), 0)).toBeCloseTo(0.528, 3);
  },
  'time-over-temperature': rows =>
    expect(rows).toEqual([
      {
        gateway_id: 'south',
        cell_id: 'p02/c02',
        above_45_c: expect.objectContaining({ minutes: 30 }),
        highest_c: 50,
      },
    ]),
  completeness: rows => {
    expect(rows).toHaveLength(4);
    expect(rows[0]).toEqual({
      gateway_id: 'south',
      pack_id: 'p01',
      expected: '720',
      here_pct: '90.00',
      not_read: '72',
      not_stored: '0',
      not_here: '0',
    });
    expect(rows[1]).toMatchObject({ here_pct: '100.00', not_read: '0' });
  },
  'alert-history': rows => {
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({ state: 'active', of_this_kind: '2' });
    expect(rows[3]).toMatchObject({ state: 'cleared', lasted: expect.objectContaining({ minutes: 1 }) });
  },
  sites: rows => {
    expect(rows.map(row => [row.site_name, row.packs])).toEqual(
      expect.arrayContaining([
        ['North', '2'],
        ['South', '2'],
      ]),
    );
    for (const row of rows) expect(row.out_per_in).toBeCloseTo(1, 1);
  },
  'silent-gateways': rows =>
    expect(rows).toEqual([{ gateway_id: 'south', site_name: 'South', silent_for: expect.anything() }]),
};

test('the document has the queries that are known here', () => {
  expect([...QUERIES.keys()]).toEqual(Object.keys(EXPECTED));
});

test.each(Object.keys(EXPECTED))('%s', async name => {
  EXPECTED[name](await centre.query(QUERIES.get(name) ?? ''));
});
