/** Estimates in words and bands. */
import { expect, test } from 'vitest';
import { bandOf, formatBand, isWorthShowing, reachOf } from './estimates.ts';
import { NO_VALUE } from './numbers.ts';

test('no more digits than the band has', () => {
  expect(formatBand(71.23, 0.7)).toBe('71.2\u00a0±\u00a01.4');
  expect(formatBand(56.23, 10)).toBe('56\u00a0±\u00a020');
  expect(formatBand(null, 1)).toBe(NO_VALUE);
  expect(formatBand(50, null)).toBe(NO_VALUE);
});

test('an estimate is shown once its band says something', () => {
  expect(isWorthShowing(70, 20)).toBe(false);
  expect(isWorthShowing(70, 10)).toBe(true);
  expect(isWorthShowing(null, 1)).toBe(false);
  expect(isWorthShowing(70, null)).toBe(false);
  const good = (value: number) => ({ value, quality: 'good' as const });
  expect(bandOf(good(70), good(20))).toBeUndefined();
});

test('a band ends where charge does', () => {
  const good = (value: number | null) => ({ value, quality: 'good' as const });
  expect(bandOf(good(95), good(5))).toEqual({ low_pct: 85, high_pct: 100 });
  expect(bandOf(good(null), good(5))).toBeUndefined();
});

test('when a limit is reached', () => {
  expect(reachOf({ soh_pct: 80, from_ms: 1, to_ms: 2 }, 3)).toBe('reached');
  expect(reachOf({ soh_pct: 80, from_ms: 1, to_ms: 5 }, 3)).toBe('between');
  expect(reachOf({ soh_pct: 80, from_ms: 5, to_ms: null }, 3)).toBe('after');
  expect(reachOf({ soh_pct: 80, from_ms: null, to_ms: null }, 3)).toBe('far');
});
