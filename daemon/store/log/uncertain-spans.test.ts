/** Where there are more spans than a reply may hold, the narrowest gaps between them are closed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fewer, type TimeSpan } from './uncertain-spans.ts';

test('the narrowest gaps are closed first', () => {
  const spans: TimeSpan[] = [
    [0, 10],
    [15, 20],
    [22, 30],
    [100, 100],
  ];
  expect(fewer(spans, 4)).toEqual(spans);
  expect(fewer(spans, 3)).toEqual([
    [0, 10],
    [15, 30],
    [100, 100],
  ]);
  expect(fewer(spans, 1)).toEqual([[0, 100]]);
});

test('whatever the spans, none of them is left out, and no more are reported than may be', () => {
  const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.nat(50)), { maxLength: 30 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 10 }), (steps, most) => {
      let t_ms = 0;
      const spans = steps.map(([gap_ms, length_ms]): TimeSpan => {
        const from_ms = t_ms + gap_ms;
        t_ms = from_ms + length_ms;
        return [from_ms, t_ms];
      });
      const reported = fewer(spans, most);
      expect(reported.length).toBe(Math.min(spans.length, most));
      for (const [from_ms, to_ms] of spans)
        expect(reported.some(([from, to]) => from <= from_ms && to >= to_ms)).toBe(true);
    }),
  );
});
