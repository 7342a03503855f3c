/** Batches grow where the centre is quick and shrink where it is not, within their limits. */
import { expect, test } from 'vitest';
import { BatchSize } from './batch-size.ts';

test('quick full batches let it grow to the most', () => {
  const size = new BatchSize(20_000);
  for (let i = 0; i < 10; i++) size.took(size.rows, 100);
  expect(size.rows).toBe(20_000);
});

test('a quick batch that was not full says nothing', () => {
  const size = new BatchSize(20_000);
  size.took(100, 5);
  expect(size.rows).toBe(2000);
});

test('slow batches and failures let it shrink, but not to nothing', () => {
  const size = new BatchSize(20_000);
  size.took(2000, 11_000);
  expect(size.rows).toBe(1000);
  for (let i = 0; i < 20; i++) size.failed();
  expect(size.rows).toBe(50);
  size.took(50, 5000);
  expect(size.rows).toBe(50);
});

test('a small most is kept whatever happens', () => {
  const size = new BatchSize(10);
  size.failed();
  size.took(10, 1);
  expect(size.rows).toBe(10);
});
