/** Where health goes: spans that hold what comes, and nothing where nothing is known. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HealthPoint, healthTrend, LEAST_POINTS, POINT_EVERY_MS } from './trend.ts';

const YEAR_MS = 365.25 * 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);

function points(count: number, soh: (years: number) => number, noise_pct = 0, seed = 1): HealthPoint[] {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648 - 0.5;
  };
  return Array.from({ length: count }, (_, i) => {
    const years = (i * POINT_EVERY_MS) / YEAR_MS;
    return { t_ms: START_MS + i * POINT_EVERY_MS, soh_pct: soh(years) + noise_pct * 2 * random(), sd_pct: 1 };
  });
}

test('no trend is stated after a few weeks', () => {
  expect(healthTrend([])).toBeUndefined();
  expect(healthTrend(points(LEAST_POINTS - 1, () => 90))).toBeUndefined();
});

test('the moment at which a straight line comes to a limit lies in the span', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 6, noNaN: true }),
      fc.integer({ min: 52, max: 300 }),
      fc.integer({ min: 1, max: 10_000 }),
      (per_year, weeks, seed) => {
        const now_ms = START_MS + (weeks - 1) * POINT_EVERY_MS;
        const trend = healthTrend(points(weeks, years => 105 - per_year * years, 0.5, seed));
        for (const { soh_pct, from_ms, to_ms } of trend?.reaches ?? []) {
          const true_ms = START_MS + ((105 - soh_pct) / per_year) * YEAR_MS;
          if (true_ms < now_ms || true_ms > now_ms + 20 * YEAR_MS) continue;
          expect(from_ms ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(true_ms);
          expect(to_ms ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(true_ms);
        }
      },
    ),
  );
});

test('cells that do not age come to no limit that can be named', () => {
  const trend = healthTrend(points(200, () => 97));
  expect(trend?.reaches.map(({ to_ms }) => to_ms)).toEqual([null, null]);
});

test('what is below a limit already has come to it', () => {
  const weeks = points(60, () => 74);
  const [eighty, seventy] = healthTrend(weeks)?.reaches ?? [];
  expect(eighty.from_ms).toBe(weeks.at(-1)?.t_ms);
  expect(eighty.to_ms).toBe(weeks.at(-1)?.t_ms);
  expect(seventy.to_ms).toBeNull();
});
