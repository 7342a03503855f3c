/** What each receiver was notified of, by alert. */
import { type AlertSeverity, SEVERITIES } from '../../core/alerts/alert.ts';
import type { StoredItem, StoredNotification } from './stored-notification.ts';

export interface Notified {
  readonly occurrence: number;
  readonly severity: AlertSeverity;
  readonly is_escalated: boolean;
  readonly is_recovered: boolean;
  /** As it was notified last. */
  readonly item: StoredItem;
}

export class Ledger {
  /** By receiver, then by alert id. */
  readonly #notified = new Map<string, Map<string, Notified>>();

  /** Of a notification that was accepted. */
  add({ receiver, items }: Pick<StoredNotification, 'receiver' | 'items'>): void {
    const of_receiver = this.of(receiver);
    for (const item of items) of_receiver.set(item.alert_id, after(of_receiver.get(item.alert_id), item));
  }

  of(receiver: string): Map<string, Notified> {
    const known = this.#notified.get(receiver);
    if (known) return known;
    const made = new Map<string, Notified>();
    this.#notified.set(receiver, made);
    return made;
  }

  /** Whether a receiver is still to be notified that one of these has recovered, or may get more of it. */
  isNeeded({ receiver, items }: StoredNotification): boolean {
    const of_receiver = this.#notified.get(receiver);
    return of_receiver !== undefined && items.some(({ alert_id }) => of_receiver.has(alert_id));
  }
}

function after(before: Notified | undefined, item: StoredItem): Notified {
  const { occurrence, event, severity } = item;
  const isSame = before?.occurrence === occurrence && !before.is_recovered;
  return {
    occurrence,
    severity: isSame && event === 'escalated' ? worse(before.severity, severity) : severity,
    is_escalated: event === 'escalated' || (isSame && before.is_escalated),
    is_recovered: event === 'recovered',
    item,
  };
}

export const isWorse = (a: AlertSeverity, b: AlertSeverity) => SEVERITIES.indexOf(a) < SEVERITIES.indexOf(b);
const worse = (a: AlertSeverity, b: AlertSeverity) => (isWorse(a, b) ? a : b);
