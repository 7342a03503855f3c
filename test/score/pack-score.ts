/** Weak cells of two electric vehicles, from what their own systems recorded. */
import { findAnomalies } from '../../daemon/cli/anomaly.ts';
import { dataFile } from './battery-data.ts';

/** The cells that are called weak, from 1, the weakest first. */
export function weakCellsOf(car: string): number[] {
  const { flagged } = findAnomalies(dataFile(`ev_pack_faults/${car}.csv.gz`));
  return flagged.toSorted((a, b) => a.last.deviation_v - b.last.deviation_v).map(({ cell }) => cell);
}
