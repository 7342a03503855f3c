/** What was notified, as the API shows it: by notification, and by alert. */
import type { NotifiedEvent } from '../../core/alerts/notified.ts';
import type { NotificationView } from '../../core/contract/notifications.ts';
import type { StoredNotification } from './stored-notification.ts';

export interface NotifiedOf {
  readonly receiver: string;
  readonly event: NotifiedEvent;
  readonly at_ms: number;
}

export function viewOf({
  state,
  items,
  text: _,
  number: __,
  counted_ms: ___,
  ...stored
}: StoredNotification): NotificationView {
  const alerts = items.map(({ alert_id, event, severity, battery_id, message }) => ({
    alert_id,
    event,
    severity,
    battery_id,
    message,
  }));
  return { ...stored, outcome: state === 'sending' ? ('waiting' as const) : state, alerts };
}

export function indexOf(all: readonly StoredNotification[]): Map<string, NotifiedOf[]> {
  const index = new Map<string, NotifiedOf[]>();
  for (const { receiver, sent_ms, items } of all) {
    if (sent_ms === null) continue;
    for (const { alert_id, event } of items) {
      const known = index.get(alert_id) ?? [];
      known.push({ receiver, event, at_ms: sent_ms });
      index.set(alert_id, known);
    }
  }
  return index;
}
