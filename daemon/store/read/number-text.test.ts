/** Numbers as text: the same characters that JSON.stringify makes of the rounded value. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { NumberText } from './number-text.ts';

const written = (value: number, decimals: number): string => {
  const text = new NumberText(1);
  text.number(value, decimals, 'null');
  return Buffer.from(text.done()).toString();
};

const rounded = (value: number, decimals: number) => Math.round(value * 10 ** decimals) / 10 ** decimals;

test('any number reads as JSON would write it, rounded', () => {
  const value = fc.oneof(
    fc.double({ min: -1e5, max: 1e5, noNaN: true }),
    fc.integer({ min: -1_000_000, max: 1_000_000 }).map(n => n / 1000),
    fc.integer({ min: 0, max: 4e12 }),
    fc.constantFrom(0, -0, 0.0004, -0.0004, 0.5, 999_999_999, 1e9, 1e9 + 1, -1e-9),
  );
  fc.assert(
    fc.property(value, fc.integer({ min: 0, max: 4 }), (value, decimals) => {
      expect(written(value, decimals)).toBe(JSON.stringify(rounded(value, decimals)));
    }),
    { numRuns: runsOf(5000) },
  );
});

test('what is missing or beyond exact integers is not made up', () => {
  expect(written(Number.NaN, 3)).toBe('null');
  expect(written(Number.POSITIVE_INFINITY, 3)).toBe('null');
  expect(JSON.parse(written(1.5e300, 3))).toBe(1.5e300);
  expect(JSON.parse(written(-4e15, 3))).toBe(-4e15);
});

test('it grows, and keeps what was written', () => {
  const text = new NumberText(1);
  const values = Array.from({ length: 5000 }, (_, i) => i * 1.25);
  text.text('["é"');
  for (const value of values) {
    text.text(',');
    text.number(value, 2, 'null');
  }
  text.text(']');
  expect(JSON.parse(Buffer.from(text.done()).toString())).toEqual(['é', ...values]);
});

test('a list is as JSON would write it, whatever repeats in it', () => {
  const value = fc.constantFrom(3.3, 3.3, 3.301, -12.5, 0, -0, Number.NaN, Number.POSITIVE_INFINITY, 4e12);
  fc.assert(
    fc.property(fc.array(value, { maxLength: 50 }), values => {
      const text = new NumberText(1);
      text.list(Float64Array.from(values), 2);
      const expected = values.map(one => (Number.isFinite(one) ? rounded(one, 2) : null));
      expect(`[${Buffer.from(text.done()).toString()}]`).toBe(JSON.stringify(expected));
    }),
  );
});
