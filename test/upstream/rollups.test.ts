/** Quarters of an hour at the centre are what an aggregation over all readings gives, whatever order they came in. */
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { POSTGRES_MIGRATIONS } from '../../daemon/store/file/migration-files.ts';
import { numberedReading, smallTopology } from '../../daemon/store/testing/fixtures.ts';
import { migrateCentre } from '../../daemon/upstream/migrate.ts';
import type { Upstream } from '../../daemon/upstream/upstream.ts';
import { caughtUp, type Log, rolledUp, T0, until, useCentre } from './harness.ts';

const BUCKET_MS = 900_000;
const topology = smallTopology(2, 3);
const centre = useCentre();

/** What the rollups must be, from the view that analysts read. */
const EXPECTED = `
  SELECT gateway_id, cell_id, date_bin('15 minutes', ts, '2000-01-01 00:00+00') AS bucket,
    min(voltage) FILTER (WHERE quality = 'good') AS voltage_min,
    avg(voltage) FILTER (WHERE quality = 'good')::real AS voltage_mean,
    max(voltage) FILTER (WHERE quality = 'good') AS voltage_max,
    count(voltage) FILTER (WHERE quality = 'good')::integer AS voltage_good,
    min(current) FILTER (WHERE current_quality = 'good') AS current_min,
    avg(current) FILTER (WHERE current_quality = 'good')::real AS current_mean,
    max(current) FILTER (WHERE current_quality = 'good') AS current_max,
    count(current) FILTER (WHERE current_quality = 'good')::integer AS current_good,
    min(temperature) FILTER (WHERE temperature_quality = 'good') AS temperature_min,
    avg(temperature) FILTER (WHERE temperature_quality = 'good')::real AS temperature_mean,
    max(temperature) FILTER (WHERE temperature_quality = 'good') AS temperature_max,
    count(temperature) FILTER (WHERE temperature_quality = 'good')::integer AS temperature_good,
    min(soc) FILTER (WHERE soc_quality = 'good') AS soc_min,
    avg(soc) FILTER (WHERE soc_quality = 'good')::real AS soc_mean,
    max(soc) FILTER (WHERE soc_quality = 'good') AS soc_max,
    count(soc) FILTER (WHERE soc_quality = 'good')::integer AS soc_good
  FROM readings GROUP BY gateway_id, cell_id, bucket`;
const DIFFERENCE = `
  SELECT * FROM ((${EXPECTED}) EXCEPT SELECT * FROM readings_15min) AS missing
  UNION ALL SELECT * FROM (SELECT * FROM readings_15min EXCEPT (${EXPECTED})) AS wrong`;

interface Drawn {
  readonly pack: number;
  readonly at_s: number;
  readonly values: readonly number[];
  readonly qualities: readonly number[];
  readonly own_soc: boolean;
}

/** Within a few 15-minute buckets, in any order, now and then years off. */
const drawn: fc.Arbitrary<Drawn> = fc.record({
  pack: fc.nat(1),
  at_s: fc.oneof(
    { weight: 20, arbitrary: fc.nat(4000) },
    { weight: 1, arbitrary: fc.constantFrom(-1e9, -9e9, 3e9, 9e12) },
  ),
  values: fc.array(fc.integer({ min: -3000, max: 4000 }), { minLength: 9, maxLength: 9 }),
  qualities: fc.array(fc.constantFrom(...Object.values(Quality), Quality.good, Quality.good), {
    minLength: 13,
    maxLength: 13,
  }),
  own_soc: fc.boolean(),
});

function readingOf({ pack, at_s, values, qualities, own_soc }: Drawn): PackReading {
  const reading = numberedReading(topology, pack, 0, T0 + at_s * 1000);
  let next = 0;
  const fill = (column: Float32Array | Float64Array, quality: Uint8Array, at: number, value: number) => {
    quality[at] = qualities[next++];
    column[at] = quality[at] === Quality.missing ? Number.NaN : value;
  };
  for (const metric of [
    PackMetric.voltage_v,
    PackMetric.current_a,
    PackMetric.temperature_c,
    PackMetric.soc_pct,
  ])
    fill(reading.values, reading.value_quality, metric, values[metric] / 100);
  const metrics: number[] = [CellMetric.voltage_v, CellMetric.temperature_c];
  if (own_soc) metrics.push(CellMetric.soc_pct);
  for (const metric of metrics)
    for (let cell = 0; cell < 3; cell++)
      fill(
        reading.column(metric),
        reading.columnQuality(metric),
        cell,
        Math.abs(values[3 * (next % 3) + cell] / 1000),
      );
  return reading;
}

async function send(log: Log, readings: readonly Drawn[], upstream: Upstream): Promise<void> {
  for (const one of readings) log.append(readingOf(one));
  await log.flush();
  await caughtUp(upstream, log);
}

/** As the gateway does, but also what still grows. */
const rollUpAll = () => centre.query("SELECT roll_up_readings('gw', '{}', 1000)");

