/** What tests of the way to the centre share: a real PostgreSQL per file, a database per test, logs that are followed. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Clock, sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { POSTGRES_MIGRATIONS } from '../../daemon/store/file/migration-files.ts';
import { createSqliteStore } from '../../daemon/store/sqlite-store.ts';
import type { LogSource, Store } from '../../daemon/store/store.ts';
import {
  numberedReading,
  smallTopology,
  storeOptions,
  temporaryDirectory,
} from '../../daemon/store/testing/fixtures.ts';
import { migrateCentre } from '../../daemon/upstream/migrate.ts';
import { createUpstream, type Upstream, type UpstreamOptions } from '../../daemon/upstream/upstream.ts';
import { type StartOptions, startPostgres, type TestPostgres } from '../support/postgres.ts';

/** A Wednesday. */
export const T0 = Date.UTC(2026, 0, 7);
export const INTERVAL_MS = 2000;
const PATIENCE_MS = 60_000;
const DEADLOCK_DETECTED = '40P01';

/** Time-outs and delays of minutes pass in seconds. */
const HASTE = 30;
export const hastyClock: Clock = {
  wallMs: () => systemClock.wallMs(),
  monoMs: () => systemClock.monoMs(),
  setTimer: (fn, delay_ms) => systemClock.setTimer(fn, delay_ms / HASTE),
  clearTimer: handle => systemClock.clearTimer(handle),
};

export type Log = Store & LogSource;

export class Centre {
  #postgres: TestPostgres | undefined;
  #url = '';
  #databases = 0;
  #cleanUp: (() => unknown)[] = [];
  readonly #options: StartOptions;

  constructor(options: StartOptions) {
    this.#options = options;
  }

  get postgres(): TestPostgres {
    if (!this.#postgres) throw new Error('PostgreSQL is not started yet');
    return this.#postgres;
  }

  /** Of the test's own database, as its owner. */
  get url(): string {
    return this.#url;
  }

  urlAs(user: string, password = user): string {
    const url = new URL(this.#url);
    url.username = user;
    url.password = password;
    return url.href;
  }

  async start(): Promise<void> {
    this.#postgres = await startPostgres(this.#options);
  }

  async newDatabase(): Promise<void> {
    this.#url = await this.postgres.createDatabase(`centre_${++this.#databases}`);
  }

  /** As `bms-gateway migrate` does. */
  async migrate(): Promise<void> {
    const client = new pg.Client(this.#url);
    await client.connect();
    await migrateCentre(client, POSTGRES_MIGRATIONS, 'the centre');
    await client.end();
  }

  useDatabase(name: string): void {
    this.#url = this.#url.replace(/[^/]+$/, name);
  }

  /** At the end of the test, the last first. */
  after(...steps: (() => unknown)[]): void {
    this.#cleanUp.push(...steps);
  }

  async cleanUp(): Promise<void> {
    for (const step of this.#cleanUp.reverse()) await step();
    this.#cleanUp = [];
  }

  newDirectory(): string {
    const { path, remove } = temporaryDirectory();
    this.after(remove);
    return path;
  }

  async openLog(topology: Topology = smallTopology(3), directory = this.newDirectory()): Promise<Log> {
    // For ever: the log is compared with the centre.
    const store = createSqliteStore(storeOptions(directory, { keep_unsynced: true, retention_days: 36_500 }));
    this.after(() => store.close());
    await store.open(topology);
    return store;
  }

  follow(source: LogSource, more: Partial<UpstreamOptions> = {}): Upstream {
    const upstream = createUpstream({
      database_url: this.#url,
      gateway_id: 'gw',
      source,
      clock: systemClock,
      log: silentLogger,
      ...more,
    });
    this.after(() => upstream.stop());
    upstream.start();
    return upstream;
  }

  /** What alters a table and a gateway that writes to it may wait for each other: who is ended tries again. */
  async query<R extends pg.QueryResultRow>(sql: string, database_url = this.#url): Promise<R[]> {
    const client = new pg.Client(database_url);
    await client.connect();
    try {
      for (;;) {
        try {
          return (await client.query<R>(sql)).rows;
        } catch (error) {
          if ((error as { code?: string }).code !== DEADLOCK_DETECTED) throw error;
        }
      }
    } finally {
      await client.end();
    }
  }

  /** The centre has the readings of the log, row for row, each once, and no others; and each pack's in order. */
  async expectEqual(log: Log, gateway_id = 'gw'): Promise<void> {
    const wanted: string[] = [];
    for (let seq = 0; seq < log.durableSeq(); ) {
      const batch = await log.readBatch(seq, 50_000, 1 << 26);
      for (let i = 0; i < batch.count; i++)
        if (batch.kind[i] === 1)
          wanted.push(`${batch.seq[i]} ${log.packId(batch.pack_key[i])} ${batch.t_ms[i]}`);
      seq = batch.seq[batch.count - 1];
    }
    const found = await this.query<{ row: string }>(
      `SELECT concat_ws(' ', seq, pack_id, (extract(epoch FROM ts) * 1000)::bigint) AS row
       FROM pack_readings WHERE gateway_id = '${gateway_id}' ORDER BY seq`,
    );
    expect(found.map(({ row }) => row)).toEqual(wanted);
  }
}

/** For the whole file. */
export function useCentre(options: StartOptions = {}): Centre {
  const centre = new Centre(options);
  beforeAll(() => centre.start());
  afterAll(() => centre.postgres.stop());
  beforeEach(() => centre.newDatabase());
  afterEach(() => centre.cleanUp());
  return centre;
}

/** Appends `count` rounds of readings of all packs, numbered from `first`. */
export function appendRounds(store: Store, topology: Topology, first: number, count: number): void {
  for (let n = first; n < first + count; n++)
    for (let pack = 0; pack < topology.packs.length; pack++)
      store.append(numberedReading(topology, pack, n, T0 + n * INTERVAL_MS));
}

/** Waits; when it takes far too long, the error says how things stood. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  describe: () => unknown = () => '',
): Promise<void> {
  const give_up_ms = systemClock.monoMs() + PATIENCE_MS;
  while (!(await condition())) {
    if (systemClock.monoMs() > give_up_ms)
      throw new Error(`waited in vain: ${condition} ${JSON.stringify(describe())}`);
    await sleep(systemClock, 20);
  }
}

export const caughtUp = (upstream: Upstream, log: Log) =>
  until(
    () => upstream.status().state === 'ok' && upstream.status().counters.last_seq === log.durableSeq(),
    () => [upstream.status(), log.stats()],
  );

/** Everything that is not of the newest buckets. */
export const rolledUp = (centre: Centre) =>
  until(
    async () => {
      const marks = await centre.query(
        'SELECT FROM rollup_marks m WHERE bucket < (SELECT max(bucket) FROM rollup_marks x WHERE x.gateway_id = m.gateway_id)',
      );
      return marks.length === 0;
    },
    () => 'buckets are left',
  );
