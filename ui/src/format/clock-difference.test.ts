/** Two clocks are compared in words, and small differences from large ones. */
import { expect, test } from 'vitest';
import { clockDifference } from './clock-difference.ts';

test.each([
  [0, true, 'about the same'],
  [-1400, true, 'about the same'],
  [3200, true, 'the gateway’s is 3 s ahead'],
  [-5000, true, 'the gateway’s is 5 s behind'],
  [-6000, false, 'the gateway’s is 6 s behind'],
  [3_720_000, false, 'the gateway’s is 1 h 2 min ahead'],
  [-17_999_000, false, 'the gateway’s is 5 h 0 min behind'],
  [-90_000_000, false, 'the gateway’s is 1 d 1 h behind'],
])('%i ms', (apart_ms, is_small, text) => {
  const now_ms = Date.UTC(2026, 4, 4);
  expect(clockDifference(now_ms + apart_ms, now_ms)).toEqual({ is_small, text });
});
