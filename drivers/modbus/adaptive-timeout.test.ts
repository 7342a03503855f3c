/** A silent unit is waited for no longer than its neighbours need, and yet never given up. */
import { expect, test } from 'vitest';
import { Patience } from './adaptive-timeout.ts';

test('who answers, or whose neighbours nobody knows, gets the whole time-out', () => {
  const patience = new Patience();
  for (let i = 0; i < 10; i++) patience.onSilence(2, i, i);
  expect(patience.timeoutMs(2, 1000)).toBe(1000);
  patience.onReply(1, 40);
  expect(patience.timeoutMs(1, 1000)).toBe(1000);
  expect(patience.timeoutMs(3, 1000)).toBe(1000);
});

test('a silent unit is probed for four times the slowest reply, every fifth time in full', () => {
  const patience = new Patience();
  patience.onReply(1, 60);
  const waited: number[] = [];
  for (let i = 0; i < 11; i++) {
    waited.push(patience.timeoutMs(2, 1000));
    patience.onSilence(2, i, i);
  }
  expect(waited).toEqual([1000, 1000, 1000, 240, 240, 1000, 240, 240, 240, 240, 1000]);
  patience.onReply(2, 900);
  expect(patience.timeoutMs(2, 1000)).toBe(1000);
  for (let i = 0; i < 3; i++) patience.onSilence(2, i, i);
  expect(patience.timeoutMs(2, 1000)).toBe(1000);
  for (let i = 0; i < 600; i++) patience.onReply(1, 5);
  expect(patience.timeoutMs(2, 1000)).toBe(100);
});

test('requests that were in flight together count as one silence', () => {
  const patience = new Patience();
  patience.onReply(1, 60);
  for (let i = 0; i < 8; i++) patience.onSilence(2, 0, 1000 + i);
  expect(patience.isSilent(2)).toBe(true);
  expect(patience.timeoutMs(2, 1000)).toBe(1000);
  patience.onSilence(2, 1010, 2010);
  patience.onSilence(2, 2010, 3010);
  expect(patience.timeoutMs(2, 1000)).toBe(240);
  patience.onReply(2, 60);
  expect(patience.isSilent(2)).toBe(false);
});
