/** Linear interpolation on ascending grids. */

/** Where `value` lies in an ascending grid: the index below it and the share of the next, both clamped to the grid. */
export function placeIn(grid: ArrayLike<number>, value: number, out: { index: number; share: number }): void {
  const last = grid.length - 1;
  if (last === 0 || !(value > grid[0])) {
    out.index = 0;
    out.share = 0;
    return;
  }
  if (value >= grid[last]) {
    out.index = last - 1;
    out.share = 1;
    return;
  }
  let index = 0;
  while (grid[index + 1] <= value) index++;
  out.index = index;
  out.share = (value - grid[index]) / (grid[index + 1] - grid[index]);
}

/** Linear between the points of an ascending grid, clamped at its ends. */
export function interpolate(grid: ArrayLike<number>, values: ArrayLike<number>, at: number): number {
  const place = { index: 0, share: 0 };
  placeIn(grid, at, place);
  const { index, share } = place;
  return grid.length === 1 ? values[0] : values[index] * (1 - share) + values[index + 1] * share;
}
