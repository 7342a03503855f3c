/** The arithmetic of confidence: more for it never lowers it, more against it never raises it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReadingFacts } from './reading-facts.ts';
import { bitsOfId, confidence, type Evidence } from './score.ts';

const facts: ReadingFacts = {
  plausible: 20,
  implausible: 0,
  cells: 16,
  cells_plausible: 16,
  sensors: 4,
  cell_min_v: 3.28,
  cell_max_v: 3.33,
  voltage_v: 52.9,
  soc_pct: 60,
  is_battery: true,
  agreements: ['cells add up'],
  disagreements: [],
};
const evidence: Evidence = {
  share: 1,
  bits: 8,
  rounds: 10,
  misfit_share: 0,
  lacks_voltage: false,
  lacks_cells: false,
  claimed_share: 0,
};

test('everything for it and nothing against it is next to certain', () => {
  expect(confidence(evidence, facts)).toBe(100);
});

test.each([
  ['one id of many', { share: 0.1 }, {}],
  ['a single id that many buses have', { bits: 0.5 }, { agreements: [] }],
  ['frames of another layout', { misfit_share: 1 }, {}],
  ['a claim of another profile', { claimed_share: 1 }, {}],
  ['values out of range', {}, { plausible: 10, implausible: 10 }],
  ['nothing decoded', {}, { plausible: 0 }],
  ['a single value', {}, { plausible: 1 }],
  ['no voltage', {}, { is_battery: false }],
  ['comparisons that fail', {}, { disagreements: ['a', 'b', 'c'] }],
])('%s alone keeps it at 30 %% or below', (_, against, values) => {
  expect(confidence({ ...evidence, ...against }, { ...facts, ...values })).toBeLessThanOrEqual(30);
});

test('it lies from 0 to 100, grows with what speaks for it and falls with what speaks against it', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const any = fc.record({
    share,
    bits: fc.double({ min: 0, max: 40, noNaN: true }),
    rounds: fc.nat(10),
    misfit_share: share,
    lacks_voltage: fc.boolean(),
    lacks_cells: fc.boolean(),
    claimed_share: share,
  });
  fc.assert(
    fc.property(any, share, (one, step) => {
      const before = confidence(one, facts);
      expect(before).toBeGreaterThanOrEqual(0);
      expect(before).toBeLessThanOrEqual(100);
      const better = { ...one, share: Math.min(1, one.share + step), bits: one.bits + step };
      expect(confidence(better, facts)).toBeGreaterThanOrEqual(before);
      const worse = { ...one, misfit_share: Math.min(1, one.misfit_share + step), lacks_cells: true };
      expect(confidence(worse, facts)).toBeLessThanOrEqual(before);
    }),
  );
});

test('an id says less on a bus on which most ids are in use', () => {
  expect(bitsOfId(false, 2048)).toBe(0);
  expect(bitsOfId(false, 1000)).toBeLessThan(bitsOfId(false, 100));
  expect(bitsOfId(true, 100)).toBeGreaterThan(bitsOfId(false, 100));
});
