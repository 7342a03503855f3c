/** Two gateways at one centre, each by its own login: each can do all of its work, and nothing to the other. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { LogKind } from '../../daemon/store/store.ts';
import { smallTopology, someAlert } from '../../daemon/store/testing/fixtures.ts';
import { appendRounds, caughtUp, type Log, T0, until, useCentre } from './harness.ts';

const centre = useCentre();
const query = (sql: string, url?: string) => centre.query(sql, url);
const topology = smallTopology(3);
const HASH = '$argon2id$v=19$m=12288,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';

/** URLs of `one` and `two`, as add_gateway prints them. */
let urls: Record<string, string> = {};

beforeEach(async () => {
  await centre.migrate();
  // Roles are of the whole server, and tests share it.
  await query(`DO $$DECLARE r regrole; BEGIN
    FOR r IN SELECT oid FROM pg_roles WHERE rolname LIKE 'gateway.%' LOOP
      EXECUTE format('ALTER ROLE %s RENAME TO %I', r, 'old ' || gen_random_uuid());
    END LOOP; END$$`);
  urls = {};
  for (const gateway of ['one', 'two']) {
    const [{ url }] = await centre.query<{ url: string }>(`SELECT add_gateway('${gateway}') AS url`);
    urls[gateway] = url;
  }
});

async function fill(gateway_id: string, rounds = 20): Promise<Log> {
  const log = await centre.openLog(smallTopology(3, 10, gateway_id));
  appendRounds(log, topology, 0, rounds);
  log.appendAlert(someAlert('a1', T0));
  for (let round = 0; round < 2; round++)
    log.appendRecord(LogKind.completeness, T0, {
      hour_ms: T0,
      packs: [{ pack_id: 'p1', expected: 1, received: 1, stored: 1, repeated: 0 }],
    });
  log.appendRecord(LogKind.audit, T0, {
    id: randomUUID(),
    t_ms: T0,
    actor: gateway_id,
    action: 'login',
    outcome: 'done',
  });
  await log.flush();
  return log;
}

