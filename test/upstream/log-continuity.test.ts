/**
 * Whose rows they are: files that were replaced or restored from an older copy go on by themselves, copies that run
 * beside are refused.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { STORE_FILE } from '../../daemon/store/sqlite-store.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { numberedReading, smallTopology, someAlert } from '../../daemon/store/testing/fixtures.ts';
import { appendRounds, caughtUp, INTERVAL_MS, type Log, T0, until, useCentre } from './harness.ts';

const topology = smallTopology(5);
const centre = useCentre();

/** Rounds `first` to `first + count - 1`, synced. */
async function sync(log: Log, first: number, count: number): Promise<void> {
  appendRounds(log, topology, first, count);
  await log.flush();
  const upstream = centre.follow(log);
  await caughtUp(upstream, log);
  await upstream.stop();
}

async function refused(log: Log): Promise<string> {
  const upstream = centre.follow(log);
  await until(() => upstream.status().counters.retries >= 1);
  const { reason } = upstream.status();
  await upstream.stop();
  return reason ?? '';
}

/** As if nobody had synced for so long. */
const silent = (minutes: number) =>
  centre.query(`UPDATE gateways SET last_sync_at = now() - interval '${minutes} minutes'`);

/** Each round of each pack once. */
async function expectRounds(rounds: readonly number[]): Promise<void> {
  const found = await centre.query<{ round: number; packs: string; rows: string }>(
    `SELECT (extract(epoch FROM ts) * 1000 - ${T0})::bigint / ${INTERVAL_MS} AS round,
            count(DISTINCT pack_id) AS packs, count(*) AS rows
     FROM pack_readings GROUP BY 1 ORDER BY 1`,
  );
  const each = String(topology.packs.length);
  expect(found.map(({ round, packs, rows }) => [Number(round), packs, rows])).toEqual(
    rounds.map(round => [round, each, each]),
  );
}

const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
const incarnations = () =>
  centre.query<{ incarnation: string }>('SELECT incarnation FROM gateway_incarnations ORDER BY ended_at');

test('a card restored from an older copy goes on above what the centre has, once the other is silent', async () => {
  const directory = centre.newDirectory();
  let log = await centre.openLog(topology, directory);
  await sync(log, 0, 30);
  await log.close();
  const copy = centre.newDirectory();
  cpSync(directory, copy, { recursive: true });
  log = await centre.openLog(topology, directory);
  const { incarnation } = log;
  await sync(log, 30, 20);
  await log.close();

  const restored = await centre.openLog(topology, copy);
  appendRounds(restored, topology, 70, 5);
  await restored.flush();
  expect(await refused(restored)).toMatch(/which ends at .* goes on by itself after 10 minutes/);
  expect(restored.incarnation).toBe(incarnation);
  await silent(11);
  await sync(restored, 75, 5);
  expect(restored.predecessors).toEqual([incarnation]);
  await expectRounds([...range(0, 50), ...range(70, 10)]);
  expect(await incarnations()).toEqual([{ incarnation }]);
  expect(await centre.query('SELECT reason, readings FROM gaps')).toEqual([
    { reason: 'older_copy', readings: '0' },
  ]);
  const [{ seqs, rows }] = await centre.query<{ seqs: string; rows: string }>(
    'SELECT count(DISTINCT seq) AS seqs, count(*) AS rows FROM pack_readings',
  );
  expect(seqs).toBe(rows);

  // The one that was thought to be gone is now the copy.
  log = await centre.openLog(topology, directory);
  await silent(11);
  expect(await refused(log)).toMatch(/two gateways have the same gateway_id/);
});

test('a card restored from an older copy that ran on without the centre beyond what that has', async () => {
  const directory = centre.newDirectory();
  let log = await centre.openLog(topology, directory);
  await sync(log, 0, 30);
  await log.close();
  const copy = centre.newDirectory();
  cpSync(directory, copy, { recursive: true });
  log = await centre.openLog(topology, directory);
  await sync(log, 30, 5);
  await log.close();
  const restored = await centre.openLog(topology, copy);
  appendRounds(restored, topology, 100, 40);
  await restored.flush();
  expect(restored.durableSeq()).toBeGreaterThan(log.durableSeq());
  expect(await refused(restored)).toMatch(/differs from ours/);
  await silent(11);
  await sync(restored, 140, 1);
  await expectRounds([...range(0, 35), ...range(100, 41)]);
});

test('a clock that shows the same times again, and the same numbers, does not make two readings one', async () => {
  const directory = centre.newDirectory();
  let log = await centre.openLog(topology, directory);
  await sync(log, 0, 10);
  await log.close();
  const copy = centre.newDirectory();
  cpSync(directory, copy, { recursive: true });
  log = await centre.openLog(topology, directory);
  await sync(log, 10, 5);
  await log.close();
  const restored = await centre.openLog(topology, copy);
  for (let round = 10; round < 16; round++)
    for (const { pack } of topology.packs)
      restored.append(numberedReading(topology, pack, round + 500, T0 + round * INTERVAL_MS));
  await restored.flush();
  await silent(11);
  await caughtUp(centre.follow(restored), restored);
  const [{ rows, values }] = await centre.query<{ rows: string; values: string }>(
    'SELECT count(*) AS rows, count(DISTINCT (pack_id, voltage_v)) AS values FROM pack_readings',
  );
  expect([rows, values]).toEqual([String(21 * topology.packs.length), String(21 * topology.packs.length)]);
});

