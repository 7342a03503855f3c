/** Histories as text: JSON says what the columns hold, and the table the same by rows. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HistoryReply } from '../../../core/contract/http.ts';
import { factSeries, READING_FACTS } from '../../../core/reading/history-series.ts';
import { Rollup } from '../format/rollup-block.ts';
import { historyOfReadings, historyOfSteps, ThinnedSeries } from './history.ts';
import { historyText } from './history-text.ts';

const REQUEST = { pack_id: 'Keller "Süd"', from_ms: 1000, to_ms: 600_000, max_points: 100 };
const text = (...args: Parameters<typeof historyText>) => Buffer.from(historyText(...args)).toString();
/** Volts and amperes of the pack in hundredths, its state of charge and temperature in tenths; then cell by cell. */
const PER_UNIT = [100, 100, 10, 10, 1000, 10, 1000, 10];
const AGES_AND_MARK = READING_FACTS.map(factSeries);

test('JSON has every value as it was, null where there is none', () => {
  const value = fc.oneof(fc.constant(Number.NaN), fc.integer({ min: -3_000_000, max: 3_000_000 }));
  const row = fc.tuple(...PER_UNIT.map(per_unit => value.map(n => n / per_unit)));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), fc.nat(3), (moments, repeated_every) => {
      const isRepeated = (i: number) => i % (repeated_every + 2) === 1;
      const rows = new ThinnedSeries(100);
      for (const [i, values] of moments.entries())
        rows.add(1_767_225_600_000 + i * 2000, [...AGES_AND_MARK, ...values.keys()], series => {
          const facts = [
            i === 1 ? Number.NaN : 10 * i - 20,
            i === 1 ? Number.NaN : 1500,
            isRepeated(i) ? 1 : 0,
          ];
          return series < 0 ? facts[AGES_AND_MARK.indexOf(series)] : values[series];
        });
      const reply: HistoryReply = JSON.parse(text(historyOfReadings(REQUEST, rows), 'json'));
      const column = (series: number) =>
        moments.map(values => (Number.isNaN(values[series]) ? null : values[series] + 0));
      const cells = moments.length > 0 ? [0, 1] : [];
      expect(reply).toEqual({
        pack_id: REQUEST.pack_id,
        from_ms: 1000,
        to_ms: 600_000,
        reading_count: moments.length,
        resolution_ms: 0,
        uncertain: [],
        t_ms: moments.map((_, i) => 1_767_225_600_000 + i * 2000),
        newest_age_ms: moments.map((_, i) => (i === 1 ? null : 10 * i - 20)),
        oldest_age_ms: moments.map((_, i) => (i === 1 ? null : 1500)),
        is_repeated: moments.map((_, i) => isRepeated(i)),
        pack: { voltage_v: column(0), current_a: column(1), soc_pct: column(2), temperature_c: column(3) },
        cells: {
          voltage_v: cells.map(cell => column(4 + 2 * cell)),
          temperature_c: cells.map(cell => column(5 + 2 * cell)),
        },
      });
    }),
  );
});

test('steps have their lowest and highest beside the mean, in JSON and as a table', () => {
  const rollup = new Rollup(0, 60_000, 3);
  for (const [step, value] of [
    [0, 51.2],
    [0, 51.5],
    [2, 52],
  ]) {
    rollup.readings[step]++;
    rollup.addValue(0, step, value);
  }
  const history = historyOfSteps(REQUEST, rollup, [[70_000, 120_000]]);
  const reply: HistoryReply = JSON.parse(text(history, 'json'));
  expect(reply).toMatchObject({ resolution_ms: 60_000, reading_count: 3, t_ms: [0, 120_000] });
  expect(reply.uncertain).toEqual([[70_000, 120_000]]);
  expect([reply.lowest, reply, reply.highest].map(series => series?.pack.voltage_v)).toEqual([
    [51.2, 52],
    [51.35, 52],
    [51.5, 52],
  ]);
  const lines = text(history, 'csv').split('\r\n');
  expect(lines[0]).toMatch(/^time,t_ms,time_certain,voltage_v,voltage_v_lowest,voltage_v_highest,current_a,/);
  expect(lines.slice(1)).toEqual([
    '1970-01-01T00:00:00.000Z,0,true,51.35,51.2,51.5,,,,,,,,,',
    '1970-01-01T00:02:00.000Z,120000,false,52,52,52,,,,,,,,,',
    '',
  ]);
});
