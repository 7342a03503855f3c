/** The sampler: one reading per pack and moment, on the grid of the wall clock, whatever the clock does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '../../core/clock/clock.ts';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { CellMetric } from '../../core/metrics.ts';
import { PackState } from '../../core/reading/pack-state.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { qualityLetters } from '../../core/reading/quality.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { Sampler } from './sampler.ts';

const shape = { cell_count: 2, sensor_count: 0, device_alarms: [] };

function harness(wall_start_ms: number) {
  const clock = new ManualClock(wall_start_ms);
  const states = [new PackState(0, shape, 6000), new PackState(1, shape, 6000)];
  const seen: { t_ms: number; pack: number; quality: string }[] = [];
  const ages: { newest_age_ms: number; oldest_age_ms: number; is_repeated: boolean }[] = [];
  const moments: number[] = [];
  const sampler = new Sampler({
    clock,
    interval_ms: 2000,
    packs: states.map(state => ({ state, judge: new PackJudge(state, plausibleLimits()) })),
    onReading: reading => {
      const { newest_age_ms, oldest_age_ms, is_repeated } = reading;
      seen.push({
        t_ms: reading.t_ms,
        pack: reading.pack,
        quality: qualityLetters(reading.columnQuality(CellMetric.voltage_v)),
      });
      ages.push({ newest_age_ms, oldest_age_ms, is_repeated });
    },
    onMoment: t_ms => moments.push(t_ms),
  });
  const speak = (pack: number, voltage_v = 3.3) => {
    for (let cell = 0; cell < 2; cell++)
      states[pack].setCell(CellMetric.voltage_v, cell, voltage_v, clock.monoMs());
  };
  return { clock, states, sampler, seen, ages, moments, speak };
}

test('moments are multiples of the interval, each once, for every pack that speaks', () => {
  const { clock, sampler, seen, speak } = harness(1_000_700);
  sampler.start();
  for (let i = 0; i < 4; i++) {
    speak(0);
    speak(1);
    clock.advance(2000);
  }
  expect(seen.map(({ t_ms, pack }) => [t_ms, pack])).toEqual(
    [1_002_000, 1_004_000, 1_006_000, 1_008_000].flatMap(t_ms => [
      [t_ms, 0],
      [t_ms, 1],
    ]),
  );
});

test('the first moment waits until every pack has reported all its cells, but not for ever', () => {
  const whole = harness(1_000_000);
  whole.sampler.start();
  whole.speak(0);
  whole.clock.advance(2000);
  expect(whole.moments).toEqual([]);
  whole.speak(0);
  whole.speak(1);
  whole.clock.advance(2000);
  expect(whole.seen.map(({ t_ms, pack }) => [t_ms, pack])).toEqual([
    [1_004_000, 0],
    [1_004_000, 1],
  ]);
  const deaf = harness(1_000_000);
  deaf.sampler.start();
  for (let i = 0; i < 4; i++) {
    deaf.speak(0);
    deaf.clock.advance(2000);
  }
  expect(deaf.moments).toEqual([1_006_000, 1_008_000]);
});

test('a pack that fell silent is read until its values are stale, then absent and counted', () => {
  const { clock, sampler, seen, speak } = harness(1_000_000);
  sampler.start();
  speak(0);
  speak(1);
  clock.advance(2000);
  speak(1);
  clock.advance(18_000);
  const ofPack = (pack: number) => seen.filter(one => one.pack === pack).map(({ t_ms }) => t_ms);
  expect(ofPack(0)).toEqual([1_002_000, 1_004_000, 1_006_000]);
  expect(ofPack(1)).toEqual([1_002_000, 1_004_000, 1_006_000, 1_008_000]);
  expect(sampler.counters).toMatchObject({ moments: 10, readings: 7, readings_absent: 13 });
});

test('an implausible value is handed on as suspect and counted', () => {
  const { clock, sampler, seen, speak } = harness(1_000_000);
  sampler.start();
  speak(0, 8.191);
  speak(1);
  clock.advance(2000);
  expect(seen.map(({ quality }) => quality)).toEqual(['uu', 'gg']);
  expect(sampler.counters.values_suspect).toBe(2);
});

test('a wall clock stepped forward or back goes on at the new time, on the grid, and never stalls', () => {
  const { clock, sampler, moments } = harness(1_000_000);
  sampler.start();
  clock.advance(2000);
  clock.stepWall(1_000_500_000);
  clock.advance(4000);
  clock.stepWall(-500_000_000);
  const before = moments.length;
  clock.advance(6000);
  expect(sampler.counters.moments_missed).toBe(0);
  expect(new Set(moments).size).toBe(moments.length);
  expect(moments.every(t_ms => t_ms % 2000 === 0)).toBe(true);
  expect(moments.length - before).toBeGreaterThanOrEqual(2);
  expect(moments.at(-1)).toBeGreaterThan(501_000_000);
});

test('a moment is missed, and counted, that passes while the one before is still at work, or before the timer comes', () => {
  const manual = new ManualClock(1_000_000);
  let busy_ms = 0;
  const clock: Clock = {
    wallMs: () => manual.wallMs() + busy_ms,
    monoMs: () => manual.monoMs() + busy_ms,
    setTimer: (fn, delay_ms) => manual.setTimer(fn, delay_ms),
    clearTimer: handle => manual.clearTimer(handle),
  };
  const moments: number[] = [];
  const work_ms = [100, 2300, 100, 100, 6100, 100, 100];
  const sampler = new Sampler({
    clock,
    interval_ms: 2000,
    packs: [],
    onReading: () => {},
    onMoment: t_ms => {
      moments.push(t_ms);
      busy_ms += work_ms.shift() ?? 100;
    },
  });
  sampler.start();
  manual.advance(3000);
  // The process stands still before the timer comes.
  busy_ms += 4000;
  manual.advance(30_000);
  sampler.stop();
  const passed = (moments[moments.length - 1] - moments[0]) / 2000 + 1;
  expect(passed).toBeGreaterThan(moments.length);
  expect(sampler.counters.moments_missed).toBe(passed - moments.length);
});

test('stop ends it, and start goes on', () => {
  const { clock, sampler, moments, speak } = harness(1_000_000);
  sampler.start();
  sampler.stop();
  sampler.stop();
  clock.advance(10_000);
  expect(moments).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
  speak(0);
  speak(1);
  sampler.start();
  clock.advance(2000);
  expect(moments).toEqual([1_012_000]);
});

test('each reading says how old its good values were at its moment', () => {
  const { clock, states, sampler, ages, speak } = harness(1_000_000);
  sampler.start();
  speak(0);
  speak(1);
  clock.advance(2000);
  expect(ages[0]).toEqual({ newest_age_ms: 2000, oldest_age_ms: 2000, is_repeated: false });
  clock.advance(300);
  states[0].setCell(CellMetric.voltage_v, 0, 3.31, clock.monoMs());
  clock.advance(900);
  states[0].setCell(CellMetric.voltage_v, 1, 3.31, clock.monoMs());
  clock.advance(800);
  expect(ages[2]).toEqual({ newest_age_ms: 800, oldest_age_ms: 1700, is_repeated: false });
});

test('what is not good does not count for the ages', () => {
  const { clock, states, sampler, ages, speak } = harness(1_000_000);
  sampler.start();
  speak(0);
  speak(1);
  clock.advance(1500);
  states[0].setCell(CellMetric.voltage_v, 0, 77, clock.monoMs());
  clock.advance(500);
  expect(ages[0]).toMatchObject({ newest_age_ms: 2000, oldest_age_ms: 2000 });
  states[0].setCell(CellMetric.voltage_v, 1, 77, clock.monoMs());
  clock.advance(2000);
  expect(ages[2]).toEqual({ newest_age_ms: Number.NaN, oldest_age_ms: Number.NaN, is_repeated: false });
});

test('a sampler that comes late records what was reported after the moment', () => {
  const { clock, sampler, ages, speak } = harness(1_000_000);
  sampler.start();
  speak(1);
  clock.advance(500);
  speak(0);
  sampler.sample(1_000_400, 100);
  expect(ages[0]).toMatchObject({ newest_age_ms: -100, oldest_age_ms: -100 });
});

test('a pack that reports nothing new gives repeated readings, to the row', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), speaks => {
      const { clock, sampler, seen, ages, speak } = harness(1_000_000);
      sampler.start();
      speak(0);
      speak(1);
      clock.advance(2000);
      for (const is_fresh of speaks) {
        if (is_fresh) speak(0);
        speak(1);
        clock.advance(2000);
      }
      // By the moments of pack 0 that are readings at all: after 6 s of silence there are none.
      const readings = seen
        .map(({ pack, t_ms }, i) => ({ pack, t_ms, ...ages[i] }))
        .filter(({ pack }) => pack === 0);
      for (const { t_ms, is_repeated } of readings) {
        const moment = (t_ms - 1_002_000) / 2000;
        expect(is_repeated).toBe(moment > 0 && !speaks[moment - 1]);
      }
      expect(sampler.counters.readings_repeated).toBe(ages.filter(age => age.is_repeated).length);
      expect(ages.filter((_, i) => seen[i].pack === 1).some(age => age.is_repeated)).toBe(false);
    }),
  );
});
