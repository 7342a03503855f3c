/** Estimates with what they may be off by: two standard deviations, within which 95 of 100 lie. */
import type { QualifiedValue } from '../../../core/contract/model.ts';
import type { HealthReach } from '../../../core/estimate/health/trend.ts';
import { formatNumber, NO_VALUE } from './numbers.ts';

export const DEVIATIONS = 2;

/** Of a band; a wider one says hardly more than that there is a cell. */
const WORTH_SHOWING_PCT = 20;

/** Whether an estimate is sure enough to be shown: until then the gateway is still learning. */
export function isWorthShowing(value: number | null, sd: number | null): boolean {
  return value !== null && sd !== null && DEVIATIONS * sd <= WORTH_SHOWING_PCT;
}

/** "71.2 ± 1.4", "56 ± 20": no more digits than the band has, and on one line. */
export function formatBand(value: number | null, sd: number | null): string {
  if (value === null || sd === null) return NO_VALUE;
  const band = DEVIATIONS * sd;
  const decimals = band >= 2 ? 0 : 1;
  return `${formatNumber(value, decimals)}\u00a0±\u00a0${formatNumber(band, decimals)}`;
}

export interface Band {
  readonly low_pct: number;
  readonly high_pct: number;
}

/** Within 0 to 100 %; undefined: there is none that is worth showing. */
export function bandOf(value: QualifiedValue, sd: QualifiedValue): Band | undefined {
  if (value.value === null || sd.value === null || !isWorthShowing(value.value, sd.value)) return undefined;
  const half = DEVIATIONS * sd.value;
  return { low_pct: Math.max(0, value.value - half), high_pct: Math.min(100, value.value + half) };
}

/** By the newest moment at which it may be so: what has come already, will come within a span, after a time, or not. */
export type Reach = 'reached' | 'between' | 'after' | 'far';

export function reachOf({ from_ms, to_ms }: HealthReach, now_ms: number): Reach {
  if (to_ms !== null && to_ms <= now_ms) return 'reached';
  if (from_ms === null) return 'far';
  return to_ms === null ? 'after' : 'between';
}
