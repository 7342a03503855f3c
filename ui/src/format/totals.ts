/** Sums over the batteries that a page shows. */
import type { AlertCounts, BatterySummary } from '../../../core/contract/model.ts';
import { worstFirst } from './rank.ts';

export interface FleetTotals {
  readonly batteries: number;
  readonly packs: number;
  readonly packs_answering: number;
  /** Of those that answer, with values that are stale, suspect or missing. */
  readonly packs_doubtful: number;
  readonly cells: number;
  /** Over batteries whose power is known; null when none is. */
  readonly power_w: number | null;
  readonly alerts: AlertCounts;
  readonly cells_out_of_line: number;
  /** With the worst of these cells. */
  readonly worst: BatterySummary | undefined;
}

export function sumUp(batteries: readonly BatterySummary[]): FleetTotals {
  const alerts = { critical: 0, warning: 0, info: 0 };
  const totals = {
    batteries: batteries.length,
    packs: 0,
    packs_answering: 0,
    packs_doubtful: 0,
    cells: 0,
    cells_out_of_line: 0,
  };
  let power_w: number | null = null;
  for (const battery of batteries) {
    totals.packs += battery.pack_count;
    totals.packs_answering += battery.packs_answering;
    totals.packs_doubtful += battery.packs_answering - battery.packs_ok;
    totals.cells_out_of_line += battery.cells_out_of_line;
    totals.cells += battery.cell_count;
    if (battery.power_w !== null) power_w = (power_w ?? 0) + battery.power_w;
    alerts.critical += battery.alerts.critical;
    alerts.warning += battery.alerts.warning;
    alerts.info += battery.alerts.info;
  }
  const [worst] = batteries.filter(({ worst_cell }) => worst_cell !== null).sort(worstFirst);
  return { ...totals, power_w, alerts, worst };
}
