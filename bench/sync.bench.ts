/**
 * Catching up with the centre: readings of the default fleet from a real log, by the real upstream, into a real
 * PostgreSQL; against a bare COPY of the same rows, by the server itself from a file, into a table of the same make.
 */
import pg from 'pg';
import { systemClock } from '../core/clock/system-clock.ts';
import { silentLogger } from '../core/log.ts';
import { POSTGRES_MIGRATIONS } from '../daemon/store/file/migration-files.ts';
import { createSqliteStore } from '../daemon/store/sqlite-store.ts';
import type { LogSource, Store } from '../daemon/store/store.ts';
import {
  fillNumbered,
  numberedReading,
  smallTopology,
  storeOptions,
  temporaryDirectory,
} from '../daemon/store/testing/fixtures.ts';
import { migrateCentre } from '../daemon/upstream/migrate.ts';
import { createUpstream } from '../daemon/upstream/upstream.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { perSecond, ratio } from './rate.ts';

const PACKS = 100;
const CELLS_PER_PACK = 10;
const INTERVAL_MS = 2000;
const ROUNDS = 4320;
const ROWS = ROUNDS * PACKS;
const ROWS_PER_DAY = (86_400_000 / INTERVAL_MS) * PACKS;
/** The best of each counts: these machines are noisy, and noise only slows. */
const RUNS = 3;
const GOAL_RATIO = 0.5;
/** By way of a table of the session. */
const GOAL_RATIO_NARROW = 0.7;
const GOAL_S = 60;
const GOAL_RATIO_LIVE = 0.9;
/** Live readings come ten times as fast as the fleet's, so that a backlog of hours meets more than a few of them. */
const LIVE_INTERVAL_MS = INTERVAL_MS / 10;
const LIVE_ROUNDS = 10;
const POLL_MS = 20;
/** Yesterday's beginning: of older rows the log may let go once they are sent. */
const T0 = Math.floor(systemClock.wallMs() / 86_400_000 - 1) * 86_400_000;
const topology = smallTopology(PACKS, CELLS_PER_PACK);

const WHOLE_BUCKETS = Math.floor((ROUNDS * INTERVAL_MS) / 900_000);

interface Synced {
  /** Until the centre is connected and its tables are made. */
  readonly start_s: number;
  /** From there to the last row confirmed. */
  readonly took_s: number;
  readonly bucket_s: number;
  readonly grew_mb: number;
}

export async function benchSync(): Promise<string[]> {
  const { path, remove } = temporaryDirectory();
  const postgres = await startPostgres();
  const store = createSqliteStore(storeOptions(path, { commit_interval_ms: 1000, keep_unsynced: true }));
  try {
    await store.open(topology);
    await fillLog(store);
    let synced: Synced = {
      start_s: Number.POSITIVE_INFINITY,
      took_s: Number.POSITIVE_INFINITY,
      bucket_s: Number.POSITIVE_INFINITY,
      grew_mb: 0,
    };
    const growth: string[] = [];
    let copied_s = Number.POSITIVE_INFINITY;
    for (let run = 1; run <= RUNS; run++) {
      const url = await postgres.createDatabase(`run_${run}`);
      const { start_s, took_s, bucket_s, grew_mb } = await catchUp(store, url);
      synced = {
        start_s: Math.min(synced.start_s, start_s),
        took_s: Math.min(synced.took_s, took_s),
        bucket_s: Math.min(synced.bucket_s, bucket_s),
        grew_mb: Math.max(synced.grew_mb, grew_mb),
      };
      if (run === RUNS) growth.push(await bytesPerCellAndDay(url, 'caught up'));
      copied_s = Math.min(copied_s, await bareCopy(url));
    }
    const url = await postgres.createDatabase('as_it_comes');
    await catchUp(store, url, PACKS);
    growth.push(await bytesPerCellAndDay(url, 'as it comes, a batch per round'));
    let narrow_s = Number.POSITIVE_INFINITY;
    for (let run = 1; run <= RUNS; run++) {
      const url = await loginOfGateway(await postgres.createDatabase(`narrow_${run}`));
      narrow_s = Math.min(narrow_s, (await catchUp(store, url)).took_s);
    }
    const live = await besideLiveLoad(store, await postgres.createDatabase('beside_live'));
    return [
      `bare COPY: ${perSecond(ROWS / copied_s, 'pack rows')}`,
      `caught up: ${perSecond(ROWS / synced.took_s, 'pack rows')}, ${perSecond((ROWS * CELLS_PER_PACK) / synced.took_s, 'cell readings')}`,
      ratio(ROWS / synced.took_s, ROWS / copied_s, GOAL_RATIO),
      `by a gateway's own login: ${perSecond(ROWS / narrow_s, 'pack rows')}: ${ratio(ROWS / narrow_s, ROWS / copied_s, GOAL_RATIO_NARROW)}`,
      `a day of the default fleet (${ROWS_PER_DAY.toLocaleString('en')} pack rows) in ${(synced.start_s + (synced.took_s * ROWS_PER_DAY) / ROWS).toFixed(0)} s ` +
        `(goal ${GOAL_S}), reckoned from ${ROWS.toLocaleString('en')} rows and ${synced.start_s.toFixed(1)} s to connect and make the tables`,
      `beside live readings at ten times the fleet's rate the backlog goes at ${perSecond(live.rows_per_s, 'pack rows')}: ` +
        ratio(live.rows_per_s, ROWS / synced.took_s, GOAL_RATIO_LIVE),
      `the newest reading at the centre then gets younger by ${live.younger_s.toFixed(0)} s each second, ` +
        `and is there ${live.newest_ms.toFixed(0)} ms after its commit once the backlog is sent`,
      `then rolled up: ${(synced.bucket_s * 1000).toFixed(0)} ms for a quarter of an hour of the fleet`,
      ...growth,
      `resident memory grew by ${synced.grew_mb.toFixed(0)} MB at most while it caught up`,
    ];
  } finally {
    await store.close();
    await postgres.stop();
    remove();
  }
}

