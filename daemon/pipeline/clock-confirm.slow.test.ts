/** A person says that the clock is right: what is made of it, for how long, and when it is not believed. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { INTERVAL_MS, TestBox, TRUE_START_MS } from './testing/clock-box.ts';

const HOUR_MS = 3_600_000;
let box: TestBox;
beforeEach(() => {
  box = new TestBox({ span_rows: 40 });
});
afterEach(() => box.remove());

const certain = async () => (await box.exported()).map(([, , is_certain]) => is_certain);

async function expectTrueTimes(): Promise<void> {
  for (const [n, t_ms] of await box.exported())
    expect(Math.abs(t_ms - box.taken[n].true_ms), `reading ${n}`).toBeLessThan(INTERVAL_MS);
}

test('times of this boot are certain from then on, and before', async () => {
  await box.boot(TRUE_START_MS);
  box.read(20);
  expect(await certain()).toEqual(box.taken.map(() => false));
  expect(box.keeper.confirm(box.true_ms + 1200)).toMatchObject({ state: 'ok', reason: null });
  box.read(20);
  await box.settle();
  expect(await certain()).toEqual(box.taken.map(() => true));
  await expectTrueTimes();
  expect(box.keeper.status().counters).toMatchObject({ certain: 1, corrections: 0 });
});

test('readings from before the clock was set by hand get their right times', async () => {
  await box.boot(0);
  box.read(20);
  box.clock.stepWall(box.true_ms - box.clock.wallMs());
  box.read(5);
  await box.settle();
  expect(box.keeper.isCertain).toBe(false);
  box.keeper.confirm(box.true_ms - 800);
  await box.settle();
  await expectTrueTimes();
  expect(await certain()).toEqual(box.taken.map(() => true));
});

test('it is not believed where clocks differ, where the clock cannot be right, or where the time is certain', async () => {
  await box.boot(TRUE_START_MS - HOUR_MS);
  const apart = /shows 2026-07-01 11:00 UTC, yours 2026-07-01 12:00 UTC: found 3600 s .* at most 5 s/;
  expect(() => box.keeper.confirm(box.true_ms)).toThrow(
    expect.objectContaining({ code: 'CONFLICT', message: expect.stringMatching(apart) }),
  );
  box.clock.stepWall(-box.clock.wallMs());
  expect(() => box.keeper.confirm(0)).toThrow(/1970-01-01 00:00 UTC, before this program was made/);
  expect(box.keeper.isCertain).toBe(false);
  box.synchronise();
  await box.settle();
  expect(() => box.keeper.confirm(box.true_ms)).toThrow(/certain already/);
});

test('it outlasts a restart of the gateway, and ends with the boot', async () => {
  await box.boot(TRUE_START_MS);
  box.keeper.confirm(box.true_ms);
  await box.end();
  box.clock.advance(HOUR_MS);
  await box.run();
  expect(box.keeper.isCertain).toBe(true);
  box.read(5);
  await box.end();
  await box.boot(box.true_ms);
  expect(box.keeper.isCertain).toBe(false);
  box.read(5);
  expect(await certain()).toEqual(box.taken.map(({ n }) => n < 5));
});

test('a clock that was set while the gateway did not run is no longer the one that was confirmed', async () => {
  await box.boot(TRUE_START_MS);
  box.keeper.confirm(box.true_ms);
  box.read(5);
  await box.end();
  box.clock.stepWall(HOUR_MS);
  await box.run();
  expect(box.keeper.isCertain).toBe(false);
});

test('it ends when the clock is set; the network, once it is there, has the last word', async () => {
  await box.boot(TRUE_START_MS - HOUR_MS);
  // The person's own clock is as wrong.
  box.keeper.confirm(box.watched.wallMs());
  box.read(10);
  await box.settle();
  expect(await certain()).toEqual(box.taken.map(() => true));
  box.clock.stepWall(HOUR_MS);
  box.read(5);
  expect(box.keeper.isCertain).toBe(false);
  box.synchronise();
  box.read(5);
  await box.settle();
  await expectTrueTimes();
  expect(await certain()).toEqual(box.taken.map(() => true));
});
