/**
 * What a receiver is still to be notified of: made of what is active and of what it was notified of, again and again,
 * never of a list of its own that could differ from both.
 */
import type { Alert } from '../../core/alerts/alert.ts';
import { isInForce } from '../../core/alerts/lifecycle.ts';
import type { NotifiedEvent } from '../../core/alerts/notified.ts';
import { isWorse, type Notified } from './ledger.ts';
import { isOfGateway, isOn, type Route } from './policy.ts';
import type { StoredItem } from './stored-notification.ts';

export interface Due {
  readonly item: StoredItem;
  /** Undefined: it is known from before a restart only. */
  readonly alert: Alert | undefined;
  /** Waits for the time of the digest. */
  readonly is_for_digest: boolean;
  /** When what it is about happened. */
  readonly happened_ms: number;
}

export interface Situation {
  readonly receiver: string;
  /** May not see alerts of the gateway itself. */
  readonly is_of_user: boolean;
  readonly routes: readonly Route[];
  readonly notified: ReadonlyMap<string, Notified>;
  readonly open: readonly Alert[];
  /** As they were when they were over. */
  readonly ended: ReadonlyMap<string, Alert>;
  /** How long an alert has been there, for escalation. */
  readonly ageOf: (alert: Alert) => number;
}

/** Of a failure to notify nobody is notified by the receiver that fails: it would get that once it no longer does. */
export const NOTIFY_FAILED_RULE = 'notify_failed';

export function dueOf(situation: Situation, isFailing: boolean): Due[] {
  const { open, ended, notified } = situation;
  const due: Due[] = [];
  const is_open = new Set<string>();
  for (const alert of open) {
    is_open.add(alert.id);
    if (isFailing && alert.rule_id === NOTIFY_FAILED_RULE) continue;
    const event = eventOf(alert, situation);
    if (event) due.push(dueBy(alert, event, situation));
  }
  for (const [alert_id, entry] of notified) {
    if (is_open.has(alert_id) || entry.is_recovered) continue;
    const alert = ended.get(alert_id);
    if (alert) due.push(dueBy(alert, 'recovered', situation));
    else {
      const item = { ...entry.item, event: 'recovered' as const };
      due.push({ item, alert: undefined, is_for_digest: false, happened_ms: 0 });
    }
  }
  return due;
}

function eventOf(
  alert: Alert,
  { receiver, is_of_user, routes, notified, ageOf }: Situation,
): NotifiedEvent | undefined {
  const entry = notified.get(alert.id);
  if (!isInForce(alert)) {
    const hasEnded = alert.state !== 'active' && !alert.shelved && !alert.out_of_service;
    return hasEnded && entry && !entry.is_recovered ? 'recovered' : undefined;
  }
  if (is_of_user && isOfGateway(alert)) return undefined;
  const on = routes.filter(route => isOn(route, alert));
  const isWanted = on.some(({ to }) => to.includes(receiver));
  const isEscalated =
    !alert.acknowledged &&
    on.some(
      ({ escalate_to, escalate_after_ms }) =>
        escalate_after_ms !== undefined &&
        escalate_to.includes(receiver) &&
        ageOf(alert) >= escalate_after_ms,
    );
  const isKnown = entry && entry.occurrence === alert.occurrences && !entry.is_recovered;
  if (!isKnown) return isWanted ? 'raised' : isEscalated ? 'escalated' : undefined;
  if (isEscalated && !entry.is_escalated) return 'escalated';
  return (isWanted || entry.is_escalated) && isWorse(alert.severity, entry.severity) ? 'worsened' : undefined;
}

function dueBy(alert: Alert, event: NotifiedEvent, { receiver, routes }: Situation): Due {
  const on = routes.filter(route => isOn(route, alert) && route.to.includes(receiver));
  const { id, occurrences, severity, rule_id, battery_id, pack_id, cell_no, message } = alert;
  const { raised_ms, occurred_ms } = alert;
  return {
    item: {
      alert_id: id,
      occurrence: occurrences,
      event,
      severity,
      rule_id,
      battery_id,
      pack_id,
      cell_no,
      message,
      raised_ms,
      occurred_ms,
    },
    alert,
    is_for_digest: event !== 'escalated' && on.length > 0 && on.every(({ when }) => when === 'digest'),
    happened_ms:
      event === 'raised' ? occurred_ms : (event === 'recovered' && alert.cleared_ms) || alert.changed_ms,
  };
}
