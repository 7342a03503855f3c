/** `bms-gateway backup` of a gateway that writes, put back elsewhere, before the real centre: nothing lost, nothing twice. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { STORE_FILE } from '../../daemon/store/sqlite-store.ts';
import { smallTopology } from '../../daemon/store/testing/fixtures.ts';
import { PROGRAM } from '../support/program.ts';
import { appendRounds, caughtUp, INTERVAL_MS, type Log, T0, useCentre } from './harness.ts';

const topology = smallTopology(5);
const centre = useCentre();

const backup = (state_dir: string, directory: string) =>
  promisify(execFile)(process.execPath, [PROGRAM, 'backup', directory, '--state-dir', state_dir]);

/** Round numbers of the readings in a log, ascending, with the packs of each. */
async function roundsOf(log: Log): Promise<Map<number, number>> {
  const rounds = new Map<number, number>();
  for (let seq = 0; seq < log.durableSeq(); ) {
    const batch = await log.readBatch(seq, 50_000, 1 << 26);
    batch.t_ms.forEach((t_ms, i) => {
      const round = (t_ms - T0) / INTERVAL_MS;
      if (batch.kind[i] === 1) rounds.set(round, (rounds.get(round) ?? 0) + 1);
    });
    seq = batch.seq[batch.count - 1];
  }
  return rounds;
}

/** Of the rows at the centre: how often each round of each pack is there. */
const atCentre = () =>
  centre.query<{ round: number; packs: number; rows: number }>(
    `SELECT (((extract(epoch FROM ts) * 1000 - ${T0})::bigint) / ${INTERVAL_MS})::int AS round,
            count(DISTINCT pack_id)::int AS packs, count(*)::int AS rows
     FROM pack_readings GROUP BY 1 ORDER BY 1`,
  );

test('made while it writes and syncs, and put back on another box', async () => {
  const state_dir = centre.newDirectory();
  const log = await centre.openLog(topology, state_dir);
  const upstream = centre.follow(log);
  const target = join(centre.newDirectory(), 'copy');
  // Written before: all of it must be in the copy.
  appendRounds(log, topology, 0, 400);
  await log.flush();
  let next = 400;
  let is_running = true;
  const made = backup(state_dir, target).finally(() => {
    is_running = false;
  });
  while (is_running) {
    appendRounds(log, topology, next++, 1);
    await log.flush();
  }
  const { stdout } = await made;
  expect(stdout).toMatch(/copy: [\d.]+ MB, rows up to \d+, written and checked in [\d.]+ s\n$/);
  appendRounds(log, topology, next, 30);
  const original_rounds = next + 30;
  await log.flush();
  await caughtUp(upstream, log);
  await upstream.stop();
  const { incarnation } = log;
  await log.close();

  const { last_seq } = JSON.parse(readFileSync(join(target, 'backup.json'), 'utf8')) as { last_seq: number };
  const other = centre.newDirectory();
  cpSync(target, other, { recursive: true });
  const restored = await centre.openLog(topology, other);
  expect(restored.durableSeq()).toBe(last_seq);
  expect(restored.stats()).toMatchObject({ lost: undefined, parts_damaged: 0, quarantined: [] });
  const copied = [...(await roundsOf(restored))];
  // A state between two commits: every round up to one of them, with all its packs.
  expect(copied.length).toBeGreaterThanOrEqual(400);
  expect(copied).toEqual(copied.map((_, round) => [round, topology.packs.length]));

  // The other box was last seen a moment ago: as if it had been silent since.
  await centre.query(`UPDATE gateways SET last_sync_at = now() - interval '11 minutes'`);
  appendRounds(restored, topology, original_rounds + 10, 20);
  await restored.flush();
  const follower = centre.follow(restored);
  await caughtUp(follower, restored);
  await follower.stop();
  expect(restored.predecessors).toEqual([incarnation]);
  const expected = Array.from({ length: original_rounds + 30 }, (_, round) => round)
    .filter(round => round < original_rounds || round >= original_rounds + 10)
    .map(round => ({ round, packs: topology.packs.length, rows: topology.packs.length }));
  expect(await atCentre()).toEqual(expected);
  expect(await centre.query('SELECT reason FROM gaps')).toEqual([{ reason: 'older_copy' }]);
});

test('put back before the centre had more than it: the log goes on as if nothing had been', async () => {
  const state_dir = centre.newDirectory();
  const log = await centre.openLog(topology, state_dir);
  appendRounds(log, topology, 0, 50);
  await log.flush();
  const target = join(centre.newDirectory(), 'copy');
  await backup(state_dir, target);
  await log.close();
  const restored = await centre.openLog(topology, target);
  const { incarnation } = restored;
  appendRounds(restored, topology, 50, 10);
  await restored.flush();
  const upstream = centre.follow(restored);
  await caughtUp(upstream, restored);
  await centre.expectEqual(restored);
  expect(restored.incarnation).toBe(incarnation);
  expect(await centre.query('SELECT reason FROM gaps')).toEqual([]);
});

test('a backup that is killed is none, and what it left goes with the next', async () => {
  const state_dir = centre.newDirectory();
  const log = await centre.openLog(topology, state_dir);
  appendRounds(log, topology, 0, 2000);
  await log.flush();
  const parent = centre.newDirectory();
  const target = join(parent, 'copy');
  const child = spawn(process.execPath, [PROGRAM, 'backup', target, '--state-dir', state_dir], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // It says so once there is something to be left behind.
  await once(child.stderr, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  // On a fast machine it may have been done by then; half of it is never there.
  if (existsSync(target)) expect(existsSync(join(target, 'backup.json'))).toBe(true);
  else expect(readdirSync(parent)).toEqual([`copy.partial-${child.pid}`]);
  const again = existsSync(target) ? join(parent, 'again') : target;
  await backup(state_dir, again);
  expect(readdirSync(again).sort()).toEqual(['backup.json', STORE_FILE, `${STORE_FILE}.identity.json`]);
  expect(readdirSync(parent).filter(name => name.includes('partial'))).toEqual([]);
});