test('rollups equal an aggregation over the readings, also with late rows, restarts and jumps of the clock', async () => {
  const log = await centre.openLog(topology);
  let upstream = centre.follow(log, { batch_rows: 7 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(drawn, { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      async (readings, restart) => {
        await send(log, readings, upstream);
        if (restart) {
          await upstream.stop();
          upstream = centre.follow(log, { batch_rows: 7 });
          await caughtUp(upstream, log);
        }
        await rollUpAll();
        expect(await centre.query(DIFFERENCE)).toEqual([]);
      },
    ),
    { numRuns: 15, endOnFailure: true },
  );
  expect(Number((await centre.query('SELECT count(*) AS n FROM readings_15min'))[0].n)).toBeGreaterThan(20);
});

test('a gateway rolls up by itself what grows no more, and again when late readings come', async () => {
  const log = await centre.openLog(topology);
  const upstream = centre.follow(log);
  const at = async (at_ms: number, n: number) => {
    log.append(numberedReading(topology, 0, n, at_ms));
    await log.flush();
    await caughtUp(upstream, log);
  };
  await at(T0, 1000);
  await at(T0 + 1000, 1100);
  await at(T0 + BUCKET_MS, 1200);
  const buckets = () =>
    centre.query(
      `SELECT (extract(epoch FROM bucket) * 1000)::float8 - ${T0} AS from_ms, readings, voltage_mean_v::float8 AS v
       FROM pack_readings_15min ORDER BY bucket`,
    );
  await rolledUp(centre);
  expect(await buckets()).toEqual([{ from_ms: 0, readings: 2, v: 10.5 }]);
  await at(T0 + 2000, 1200);
  await at(T0 + 2 * BUCKET_MS, 1300);
  await rolledUp(centre);
  await until(
    () => upstream.status().counters.buckets_rolled_up === 3,
    () => upstream.status(),
  );
  expect(await buckets()).toEqual([
    { from_ms: 0, readings: 3, v: 11 },
    { from_ms: BUCKET_MS, readings: 1, v: 12 },
  ]);
  expect(await centre.query("SELECT relname FROM pg_class WHERE relname ~ '^pack_readings_15min_2'")).toEqual(
    expect.arrayContaining([{ relname: 'pack_readings_15min_202601' }]),
  );
});

test('a rollup that fails is no reason to stop the sync, and is reported', async () => {
  const lines: string[] = [];
  const log = await centre.openLog(topology);
  const first = centre.follow(log);
  await caughtUp(first, log);
  await first.stop();
  await centre.query(
    'ALTER TABLE pack_readings_15min ADD CONSTRAINT none_for_now CHECK (readings > 1000) NOT VALID',
  );
  const warn = (_: object, line: string) => void lines.push(line);
  const upstream = centre.follow(log, { log: { ...silentLogger, warn } });
  for (const n of [0, 1, 2]) log.append(numberedReading(topology, 0, n, T0 + n * BUCKET_MS));
  await log.flush();
  await caughtUp(upstream, log);
  await until(() => upstream.status().counters.rollup_failures > 0);
  log.append(numberedReading(topology, 0, 3, T0 + 3 * BUCKET_MS));
  await log.flush();
  await caughtUp(upstream, log);
  expect(upstream.status().counters).toMatchObject({ connects: 1, rollup_failures: 1 });
  expect(lines).toEqual([
    expect.stringMatching(/^15-minute buckets wait to be rolled up: PostgreSQL at .*none_for_now/),
  ]);
  await centre.expectEqual(log);
});

test('a centre that has readings already gets their 15-minute buckets, and its writers the rights they need', async () => {
  const before = centre.newDirectory();
  for (const file of readdirSync(POSTGRES_MIGRATIONS))
    if (file < '010') copyFileSync(join(POSTGRES_MIGRATIONS, file), join(before, file));
  const client = new pg.Client(centre.url);
  await client.connect();
  centre.after(() => client.end());
  await migrateCentre(client, before, 'here');
  await client.query(`DROP ROLE IF EXISTS writes_before; CREATE ROLE writes_before;
    GRANT INSERT ON pack_readings TO writes_before;
    INSERT INTO gateways (gateway_id, incarnation, last_seq) VALUES ('gw', gen_random_uuid(), 3);
    INSERT INTO batteries VALUES ('gw', 'b1', 'Battery', 'lfp');
    INSERT INTO packs VALUES ('gw', 'p01', 'b1', 'Pack', 'test', 'bus0', 1, 2, 0, '{}');
    INSERT INTO cells VALUES ('gw', 'p01/c01', 'p01', 1), ('gw', 'p01/c02', 'p01', 2);
    SELECT make_readings_partition('2026-01-07');
    INSERT INTO pack_readings (gateway_id, pack_id, ts, seq, current_a, cell_count, cell_voltage_v) VALUES
      ('gw', 'p01', '2026-01-05 00:00+00', 1, 5, 2, '{3.3,3.4}'),
      ('gw', 'p01', '2026-01-11 23:59:59+00', 2, 5, 2, '{3.3,NULL}'),
      ('gw', 'p01', '1980-01-01 12:07+00', 3, NULL, 2, '{3.2,3.1}')`);
  expect(await migrateCentre(client, POSTGRES_MIGRATIONS, 'here')).toContain('010_rollups');
  expect(
    await centre.query(`SELECT has_table_privilege('writes_before', 'rollup_marks', 'INSERT') AS marks,
    has_function_privilege('writes_before', 'roll_up_readings(text, timestamptz[], integer)', 'EXECUTE') AS rolls_up,
    has_table_privilege('writes_before', 'pack_readings_15min', 'INSERT') AS more`),
  ).toEqual([{ marks: true, rolls_up: true, more: false }]);
  await rollUpAll();
  expect(await centre.query(DIFFERENCE)).toEqual([]);
  expect(await centre.query('SELECT count(*)::int AS cells FROM readings_15min')).toEqual([{ cells: 6 }]);
});
