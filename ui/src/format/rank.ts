/** Worst first: what needs a person stands on top. */
import type { AlertCounts, HealthState } from '../../../core/contract/model.ts';
import { t } from '../texts/texts.ts';

const STATE_RANK: Readonly<Record<HealthState, number>> = { offline: 2, degraded: 1, ok: 0 };

interface Ranked {
  readonly state: HealthState;
  readonly alerts: AlertCounts;
  readonly name: string;
}

/** Critical alerts, then state, then warnings, then the name as people count: Rack 2 before Rack 10. */
export function worstFirst(a: Ranked, b: Ranked): number {
  return (
    b.alerts.critical - a.alerts.critical ||
    STATE_RANK[b.state] - STATE_RANK[a.state] ||
    b.alerts.warning - a.alerts.warning ||
    byName(a, b)
  );
}

export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name.localeCompare(b.name, t().locale, { numeric: true });
}

export function totalAlerts(alerts: AlertCounts): number {
  return alerts.critical + alerts.warning + alerts.info;
}
