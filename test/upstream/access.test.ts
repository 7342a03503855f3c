/** Who did what, on its way to a real PostgreSQL. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { AuditLog } from '../../daemon/audit/audit-log.ts';
import { createSqliteStore } from '../../daemon/store/sqlite-store.ts';
import type { LogSource, Store } from '../../daemon/store/store.ts';
import { smallTopology, storeOptions, temporaryDirectory } from '../../daemon/store/testing.ts';
import { createUpstream, type Upstream } from '../../daemon/upstream/upstream.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

let postgres: TestPostgres;
let url: string;
let database_count = 0;
let cleanUp: (() => unknown)[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  url = await postgres.createDatabase(`access_${++database_count}`);
});
afterEach(async () => {
  for (const step of cleanUp.reverse()) await step();
  cleanUp = [];
});

async function openStore(): Promise<Store & LogSource> {
  const { path, remove } = temporaryDirectory();
  const store = createSqliteStore(storeOptions(path, { keep_unsynced: true }));
  cleanUp.push(remove, () => store.close());
  await store.open(smallTopology(1));
  return store;
}

function follow(source: LogSource): Upstream {
  const options = { gateway_id: 'gw', source, clock: systemClock, log: silentLogger };
  const upstream = createUpstream({ ...options, database_url: url });
  cleanUp.push(() => upstream.stop());
  upstream.start();
  return upstream;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const give_up_ms = systemClock.monoMs() + 60_000;
  while (!(await condition())) {
    if (systemClock.monoMs() > give_up_ms) throw new Error(`waited in vain: ${condition}`);
    await sleep(systemClock, 20);
  }
}

const caughtUp = (upstream: Upstream, store: LogSource) =>
  until(() => upstream.status().state === 'ok' && upstream.status().counters.last_seq === store.durableSeq());

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('audit entries arrive once, whatever stands in them', async () => {
  const store = await openStore();
  const audit = new AuditLog(store, systemClock);
  audit.record({
    actor: 'ada',
    action: 'user.change',
    target: 'una',
    old: { role: 'user' },
    new: { role: 'admin' },
  });
  audit.record({
    actor: null,
    action: 'login',
    outcome: 'refused',
    target: 'a\0b\ud800',
    address: '192.0.2.1',
  });
  audit.record({ actor: 'system', action: 'fault.add', new: { 'k\0': ['\udfff', 1e300, null] } });
  await store.flush();
  const first = follow(store);
  await caughtUp(first, store);
  await first.stop();
  const upstream = follow(store);
  audit.record({ actor: 'ada', action: 'logout' });
  await store.flush();
  await caughtUp(upstream, store);
  const rows = await query(
    `SELECT actor, address, action, outcome, target, old_value, new_value, abs(extract(epoch FROM now() - at)) < 600 AS now
     FROM audit_log WHERE gateway_id = 'gw' ORDER BY at, action DESC`,
  );
  const plain = {
    actor: null,
    address: null,
    outcome: 'done',
    target: null,
    old_value: null,
    new_value: null,
    now: true,
  };
  expect(rows).toHaveLength(4);
  expect(rows).toEqual(
    expect.arrayContaining([
      {
        ...{ ...plain, actor: 'ada', action: 'user.change', target: 'una' },
        ...{ old_value: { role: 'user' }, new_value: { role: 'admin' } },
      },
      {
        ...{ ...plain, action: 'login', outcome: 'refused' },
        ...{ target: 'a\ufffdb\ufffd', address: '192.0.2.1' },
      },
      { ...plain, actor: 'system', action: 'fault.add', new_value: { 'k\ufffd': ['\ufffd', 1e300, null] } },
      { ...plain, actor: 'ada', action: 'logout' },
    ]),
  );
});
