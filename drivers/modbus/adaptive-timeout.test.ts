/** A silent unit is waited for no longer than its neighbours need, and yet never given up. */
import { expect, test } from 'vitest';
import { AdaptiveTimeout } from './adaptive-timeout.ts';

test('who answers, or whose neighbours nobody knows, gets the whole time-out', () => {
  const adaptive_timeout = new AdaptiveTimeout();
  for (let i = 0; i < 10; i++) adaptive_timeout.onSilence(2, i, i);
  expect(adaptive_timeout.timeoutMs(2, 1000)).toBe(1000);
  adaptive_timeout.onReply(1, 40);
  expect(adaptive_timeout.timeoutMs(1, 1000)).toBe(1000);
  expect(adaptive_timeout.timeoutMs(3, 1000)).toBe(1000);
});

test('a silent unit is probed for four times the slowest reply, every fifth time in full', () => {
  const adaptive_timeout = new AdaptiveTimeout();
  adaptive_timeout.onReply(1, 60);
  const waited: number[] = [];
  for (let i = 0; i < 11; i++) {
    waited.push(adaptive_timeout.timeoutMs(2, 1000));
    adaptive_timeout.onSilence(2, i, i);
  }
  expect(waited).toEqual([1000, 1000, 1000, 240, 240, 1000, 240, 240, 240, 240, 1000]);
  adaptive_timeout.onReply(2, 900);
  expect(adaptive_timeout.timeoutMs(2, 1000)).toBe(1000);
  for (let i = 0; i < 3; i++) adaptive_timeout.onSilence(2, i, i);
  expect(adaptive_timeout.timeoutMs(2, 1000)).toBe(1000);
  for (let i = 0; i < 600; i++) adaptive_timeout.onReply(1, 5);
  expect(adaptive_timeout.timeoutMs(2, 1000)).toBe(100);
});

test('requests that were in flight together count as one silence', () => {
  const adaptive_timeout = new AdaptiveTimeout();
  adaptive_timeout.onReply(1, 60);
  for (let i = 0; i < 8; i++) adaptive_timeout.onSilence(2, 0, 1000 + i);
  expect(adaptive_timeout.isSilent(2)).toBe(true);
  expect(adaptive_timeout.timeoutMs(2, 1000)).toBe(1000);
  adaptive_timeout.onSilence(2, 1010, 2010);
  adaptive_timeout.onSilence(2, 2010, 3010);
  expect(adaptive_timeout.timeoutMs(2, 1000)).toBe(240);
  adaptive_timeout.onReply(2, 60);
  expect(adaptive_timeout.isSilent(2)).toBe(false);
});
