/**
 * Where health goes: a straight line through a point a week, and when it comes to a limit, as a span. Errors that all
 * points share move the line, not its slope; what the slope is not sure of widens the span with the time ahead.
 */

export interface HealthPoint {
  /** Wall time. */
  readonly t_ms: number;
  readonly soh_pct: number;
  /** One standard deviation. */
  readonly sd_pct: number;
}

export interface HealthTrend {
  readonly per_year_pct: number;
  /** One standard deviation of it. */
  readonly per_year_sd_pct: number;
  readonly reaches: readonly HealthReach[];
}

/** With 90 % between the two; null: not within MAX_YEARS. */
export interface HealthReach {
  readonly soh_pct: number;
  readonly from_ms: number | null;
  readonly to_ms: number | null;
}

export const HEALTH_LIMITS_PCT = [80, 70] as const;
export const POINT_EVERY_MS = 7 * 86_400_000;
/** Twelve years. */
export const MAX_POINTS = 626;
/** Fewer weeks are too few for a trend over years. */
export const LEAST_POINTS = 12;
const YEAR_MS = 365.25 * 86_400_000;
const MAX_YEARS = 20;
const SD_OF_90_PCT = 1.645;
/** No point is better than this, whatever it says: weather and use move it from week to week. */
const LEAST_SD_PCT = 0.3;

/** Undefined: too little is known. `points` in the order of time. */
export function healthTrend(points: readonly HealthPoint[]): HealthTrend | undefined {
  if (points.length < LEAST_POINTS) return undefined;
  const last = points[points.length - 1];
  const years = points.map(({ t_ms }) => (t_ms - last.t_ms) / YEAR_MS);
  const mean_x = meanOf(years);
  const mean_y = meanOf(points.map(({ soh_pct }) => soh_pct));
  let square = 0;
  let product = 0;
  for (const [i, x] of years.entries()) {
    square += (x - mean_x) ** 2;
    product += (x - mean_x) * (points[i].soh_pct - mean_y);
  }
  if (square === 0) return undefined;
  const slope = product / square;
  let residual2 = 0;
  for (const [i, x] of years.entries()) residual2 += (points[i].soh_pct - mean_y - slope * (x - mean_x)) ** 2;
  const scatter = Math.max(LEAST_SD_PCT, Math.sqrt(residual2 / (points.length - 2)));
  // Neighbouring points are alike: of a dozen, three say something of their own.
  const slope_sd = (scatter / Math.sqrt(square)) * 2;
  const level = mean_y - slope * mean_x;
  const level_sd = last.sd_pct;
  const reach = (soh_pct: number): HealthReach => {
    const steep = slope - SD_OF_90_PCT * slope_sd;
    const mild = slope + SD_OF_90_PCT * slope_sd;
    return {
      soh_pct,
      from_ms: momentOf(level - SD_OF_90_PCT * level_sd - soh_pct, steep, last.t_ms),
      to_ms: momentOf(level + SD_OF_90_PCT * level_sd - soh_pct, mild, last.t_ms),
    };
  };
  return { per_year_pct: slope, per_year_sd_pct: slope_sd, reaches: HEALTH_LIMITS_PCT.map(reach) };
}

/** When what is `above_pct` above a limit comes to it; at once where it is below already. */
function momentOf(above_pct: number, per_year_pct: number, now_ms: number): number | null {
  if (above_pct <= 0) return now_ms;
  if (per_year_pct >= 0) return null;
  const years = above_pct / -per_year_pct;
  return years > MAX_YEARS ? null : Math.round(now_ms + years * YEAR_MS);
}

const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
