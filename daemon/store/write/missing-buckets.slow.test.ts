/** Steps that are gone while their readings stay are made again after the start, and are the same. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { LogRows } from '../log/log-rows.ts';
import { Reader } from '../read/reader.ts';
import { STORE_FILE } from '../sqlite-store.ts';
import { LogKind } from '../store.ts';
import { historyOf, temporaryDirectory } from '../testing/fixtures.ts';
import { archiveAll, commit, openWriter } from '../testing/writer-bench.ts';

const T0 = Date.UTC(2026, 0, 1, 5, 47);
const HOURS = 2;
const HOUR_MS = 3_600_000;
const STEP_MS = 20_000;
const SPAN_ROWS = 60;
const MOMENTS_PER_COMMIT = 10;
const PACKS = ['p01', 'p02', 'p03'];

interface Stored {
  readonly step_ms: number;
  readonly pack_key: number;
  readonly start_ms: number;
}

/** Hours of readings of three packs, of which the second is silent for a while; the clock is put right in the midst. */
function fill(file: string, is_clock_wrong: boolean): void {
  const writer = openWriter(file, SPAN_ROWS);
  for (let first = 0; first < (HOURS * HOUR_MS) / STEP_MS; first += MOMENTS_PER_COMMIT) {
    const moments = Array.from({ length: MOMENTS_PER_COMMIT }, (_, i) => first + i);
    commit(
      writer,
      moments.flatMap(moment => {
        const t_ms = (is_clock_wrong && moment < 100 ? 0 : T0) + moment * STEP_MS;
        const packs = [0, 1, 2].filter(pack => pack !== 1 || moment % 300 < 200);
        return packs.map(pack => ({ pack, n: (moment * 37 + pack) % 5000, t_ms }));
      }),
    );
  }
  if (is_clock_wrong) {
    const correction = { reason: 'correction', boot_id: 'b', t_ms: T0, trust: 'network' };
    const body = JSON.stringify({ ...correction, first_seq: 1, last_seq: 150, offset_ms: T0 });
    commit(writer, [{ kind: LogKind.clock, pack_key: 0, t_ms: T0, body }]);
  }
  archiveAll(writer);
  writer.close();
}

const rollups = (db: Database.Database) =>
  db
    .prepare<[], Stored>(
      'SELECT step_ms, pack_key, start_ms FROM rollups ORDER BY step_ms, pack_key, start_ms',
    )
    .all();

/** Charts of all packs in steps of a minute and of a quarter of an hour. */
async function charts(file: string) {
  const reader = new Reader(file);
  const found = [];
  for (const pack_id of PACKS)
    for (const from_ms of [0, T0])
      for (const step_ms of [60_000, 900_000]) {
        const to_ms = from_ms + HOURS * HOUR_MS;
        const max_points = Math.floor((to_ms - from_ms) / step_ms);
        found.push(await historyOf(reader, { pack_id, from_ms, to_ms, max_points }));
      }
  reader.close();
  return found;
}

function archiveAgain(file: string): void {
  const writer = openWriter(file, SPAN_ROWS);
  archiveAll(writer);
  writer.close();
}

type Charts = Awaited<ReturnType<typeof charts>>;

/** Means apart: those of parts are rounded to the resolution of the quantity. */
function parted(list: Charts) {
  const means = list.map(({ pack, cells }) =>
    [Object.values(pack).flat(), Object.values(cells).flat(2)].flat(),
  );
  return { means: means.flat(), others: list.map(({ pack: _, cells: __, ...other }) => other) };
}

async function expectSameCharts(file: string, before: Charts): Promise<void> {
  const [expected, found] = [parted(before), parted(await charts(file))];
  expect(found.others).toEqual(expected.others);
  expect(found.means.length).toBe(expected.means.length);
  for (const [i, mean] of found.means.entries()) {
    const wanted = expected.means[i];
    if (mean === null || wanted === null) expect(mean).toBe(wanted);
    else if (!(Math.abs(mean - wanted) <= 0.011)) expect(mean).toBe(wanted);
  }
}

test('whatever steps are taken out of a database, the next start makes them again', async () => {
  const filled = temporaryDirectory();
  const [right, wrong] = ['right.db', 'wrong.db'].map(name => join(filled.path, name));
  fill(right, false);
  fill(wrong, true);
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.oneof(fc.constant(undefined), fc.array(fc.nat(1000), { minLength: 1, maxLength: 8 })),
      async (is_clock_wrong, picks) => {
        const directory = temporaryDirectory();
        const file = join(directory.path, STORE_FILE);
        copyFileSync(is_clock_wrong ? wrong : right, file);
        const before = await charts(file);
        const db = new Database(file);
        const all = rollups(db);
        expect(new Set(all.map(({ step_ms }) => step_ms))).toEqual(new Set([60_000, 900_000]));
        const gone = picks?.map(pick => all[pick % all.length]) ?? all;
        const remove = db.prepare(
          'DELETE FROM rollups WHERE step_ms = :step_ms AND pack_key = :pack_key AND start_ms = :start_ms',
        );
        for (const block of gone) remove.run(block);
        db.close();
        expect(await charts(file)).not.toEqual(before);
        archiveAgain(file);
        const again = new Database(file, { readonly: true });
        expect(rollups(again)).toEqual(all);
        again.close();
        await expectSameCharts(file, before);
        directory.remove();
      },
    ),
    { numRuns: runsOf(6) },
  );
  filled.remove();
});

test('what went for want of room, or with its readings, is not made again', async () => {
  const directory = temporaryDirectory();
  const file = join(directory.path, STORE_FILE);
  fill(file, false);
  const limits = { now_ms: T0, before_ms: 0, keep_free_bytes: 0, max_bytes: 1 };
  const writer = openWriter(file, SPAN_ROWS);
  writer.retain({ ...limits, synced_seq: 0 });
  writer.close();
  const db = new Database(file);
  expect(rollups(db).some(({ step_ms }) => step_ms === 60_000)).toBe(false);
  const left = rollups(db);
  archiveAgain(file);
  expect(rollups(db)).toEqual(left);
  db.exec('DELETE FROM rollups; DELETE FROM chunks; DELETE FROM spans');
  archiveAgain(file);
  expect(rollups(db)).toEqual([]);
  db.close();
  directory.remove();
});

test('commits and finished spans come between, and each step reads little', () => {
  const directory = temporaryDirectory();
  const file = join(directory.path, STORE_FILE);
  fill(file, false);
  const db = new Database(file);
  const all = rollups(db);
  db.exec('DELETE FROM rollups');
  const writer = openWriter(file, SPAN_ROWS);
  let read = 0;
  const groups = LogRows.prototype.groups;
  LogRows.prototype.groups = function counted(chunk) {
    read++;
    return groups.call(this, chunk);
  };
  try {
    let steps = 0;
    for (let state = ''; state !== 'idle'; steps++) {
      const before = read;
      state = writer.archiveStep();
      expect(read - before).toBeLessThanOrEqual(1);
      if (steps === 5) commit(writer, [{ pack: 0, n: 1, t_ms: T0 }]);
    }
    expect(steps).toBeGreaterThan(60);
  } finally {
    LogRows.prototype.groups = groups;
  }
  expect(rollups(db)).toEqual(all);
  db.close();
  writer.close();
  directory.remove();
});
