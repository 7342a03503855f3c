/** However many ask at once, the store is asked once per name and by a few at a time. */
import { expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { Lookups } from './lookups.ts';

function open(keep_ms = 2000) {
  const clock = new ManualClock();
  const reads: { name: string; answer(value: string): void; fail(): void }[] = [];
  const lookups = new Lookups<string>(
    clock,
    keep_ms,
    name =>
      new Promise((resolve, reject) => {
        reads.push({ name, answer: resolve, fail: () => reject(new Error('busy')) });
      }),
  );
  return { clock, reads, lookups };
}

test('one look-up per name is under way, and what it found is believed for a while', async () => {
  const { clock, reads, lookups } = open();
  const asked = Array.from({ length: 300 }, () => lookups.find('una'));
  expect(reads).toHaveLength(1);
  reads[0].answer('one');
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['one']));
  expect(lookups.find('una')).toBe('one');
  clock.advance(2000);
  void lookups.find('una');
  expect(reads).toHaveLength(2);
});

test('a few are under way at once; the others wait for their turn', async () => {
  const { reads, lookups } = open();
  const asked = Array.from({ length: 100 }, (_, i) => lookups.find(`u${i}`));
  let most = 0;
  for (let i = 0; i < 100; i++) {
    most = Math.max(most, reads.length - i);
    reads[i].answer(reads[i].name);
    await Promise.resolve(asked[i]);
    await new Promise(setImmediate);
  }
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 100 }, (_, i) => `u${i}`));
  expect(most).toBeLessThanOrEqual(16);
});

test('a look-up that failed is forgotten, and gives its place back', async () => {
  const { reads, lookups } = open();
  for (let i = 0; i < 50; i++) {
    const asked = lookups.find('una');
    reads[i].fail();
    await expect(asked).rejects.toThrow('busy');
  }
});

test('what was looked for before a change is neither kept nor given to who asks after it', async () => {
  const { reads, lookups } = open();
  const before = lookups.find('una');
  lookups.forget();
  const after = lookups.find('una');
  reads[1].answer('new');
  reads[0].answer('old');
  expect([await before, await after]).toEqual(['old', 'new']);
  expect(lookups.find('una')).toBe('new');
});
