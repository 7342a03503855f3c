/** Worst first: what needs a person stands on top. */
import type { AlertCounts, HealthState } from '../../../core/contract/model.ts';
import { t } from '../texts/texts.ts';

const STATE_RANK: Readonly<Record<HealthState, number>> = { offline: 2, degraded: 1, ok: 0 };
/** Less than such a step is noise: the order would change from moment to moment. */
const STEP_V = 0.01;
const STEP_C = 5;

interface Ranked {
  readonly state: HealthState;
  readonly alerts: AlertCounts;
  readonly name: string;
  /** Of a battery their number, of a pack which. */
  readonly cells_out_of_line: number | readonly number[];
  readonly cell_deviation_v: number | null;
  readonly cell_temperature_max_c: number | null;
}

/**
 * Alerts by severity, then how many cells are out of line and how far the furthest is, then the hottest cell, then what
 * lacks data, then the name as people count: Rack 2 before Rack 10.
 */
export function worstFirst(a: Ranked, b: Ranked): number {
  return (
    b.alerts.critical - a.alerts.critical ||
    b.alerts.warning - a.alerts.warning ||
    b.alerts.info - a.alerts.info ||
    countOf(b) - countOf(a) ||
    steps(b.cell_deviation_v, STEP_V) - steps(a.cell_deviation_v, STEP_V) ||
    steps(b.cell_temperature_max_c, STEP_C) - steps(a.cell_temperature_max_c, STEP_C) ||
    STATE_RANK[b.state] - STATE_RANK[a.state] ||
    byName(a, b)
  );
}

const countOf = ({ cells_out_of_line: cells }: Ranked) => (typeof cells === 'number' ? cells : cells.length);

/** What is not known counts as nothing: it is the data that is ill there. */
const steps = (value: number | null, step: number) => Math.round((value ?? 0) / step);

export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name.localeCompare(b.name, t().locale, { numeric: true });
}

export function totalAlerts(alerts: AlertCounts): number {
  return alerts.critical + alerts.warning + alerts.info;
}
