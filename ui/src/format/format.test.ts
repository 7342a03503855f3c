/** Numbers, times and quality as a page shows them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PACK_METRICS, PackMetric } from '../../../core/metrics.ts';
import { QUALITY_LETTERS } from '../../../core/reading/quality.ts';
import { t } from '../texts/texts.ts';
import { barRange, columnStats, deviationScale, roundTicks } from './cells.ts';
import { envelope } from './history.ts';
import {
  flowOf,
  formatBytes,
  formatMillivolts,
  formatNumber,
  formatSigned,
  formatSignedMillivolts,
  NO_VALUE,
  powerQuantity,
  quantityOf,
} from './numbers.ts';
import { cellQuality, cellValue, countQuality, describeQuality, qualityMark, shownValue } from './quality.ts';
import { componentTitle, counterTitle, counterValue, humanise } from './system.ts';
import { formatAge, formatAgo, formatMoment, formatSpan, formatUptime } from './time.ts';

const column = fc
  .array(
    fc.record({
      value: fc.option(fc.double({ min: 0.5, max: 5, noNaN: true })),
      letter: fc.constantFrom(...QUALITY_LETTERS),
    }),
  )
  .map(cells => ({
    values: cells.map(({ value }) => value),
    quality: cells.map(({ letter, value }) => (value === null ? 'm' : letter)).join(''),
  }));

test('numbers: fixed decimals, a true minus, no minus before zero, and nothing invented', () => {
  expect(formatNumber(3.2875, 3)).toBe('3.288');
  expect(formatNumber(-12.4, 2)).toBe('\u221212.40');
  expect(formatNumber(-0.001, 2)).toBe('0.00');
  expect(formatNumber(1000, 0)).toBe('1000');
  expect(formatNumber(4213412, 0)).toBe('4\u202f213\u202f412');
  for (const nothing of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(formatNumber(nothing, 2)).toBe(NO_VALUE);
  }
});

test('a number can be read back at the precision it was shown', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.nat(4), (value, decimals) => {
      const text = formatNumber(value, decimals).replaceAll('\u202f', '').replace('\u2212', '-');
      expect(Number(text)).toBeCloseTo(value, decimals - 1);
    }),
  );
});

test('differences carry their sign; zero has none', () => {
  expect(formatSigned(4, 0)).toBe('+4');
  expect(formatSigned(0.2, 0)).toBe('0');
  expect(formatSignedMillivolts(-0.0621)).toBe('\u221262 mV');
  expect(formatMillivolts(0.068)).toBe('68 mV');
  expect(formatMillivolts(null)).toBe(NO_VALUE);
});

test('power: size in a fitting unit, direction in words, unknown is not idle', () => {
  expect(powerQuantity(-640)).toEqual({ number: '640', unit: 'W' });
  expect(powerQuantity(12_400)).toEqual({ number: '12.40', unit: 'kW' });
  expect(powerQuantity(2_500_000)).toEqual({ number: '2.50', unit: 'MW' });
  expect(powerQuantity(null)).toEqual({ number: NO_VALUE, unit: '' });
  expect([12, -12, 0.4, null].map(power_w => t().flows[flowOf(power_w)])).toEqual([
    'Charging',
    'Discharging',
    'Idle',
    'Power unknown',
  ]);
});

test('a metric without a value shows no unit either', () => {
  expect(quantityOf(PACK_METRICS[PackMetric.voltage_v], 52.1)).toEqual({ number: '52.10', unit: 'V' });
  expect(quantityOf(PACK_METRICS[PackMetric.voltage_v], null)).toEqual({ number: NO_VALUE, unit: '' });
});

test('missing stays missing whatever number stands beside it', () => {
  expect(shownValue({ value: 0, quality: 'missing' })).toBeNull();
  expect(shownValue({ value: 0, quality: 'stale' })).toBe(0);
  const cells = { values: [0, 3.3, 3.2, 8.191], quality: 'mgsu' };
  expect(cells.values.map((_, cell) => cellValue(cells, cell))).toEqual([null, 3.3, 3.2, 8.191]);
  expect(cells.values.map((_, cell) => cellQuality(cells, cell))).toEqual([
    'missing',
    'good',
    'stale',
    'suspect',
  ]);
  expect(cellQuality(cells, 99)).toBe('missing');
  expect(cellQuality({ values: [1], quality: 'x' }, 0)).toBe('missing');
});

test('every quality but good has a mark of its own', () => {
  expect(qualityMark('good')).toBeUndefined();
  const words = (['stale', 'suspect', 'missing'] as const).map(quality => qualityMark(quality)?.word);
  expect(words).toEqual(['Stale', 'Suspect', 'Missing']);
  expect(describeQuality(countQuality({ values: [1, 2, 3, null], quality: 'gsum' }))).toBe(
    '1 missing, 1 stale, 1 suspect',
  );
  expect(describeQuality(countQuality({ values: [1], quality: 'g' }))).toBe('');
});

test('extremes and median are of good cells only', () => {
  const stats = columnStats({ values: [3.3, 8.191, 3.2, null, 3.34, 1], quality: 'gugmgs' });
  expect(stats).toEqual({ good_count: 3, median: 3.3, min: 3.2, max: 3.34, min_cell: 2, max_cell: 4 });
  fc.assert(
    fc.property(column, cells => {
      const { min, max, median, min_cell, max_cell, good_count } = columnStats(cells);
      if (good_count === 0) {
        expect([min, max, median, min_cell]).toEqual([null, null, null, undefined]);
        return;
      }
      expect(min! <= median! && median! <= max!).toBe(true);
      expect(cells.values[min_cell!]).toBe(min);
      expect(cells.values[max_cell!]).toBe(max);
      expect(cellQuality(cells, min_cell!)).toBe('good');
    }),
  );
});

test('the colour scale holds every deviation up to its widest step', () => {
  expect(deviationScale('voltage_v', [])).toBe(0.01);
  expect(deviationScale('voltage_v', [{ values: [3.3, 3.3, 3.24], quality: 'ggg' }])).toBe(0.1);
  expect(deviationScale('voltage_v', [{ values: [3.3, 3.3, 8.191], quality: 'ggu' }])).toBe(0.01);
  expect(deviationScale('temperature_c', [{ values: [25, 25, 49], quality: 'ggg' }])).toBe(50);
});

test('the bar view holds all good cells and never narrows to noise', () => {
  fc.assert(
    fc.property(column, cells => {
      const stats = columnStats(cells);
      const range = barRange(stats, 0.02);
      if (!range) {
        expect(stats.good_count).toBe(0);
        return;
      }
      expect(range.bottom < stats.min! && range.top > stats.max!).toBe(true);
      expect(range.top - range.bottom).toBeGreaterThanOrEqual(0.02 - 1e-9);
    }),
  );
});

test('the lines of an axis stand at round values, neither too few nor too many', () => {
  const shown = (bottom: number, top: number) => roundTicks(bottom, top).map(value => value.toFixed(3));
  expect(shown(3.2601, 3.2939)).toEqual(['3.270', '3.280', '3.290']);
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 5, noNaN: true }),
      fc.double({ min: 0.02, max: 5, noNaN: true }),
      (bottom, span) => {
        const ticks = roundTicks(bottom, bottom + span);
        expect(ticks.length).toBeGreaterThanOrEqual(3);
        expect(ticks.length).toBeLessThanOrEqual(9);
        expect(ticks[0]).toBeGreaterThanOrEqual(bottom - 1e-6);
        expect(ticks.at(-1)).toBeLessThanOrEqual(bottom + span + 1e-6);
      },
    ),
  );
});

test('the envelope skips what is missing and stays null where nothing is', () => {
  expect(
    envelope(
      [
        [3.3, null, null],
        [3.2, 3.4, null],
      ],
      3,
    ),
  ).toEqual({ lowest: [3.2, 3.4, null], highest: [3.3, 3.4, null] });
});

test('times: spans in their largest unit, moments with the date when it is not today', () => {
  expect([900, 59_000, 61_000, 3_700_000, 30 * 3_600_000, 50 * 3_600_000].map(formatSpan)).toEqual([
    '0 s',
    '59 s',
    '1 min',
    '1 h',
    '30 h',
    '2 days',
  ]);
  const now = new Date(2026, 5, 15, 12, 0, 0).getTime();
  expect(formatAgo(now - 2000, now)).toBe('just now');
  expect(formatAgo(now + 60_000, now)).toBe('just now');
  expect(formatAgo(now - 200_000, now)).toBe('3 min ago');
  expect([-3, 840, 9940, 200_000].map(formatAge)).toEqual([
    '0.0 s old',
    '0.8 s old',
    '9.9 s old',
    '3 min old',
  ]);
  expect(formatMoment(new Date(2026, 5, 15, 9, 8, 7).getTime(), now)).toBe('09:08:07');
  expect(formatMoment(new Date(2026, 1, 3, 9, 8, 7).getTime(), now)).toBe('3 Feb, 09:08');
  expect(formatMoment(new Date(2024, 1, 3, 9, 8, 7).getTime(), now)).toBe('3 Feb 2024, 09:08');
  expect([42, 750, 15_000, 93_780].map(formatUptime)).toEqual(['42 s', '12 min', '4 h 10 min', '1 d 2 h']);
});

test('components and counters in words, their units with the value', () => {
  expect(['connection:can0', 'store', 'mystery_part'].map(componentTitle)).toEqual([
    'can0',
    'Storage on this gateway',
    'Mystery part',
  ]);
  expect(counterTitle('queue_bytes')).toBe('Waiting to be written');
  expect(counterTitle('wal_bytes')).toBe('Not yet in the database file');
  expect(counterTitle('files_quarantined')).toBe('Files in quarantine');
  expect(counterTitle('buckets_rolled_up')).toBe('15-minute buckets rolled up');
  expect(counterTitle('share_pct')).toBe('Share');
  expect([counterValue('share_pct', 12), counterValue('share_pct', 12.34)]).toEqual(['12 %', '12.3 %']);
  expect(counterValue('queue_bytes', 18_244)).toBe('18.2 kB');
  expect(counterValue('oldest_ms', 61_000)).toBe('1 min');
  expect(counterValue('frames', 12)).toBe('12');
  expect(formatBytes(1.8e9)).toBe('1.80 GB');
  expect(humanise('stuck_sensor')).toBe('Stuck sensor');
});
