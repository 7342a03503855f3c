/** How often tests try a property. */

/** Of the runs that CI does, `npm run check` does a third: the seed differs each time, and it is run often. */
const SHARE = process.env.CI === 'true' ? 1 : 1 / 3;

/** The `numRuns` of fast-check: `full` in CI. */
export const runsOf = (full: number): number => Math.ceil(full * SHARE);
