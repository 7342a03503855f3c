/** The same cell, of which another capacity has become known. */
import type { KalmanCells } from './kalman-cells.ts';
import { N, SCALE, STATE_COLUMN } from './states.ts';

/** What the filter has learned of the ratio of gain to capacity is of the capacity it had before. */
export function setCapacity(cells: KalmanCells, cell: number, capacity_ah: number): void {
  const states = cells.columns[STATE_COLUMN];
  const at = cell * N + SCALE;
  states[at] = ((1 + states[at]) * capacity_ah) / cells.capacity_ah[cell] - 1;
  cells.capacity_ah[cell] = capacity_ah;
}
