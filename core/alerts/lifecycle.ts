/**
 * The lifecycle of an alert after ISA-18.2 (IEC 62682): which state it is in, and what people can do with it. Pure: an
 * alert is never changed, each step makes the next one. docs/alerts.md has the table to OPC UA Part 9.
 */
import { type Alert, type AlertChange, MAX_NOTES, type TakenOut } from './alert.ts';

/** In the words of ISA-18.2; `normal`: it is over. */
export const LIFECYCLE_STATES = [
  'active_unacknowledged',
  'active_acknowledged',
  'returned_unacknowledged',
  'normal',
  'shelved',
  'suppressed',
  'out_of_service',
] as const;
export type LifecycleState = (typeof LIFECYCLE_STATES)[number];

export function lifecycleOf(alert: Alert): LifecycleState {
  if (!alert.is_open) return alert.state === 'out_of_service' ? 'out_of_service' : 'normal';
  if (alert.out_of_service) return 'out_of_service';
  if (alert.shelved) return 'shelved';
  if (alert.suppressed_by !== null) return 'suppressed';
  if (alert.state === 'cleared') return 'returned_unacknowledged';
  return alert.acknowledged ? 'active_acknowledged' : 'active_unacknowledged';
}

/** Whether it asks for somebody: what is shelved, out of service or has its cause elsewhere does not. */
export function isAnnounced(alert: Alert): boolean {
  const { is_open, shelved, out_of_service, suppressed_by } = alert;
  return is_open && shelved === null && out_of_service === null && suppressed_by === null;
}

/** Whether it counts for the health of what it is about. */
export function isInForce(alert: Alert): boolean {
  return isAnnounced(alert) && alert.state === 'active';
}

/** Who does something, and when. */
export interface Act {
  readonly by: string;
  readonly at_ms: number;
}

/** Ends the alert where its condition has ended, or can never be judged again. `isLost`: rule or pack are gone. */
export function acknowledge(alert: Alert, { by, at_ms }: Act, note: string | null, isLost: boolean): Alert {
  const acknowledged = { by, at_ms, note };
  const after = changed(withNote(alert, { by, at_ms }, note), 'acknowledged', at_ms, by, { acknowledged });
  if (isLost && after.state === 'active') return { ...after, state: 'out_of_service', is_open: false };
  const { latched_since_ms: cleared_ms } = after;
  if (cleared_ms === null) return closedIfOver(after);
  return closedIfOver({ ...after, state: 'cleared', cleared_ms, latched_since_ms: null });
}

/** Until then it is neither announced nor counted; its condition goes on being judged. */
export function shelve(alert: Alert, { by, at_ms }: Act, until_ms: number, reason: string): Alert {
  return changed(alert, 'shelved', at_ms, by, { shelved: { by, at_ms, until_ms, reason } });
}

/** `by` null: its time is over. */
export function unshelve(alert: Alert, at_ms: number, by: string | null): Alert {
  return closedIfOver(changed(alert, 'unshelved', at_ms, by, { shelved: null }));
}

/** `taken` null: it is in service again. `by` null: its time is over. */
export function setService(alert: Alert, taken: TakenOut | null, at_ms: number, by: string | null): Alert {
  const change = taken ? 'out_of_service' : 'in_service';
  return changed(alert, change, at_ms, by, { out_of_service: taken });
}

export function note(alert: Alert, act: Act, text: string): Alert {
  return changed(withNote(alert, act, text), 'noted', act.at_ms, act.by, {});
}

/** The alert after a change that is not a person's: `by` null. */
export function changed(
  alert: Alert,
  change: AlertChange,
  changed_ms: number,
  changed_by: string | null,
  fields: Partial<Alert>,
): Alert {
  return { ...alert, ...fields, change, changed_ms, changed_by };
}

/** Back to normal once its condition has ended, it is acknowledged, and no shelf holds it. */
export function closedIfOver(alert: Alert): Alert {
  const isOver = alert.state === 'cleared' && alert.acknowledged !== null && alert.shelved === null;
  return isOver ? { ...alert, is_open: false } : alert;
}

function withNote(alert: Alert, { by, at_ms }: Act, text: string | null): Alert {
  if (text === null) return alert;
  return { ...alert, notes: [...alert.notes, { by, at_ms, text }].slice(-MAX_NOTES) };
}
