/**
 * Statements that a cluster of PostgreSQL servers (Citus) refuses, found on one server: what changes rows must not depend
 * on a STABLE function of their columns, and what makes or drops tables must not be called beside reading one.
 */
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { LogKind } from '../../daemon/store/store.ts';
import { smallTopology, someAlert } from '../../daemon/store/testing/fixtures.ts';
import { appendRounds, caughtUp, T0, until, useCentre } from './harness.ts';
import { field, nodesOf, PRINT_PARSE_TREES, parseTreesIn, type TreeNode } from './parse-trees.ts';

const centre = useCentre({ settings: PRINT_PARSE_TREES });
const query = (sql: string, url?: string) => centre.query(sql, url);
const topology = smallTopology(3);
const isQuery = (node: TreeNode) => node.type === 'QUERY';
const COMMANDS: Readonly<Record<number, string>> = { 2: 'UPDATE', 4: 'DELETE', 5: 'MERGE' };

/** Every fault in what this server was asked since it was started, each once. */
async function faults(): Promise<string[]> {
  const functions = await centre.query<{
    oid: number;
    name: string;
    volatility: string;
    source: string;
    ours: boolean;
  }>(
    `SELECT oid::int, proname AS name, provolatile AS volatility, prosrc AS source,
            pronamespace = 'public'::regnamespace AS ours FROM pg_proc`,
  );
  const byOid = new Map(functions.map(f => [f.oid, f]));
  const ours = functions.filter(f => f.ours);
  const makers = new Set(
    ours.filter(({ source }) => /\b(CREATE (TEMPORARY )?|DROP |ALTER )TABLE\b/.test(source)),
  );
  for (let size = 0; size !== makers.size; ) {
    size = makers.size;
    for (const f of ours)
      if ([...makers].some(({ name }) => new RegExp(`\\b${name}\\(`).test(f.source))) makers.add(f);
  }
  const functionOf = (node: TreeNode) =>
    byOid.get(field(node, node.items.includes(':funcid') ? 'funcid' : 'opfuncid'));
  const found = new Set<string>();
  for (const tree of parseTreesIn(join(dirname(centre.postgres.data_directory), 'postgres.log'))) {
    const nodes = [...nodesOf(tree)];
    const made = nodes.map(functionOf).find(f => f && makers.has(f));
    if (made && nodes.some(node => node.type === 'RANGETBLENTRY' && field(node, 'relid') > 0))
      found.add(`a table is read by the statement that calls ${made.name}`);
    for (const changing of nodes) {
      const command = isQuery(changing) ? COMMANDS[field(changing, 'commandType')] : undefined;
      if (command === undefined && changing.type !== 'ONCONFLICTEXPR') continue;
      for (const node of nodesOf(changing, isQuery)) {
        const called = functionOf(node);
        if (!called || called.volatility === 'i') continue;
        if ([...nodesOf(node, isQuery)].some(({ type }) => type === 'VAR'))
          found.add(
            `${command ?? 'ON CONFLICT'} depends on a column by ${called.name}, which is not IMMUTABLE`,
          );
      }
    }
  }
  return [...found];
}

/** All that a gateway and the owner of a centre ever do there. */
async function allOfIt(gateway_id: string, url: () => Promise<string>): Promise<void> {
  const log = await centre.openLog(smallTopology(3, 10, gateway_id));
  appendRounds(log, topology, 0, 500);
  log.appendAlert(someAlert('a1', T0));
  log.appendAlert(someAlert('a1', T0, T0 + 1000));
  log.appendRecord(LogKind.gap, T0, { reason: 'damaged', detail: 'd', packs: [] });
  log.appendRecord(LogKind.completeness, T0, {
    hour_ms: T0,
    packs: [{ pack_id: topology.packs[0].id, expected: 1, received: 1, stored: 1, repeated: 0 }],
  });
  await log.flush();
  const database_url = await url();
  const upstream = centre.follow(log, { gateway_id, database_url, onUsers: async () => 0 });
  await caughtUp(upstream, log);
  await until(
    () => upstream.status().counters.buckets_rolled_up >= 1,
    () => upstream.status(),
  );
  const records = [
    { seq: 1, reason: 'start', trust: 'none' },
    {
      seq: 2,
      reason: 'correction',
      trust: 'network',
      first_seq: 1,
      last_seq: 800,
      offset_ms: 3_600_123,
      from_ms: T0,
      to_ms: T0 + 1_000_000,
    },
  ];
  await query(`SELECT store_clock('${gateway_id}', '${JSON.stringify(records)}')`, database_url);
  expect(upstream.status().counters).toMatchObject({ rollup_failures: 0, user_pull_failures: 0 });
  expect(
    await query(
      `SELECT moved FROM (SELECT readings AS moved FROM clock_corrections WHERE gateway_id = '${gateway_id}') AS m`,
    ),
  ).toEqual([{ moved: expect.stringMatching(/^[1-9]\d*$/) }]);
  await upstream.stop();
}

test('nothing that gateways, their functions and retention run would be refused by a cluster', async () => {
  await allOfIt('by-owner', async () => centre.url);
  await allOfIt('by-itself', async () => {
    const [{ url }] = await centre.query<{ url: string }>("SELECT add_gateway('by-itself') AS url");
    return url;
  });
  await query(`INSERT INTO rollup_marks SELECT gateway_id, date_bin('15 minutes', ts, '2000-01-01 00:00+00') FROM pack_readings
    ON CONFLICT DO NOTHING`);
  expect((await query("SELECT * FROM drop_readings_before('2026-02-01')")).length).toBeGreaterThan(0);
  await query("SELECT * FROM drop_rollups_before('2026-03-01')");
  expect(await faults()).toEqual([]);
});

test('each kind of fault is found where it is', async () => {
  await allOfIt('gw', async () => centre.url);
  expect(await faults()).toEqual([]);
  await query(`CREATE FUNCTION late() RETURNS void LANGUAGE plpgsql AS $$BEGIN
      UPDATE alert_events SET at = at + interval '1 day' WHERE gateway_id = 'gw';
      INSERT INTO rollup_marks SELECT gateway_id, bucket FROM rollup_marks
        ON CONFLICT (gateway_id, bucket) DO UPDATE SET bucket = rollup_marks.bucket - interval '1 day';
      PERFORM roll_up_readings('gw', ARRAY(SELECT bucket FROM rollup_marks));
    END$$;
    SELECT late()`);
  expect((await faults()).sort()).toEqual([
    'ON CONFLICT depends on a column by timestamptz_mi_interval, which is not IMMUTABLE',
    'UPDATE depends on a column by timestamptz_pl_interval, which is not IMMUTABLE',
    'a table is read by the statement that calls roll_up_readings',
  ]);
});
