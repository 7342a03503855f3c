/** Counts of readings and their shares as people read them. */
import { t } from '../texts/texts.ts';

/** 4,320,000 */
export function formatCount(count: number): string {
  return count.toLocaleString(t().locale);
}

/** Percent, cut rather than rounded up: only what lacks nothing reads 100 %. More than was due is 100 %. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = Math.floor((10_000 * Math.min(part, whole)) / whole) / 100;
  return `${percent.toLocaleString(t().locale)} %`;
}
