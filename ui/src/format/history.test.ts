/** What a chart shows: lines, the span asked for, and what it says of uncertain times. */
import { expect, test } from 'vitest';
import type { HistoryReply } from '../../../core/contract/http.ts';
import { HISTORY_SERIES, isUncertain, spanAsked, uncertainText } from './history.ts';

const MINUTE_MS = 60_000;
const at = (hour: number, minute: number) => new Date(2026, 4, 4, hour, minute).getTime();
const series = {
  pack: { voltage_v: [], current_a: [], soc_pct: [], temperature_c: [] },
  cells: { voltage_v: [], temperature_c: [] },
};
const replyOf = (uncertain: HistoryReply['uncertain'], resolution_ms = 0): HistoryReply => ({
  pack_id: 'p1',
  from_ms: 0,
  to_ms: at(12, 0),
  reading_count: 0,
  resolution_ms,
  uncertain,
  t_ms: [],
  ...series,
});

test('a reading is uncertain within a span, a step also where a span begins in it', () => {
  const reply = replyOf([[at(8, 3), at(8, 5)]]);
  expect([2, 3, 5, 6].map(minute => isUncertain(reply, at(8, minute)))).toEqual([false, true, true, false]);
  const steps = replyOf(reply.uncertain, 3 * MINUTE_MS);
  expect([0, 3, 6].map(minute => isUncertain(steps, at(8, minute)))).toEqual([false, true, false]);
  expect(isUncertain(replyOf([[at(8, 2), at(8, 2)]], 3 * MINUTE_MS), at(8, 0))).toBe(true);
});

test('the newest spans are named, the others counted', () => {
  expect(uncertainText(replyOf([]), at(12, 0))).toBeUndefined();
  expect(uncertainText(replyOf([[at(8, 3), at(8, 5)]]), at(12, 0))).toBe(
    'time not certain, 08:03:00 – 08:05:00',
  );
  const three = replyOf([
    [at(8, 3), at(8, 5)],
    [at(9, 0), at(9, 0)],
    [at(10, 0), at(11, 0)],
  ]);
  expect(uncertainText(three, at(12, 0))).toBe(
    'time not certain, 1 span before; 09:00:00; 10:00:00 – 11:00:00',
  );
});

test('the span of an address is taken where it is one', () => {
  expect(spanAsked({ from: '1000', to: '2000', cell: '3' })).toEqual({ from_ms: 1000, to_ms: 2000 });
  const wrong: Record<string, string>[] = [
    {},
    { from: '1' },
    { from: '2', to: '1' },
    { from: 'x', to: '2' },
    { from: '', to: '5' },
  ];
  for (const query of wrong) expect(spanAsked(query)).toBeUndefined();
});

test('a cell that is asked for is drawn beside the extremes', () => {
  const cells = {
    voltage_v: [
      [3.2, 3.3],
      [3.4, 3.1],
    ],
  };
  const reply = { t_ms: [1, 2], cells } as unknown as HistoryReply;
  const lines = HISTORY_SERIES.cells.lines(reply, 2);
  expect(lines.map(({ label, values }) => [label, values])).toEqual([
    ['Highest cell', [3.4, 3.3]],
    ['Lowest cell', [3.2, 3.1]],
    ['Cell 2', [3.4, 3.1]],
  ]);
  expect(HISTORY_SERIES.cells.lines(reply, 9)).toHaveLength(2);
});
