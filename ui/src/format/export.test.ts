/** What the export page shows and understands. */
import { expect, test } from 'vitest';
import { newestMoment } from '../api/download.ts';
import { formatBytes } from './bytes.ts';
import { formatCount, formatShare } from './completeness.ts';
import { fromLocalInput, toLocalInput } from './time.ts';

test('sizes', () => {
  expect([0, 999, 1000, 1_440_000, 123_400_000, 5e12].map(formatBytes)).toEqual([
    ...['0 B', '999 B', '1.0 kB', '1.4 MB', '123 MB', '5000 GB'],
  ]);
});

test('a share is cut, never rounded up to all', () => {
  expect(formatShare(1_799_999, 1_800_000)).toBe('99.99 %');
  expect(formatShare(1800, 1800)).toBe('100 %');
  expect(formatShare(1801, 1800)).toBe('100 %');
  expect(formatShare(0, 0)).toBe('–');
  expect(formatCount(4_320_000)).toBe('4,320,000');
});

test('the newest moment in a piece of either form', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const csv =
    '2026-01-07T00:00:00.000Z,1767744000000,p,c\r\n2026-01-07T00:00:01.000Z,1767744001000,p,c\r\n2026-01';
  expect(newestMoment(bytes(csv))).toBe(1767744001000);
  expect(newestMoment(bytes('{"time":"x","t_ms":1767744002000,"pack_id":"p"}\n'))).toBe(1767744002000);
  expect(newestMoment(bytes('time,t_ms\r\n'))).toBeUndefined();
});

test('local moments come back as they went, to the minute', () => {
  const t_ms = Date.UTC(2026, 6, 1, 12, 34);
  expect(fromLocalInput(toLocalInput(t_ms))).toBe(t_ms);
});
