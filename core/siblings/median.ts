/** Medians of typed arrays without allocating. */

/** Of the first `count` values of `scratch`, which are sorted; NaN: there is none. */
export function medianOf(scratch: Float32Array, count: number): number {
  if (count === 0) return Number.NaN;
  // What is beyond the values sorts to the end.
  scratch.fill(Number.POSITIVE_INFINITY, count);
  scratch.sort();
  const middle = count >> 1;
  return count % 2 === 1 ? scratch[middle] : (scratch[middle - 1] + scratch[middle]) / 2;
}

/** What a standard deviation is of the median absolute deviation, for values that are normally spread. */
export const SD_PER_MAD = 1.4826;
