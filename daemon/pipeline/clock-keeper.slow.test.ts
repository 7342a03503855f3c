/** Boots with a wrong clock over a real store: what history, counts and export show once the time is known. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { STORE_FILE } from '../store/sqlite-store.ts';
import { historyOf } from '../store/testing/fixtures.ts';
import { INTERVAL_MS, type Taken, TestBox, TRUE_START_MS } from './testing/clock-box.ts';

const HOUR_MS = 3_600_000;
let box: TestBox;
beforeEach(() => {
  box = new TestBox({ span_rows: 40 });
});
afterEach(() => box.remove());

/** Every reading once, in the order it was taken, with the time it really was. */
async function expectTrueTimes(taken: readonly Taken[] = box.taken): Promise<void> {
  const exported = await box.exported();
  expect(exported.map(([n]) => n)).toEqual(box.taken.map(({ n }) => n));
  for (const { n, true_ms } of taken)
    expect(Math.abs(exported[n][1] - true_ms), `reading ${n}`).toBeLessThan(INTERVAL_MS);
}

const counted = async (from_ms: number, to_ms: number) =>
  (await box.store.readingCounts({ from_ms, to_ms })).p01?.readings ?? 0;

test('a box that boots in 1970 and learns the time later', async () => {
  await box.boot(0);
  expect(box.keeper.status()).toMatchObject({
    name: 'clock',
    state: 'degraded',
    counters: { certain: 0 },
    reason: expect.stringMatching(/1970-01-01 00:00 UTC, before this program was made/),
  });
  box.read(30);
  expect((await box.exported())[3]).toEqual([3, 6000, false]);
  box.synchronise();
  box.read(30);
  await box.settle();
  expect(box.keeper.status()).toMatchObject({
    state: 'ok',
    reason: null,
    counters: { certain: 1, steps: 1 },
  });
  await expectTrueTimes();
  expect(await counted(0, HOUR_MS)).toBe(0);
  expect(await counted(TRUE_START_MS, TRUE_START_MS + 60_000)).toBe(30);
  const span = { from_ms: TRUE_START_MS + 40_000, to_ms: TRUE_START_MS + 80_000 };
  const history = await historyOf(box.store, { pack_id: 'p01', ...span, max_points: 100 });
  expect(history.t_ms).toEqual(box.taken.slice(20, 41).map(({ true_ms }) => true_ms));
  expect((await box.exported(span.from_ms, span.to_ms)).map(([n]) => n)).toEqual(
    box.taken.slice(20, 40).map(({ n }) => n),
  );
});

test('the clock may be right before the kernel says so: then nothing is corrected', async () => {
  await box.boot(TRUE_START_MS + 200);
  expect(box.keeper.isCertain).toBe(false);
  box.read(10);
  box.synchronise();
  box.clock.advance(20_000);
  await box.settle();
  expect(box.keeper.isCertain).toBe(true);
  await expectTrueTimes();
  expect((await box.exported())[2][1]).toBe(TRUE_START_MS + 4000);
});

/** Readings in steps of a minute, by true time. */
async function minutes(): Promise<[number, number][]> {
  const { length } = box.taken;
  const from_ms = TRUE_START_MS;
  const to_ms = from_ms + length * INTERVAL_MS;
  const asked = { pack_id: 'p01', from_ms, to_ms, max_points: (to_ms - from_ms) / 60_000 };
  const { resolution_ms, reading_count, t_ms, pack } = await historyOf(box.store, asked);
  expect([resolution_ms, reading_count]).toEqual([60_000, length]);
  return t_ms.map((step_ms, i) => [step_ms, Math.floor(((pack.voltage_v[i] ?? 0) * 100) / 30)]);
}

/** The mean number of the readings of a minute, 30 of them, shows which minute it is. */
const trueMinutes = () =>
  Array.from({ length: box.taken.length / 30 }, (_, minute) => [TRUE_START_MS + minute * 60_000, minute]);

const spans = (condition: string) => {
  const db = new Database(join(box.directory.path, STORE_FILE), { readonly: true });
  const count = db.prepare(`SELECT count(*) FROM spans WHERE ${condition}`).pluck().get();
  db.close();
  return count as number;
};

async function until(condition: () => boolean): Promise<void> {
  const give_up_ms = systemClock.monoMs() + 20_000;
  while (!condition() && systemClock.monoMs() < give_up_ms) await sleep(systemClock, 10);
  expect(condition()).toBe(true);
}

