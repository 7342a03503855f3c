/** Where an alert's moment is found on the page. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { momentPath } from './moment-path.ts';

const T_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

test('the path names pack, cell and a span around the alert', () => {
  const at = { pack_id: 'p 1', cell_no: 3, occurred_ms: T_MS, cleared_ms: null };
  const [before, after] = [T_MS - 10 * MINUTE_MS, T_MS + 10 * MINUTE_MS];
  expect(momentPath(at)).toBe(`/pack/p%201?cell=3&from=${before}&to=${after}`);
  expect(momentPath({ ...at, cell_no: null })).toBe(`/pack/p%201?from=${before}&to=${after}`);
  expect(momentPath({ ...at, occurred_ms: 0, cell_no: null })).toBe('/pack/p%201');
  expect(momentPath({ ...at, pack_id: null })).toBeNull();
});

test('the span holds the alert from its beginning, is never empty, and never longer than a month', () => {
  const moment = fc.record({
    // As a configuration may name it.
    pack_id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/),
    cell_no: fc.option(fc.integer({ min: 1, max: 400 })),
    occurred_ms: fc.integer({ min: 1, max: 4e12 }),
    cleared_ms: fc.option(fc.integer({ min: 0, max: 4e12 })),
  });
  fc.assert(
    fc.property(moment, at => {
      const url = new URL(momentPath(at) ?? '', 'http://box');
      const [from, to] = ['from', 'to'].map(name => Number(url.searchParams.get(name)));
      expect(decodeURIComponent(url.pathname)).toBe(`/pack/${at.pack_id}`);
      expect(from).toBeLessThanOrEqual(at.occurred_ms);
      expect(to).toBeGreaterThan(at.occurred_ms);
      expect(to).toBeGreaterThan(from);
      expect(to - from).toBeLessThanOrEqual(30 * 86_400_000);
    }),
  );
});
