/** Two devices under one address are found by what jumps to and fro; loads, pulses, steps and noise are not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackMetric } from '../metrics.ts';
import { runsOf } from '../testing/property-runs.ts';
import { TwoTracks } from './two-tracks.ts';

const { soc_pct, voltage_v } = PackMetric;

function fed(values: readonly number[], metric: number = soc_pct, step_ms = 1000) {
  const tracks = new TwoTracks();
  values.forEach((value, i) => {
    tracks.take(metric, value, i * step_ms);
  });
  return tracks;
}

const times = <T>(n: number, made: (i: number) => T) => Array.from({ length: n }, (_, i) => made(i));

test('two states of charge in turn, each drifting', () => {
  const tracks = fed(times(12, i => (i % 2 ? 26 + i / 100 : 80 - i / 100)));
  expect(tracks.sentence()).toBe('two devices answer in turn: state of charge 26 % and 80 %');
});

test('in whatever order the two report, they are found once they have changed often enough', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 40, maxLength: 80 }), order => {
      const switches = order.filter((who, i) => i > 0 && who !== order[i - 1]).length;
      fc.pre(switches >= 8);
      const tracks = new TwoTracks();
      let was_found = false;
      order.forEach((who, i) => {
        tracks.take(soc_pct, who ? 26 : 80, i * 1000);
        was_found ||= tracks.isFound;
      });
      expect(was_found).toBe(true);
    }),
    { numRuns: runsOf(50) },
  );
});

test('one step, a walk, noise, and a zero now and then are one device', () => {
  expect(fed(times(200, i => (i < 100 ? 85 : 100))).isFound).toBe(false);
  expect(fed(times(200, i => i / 2)).isFound).toBe(false);
  expect(fed(times(200, i => 50 + 2.4 * Math.sin(i))).isFound).toBe(false);
  expect(fed(times(200, i => (i % 2 ? 0 : 50))).isFound).toBe(false);
  expect(fed(times(200, i => 20 + ((i * 37) % 60))).isFound).toBe(false);
});

test('it is over when one of the two has been quiet for a minute and many values', () => {
  const tracks = fed(times(12, i => (i % 2 ? 26 : 80)));
  for (let i = 12; i < 60; i++) tracks.take(soc_pct, 80, i * 1000);
  expect(tracks.isFound).toBe(true);
  for (let i = 60; i < 80; i++) tracks.take(soc_pct, 80, i * 1000);
  expect(tracks.isFound).toBe(false);
});

test('voltages that jump while the current stays are two; with the current they are a load', () => {
  const two = new TwoTracks();
  const pulses = new TwoTracks();
  for (let i = 0; i < 40; i++) {
    two.observe(i % 2 ? 13.2 : 12.5, -5 + 0.1 * (i % 3), i * 500);
    pulses.observe(i % 2 ? 13.2 : 12.5, i % 2 ? 0 : -80, i * 500);
  }
  expect(two.isFound).toBe(true);
  expect(two.sentence()).toContain('voltage 12.5 V and 13.2 V');
  expect(pulses.isFound).toBe(false);
});

test('a voltage without a known current, and a contactor that comes and goes, prove nothing', () => {
  const alone = new TwoTracks();
  const contactor = new TwoTracks();
  for (let i = 0; i < 40; i++) {
    alone.observe(i % 2 ? 13.2 : 12.5, Number.NaN, i * 500);
    contactor.observe(i % 2 ? 52 : 3, 0, i * 500);
  }
  expect(alone.isFound || contactor.isFound).toBe(false);
  expect(
    fed(
      times(40, i => (i % 2 ? 13.2 : 12.5)),
      voltage_v,
    ).isFound,
  ).toBe(false);
});