describe('in the archive', () => {
  test('readings of an uncertain time are not rolled up before it is known', async () => {
    await box.boot(0);
    for (let i = 0; i < 10; i++) {
      box.read(60);
      await box.store.flush();
    }
    await until(() => spans('archived = 1') > 8);
    expect(spans('rolled_up <> 0')).toBe(0);
    box.synchronise();
    box.read(60);
    await box.settle();
    expect(await minutes()).toEqual(trueMinutes());
    await until(() => spans('rolled_up <> 0') > 4);
    expect(await minutes()).toEqual(trueMinutes());
  });

  test('when a believed time was wrong they are rolled up again', async () => {
    box.facts = { synchronised: false, has_time_service: true, hardware_agrees: true };
    await box.boot(TRUE_START_MS - HOUR_MS);
    for (let i = 0; i < 10; i++) {
      box.read(60);
      await box.store.flush();
    }
    await until(() => spans('rolled_up <> 0') > 4);
    box.synchronise();
    box.read(60);
    await box.settle();
    expect(await minutes()).toEqual(trueMinutes());
    await until(() => spans('rolled_up <> 0') > 4);
    expect(await minutes()).toEqual(trueMinutes());
    expect(await counted(0, TRUE_START_MS)).toBe(0);
  });
});

describe('two boots', () => {
  test('each is corrected by what it learned itself', async () => {
    await box.boot(0);
    box.read(20);
    box.synchronise();
    box.read(20);
    await box.settle();
    await box.end();
    box.clock.advance(3 * HOUR_MS);
    box.facts = { synchronised: false, has_time_service: true };
    await box.boot(0);
    box.read(20);
    box.synchronise();
    box.read(20);
    await box.settle();
    await expectTrueTimes();
  });

  test('one that never learns the time stays as it is, and marked', async () => {
    await box.boot(0);
    box.read(20);
    await box.end();
    await box.boot(0);
    box.read(20);
    box.synchronise();
    box.read(20);
    await box.settle();
    const exported = await box.exported();
    expect(exported.slice(0, 20).map(([, t_ms]) => t_ms)).toEqual(
      box.taken.slice(0, 20).map((_, i) => i * 2000),
    );
    await expectTrueTimes(box.taken.slice(20));
    expect(exported.map(([, , certain]) => certain)).toEqual(box.taken.map(({ n }) => n >= 20));
  });

  test('a restart of the gateway alone is no boot: the time learned after it holds before it', async () => {
    await box.boot(0);
    box.read(20);
    await box.end();
    box.clock.advance(30_000);
    await box.run();
    box.read(20);
    box.synchronise();
    await box.end();
    await box.run();
    box.read(5);
    await box.settle();
    await expectTrueTimes();
    expect((await box.exported()).every(([, , certain]) => certain)).toBe(true);
  });
});

describe('steps of a clock that was certain', () => {
  beforeEach(async () => {
    box.facts = { synchronised: true, has_time_service: true };
    await box.boot(TRUE_START_MS);
    box.read(20);
  });

  test.each([-5 * HOUR_MS, 5 * HOUR_MS])(
    'by %d ms and back again: what came in between is corrected',
    async step_ms => {
      box.facts = { synchronised: false, has_time_service: true };
      box.clock.stepWall(step_ms);
      box.read(20);
      await box.settle();
      expect(box.keeper.isCertain).toBe(false);
      box.synchronise();
      box.read(20);
      await box.settle();
      await expectTrueTimes();
    },
  );

  test('by the one who vouches for it: what was certain stays', async () => {
    box.clock.stepWall(-HOUR_MS);
    box.read(20);
    await box.settle();
    expect(box.keeper.isCertain).toBe(true);
    await expectTrueTimes(box.taken.slice(0, 20));
    const exported = await box.exported();
    expect(exported[20][1]).toBe(box.taken[20].true_ms - HOUR_MS);
  });

  test('by milliseconds: nothing is recorded', async () => {
    for (let i = 0; i < 20; i++) {
      box.clock.stepWall(i % 2 ? 40 : -40);
      box.read(1);
    }
    await box.settle();
    expect(box.keeper.status().counters).toMatchObject({ steps: 0, corrections: 0 });
    expect((await box.store.clockState('boot-1')).records).toHaveLength(1);
  });
});

