/** Which alerts a request means, and in which order: newest first, by id among those of one moment. */
import type { Alert } from '../../../core/alerts/alert.ts';
import type { AlertRequest } from '../store.ts';

/** The place of an alert in the order; a page goes on after the last one of the page before. */
export type AlertPlace = Pick<Alert, 'raised_ms' | 'id'>;

export function alertMatches(alert: Alert, request: AlertRequest): boolean {
  const { state, battery_ids, pack_id, severity, from_ms, to_ms, after } = request;
  return (
    (state === 'all' || (state === 'open' ? alert.is_open : alert.state === state)) &&
    (battery_ids?.includes(alert.battery_id) ?? true) &&
    (pack_id === undefined || alert.pack_id === pack_id) &&
    (severity === undefined || alert.severity === severity) &&
    alert.raised_ms >= (from_ms ?? 0) &&
    alert.raised_ms <= (to_ms ?? Number.MAX_SAFE_INTEGER) &&
    (after === undefined || newestFirst(after, alert) < 0)
  );
}

export function newestFirst(a: AlertPlace, b: AlertPlace): number {
  return b.raised_ms - a.raised_ms || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** The page of a list in memory. */
export function alertPage(alerts: Iterable<Alert>, request: AlertRequest): Alert[] {
  return [...alerts]
    .filter(alert => alertMatches(alert, request))
    .sort(newestFirst)
    .slice(0, request.limit);
}
