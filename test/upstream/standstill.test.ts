/** What must not hold up readings at the centre, and what holds them up without a word: each is reported, and once. */
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import type { Logger } from '../../core/log.ts';
import { silentLogger } from '../../core/log.ts';
import { smallTopology } from '../../daemon/store/testing/fixtures.ts';
import { readCentralUsers } from '../../daemon/upstream/central-users.ts';
import { OWNER } from '../../daemon/upstream/login.ts';
import type { Upstream } from '../../daemon/upstream/upstream.ts';
import { appendRounds, caughtUp, hastyClock, type Log, until, useCentre } from './harness.ts';

const topology = smallTopology(3);
const centre = useCentre();
const query = (sql: string) => centre.query(sql);

function collector(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const add = (_: unknown, text: string) => void lines.push(text);
  return { ...silentLogger, lines, info: add, warn: add };
}

const statusIs = (upstream: Upstream, state: string, reason: RegExp) =>
  until(
    () => upstream.status().state === state && reason.test(upstream.status().reason ?? ''),
    () => upstream.status(),
  );

let round = 0;
async function arrives(log: Log, upstream: Upstream): Promise<void> {
  appendRounds(log, topology, ++round, 1);
  await log.flush();
  await until(
    () => upstream.status().counters.last_seq === log.durableSeq(),
    () => upstream.status(),
  );
}

/** Holds a lock until what is returned is called. */
async function hold(sql: string): Promise<() => Promise<void>> {
  const client = new pg.Client(centre.url);
  await client.connect();
  await client.query(`BEGIN; ${sql}`);
  let is_held = true;
  const letGo = async () => {
    if (is_held) await client.end();
    is_held = false;
  };
  centre.after(letGo);
  return letGo;
}

describe('users', () => {
  async function open() {
    const log = await centre.openLog(topology);
    const messages = collector();
    let pulls = 0;
    const upstream = centre.follow(log, {
      users_interval_ms: 50,
      log: messages,
      onUsers: async ({ rows }) => {
        pulls++;
        return rows.filter(row => row.role === 'superadmin').length;
      },
    });
    await caughtUp(upstream, log);
    return { log, upstream, messages, pulls: () => pulls };
  }

  test.each([
    ['a lock', () => hold('LOCK TABLE users'), /^users of the centre cannot be pulled: .* waits for a lock/],
    [
      'a table that is gone',
      async () => {
        await query('ALTER TABLE users RENAME TO people');
        return async () => void (await query('ALTER TABLE people RENAME TO users'));
      },
      /^users of the centre cannot be pulled: .*relation "users" does not exist/,
    ],
  ])('%s on them stops no reading', async (_, fault, reason) => {
    const { log, upstream, messages, pulls } = await open();
    const over = await fault();
    await statusIs(upstream, 'degraded', reason);
    for (let n = 0; n < 5; n++) await arrives(log, upstream);
    const failures = () => upstream.status().counters.user_pull_failures;
    const before = failures();
    await until(() => failures() > before);
    await over();
    await caughtUp(upstream, log);
    const done = pulls();
    await until(() => pulls() > done);
    expect(upstream.status()).toMatchObject({ state: 'ok', counters: { connects: 1, retries: 0 } });
    expect(messages.lines.filter(line => reason.test(line))).toHaveLength(1);
    await centre.expectEqual(log);
  });

  test('that are left out are counted in the status', async () => {
    const { upstream } = await open();
    await query(`ALTER TABLE users DROP CONSTRAINT users_role_check;
      INSERT INTO users (username, password_hash, role) VALUES ('x', 'h', 'superadmin'), ('y', 'h', 'user')`);
    await until(() => upstream.status().counters.users_left_out === 1);
    expect(upstream.status()).toMatchObject({ state: 'ok', counters: { users: 1, users_left_out: 1 } });
  });

  test('of any size and make travel as far as they can be right, and no further', async () => {
    const { upstream } = await open();
    await upstream.stop();
    await query(`ALTER TABLE users DROP CONSTRAINT users_role_check, DROP CONSTRAINT users_username_check;
      ALTER TABLE users ALTER batteries DROP NOT NULL, ALTER disabled DROP NOT NULL, ALTER created_at DROP NOT NULL;
      INSERT INTO users (username, password_hash, role, batteries)
        SELECT 'hash-' || n, repeat('x', 20000000), repeat('y', 1000000), '{}' FROM generate_series(1, 10) n;
      INSERT INTO users (username, password_hash, role, batteries) VALUES
        ('large', 'h', 'user', array_fill('b'::text, '{2000000}')), ('null', 'h', 'user', NULL),
        ('nulls', 'h', 'user', '{NULL,b1}'), ('deep', 'h', 'user', '{{b1},{b2}}');
      INSERT INTO users (username, password_hash, role, batteries, disabled, created_at)
        VALUES ('never', 'h', 'user', '{gw/b1,b2,other/b3}', NULL, 'infinity');
      INSERT INTO users (username, password_hash, role, batteries)
        SELECT 'with-many-' || n, 'h', 'user', array_fill(repeat('b', 90), '{1000}') FROM generate_series(1, 200) n`);
    const client = new pg.Client(centre.url);
    await client.connect();
    centre.after(() => client.end());
    const read = await readCentralUsers(client, 'gw', OWNER);
    if (!('pulled' in read)) throw read.error;
    const { rows, beyond } = read.pulled;
    expect([rows.length, beyond]).toEqual([215, 0]);
    expect(JSON.stringify(rows).length).toBeLessThan(10 << 20);
    const row = (username: string) => rows.find(row => row.username === username);
    expect(row('hash-1')).toMatchObject({ password_hash: null, role: 'y'.repeat(32) });
    expect(row('large')).toMatchObject({ batteries: null });
    expect(row('null')).toMatchObject({ batteries: null });
    expect(row('nulls')).toMatchObject({ batteries: [null, 'b1'] });
    expect(row('deep')).toMatchObject({ batteries: [['b1'], ['b2']] });
    expect(row('never')).toMatchObject({ batteries: ['b1', 'b2'], disabled: null, created_ms: Infinity });
    await query(
      "INSERT INTO users (username, password_hash, role) SELECT 'u' || n, 'h', 'user' FROM generate_series(1, 5000) n",
    );
    expect(await readCentralUsers(client, 'gw', OWNER)).toMatchObject({ pulled: { beyond: 215 } });
  });
});

