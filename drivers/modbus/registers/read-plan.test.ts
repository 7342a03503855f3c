/** The read planner by properties: everything wanted is read, whole, once, within the limits. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PlanLimits, type PlannedRead, planReads, type Span, splitRead } from './read-plan.ts';

const limits = fc.record({ max_count: fc.integer({ min: 4, max: 125 }), max_hole: fc.nat({ max: 40 }) });
const spans = fc.array(fc.record({ first: fc.nat({ max: 400 }), count: fc.integer({ min: 1, max: 4 }) }), {
  maxLength: 60,
});

const end = ({ first, count }: Span) => first + count;
const key = ({ first, count }: Span) => `${first}+${count}`;

function expectSound(
  reads: readonly PlannedRead[],
  wanted: readonly Span[],
  { max_count, max_hole }: PlanLimits,
) {
  expect(reads.flatMap(read => read.wanted.map(key)).sort()).toEqual(wanted.map(key).sort());
  for (const read of reads) {
    expect(read.count).toBeLessThanOrEqual(max_count);
    let reached = read.first;
    for (const span of read.wanted) {
      expect(span.first).toBeGreaterThanOrEqual(read.first);
      expect(end(span)).toBeLessThanOrEqual(end(read));
      expect(span.first - reached).toBeLessThanOrEqual(max_hole);
      reached = Math.max(reached, end(span));
    }
    expect(read.wanted[0].first).toBe(read.first);
    expect(reached).toBe(end(read));
  }
}

test('every span stands whole in exactly one read, and reads keep to size and holes', () => {
  fc.assert(
    fc.property(spans, limits, (wanted, limit) => expectSound(planReads(wanted, limit), wanted, limit)),
  );
});

test('no two neighbouring reads could have been one', () => {
  fc.assert(
    fc.property(spans, limits, (wanted, limit) => {
      const reads = planReads(wanted, limit);
      for (let i = 1; i < reads.length; i++) {
        const joined = Math.max(end(reads[i - 1]), end(reads[i].wanted[0])) - reads[i - 1].first;
        const hole = reads[i].first - end(reads[i - 1]);
        expect(joined > limit.max_count || hole > limit.max_hole).toBe(true);
      }
    }),
  );
});

test('splitting to the end leaves each span alone, whole and once', () => {
  fc.assert(
    fc.property(spans, limits, (wanted, limit) => {
      const queue = planReads(wanted, limit);
      const singles: PlannedRead[] = [];
      for (let read = queue.pop(); read; read = queue.pop()) {
        const halves = splitRead(read);
        if (halves) queue.push(...halves);
        else singles.push(read);
      }
      expect(singles.every(read => read.wanted.length === 1 && key(read) === key(read.wanted[0]))).toBe(true);
      expectSound(singles, wanted, limit);
    }),
  );
});
