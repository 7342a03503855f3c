/** The generator: repeatable, independent streams, the distributions it promises. */
import { expect, test } from 'vitest';
import { Random } from './random.ts';

const draw = (seed: number, stream: number, count: number) => {
  const random = new Random(seed, stream);
  return Array.from({ length: count }, () => random.next());
};

test('same seed and stream, same numbers; another seed or stream, others', () => {
  expect(draw(7, 1, 50)).toEqual(draw(7, 1, 50));
  expect(draw(7, 1, 50)).not.toEqual(draw(8, 1, 50));
  expect(draw(7, 1, 50)).not.toEqual(draw(7, 2, 50));
});

test('even the seed 0 gives numbers all over [0, 1)', () => {
  const numbers = draw(0, 0, 10_000);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  expect(new Set(numbers).size).toBeGreaterThan(9_990);
  expect(numbers.reduce((sum, x) => sum + x) / numbers.length).toBeCloseTo(0.5, 1);
});

test('normal numbers have mean 0 and deviation 1', () => {
  const random = new Random(3, 0);
  const numbers = Array.from({ length: 20_000 }, () => random.normal());
  const mean = numbers.reduce((sum, x) => sum + x) / numbers.length;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});