async function fillLog(store: Store): Promise<void> {
  const readings = topology.packs.map((_, pack) => numberedReading(topology, pack, 0, T0));
  for (let n = 0; n < ROUNDS; n++) {
    for (const reading of readings) {
      fillNumbered(reading, n, T0 + n * INTERVAL_MS);
      store.append(reading);
    }
    if (n % 50 === 0) await store.flush();
  }
  await store.flush();
  const { readings_committed } = store.stats();
  if (readings_committed !== ROWS) throw new Error(`${readings_committed} of ${ROWS} readings committed`);
}

/** Makes the tables and the login of gateway `gw`, which other databases of this server may have already. */
async function loginOfGateway(database_url: string): Promise<string> {
  const client = new pg.Client(database_url);
  await client.connect();
  await migrateCentre(client, POSTGRES_MIGRATIONS, 'the bench');
  const password = 'a password for the bench';
  const { rows } = await client.query(
    "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gateway.gw') AS is_there",
  );
  await client.query(
    rows[0].is_there ? `SELECT grant_gateway('"gateway.gw"')` : `SELECT add_gateway('gw', '${password}')`,
  );
  await client.end();
  const url = new URL(database_url);
  url.username = 'gateway.gw';
  url.password = password;
  return url.href;
}

/** By an upstream that knows nothing. */
async function catchUp(source: LogSource, database_url: string, batch_rows?: number): Promise<Synced> {
  const upstream = createUpstream({
    database_url,
    gateway_id: 'gw',
    source,
    clock: systemClock,
    log: silentLogger,
    batch_rows,
  });
  const before_bytes = process.memoryUsage().rss;
  let most_bytes = before_bytes;
  const started_ms = performance.now();
  upstream.start();
  while (upstream.status().counters.connects === 0)
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  const begun_ms = performance.now();
  while (upstream.status().counters.last_seq < source.durableSeq()) {
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
    most_bytes = Math.max(most_bytes, process.memoryUsage().rss);
  }
  const took_s = (performance.now() - begun_ms) / 1000;
  const rolling_ms = performance.now();
  while (upstream.status().counters.buckets_rolled_up < WHOLE_BUCKETS)
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  const bucket_s = (performance.now() - rolling_ms) / 1000 / WHOLE_BUCKETS;
  const { readings, retries } = upstream.status().counters;
  await upstream.stop();
  if (readings !== ROWS || retries > 0) throw new Error(`${readings} of ${ROWS} sent, ${retries} retries`);
  return {
    start_s: (begun_ms - started_ms) / 1000,
    took_s,
    bucket_s,
    grew_mb: (most_bytes - before_bytes) / 2 ** 20,
  };
}