/** The time-out of an exchange must be longer than that of a lock, which passes at the server. */
const patientClock: Clock = {
  ...systemClock,
  setTimer: (fn, delay_ms) => (delay_ms < 100_000 ? hastyClock : systemClock).setTimer(fn, delay_ms),
};

describe('the status', () => {
  test('says that it waits for a lock for as long as it does, over all connections, and the log says it once', async () => {
    const log = await centre.openLog(topology);
    const messages = collector();
    const upstream = centre.follow(log, { log: messages, clock: patientClock });
    await caughtUp(upstream, log);
    const letGo = await hold('LOCK TABLE pack_readings');
    appendRounds(log, topology, 0, 5);
    await log.flush();
    await statusIs(upstream, 'down', /waits for a lock that somebody holds/);
    const { connects } = upstream.status().counters;
    const seen = new Set<string>();
    await until(() => {
      const { state, reason, counters } = upstream.status();
      seen.add(`${state} ${/waits for a lock/.test(reason ?? '')}`);
      return counters.connects >= connects + 2;
    });
    expect([...seen]).toEqual(['down true']);
    await letGo();
    await caughtUp(upstream, log);
    await centre.expectEqual(log);
    expect(messages.lines.map(line => line.replace(/^PostgreSQL at .*: /, ''))).toEqual([
      'connected',
      expect.stringMatching(/^sync waits: .* waits for a lock/),
      'connected',
    ]);
  });

  test('says that somebody else and the gateway waited for each other; what was given up is sent again', async () => {
    // Of two that wait for each other the server ends the one that notices.
    await query(`ALTER DATABASE ${new URL(centre.url).pathname.slice(1)} SET deadlock_timeout = '3s'`);
    const log = await centre.openLog(topology);
    const upstream = centre.follow(log, { clock: patientClock });
    // Partitions are there before the lock is.
    await arrives(log, upstream);
    const other = new pg.Client(centre.url);
    await other.connect();
    centre.after(() => other.end());
    await other.query("BEGIN; SET LOCAL deadlock_timeout = '1h'; LOCK TABLE pack_readings");
    appendRounds(log, topology, ++round, 1);
    await log.flush();
    await until(async () => (await query('SELECT FROM pg_locks WHERE NOT granted')).length > 0);
    const theirs = other.query('UPDATE gateways SET last_sync_at = now()');
    await statusIs(upstream, 'down', /waited for somebody who waited for it \(deadlock detected\)/);
    await theirs;
    await other.query('COMMIT');
    await caughtUp(upstream, log);
    await centre.expectEqual(log);
  });

  test('says that readings are swallowed at the centre; none is taken as stored', async () => {
    const log = await centre.openLog(topology);
    const upstream = centre.follow(log, { clock: hastyClock });
    await caughtUp(upstream, log);
    await query(`CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.pack_id = (SELECT min(pack_id) FROM packs) THEN RETURN NULL; END IF; RETURN NEW; END$$;
      CREATE TRIGGER swallow BEFORE INSERT ON pack_readings FOR EACH ROW EXECUTE FUNCTION swallow()`);
    appendRounds(log, topology, 0, 5);
    await log.flush();
    await statusIs(upstream, 'down', /: of 15 readings sent 10 were stored in pack_readings/);
    expect(await query('SELECT FROM pack_readings')).toEqual([]);
    // No lock on the table: the gateway tries again all the while.
    await query(
      'CREATE OR REPLACE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$',
    );
    await caughtUp(upstream, log);
    await centre.expectEqual(log);
  });
});