test('add_gateway prints a URL that works, refuses what cannot be a gateway, and never makes one twice', async () => {
  expect(urls.one).toMatch(
    new RegExp(`^postgres://gateway\\.one:[0-9a-f]{32}@127\\.0\\.0\\.1:${centre.postgres.port}/centre_\\d+$`),
  );
  expect(await query('SELECT gateway_of_login() AS gateway', urls.one)).toEqual([{ gateway: 'one' }]);
  for (const [sql, reason] of [
    [`SELECT add_gateway('one')`, /role "gateway.one" is there already/],
    [`SELECT add_gateway('a''b')`, /gateway_id: found 'a''b'/],
    [`SELECT add_gateway('')`, /gateway_id: found ''/],
    [`SELECT add_gateway(NULL)`, /gateway_id: found NULL/],
    [`SELECT add_gateway('${'g'.repeat(56)}')`, /expected 1 to 55 letters/],
    [`SELECT add_gateway('three', 'short')`, /at least 12 characters/],
  ] as const)
    await expect(query(sql)).rejects.toThrow(reason);
  await query(`GRANT CREATE ON SCHEMA public TO PUBLIC`);
  await expect(query(`SELECT add_gateway('three')`)).rejects.toThrow(/everybody may create in schema public/);
  await query(`REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
});

test('gateways with logins of their own sync all they have, as any other does', async () => {
  const logs = { one: await fill('one'), two: await fill('two', 30) };
  for (const [gateway_id, log] of Object.entries(logs)) {
    const upstream = centre.follow(log, { gateway_id, database_url: urls[gateway_id], batch_rows: 7 });
    await caughtUp(upstream, log);
    await centre.expectEqual(log, gateway_id);
    // A 15-minute bucket that is over, and the next one in the same session.
    appendRounds(log, topology, 1000, 2);
    await log.flush();
    await until(
      () => upstream.status().counters.buckets_rolled_up >= 1,
      () => upstream.status(),
    );
    await centre.expectEqual(log, gateway_id);
    expect(upstream.status()).toMatchObject({ state: 'ok', counters: { connects: 1, rollup_failures: 0 } });
  }
  expect(
    await query('SELECT gateway_id, count(*)::int AS rows FROM pack_readings_default GROUP BY 1'),
  ).toEqual([]);
  expect(await query('SELECT gateway_id, actor FROM audit_log ORDER BY 1')).toEqual(
    ['one', 'two'].map(gateway_id => ({ gateway_id, actor: gateway_id })),
  );
});

test('the login of another gateway is refused by name, before anything is sent', async () => {
  const log = await fill('one');
  const upstream = centre.follow(log, { gateway_id: 'one', database_url: urls.two });
  await until(() => upstream.status().state === 'down' && upstream.status().reason !== 'connecting');
  expect(upstream.status().reason).toMatch(/: this login is of gateway "two", and this one is "one"/);
  expect(await query('SELECT FROM gateways')).toEqual([]);
});

test('a gateway pulls its users by its own login, and no others; of others’ batteries it learns nothing', async () => {
  await query(`INSERT INTO users (username, password_hash, role, batteries, gateway_ids) VALUES
    ('all', '${HASH}', 'user', '{b1,one/b2,two/b3}', NULL), ('mine', '${HASH}', 'admin', '{}', '{one,two}'),
    ('other', '${HASH}', 'admin', '{}', '{two}')`);
  const log = await fill('one');
  const seen: unknown[] = [];
  const upstream = centre.follow(log, {
    gateway_id: 'one',
    database_url: urls.one,
    onUsers: async ({ rows }) => {
      seen.push(rows.map(({ username, batteries }) => [username, batteries]));
      return 0;
    },
  });
  await caughtUp(upstream, log);
  expect(seen[0]).toEqual([
    ['all', ['b1', 'b2']],
    ['mine', []],
  ]);
  expect(await query('SELECT username, batteries, gateway_ids FROM gateway_users', urls.one)).toEqual([
    { username: 'all', batteries: ['b1', 'one/b2'], gateway_ids: null },
    { username: 'mine', batteries: [], gateway_ids: ['one'] },
  ]);
});

describe('with all that the other has at the centre', () => {
  beforeEach(async () => {
    await query(
      `INSERT INTO users (username, password_hash, role, gateway_ids) VALUES ('other', '${HASH}', 'admin', '{two}')`,
    );
    for (const gateway_id of ['one', 'two']) {
      const log = await fill(gateway_id);
      const upstream = centre.follow(log, { gateway_id, database_url: urls[gateway_id] });
      await caughtUp(upstream, log);
      await upstream.stop();
    }
    await query(`INSERT INTO clock_corrections VALUES ('two', 9, 1, 2, 5, 1, 'network');
      INSERT INTO completeness VALUES ('two', 'p', now(), 1, 1, 1);
      INSERT INTO gaps VALUES ('two', 9, 'r', 'd', NULL, NULL, NULL, NULL, NULL, '[]');
      INSERT INTO gateway_incarnations VALUES ('two', 'x', 1)`);
  });

  test('every table with rows of gateways shows a gateway its own, or none at all', async () => {
    const tables = await centre.query<{ name: string; isolated: boolean }>(
      `SELECT c.oid::regclass::text AS name, relrowsecurity AS isolated FROM pg_class c
       WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
         AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'gateway_id')`,
    );
    expect(tables.length).toBeGreaterThanOrEqual(16);
    expect(tables.filter(({ isolated }) => !isolated)).toEqual([]);
    for (const { name } of tables) {
      const found = await query(`SELECT DISTINCT gateway_id FROM ${name}`, urls.one).catch(error => {
        expect(error.message).toMatch(/permission denied/);
        return [];
      });
      expect([[], [{ gateway_id: 'one' }]], name).toContainEqual(found);
    }
    const relations = await centre.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
         AND relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege('gateway.one', oid, 'SELECT') ORDER BY 1`,
    );
    expect(relations.map(({ name }) => name)).toEqual([
      ...['alert_events', 'alerts', 'batteries', 'cells', 'clock_corrections', 'completeness', 'gaps'],
      ...['gateway_incarnations', 'gateway_users', 'gateways', 'pack_readings', 'packs', 'schema_migrations'],
    ]);
  });

  test('no function but those it needs can be called, and each that acts as its owner has a fixed search path', async () => {
    const functions = await centre.query<{ name: string; definer: boolean; config: string[] | null }>(
      `SELECT proname AS name, prosecdef AS definer, proconfig AS config FROM pg_proc
       WHERE pronamespace = 'public'::regnamespace AND has_function_privilege('gateway.one', oid, 'EXECUTE') ORDER BY 1`,
    );
    expect(functions.map(({ name }) => name)).toEqual([
      ...['gateway_of_login', 'is_good', 'make_readings_partition', 'open_incoming_readings', 'quality_name'],
      ...['roll_up_readings', 'store_clock', 'store_incoming_readings'],
    ]);
    const definers = await centre.query<{ name: string; config: string[] | null }>(
      `SELECT proname AS name, proconfig AS config FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef`,
    );
    for (const { name, config } of definers) expect(config, name).toContain('search_path=public, pg_temp');
  });

  /** Each is refused, or changes nothing. */
  const ATTEMPTS = [
    'SELECT * FROM users',
    'SELECT password_hash FROM pack_readings, users',
    'SELECT * FROM readings',
    'SELECT * FROM pack_readings_default',
    'SELECT * FROM readings_15min',
    'SELECT * FROM audit_log',
    "INSERT INTO users (username, password_hash, role) VALUES ('x', 'h', 'admin')",
    "INSERT INTO gateway_users (username, password_hash, role) VALUES ('x', 'h', 'admin')",
    "UPDATE users SET role = 'admin'",
    "UPDATE gateway_users SET role = 'admin'",
    "UPDATE batteries SET name = 'x' WHERE gateway_id = 'two'",
    "UPDATE packs SET name = 'x' WHERE gateway_id = 'two'",
    "UPDATE gateways SET incarnation = gen_random_uuid() WHERE gateway_id = 'two'",
    "UPDATE gateways SET last_seq = 0 WHERE gateway_id <> 'one'",
    "UPDATE gateways SET gateway_id = 'two'",
    "UPDATE alerts SET state = 'cleared' WHERE gateway_id = 'two'",
    "UPDATE completeness SET stored = 0 WHERE gateway_id = 'two'",
    "INSERT INTO gateways (gateway_id, incarnation) VALUES ('three', gen_random_uuid())",
    "INSERT INTO gateways (gateway_id, incarnation) VALUES ('two', gen_random_uuid()) ON CONFLICT (gateway_id) DO UPDATE SET last_seq = 0",
    "INSERT INTO batteries VALUES ('two', 'x', 'x', 'lfp')",
    "INSERT INTO rollup_marks VALUES ('two', now())",
    "INSERT INTO gaps VALUES ('two', 99, 'r', 'd', NULL, NULL, NULL, NULL, NULL, '[]')",
    "INSERT INTO alert_events VALUES ('two', 99, 'a', now(), 'active', 'critical', 'false', 1)",
    "INSERT INTO undecodable_rows VALUES ('two', 99, 1, NULL, 0, 'r', 'x')",
    "INSERT INTO audit_log (gateway_id, entry_id, at, action, outcome) VALUES ('two', gen_random_uuid(), now(), 'x', 'done')",
    "INSERT INTO pack_readings (gateway_id, pack_id, ts, seq, cell_count) VALUES ('two', 'p1', now(), 1, 1)",
    "INSERT INTO pack_readings (gateway_id, pack_id, ts, seq, cell_count) VALUES ('one', 'p1', now(), 1, 1)",
    "INSERT INTO pack_readings_default (gateway_id, pack_id, ts, seq, cell_count) VALUES ('two', 'p1', now(), 1, 1)",
    'COPY pack_readings (gateway_id) TO STDOUT',
    'DELETE FROM pack_readings',
    'DELETE FROM audit_log',
    'DELETE FROM gateways',
    'TRUNCATE alerts',
    'LOCK TABLE gateways IN ACCESS EXCLUSIVE MODE',
    'LOCK TABLE batteries IN SHARE MODE',
    'LOCK TABLE pack_readings IN SHARE MODE',
    "SELECT store_clock('two', '[]')",
    'SELECT store_clock(NULL, \'[{"reason": "start", "seq": 0}]\')',
    "SELECT roll_up_readings('two')",
    "SELECT roll_up_any_readings('two')",
    'SELECT make_any_readings_partition(now())',
    "SELECT make_readings_partition('2400-01-01')",
    "SELECT make_readings_partition('1999-01-01')",
    'SELECT drop_readings_before(now())',
    'SELECT drop_rollups_before(now())',
    "SELECT drop_partitions_before('pack_readings', 'ts', now())",
    "SELECT add_gateway('three')",
    'SELECT grant_gateway(\'"gateway.one"\')',
    "SELECT isolate_gateways('pack_readings')",
    "SELECT adopt_table('pack_readings', 'alerts')",
    "SELECT store_incoming_readings('two')",
    "SELECT store_incoming_readings('one')",
    'ALTER TABLE pack_readings DISABLE ROW LEVEL SECURITY',
    'DROP POLICY own_rows ON gateways',
    'DROP FUNCTION refuse_other_gateway',
    'CREATE TABLE t ()',
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
    'CREATE SCHEMA s',
    "SET ROLE 'gateway.two'",
    'SET SESSION AUTHORIZATION bms',
    'ALTER ROLE "gateway.two" PASSWORD \'x\'',
    'SET row_security = off; SELECT * FROM gateways',
  ];

  test('nothing that it tries shows or changes what is of the other', async () => {
    const before = await everything();
    for (const statement of ATTEMPTS) {
      const replies = await query(`BEGIN; ${statement}; COMMIT`, urls.one).catch(error => {
        expect(error.message, statement).toMatch(
          /permission denied|row-level security|must be (owner|able)|nothing was copied|another gateway|query would be affected/,
        );
        return [];
      });
      expect(replies ?? [], statement).not.toContainEqual(expect.objectContaining({ gateway_id: 'two' }));
      expect(await everything(), statement).toEqual(before);
    }
  });

  /** What is at the centre, table by table, by its own words. */
  async function everything() {
    return query(`SELECT c.oid::regclass::text AS name,
        md5(query_to_xml(format('SELECT * FROM %s AS t ORDER BY t::text', c.oid::regclass), true, false, '')::text) AS rows
      FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1`);
  }

  describe('and the table on the way to pack_readings', () => {
    async function as(gateway: string) {
      const client = new pg.Client(urls[gateway]);
      await client.connect();
      centre.after(() => client.end());
      return client;
    }
    const insert = (gateway: string) =>
      `INSERT INTO pg_temp.incoming_readings (gateway_id, pack_id, ts, seq, cell_count) VALUES ('${gateway}', 'p', now(), 1, 1)`;
    const rows = async () => (await query('SELECT FROM pack_readings')).length;

    test('it takes and moves readings of one’s own gateway, of others none', async () => {
      const client = await as('one');
      const before = await rows();
      await client.query(
        `BEGIN; SELECT open_incoming_readings(); ${insert('one')}; SELECT store_incoming_readings('one'); COMMIT`,
      );
      expect(await rows()).toBe(before + 1);
      for (const [gateway, claimed] of [
        ['two', 'one'],
        ['two', 'two'],
        ['one', 'two'],
      ]) {
        const moving = client.query(
          `BEGIN; SELECT open_incoming_readings(); ${insert(gateway)}; SELECT store_incoming_readings('${claimed}'); COMMIT`,
        );
        await expect(moving).rejects.toThrow(/not of gateway|of another gateway/);
        await client.query('ROLLBACK');
      }
      expect(await rows()).toBe(before + 1);
      // Emptied with each transaction.
      await client.query(
        "BEGIN; SELECT open_incoming_readings(); SELECT store_incoming_readings('one'); COMMIT",
      );
      expect(await rows()).toBe(before + 1);
    });

    test.each([
      'CREATE TEMP TABLE incoming_readings (LIKE pack_readings)',
      'CREATE TEMP VIEW incoming_readings AS SELECT * FROM pack_readings',
      'CREATE TEMP SEQUENCE incoming_readings',
    ])('one that the caller made is refused: %s', async made => {
      const client = await as('one');
      await client.query(made);
      for (const call of ['open_incoming_readings()', "store_incoming_readings('one')"])
        await expect(client.query(`SELECT ${call}`)).rejects.toThrow(
          /was not made by open_incoming_readings/,
        );
    });

    test('nothing can be hung on it, and names of the caller’s own mislead no function', async () => {
      const client = await as('one');
      await client.query('SELECT open_incoming_readings()');
      for (const statement of [
        'SELECT * FROM pg_temp.incoming_readings',
        'ALTER TABLE pg_temp.incoming_readings ADD COLUMN x int',
        'CREATE TEMP TABLE child () INHERITS (pg_temp.incoming_readings)',
        'CREATE RULE r AS ON SELECT TO pg_temp.incoming_readings DO INSTEAD SELECT 1',
        `CREATE FUNCTION pg_temp.f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
         CREATE TRIGGER t BEFORE INSERT ON pg_temp.incoming_readings FOR EACH ROW EXECUTE FUNCTION pg_temp.f()`,
        'CREATE INDEX ON pg_temp.incoming_readings (seq)',
        'DROP TABLE pg_temp.incoming_readings',
      ])
        await expect(client.query(statement)).rejects.toThrow(/permission denied|must be owner/);
      await client.query(`CREATE TEMP TABLE pack_readings (LIKE public.pack_readings); CREATE TEMP TABLE gateways (gateway_id text);
        CREATE FUNCTION pg_temp.gateway_of_login() RETURNS text LANGUAGE sql AS $$SELECT 'two'$$;
        CREATE FUNCTION pg_temp.refuse_other_gateway(text) RETURNS void LANGUAGE sql AS $$SELECT$$;
        SET search_path = pg_temp, public`);
      await expect(client.query("SELECT public.store_clock('two', '[]')")).rejects.toThrow(
        /of another gateway/,
      );
      const before = await rows();
      await client.query(
        `BEGIN; SELECT public.open_incoming_readings(); ${insert('one')}; SELECT public.store_incoming_readings('one'); COMMIT`,
      );
      expect(await rows()).toBe(before + 1);
    });

    test('one with the columns of a former version is made again', async () => {
      const client = await as('one');
      await client.query('SELECT open_incoming_readings()');
      await query('ALTER TABLE pack_readings ADD COLUMN more integer DEFAULT 7');
      await client.query(
        `BEGIN; SELECT open_incoming_readings(); ${insert('one')}; SELECT store_incoming_readings('one'); COMMIT`,
      );
      expect(await query('SELECT more FROM pack_readings WHERE cell_count = 1')).toEqual([{ more: 7 }]);
    });
  });
});