test('where nobody can be asked, a time behind the newest reading is uncertain until it is plausible again', async () => {
  box.facts = {};
  await box.boot(TRUE_START_MS);
  expect(box.keeper.isCertain).toBe(true);
  box.read(20);
  await box.settle();
  await box.end();
  await box.boot(TRUE_START_MS - HOUR_MS);
  expect(box.keeper.status().reason).toMatch(/there are readings up to 2026-07-01 12:00 UTC/);
  box.read(20);
  box.clock.stepWall(box.true_ms - box.clock.wallMs());
  box.read(20);
  await box.settle();
  expect(box.keeper.isCertain).toBe(true);
  await expectTrueTimes();
});

describe('history says when times are uncertain', () => {
  const DAY_MS = 24 * HOUR_MS;
  const asked = { pack_id: 'p01', from_ms: TRUE_START_MS - DAY_MS, to_ms: TRUE_START_MS + DAY_MS };
  /** As readings and as steps: the same must be said of both. */
  const uncertain = async (span = asked) => {
    await box.store.flush();
    const [readings, steps] = await Promise.all(
      [50_000, 100].map(max_points => historyOf(box.store, { ...span, max_points })),
    );
    expect([readings.resolution_ms, steps.resolution_ms > 0]).toEqual([0, true]);
    expect(steps.uncertain).toEqual(readings.uncertain);
    return readings.uncertain;
  };
  const spanOf = (first: number, last: number) => [box.taken[first].true_ms, box.taken[last].true_ms];

  test('a span for each run, in the archive or not, until the time is known', async () => {
    await box.boot(TRUE_START_MS);
    for (let i = 0; i < 5; i++) {
      box.read(60);
      await box.store.flush();
    }
    await until(() => spans('archived = 1') > 4);
    await box.end();
    box.clock.advance(HOUR_MS);
    // The machine starts again, and its clock is right; nobody knows.
    await box.boot(box.true_ms);
    box.read(10);
    expect(await uncertain()).toEqual([spanOf(0, 299), spanOf(300, 309)]);
    const part = { ...asked, from_ms: box.taken[7].true_ms, to_ms: box.taken[200].true_ms };
    expect((await historyOf(box.store, { ...part, max_points: 500 })).uncertain).toEqual([spanOf(7, 200)]);
    box.synchronise();
    box.clock.advance(20_000);
    await box.settle();
    expect(await uncertain()).toEqual([spanOf(0, 299)]);
    box.read(60);
    expect(await uncertain()).toEqual([spanOf(0, 299)]);
    await until(() => spans('rolled_up <> 0') > 3);
    expect(await uncertain()).toEqual([spanOf(0, 299)]);
  });

  test('nothing of other packs, and nothing where all is certain', async () => {
    box.facts = { synchronised: true };
    await box.boot(TRUE_START_MS);
    box.read(100);
    expect(await uncertain()).toEqual([]);
    expect(await uncertain({ ...asked, pack_id: 'p02' })).toEqual([]);
  });
});

test('a store that cannot be written to is no reason to forget: it is corrected later', async () => {
  await box.boot(0);
  box.read(20);
  await box.end();
  const { store } = box;
  let is_broken = true;
  await box.run({
    store: {
      appendRecord: (...args) => box.store.appendRecord(...args),
      flush: () => (is_broken ? Promise.reject(new Error('disk full')) : box.store.flush()),
      clockState: boot_id => box.store.clockState(boot_id),
      stats: () => box.store.stats(),
      durableSeq: () => box.store.durableSeq(),
    },
  });
  expect(box.store).not.toBe(store);
  box.synchronise();
  box.read(5);
  await box.settle();
  expect((await box.exported())[0][1]).toBe(0);
  is_broken = false;
  box.clock.advance(20_000);
  await box.settle();
  await expectTrueTimes();
});

test('however the clock steps, order stays, nothing is lost, and times are right in the end', async () => {
  // Numerical Recipes, ranqd1: the same steps in every run.
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  await box.boot(random(1_000_000));
  for (let round = 0; round < 60; round++) {
    const what = random(10);
    if (what < 5) box.read(1 + random(20));
    else if (what < 8) box.clock.stepWall((random(2) ? 1 : -1) * random(10 ** (2 + random(9))));
    else if (what === 8) await box.settle();
    else {
      await box.settle();
      await box.end();
      box.clock.advance(random(100_000));
      await box.run();
    }
    box.facts = { synchronised: false, has_time_service: true };
  }
  const before = await box.exported();
  expect(before.map(([n]) => n)).toEqual(box.taken.map(({ n }) => n));
  box.synchronise();
  box.read(3);
  await box.settle();
  await expectTrueTimes();
  const times = (await box.exported()).map(([, t_ms]) => t_ms);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect((await box.exported()).every(([, , certain]) => certain)).toBe(true);
});
