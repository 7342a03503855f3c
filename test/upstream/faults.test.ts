/** What a server and a network do to a sync in years; afterwards the centre equals the log, row for row, in order. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { smallTopology } from '../../daemon/store/testing/fixtures.ts';
import type { Upstream } from '../../daemon/upstream/upstream.ts';
import { appendRounds, caughtUp, hastyClock, type Log, until, useCentre } from './harness.ts';
import { startWireProxy } from './wire-proxy.ts';

const topology = smallTopology(20);
const centre = useCentre();

const isDown = (upstream: Upstream, reason: RegExp) =>
  until(
    () => upstream.status().state === 'down' && reason.test(upstream.status().reason ?? ''),
    () => upstream.status(),
  );

const endSessions = () =>
  centre.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bms-gateway gw'`,
  );

/** Readings that keep coming until it is over; then all must be there. */
async function underLoad(log: Log, upstream: Upstream, fault: () => Promise<void>): Promise<void> {
  let round = 0;
  let is_over = false;
  const load = (async () => {
    for (; !is_over; round++) {
      appendRounds(log, topology, round, 1);
      await log.flush();
    }
  })();
  try {
    await until(
      () => upstream.status().counters.batches >= 2,
      () => upstream.status(),
    );
    await fault();
  } finally {
    is_over = true;
    await load;
  }
  appendRounds(log, topology, round, 1);
  await log.flush();
  await caughtUp(upstream, log);
  await centre.expectEqual(log);
}

test('a server that is killed and comes back, three times', async () => {
  const log = await centre.openLog(topology);
  const upstream = centre.follow(log, { batch_rows: 200, clock: hastyClock });
  await underLoad(log, upstream, async () => {
    for (let turn = 0; turn < 3; turn++) {
      const { batches } = upstream.status().counters;
      await until(
        () => upstream.status().counters.batches > batches + 3,
        () => upstream.status(),
      );
      await centre.postgres.kill();
      await until(
        () => upstream.status().state === 'down',
        () => upstream.status(),
      );
      await centre.postgres.resume();
    }
  });
  expect(upstream.status().counters.connects).toBeGreaterThanOrEqual(4);
});

test('a connection that freezes in the midst of a batch', async () => {
  const proxy = await startWireProxy(centre.postgres.port);
  centre.after(() => proxy.close());
  const log = await centre.openLog(topology);
  const database_url = centre.url.replace(String(centre.postgres.port), String(proxy.port));
  const upstream = centre.follow(log, { database_url, batch_rows: 200, clock: hastyClock });
  await underLoad(log, upstream, async () => {
    proxy.freeze();
    await isDown(upstream, /no answer within 120 s|timeout/i);
    proxy.thaw();
  });
  expect(upstream.status().counters.connects).toBeGreaterThanOrEqual(2);
});

test('a database that turns read-only', async () => {
  const log = await centre.openLog(topology);
  const upstream = centre.follow(log, { batch_rows: 200, clock: hastyClock });
  const database = new URL(centre.url).pathname.slice(1);
  const writable = `${centre.url}?options=-c%20default_transaction_read_only%3Doff`;
  const setReadOnly = async (value: string) => {
    await centre.query(`ALTER DATABASE ${database} SET default_transaction_read_only = ${value}`, writable);
    await endSessions();
  };
  await underLoad(log, upstream, async () => {
    await setReadOnly('on');
    await isDown(upstream, /PostgreSQL at 127.0.0.1:\d+, database "centre_\d+", user "bms" is read-only/);
    await setReadOnly('off');
  });
});

test('a schema newer than the gateway, which then is the right one again', async () => {
  const log = await centre.openLog(topology);
  const upstream = centre.follow(log, { batch_rows: 200, clock: hastyClock });
  await underLoad(log, upstream, async () => {
    await centre.query("INSERT INTO schema_migrations (version, name, checksum) VALUES (999, 'future', 'x')");
    await endSessions();
    await isDown(upstream, /its schema is version 999/);
    await centre.query('DELETE FROM schema_migrations WHERE version = 999');
  });
});

test('a server that is too old is named with what is needed, and taken when it has been replaced', async () => {
  const proxy = await startWireProxy(centre.postgres.port);
  centre.after(() => proxy.close());
  const [{ server_version_num }] = await centre.query('SHOW server_version_num');
  proxy.disguise(server_version_num, '130022');
  const log = await centre.openLog(topology);
  appendRounds(log, topology, 0, 3);
  await log.flush();
  const database_url = centre.url.replace(String(centre.postgres.port), String(proxy.port));
  const upstream = centre.follow(log, { database_url, clock: hastyClock });
  await isDown(
    upstream,
    /^PostgreSQL at 127.0.0.1:\d+, database "centre_\d+", user "bms": PostgreSQL 13 found, 14 or later needed$/,
  );
  expect(await centre.query("SELECT to_regclass('schema_migrations') AS found")).toEqual([{ found: null }]);
  proxy.disguise('', '');
  await caughtUp(upstream, log);
  await centre.expectEqual(log);
});

test('rights that are taken away and given back', async () => {
  const log = await centre.openLog(topology);
  const first = centre.follow(log);
  await caughtUp(first, log);
  await first.stop();
  await centre.query(`DROP ROLE IF EXISTS narrow; CREATE ROLE narrow LOGIN PASSWORD 'narrow-secret';
    GRANT ALL ON ALL TABLES IN SCHEMA public TO narrow; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO narrow`);
  const database_url = centre.urlAs('narrow', 'narrow-secret');
  const upstream = centre.follow(log, { database_url, batch_rows: 200, clock: hastyClock });
  await underLoad(log, upstream, async () => {
    await centre.query('REVOKE EXECUTE ON FUNCTION store_incoming_readings FROM narrow');
    await isDown(
      upstream,
      /user "narrow" does not give the user the rights that are needed \(permission denied for function store_incoming_readings\)/,
    );
    expect(upstream.status().reason).not.toContain('narrow-secret');
    await centre.query('GRANT EXECUTE ON FUNCTION store_incoming_readings TO narrow');
  });
});

test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'a disk that is full and gets room again (needs root: a small file system is mounted)',
  async () => {
    const place = mkdtempSync(join(tmpdir(), 'bms-small-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', place]);
    const { uid, gid } = statSync(centre.postgres.data_directory);
    chownSync(place, uid, gid);
    const url = centre.url;
    await centre.query(`CREATE TABLESPACE small LOCATION '${place}'`);
    await centre.query('CREATE DATABASE small TABLESPACE small');
    centre.useDatabase('small');
    centre.after(
      () => rmSync(place, { recursive: true, force: true }),
      () => execFileSync('umount', [place]),
      async () => {
        centre.useDatabase(new URL(url).pathname.slice(1));
        await centre.query('DROP DATABASE small WITH (FORCE)');
        await centre.query('DROP TABLESPACE small');
      },
    );
    const log = await centre.openLog(topology);
    const upstream = centre.follow(log, { batch_rows: 2000, clock: hastyClock });
    await underLoad(log, upstream, async () => {
      await isDown(upstream, /database "small", user "bms" has a full disk/);
      execFileSync('mount', ['-o', 'remount,size=400m', place]);
    });
  },
);
