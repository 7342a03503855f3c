/**
 * Thirty days of a simulated fleet with every fault of the simulator, one after the other: each raises what its scenario
 * says and nothing else, and all of it stays within what the published definitions call manageable.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AlertEvent, alertPerformance } from '../../core/reports/alert-performance.ts';
import { FAULT_SCENARIOS } from './fault-scenarios.ts';
import { type Annunciation, type Judgement, judgePerformance } from './performance-judge.ts';
import { type FaultSpan, type Month, simulateMonth } from './simulated-month.ts';

const DAYS = 30;
const HOUR_MS = 3_600_000;

/** Each for as long as a technician may take, and the weak cell for as long as a spare part may. */
const { overheating, stuck_sensor, dead_unit, weak_cell } = FAULT_SCENARIOS;
const SPANS: readonly FaultSpan[] = [
  { fault: overheating.fault, from_hours: 2 * 24 + 1, to_hours: 2 * 24 + 5 },
  { fault: stuck_sensor.fault, from_hours: 5 * 24 + 1, to_hours: 6 * 24 + 1 },
  { fault: dead_unit.fault, from_hours: 9 * 24 + 1, to_hours: 9 * 24 + 37 },
  { fault: weak_cell.fault, from_hours: 13 * 24 + 1, to_hours: 25 * 24 + 1 },
];
const SCENARIOS = [overheating, stuck_sensor, dead_unit, weak_cell];

const isCall = ({ change }: AlertEvent) => change === 'raised' || change === 'recurred';
const callsOf = (events: readonly AlertEvent[]): Annunciation[] =>
  events.filter(isCall).map(({ t_ms, rule_id, pack_id }) => ({ t_ms, tag: `${rule_id} ${pack_id ?? ''}` }));

/** The report of the product, in the judge's terms. */
function reported(events: readonly AlertEvent[], span: Pick<Month, 'from_ms' | 'to_ms'>) {
  const { count, peak_10_min, floods, flood_pct, per_10_min, chattering } = alertPerformance(events, span);
  const tags = chattering.map(({ rule_id, pack_id }) => `${rule_id} ${pack_id ?? ''}`).sort();
  return { count, most_in_10_min: peak_10_min, floods, flood_pct, per_10_min, chattering: tags };
}
const hundredths = (value: number) => Math.round(value * 100) / 100;
function judged({ average_per_10_min, share_of_time_in_flood, ...same }: Judgement) {
  return {
    ...same,
    per_10_min: hundredths(average_per_10_min),
    flood_pct: hundredths(100 * share_of_time_in_flood),
  };
}

test('thirty days with every fault: exactly their alerts, in time, and never too many', {
  timeout: 240_000,
}, () => {
  const month = simulateMonth(DAYS, SPANS);
  const calls = month.events.filter(isCall);
  for (const [i, { fault, from_hours, to_hours }] of SPANS.entries()) {
    const { raises, later = [] } = SCENARIOS[i];
    const begin_ms = month.from_ms + from_hours * HOUR_MS;
    const next_ms = month.from_ms + (SPANS[i + 1]?.from_hours ?? DAYS * 24) * HOUR_MS;
    const during = calls.filter(({ t_ms }) => t_ms >= begin_ms && t_ms < next_ms);
    const rules = [...new Set(during.map(({ rule_id }) => rule_id))].sort();
    expect(rules, fault.kind).toEqual([...new Set([...Object.keys(raises), ...later])].sort());
    expect(new Set(during.map(({ pack_id }) => pack_id)), fault.kind).toEqual(new Set([fault.pack]));
    for (const [rule_id, within_hours] of Object.entries(raises)) {
      const first = during.find(one => one.rule_id === rule_id);
      expect(((first?.t_ms ?? 0) - begin_ms) / HOUR_MS, rule_id).toBeLessThanOrEqual(within_hours);
    }
    const open_ms = month.from_ms + to_hours * HOUR_MS;
    expect(
      during.every(({ t_ms }) => t_ms <= open_ms + HOUR_MS),
      `${fault.kind} is over`,
    ).toBe(true);
  }
  expect(calls[0].t_ms, 'nothing before the first fault').toBeGreaterThan(month.from_ms + 48 * HOUR_MS);

  const judgement = judgePerformance(callsOf(month.events), month);
  expect(judgement.average_per_10_min).toBeLessThanOrEqual(1);
  expect(judgement.most_in_10_min).toBeLessThanOrEqual(10);
  expect(judgement.share_of_time_in_flood).toBeLessThan(0.01);
  expect(judgement.chattering).toEqual([]);
  expect(reported(month.events, month)).toEqual(judged(judgement));
  // But for the weak cell nothing is left: it holds less charge than its siblings, until somebody balances the pack.
  const { stale } = alertPerformance(month.events, month);
  expect(stale.map(({ rule_id, pack_id }) => `${rule_id} ${pack_id}`)).toEqual(['weak_cell jk-0']);
});

test('half a day in steps of half a minute raises what one in steps of two seconds does', {
  timeout: 240_000,
}, () => {
  const spans = [{ fault: overheating.fault, from_hours: 6, to_hours: 8 }];
  const tags = (step_ms?: number) =>
    new Set(callsOf(simulateMonth(0.5, spans, 'solar', step_ms).events).map(({ tag }) => tag));
  expect(tags()).toEqual(tags(2000));
});

test('ten healthy days of driving raise nothing', { timeout: 240_000 }, () => {
  expect(simulateMonth(10, [], 'drive').events).toEqual([]);
});

test('over any events the report and the judge agree', () => {
  const DAY_MS = 24 * HOUR_MS;
  const span = { from_ms: 0, to_ms: DAY_MS };
  const bursts = fc.array(
    fc.record({
      at_ms: fc.nat({ max: DAY_MS - 1 }),
      count: fc.integer({ min: 1, max: 15 }),
      apart_ms: fc.constantFrom(0, 1000, 20_000, 29_999, 30_000, 59_999, 60_000, 120_000),
      pack_id: fc.constantFrom('p1', 'p2', null),
      change: fc.constantFrom('raised' as const, 'recurred' as const, 'cleared' as const),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(bursts, all => {
      const events = all
        .flatMap(({ at_ms, count, apart_ms, pack_id, change }) =>
          Array.from({ length: count }, (_, i) => ({ t_ms: at_ms + i * apart_ms, pack_id, change })),
        )
        .filter(({ t_ms }) => t_ms < DAY_MS)
        .sort((a, b) => a.t_ms - b.t_ms)
        .map(event => ({
          ...event,
          alert_id: `a:${event.pack_id}`,
          rule_id: 'hot',
          battery_id: 'b',
          severity: 'warning' as const,
        }));
      expect(reported(events, span)).toEqual(judged(judgePerformance(callsOf(events), span)));
    }),
    { numRuns: 500 },
  );
});
