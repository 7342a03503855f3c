/** Estimates as they are shown and stored: in steps, so that what hardly changes stays as it is. */

/** Standard deviations, in %. */
const DEVIATIONS = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50];
/** It must lie beyond a step by this share before another is shown. */
const BEYOND = 0.1;

/** To `step`, staying where it was shown within four fifths of one. */
export function steadily(shown: number, value: number, step: number): number {
  return Math.abs(value - shown) <= 0.8 * step ? shown : Math.round(value / step) * step;
}

/** The next larger of few figures: never smaller than it is. */
export function deviationShown(shown: number, sd_pct: number): number {
  const next = largerDeviation(sd_pct);
  if (Number.isNaN(shown) || next > shown) return next;
  return largerDeviation(sd_pct * (1 + BEYOND)) < shown ? next : shown;
}

function largerDeviation(sd_pct: number): number {
  for (let i = 0; i < DEVIATIONS.length; i++) if (sd_pct <= DEVIATIONS[i]) return DEVIATIONS[i];
  return 100;
}

/** Three figures: 0.412, 1.37, 12.4. */
export function threeFigures(value: number): number {
  if (!(value > 0)) return Number.NaN;
  const unit = 10 ** (Math.floor(Math.log10(value)) - 2);
  return Math.round(value / unit) * unit;
}