interface BesideLive {
  readonly rows_per_s: number;
  /** Time of the log that arrives at the centre in a second, less what is added to it meanwhile. */
  readonly younger_s: number;
  readonly newest_ms: number;
}

/** The backlog while new readings come; last, since they stay in the log. */
async function besideLiveLoad(store: Store & LogSource, database_url: string): Promise<BesideLive> {
  const readings = topology.packs.map((_, pack) => numberedReading(topology, pack, 0, T0));
  let rounds = ROUNDS;
  const appendRound = () => {
    for (const reading of readings) {
      fillNumbered(reading, rounds, T0 + rounds * INTERVAL_MS);
      store.append(reading);
    }
    rounds++;
  };
  const upstream = createUpstream({
    database_url,
    gateway_id: 'gw',
    source: store,
    clock: systemClock,
    log: silentLogger,
  });
  upstream.start();
  while (upstream.status().counters.connects === 0)
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  const live = setInterval(appendRound, LIVE_INTERVAL_MS);
  const begun_ms = performance.now();
  while (upstream.status().counters.lag_rows > 0) await new Promise(resolve => setTimeout(resolve, POLL_MS));
  const took_s = (performance.now() - begun_ms) / 1000;
  const rows_per_s = upstream.status().counters.last_seq / took_s;
  clearInterval(live);
  await store.flush();
  let newest_ms = 0;
  for (let n = 0; n < LIVE_ROUNDS; n++) {
    while (upstream.status().counters.lag_rows > 0) await new Promise(resolve => setTimeout(resolve, 1));
    appendRound();
    await store.flush();
    const committed_ms = performance.now();
    while (upstream.status().counters.lag_rows > 0) await new Promise(resolve => setTimeout(resolve, 1));
    newest_ms = Math.max(newest_ms, performance.now() - committed_ms);
  }
  await upstream.stop();
  return {
    rows_per_s,
    younger_s: (rows_per_s / PACKS) * (INTERVAL_MS / 1000) - INTERVAL_MS / LIVE_INTERVAL_MS,
    newest_ms,
  };
}

async function bytesPerCellAndDay(database_url: string, how: string): Promise<string> {
  const client = new pg.Client(database_url);
  await client.connect();
  const { rows } = await client.query(`
    SELECT current_setting('server_version') AS version,
      (SELECT sum(pg_table_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'pack_readings'::regclass) AS table,
      (SELECT sum(pg_indexes_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'pack_readings'::regclass) AS indexes,
      (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'pack_readings_15min'::regclass) AS rollups`);
  await client.end();
  const days = (ROUNDS * INTERVAL_MS) / 86_400_000;
  const kb = (bytes: string) => `${(Number(bytes) / (PACKS * CELLS_PER_PACK) / days / 1000).toFixed(0)} kB`;
  const { version, table, indexes, rollups } = rows[0];
  return `grows by cell and day, ${how} (PostgreSQL ${version}): table ${kb(table)}, indexes ${kb(indexes)}, rollups ${kb(rollups)}`;
}

/** The same rows in the same order once more, into a second table with the same columns, partitions and indexes. */
async function bareCopy(database_url: string): Promise<number> {
  const client = new pg.Client(database_url);
  await client.connect();
  const { rows } = await client.query('SHOW data_directory');
  const file = `${rows[0].data_directory}/rows.copy`;
  await client.query(`COPY (SELECT * FROM pack_readings ORDER BY seq) TO '${file}' (FORMAT binary)`);
  await client.query('CREATE TABLE bare (LIKE pack_readings INCLUDING ALL) PARTITION BY RANGE (ts)');
  await client.query(
    "CREATE TABLE bare_part PARTITION OF bare FOR VALUES FROM ('2000-01-01 00:00+00') TO ('2200-01-01 00:00+00')",
  );
  await client.query('CHECKPOINT');
  const begun_ms = performance.now();
  await client.query(`COPY bare FROM '${file}' (FORMAT binary)`);
  const took_s = (performance.now() - begun_ms) / 1000;
  await client.query('DROP TABLE pack_readings CASCADE; DROP TABLE bare');
  await client.end();
  return took_s;
}
