/** Figures of alert performance, by hand and by their definitions. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AlertEvent, alertPerformance } from './alert-performance.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const event = (
  t_ms: number,
  change: AlertEvent['change'] = 'raised',
  pack_id = 'p1',
  rule_id = 'hot',
): AlertEvent => ({
  t_ms,
  change,
  rule_id,
  pack_id,
  battery_id: 'b1',
  alert_id: `${rule_id}:${pack_id}`,
  severity: 'warning',
});

test('a quiet day: few alerts, one person can answer them', () => {
  const events = [
    event(MINUTE_MS),
    event(3 * MINUTE_MS, 'acknowledged'),
    event(9 * MINUTE_MS, 'cleared'),
    event(60 * MINUTE_MS, 'recurred', 'p2'),
    event(70 * MINUTE_MS, 'acknowledged', 'p2'),
  ];
  expect(alertPerformance(events, { from_ms: 0, to_ms: DAY_MS })).toMatchObject({
    count: 2,
    by_severity: { critical: 0, warning: 2, info: 0 },
    per_day: 2,
    per_10_min: 0.01,
    peak_10_min: 1,
    floods: 0,
    flood_pct: 0,
    chattering: [],
    stale: [],
    acknowledged: 2,
    to_acknowledge_median_ms: 2 * MINUTE_MS,
    to_acknowledge_p90_ms: 10 * MINUTE_MS,
  });
});

test('a flood begins with ten in ten minutes and ends below five; what chatters is named', () => {
  const flood = Array.from({ length: 12 }, (_, i) => event(i * 30_000, 'raised', `p${i}`));
  const goes_on = Array.from({ length: 6 }, (_, i) => event(10 * MINUTE_MS + i * 1000, 'recurred', 'p1'));
  const report = alertPerformance([...flood, ...goes_on], { from_ms: 0, to_ms: 60 * MINUTE_MS });
  expect(report).toMatchObject({ floods: 1, flood_pct: 33.33, peak_10_min: 12, peak_ms: 0 });
  expect(report.chattering).toEqual([{ rule_id: 'hot', pack_id: 'p1', count: 4, share_pct: 22.22 }]);
  expect(report.most_frequent[0]).toMatchObject({ pack_id: 'p1', count: 7 });
  expect(report.most_frequent).toHaveLength(10);
});

test('what has been active for more than a day is stale, also from before the span', () => {
  const before = [event(0, 'raised', 'p1'), event(0, 'raised', 'p2')];
  const report = alertPerformance(
    [event(3 * DAY_MS, 'cleared', 'p2')],
    { from_ms: 2 * DAY_MS, to_ms: 4 * DAY_MS },
    before,
  );
  expect(report.stale).toEqual([{ rule_id: 'hot', pack_id: 'p1', since_ms: 0 }]);
});

test('over any events the counts agree with each other', () => {
  const changes = fc.constantFrom('raised', 'recurred', 'cleared', 'acknowledged') as fc.Arbitrary<
    AlertEvent['change']
  >;
  const any = fc
    .array(fc.tuple(fc.nat({ max: DAY_MS - 1 }), changes, fc.constantFrom('p1', 'p2', 'p3')), {
      maxLength: 200,
    })
    .map(all => all.toSorted((a, b) => a[0] - b[0]).map(([t_ms, change, pack]) => event(t_ms, change, pack)));
  fc.assert(
    fc.property(any, events => {
      const report = alertPerformance(events, { from_ms: 0, to_ms: DAY_MS });
      const { critical, warning, info } = report.by_severity;
      expect(critical + warning + info).toBe(report.count);
      expect(report.most_frequent.reduce((sum, { count }) => sum + count, 0)).toBe(report.count);
      expect(report.peak_10_min).toBeLessThanOrEqual(report.count);
      expect(report.floods > 0).toBe(report.peak_10_min >= 10);
      expect(report.acknowledged).toBeLessThanOrEqual(report.count);
    }),
  );
});
