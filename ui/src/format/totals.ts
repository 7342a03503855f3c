/** Sums over the batteries that a page shows. */
import type { AlertCounts, BatterySummary } from '../../../core/contract/model.ts';

export interface FleetTotals {
  readonly batteries: number;
  readonly batteries_ok: number;
  readonly packs: number;
  readonly packs_ok: number;
  readonly cells: number;
  /** Over batteries whose power is known; null when none is. */
  readonly power_w: number | null;
  readonly alerts: AlertCounts;
}

export function sumUp(batteries: readonly BatterySummary[]): FleetTotals {
  const alerts = { critical: 0, warning: 0, info: 0 };
  const totals = { batteries: batteries.length, batteries_ok: 0, packs: 0, packs_ok: 0, cells: 0 };
  let power_w: number | null = null;
  for (const battery of batteries) {
    totals.batteries_ok += battery.state === 'ok' ? 1 : 0;
    totals.packs += battery.pack_count;
    totals.packs_ok += battery.packs_ok;
    totals.cells += battery.cell_count;
    if (battery.power_w !== null) power_w = (power_w ?? 0) + battery.power_w;
    alerts.critical += battery.alerts.critical;
    alerts.warning += battery.alerts.warning;
    alerts.info += battery.alerts.info;
  }
  return { ...totals, power_w, alerts };
}
