/** Numbers as a technician reads them: fixed decimals, a true minus sign, no value ever invented. */
import { decimalsOf, type Metric } from '../../../core/metrics.ts';
import { groupDigits } from '../texts/numerals.ts';
import { perLocale } from './locale.ts';

/** What stands where there is no value; never a zero. */
export const NO_VALUE = '—';
const MINUS = '\u2212';
/** Below this a pack is at rest: the noise of its current sensor, W. */
const IDLE_W = 5;

const decimalSign = perLocale(
  locale =>
    new Intl.NumberFormat(locale).formatToParts(1.5).find(({ type }) => type === 'decimal')?.value ?? '.',
);

export function formatNumber(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_VALUE;
  const digits = Math.abs(value).toFixed(decimals);
  const [whole, fraction] = digits.split('.');
  const isNegative = value < 0 && Number(digits) !== 0;
  return `${isNegative ? MINUS : ''}${groupDigits(whole)}${fraction ? decimalSign() + fraction : ''}`;
}

export function formatSigned(value: number | null | undefined, decimals: number): string {
  const text = formatNumber(value, decimals);
  const isPositive = typeof value === 'number' && Number(value.toFixed(decimals)) > 0;
  return isPositive ? `+${text}` : text;
}

/** Number and unit apart, so that a page can set the unit smaller. */
export interface Quantity {
  readonly number: string;
  readonly unit: string;
}

/** At the metric's resolution, at most three decimals: a tenth of a millivolt helps nobody on a page. */
export function quantityOf(metric: Metric, value: number | null | undefined, decimals?: number): Quantity {
  const number = formatNumber(value, decimals ?? Math.min(3, decimalsOf(metric)));
  return { number, unit: number === NO_VALUE ? '' : metric.unit };
}

/** Watts without a sign; direction is said in words. */
export function powerQuantity(power_w: number | null | undefined): Quantity {
  if (power_w === null || power_w === undefined) return { number: NO_VALUE, unit: '' };
  const size = Math.abs(power_w);
  if (size < 1000) return { number: formatNumber(size, 0), unit: 'W' };
  if (size < 1_000_000) return { number: formatNumber(size / 1000, size < 100_000 ? 2 : 1), unit: 'kW' };
  return { number: formatNumber(size / 1_000_000, 2), unit: 'MW' };
}

export type FlowDirection = 'charging' | 'discharging' | 'idle' | 'unknown';

export function flowOf(power_w: number | null | undefined): FlowDirection {
  if (power_w === null || power_w === undefined || !Number.isFinite(power_w)) return 'unknown';
  if (Math.abs(power_w) < IDLE_W) return 'idle';
  return power_w > 0 ? 'charging' : 'discharging';
}

/** A difference of voltages, given in V, as whole millivolts. */
export function formatMillivolts(difference_v: number | null | undefined): string {
  if (difference_v === null || difference_v === undefined) return NO_VALUE;
  return `${formatNumber(difference_v * 1000, 0)} mV`;
}

export function formatSignedMillivolts(difference_v: number | null | undefined): string {
  if (difference_v === null || difference_v === undefined) return NO_VALUE;
  return `${formatSigned(difference_v * 1000, 0)} mV`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${formatNumber(bytes, 0)} B`;
  if (bytes < 1e6) return `${formatNumber(bytes / 1e3, 1)} kB`;
  if (bytes < 1e9) return `${formatNumber(bytes / 1e6, 1)} MB`;
  return `${formatNumber(bytes / 1e9, 2)} GB`;
}
