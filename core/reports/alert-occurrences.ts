/** Occurrences of alerts, a line each: when one began, was acknowledged, ended, and was over. */
import type { Alert } from '../alerts/alert.ts';
import type { AlertEvent } from './alert-performance.ts';

export interface AlertOccurrence {
  readonly alert: Alert;
  /** Of the alert, counting from 1. */
  readonly occurrence: number;
  /** As it was when this occurrence began; of the last one as it is now. */
  readonly severity: AlertEvent['severity'];
  readonly raised_ms: number;
  readonly acknowledged_ms: number | null;
  /** Null also where a later occurrence was acknowledged since: of this one nobody is known any more. */
  readonly acknowledged_by: string | null;
  /** The condition ended. */
  readonly returned_ms: number | null;
  /** Both. */
  readonly over_ms: number | null;
}

interface Open {
  readonly began: AlertEvent;
  acknowledged_ms: number | null;
  returned_ms: number | null;
}

/**
 * `events`: from the begin of the span to now, ascending, so that the end of what began in it is known; `alerts`: as they
 * are now, by id. Those that began before `to_ms`, in the order they began.
 */
export function alertOccurrences(
  events: readonly AlertEvent[],
  alerts: ReadonlyMap<string, Alert>,
  to_ms: number,
): AlertOccurrence[] {
  const by_alert = new Map<string, Open[]>();
  const all: Open[] = [];
  for (const event of events) {
    const of_alert = by_alert.get(event.alert_id) ?? [];
    by_alert.set(event.alert_id, of_alert);
    const last = of_alert.at(-1);
    if (event.change === 'raised' || event.change === 'recurred') {
      const began = { began: event, acknowledged_ms: null, returned_ms: null };
      of_alert.push(began);
      all.push(began);
    } else if (last && event.change === 'acknowledged') last.acknowledged_ms = event.t_ms;
    else if (last && event.change === 'cleared') last.returned_ms = event.t_ms;
  }
  return all.flatMap(one => {
    const { began } = one;
    const alert = alerts.get(began.alert_id);
    if (!alert || began.t_ms >= to_ms) return [];
    const of_alert = by_alert.get(began.alert_id) ?? [];
    const later = of_alert.length - 1 - of_alert.indexOf(one);
    return [occurrenceOf(one, alert, alert.occurrences - later, later === 0)];
  });
}

function occurrenceOf(
  { began, acknowledged_ms, returned_ms }: Open,
  alert: Alert,
  occurrence: number,
  is_last: boolean,
): AlertOccurrence {
  const ended_ms = returned_ms ?? (is_last ? (alert.latched_since_ms ?? alert.cleared_ms) : null);
  const is_over = is_last && !alert.is_open;
  return {
    alert,
    occurrence,
    severity: is_last ? alert.severity : began.severity,
    raised_ms: began.t_ms,
    acknowledged_ms,
    acknowledged_by: is_last && acknowledged_ms !== null ? (alert.acknowledged?.by ?? null) : null,
    returned_ms: ended_ms,
    over_ms: is_over ? Math.max(acknowledged_ms ?? 0, ended_ms ?? 0) || null : null,
  };
}
