/** Up to which current a pack counts as at rest. */
import { PackMetric } from '../metrics.ts';
import type { PackReading } from './pack-reading.ts';
import { Quality } from './quality.ts';

/** Amperes; or, of a large pack, this share of its full capacity in an hour. */
const REST_A = 0.5;
const REST_C_RATE = 0.02;

export function restCurrentOf({ values, value_quality }: PackReading): number {
  const isKnown = value_quality[PackMetric.capacity_full_ah] === Quality.good;
  return isKnown ? Math.max(REST_A, values[PackMetric.capacity_full_ah] * REST_C_RATE) : REST_A;
}
