/** Steps of the wall clock are reported before the reading that shows them is used; nothing else is reported. */
import { expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { WatchedClock } from './watched-clock.ts';

test('a step is reported once, before its first stamp is returned', () => {
  const inner = new ManualClock(0);
  const clock = new WatchedClock(inner);
  const reported: number[] = [];
  clock.onStep = step_ms => reported.push(step_ms);
  inner.advance(5000);
  expect([clock.wallMs(), reported.length]).toEqual([5000, 0]);
  inner.stepWall(3_600_000);
  expect(reported).toEqual([]);
  expect(clock.wallMs()).toBe(3_605_000);
  expect(reported).toEqual([3_600_000]);
  inner.advance(5000);
  clock.wallMs();
  expect(reported).toEqual([3_600_000]);
  inner.stepWall(-7_200_000);
  clock.wallMs();
  expect(reported).toEqual([3_600_000, -7_200_000]);
});

test('a few milliseconds are no step, but they add up to one', () => {
  const inner = new ManualClock(0);
  const clock = new WatchedClock(inner);
  const reported: number[] = [];
  clock.onStep = step_ms => reported.push(step_ms);
  for (let i = 0; i < 3; i++) {
    inner.stepWall(300);
    clock.wallMs();
  }
  expect([reported, clock.offset_ms]).toEqual([[], 900]);
  inner.stepWall(300);
  clock.wallMs();
  expect([reported, clock.offset_ms]).toEqual([[1200], 1200]);
});

test('a process held up between the two readings sees no step', () => {
  const inner = new ManualClock(0);
  let hold_up_ms = 0;
  const clock = new WatchedClock({
    wallMs: () => {
      const wall_ms = inner.wallMs();
      inner.advance(hold_up_ms);
      hold_up_ms = 0;
      return wall_ms;
    },
    monoMs: () => inner.monoMs(),
    setTimer: (fn, delay_ms) => inner.setTimer(fn, delay_ms),
    clearTimer: handle => inner.clearTimer(handle),
  });
  const reported: number[] = [];
  clock.onStep = step_ms => reported.push(step_ms);
  hold_up_ms = 60_000;
  expect(clock.wallMs()).toBe(60_000);
  expect(reported).toEqual([]);
});