test('records after the last common reading, and a past whose times were put right, are not reported twice', async () => {
  const directory = centre.newDirectory();
  let log = await centre.openLog(topology, directory);
  const era = { boot_id: 'b', step_ms: 0, t_ms: T0 };
  const append = (record: object) => log.appendRecord(LogKind.clock, T0, { ...era, ...record });
  const gap = { reason: 'queue_full', from_ms: null, to_ms: null, first_seq: null, last_seq: null };
  append({ reason: 'start', offset_ms: 0, trust: 'none' });
  await sync(log, 0, 6);
  const last_seq = log.durableSeq();
  append({ reason: 'trust', offset_ms: INTERVAL_MS * 1000, trust: 'network' });
  const moved = { offset_ms: INTERVAL_MS * 1000, from_ms: T0 - 1, to_ms: T0 + 60_000, trust: 'network' };
  append({ reason: 'correction', first_seq: 2, last_seq, ...moved });
  log.appendAlert(someAlert('common', T0));
  log.appendRecord(LogKind.gap, T0, { ...gap, detail: 'common', readings: 1, packs: [] });
  await sync(log, 0, 0);
  await log.close();
  const copy = centre.newDirectory();
  cpSync(directory, copy, { recursive: true });
  log = await centre.openLog(topology, directory);
  log.appendAlert(someAlert('there', T0));
  await sync(log, 1010, 2);
  await log.close();

  log = await centre.openLog(topology, copy);
  log.appendAlert(someAlert('here', T0));
  log.appendRecord(LogKind.gap, T0, { ...gap, detail: 'here', readings: 1, packs: [] });
  await log.flush();
  await silent(11);
  await sync(log, 1020, 2);
  await expectRounds([...range(1000, 6), 1010, 1011, 1020, 1021]);
  expect(await centre.query('SELECT alert_id FROM alert_events ORDER BY seq')).toEqual(
    ['common', 'there', 'here'].map(alert_id => ({ alert_id })),
  );
  expect(await centre.query("SELECT detail FROM gaps WHERE reason = 'queue_full' ORDER BY seq")).toEqual([
    { detail: 'common' },
    { detail: 'here' },
  ]);
  expect(await centre.query('SELECT readings::int FROM clock_corrections')).toEqual([
    { readings: 6 * topology.packs.length },
  ]);
  expect(await centre.query('SELECT * FROM clock_uncertain')).toEqual([]);
});

test('a log whose file is gone goes on as its successor; a stranger is refused', async () => {
  const directory = centre.newDirectory();
  let log = await centre.openLog(topology, directory);
  const { incarnation } = log;
  await sync(log, 0, 10);
  await log.close();
  for (const end of ['', '-wal', '-shm']) rmSync(join(directory, STORE_FILE + end), { force: true });
  log = await centre.openLog(topology, directory);
  expect(log.incarnation).not.toBe(incarnation);
  const upstream = centre.follow(log);
  appendRounds(log, topology, 10, 10);
  await log.flush();
  await caughtUp(upstream, log);
  expect(upstream.status().counters.rows_missing).toBe(0);
  await upstream.stop();
  await expectRounds(range(0, 20));
  expect(await incarnations()).toEqual([{ incarnation }]);
  await silent(1000);
  expect(await refused(await centre.openLog(topology))).toMatch(/two gateways have the same gateway_id/);
});

test('what was lost is reported to the centre', async () => {
  const log = await centre.openLog(topology);
  appendRounds(log, topology, 0, 1);
  log.appendRecord(4, T0, {
    reason: 'no_room',
    detail: 'full',
    from_ms: T0,
    to_ms: T0 + 5000,
    first_seq: 3,
    last_seq: 9,
    readings: 7,
    packs: [{ pack_id: 'p01', readings: 7 }],
  });
  log.appendRecord(4, T0, {
    reason: 'storage_lost',
    detail: 'x',
    from_ms: null,
    to_ms: null,
    first_seq: null,
    last_seq: null,
    readings: null,
    packs: [],
  });
  // As an older version wrote it.
  log.appendRecord(4, T0, {
    reason: 'set_back',
    detail: 'y',
    from_ms: null,
    to_ms: null,
    first_seq: 10,
    last_seq: 11,
    readings: 0,
    packs: [],
  });
  await log.flush();
  await caughtUp(centre.follow(log), log);
  expect(
    await centre.query('SELECT reason, from_ts, last_seq, readings, packs FROM gaps ORDER BY seq'),
  ).toEqual([
    {
      reason: 'no_room',
      from_ts: new Date(T0),
      last_seq: '9',
      readings: '7',
      packs: [{ pack_id: 'p01', readings: 7 }],
    },
    { reason: 'storage_lost', from_ts: null, last_seq: null, readings: null, packs: [] },
    { reason: 'older_copy', from_ts: null, last_seq: '11', readings: '0', packs: [] },
  ]);
});
