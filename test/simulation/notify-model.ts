/**
 * What was notified, by what the receivers took whole. Exactly: of each notification one copy, and a further one only
 * where the attempt before it ended without an answer that the gateway could keep (the answer was cut or never came, a
 * webhook said 5xx, or the process ended before "sent" was on the disk); all copies are alike. Each event of an occurrence
 * of an alert is in one notification alone, unless the disk refused to keep any word of the one before.
 */
import type { Alert } from '../../core/alerts/alert.ts';
import { isInForce } from '../../core/alerts/lifecycle.ts';
import type { StoredItem, StoredNotification } from '../../daemon/notify/stored-notification.ts';
import type { Copy, ReceiverName } from './receivers.ts';

export const GROUP_MS = 5000;
export const ESCALATE_AFTER_MS = 60_000;
/** After its time a message goes within this: what is due is looked for every ten seconds, and sent every second. */
const SLACK_MS = 15_000;

interface Sent {
  readonly receiver: string;
  items: readonly StoredItem[];
  text: string | undefined;
  copies: number;
  /** The gateway of this run has got the answer that it was taken. */
  is_accepted: boolean;
  /** That it is on its way is on the disk. */
  is_noted: boolean;
  /** "sent" is on the disk. */
  is_kept: boolean;
  /** The disk kept no word of it when the process ended: it may be made anew. */
  is_forgotten: boolean;
}

export class NotifyModel {
  readonly #sent = new Map<string, Sent>();
  /** By receiver and alert: the newest event that was taken. */
  readonly #last = new Map<string, StoredItem>();
  /** By receiver, alert and occurrence: that it was critical is known, also where it is a warning again. */
  readonly #critical = new Set<string>();
  /** Events of what the log lost with the process, as the disk took no alert: they may come again. */
  readonly #unfounded = new Set<string>();
  /** Monotonic time since which nothing has held a receiver up. */
  readonly #calm_since_ms = new Map<string, number>();
  /** The same, since which an occurrence of an alert is in force. */
  readonly #in_force_ms = new Map<string, number>();

  /** The gateway is about to write this down. */
  saving(stored: StoredNotification, open: readonly Alert[]): void {
    const { id, receiver, state, items, may_have_arrived } = stored;
    const sent = this.#of(id, receiver);
    if (state === 'sent' && sent.copies === 0) throw new Error(`${id} is called sent, and nobody took it`);
    if (state !== 'sending') return;
    if (sent.copies > 0 && !sent.is_forgotten && !may_have_arrived && textOf(items) !== textOf(sent.items))
      throw new Error(`${id} is made anew, and may have arrived`);
    sent.items = items;
    if (sent.copies === 0) sent.is_noted = false;
    if (may_have_arrived) return;
    for (const { alert_id, event, occurrence } of items) {
      if (event === 'recovered') continue;
      const alert = open.find(one => one.id === alert_id);
      if (!alert || !isInForce(alert) || alert.occurrences !== occurrence)
        throw new Error(`${event} of ${alert_id}, which is not in force`);
      if (event === 'escalated' && alert.acknowledged)
        throw new Error(`${alert_id} is escalated, and was acknowledged`);
    }
  }

  saved({ id, receiver, state }: StoredNotification): void {
    const sent = this.#of(id, receiver);
    if (state === 'sending') sent.is_noted = true;
    if (state === 'sent') sent.is_kept = true;
  }

  accepted(notification_id: string): void {
    const sent = this.#sent.get(notification_id);
    if (sent) sent.is_accepted = true;
  }

  /** A receiver took it. */
  taken({ receiver, notification_id: id, text }: Copy): void {
    const sent = this.#sent.get(id);
    if (!sent || sent.receiver !== receiver)
      throw new Error(`${receiver} took ${id}, of which nothing is known`);
    if (sent.is_kept) throw new Error(`${id} goes to ${receiver} again although that it was sent is stored`);
    if (sent.is_accepted) throw new Error(`${id} goes to ${receiver} again although it was accepted`);
    if (sent.text !== undefined && sent.text !== text && !sent.is_forgotten)
      throw new Error(`the second copy of ${id} is another one`);
    sent.copies++;
    if (sent.is_forgotten) {
      sent.is_forgotten = false;
      this.#sent.delete(id);
      this.#sent.set(id, sent);
    }
    const isFirst = sent.text !== text;
    sent.text = text;
    if (!isFirst) return;
    if (receiver === 'hook') {
      const alerts = (JSON.parse(text) as { alerts: StoredItem[] }).alerts;
      if (textOf(alerts) !== textOf(sent.items)) throw new Error(`${id} holds ${textOf(alerts)}`);
    }
    for (const item of sent.items) this.#take(id, receiver, item);
  }

  #take(id: string, receiver: string, item: StoredItem): void {
    for (const [other_id, other] of this.#sent)
      if (other_id !== id && other.receiver === receiver && other.copies > 0 && !other.is_forgotten)
        if (
          other.items.some(one => keyOf(one) === keyOf(item)) &&
          !this.#unfounded.has(`${receiver} ${keyOf(item)}`)
        )
          throw new Error(`${receiver} got ${keyOf(item)} twice: in ${other_id} and ${id}`);
    const last = this.#last.get(`${receiver} ${item.alert_id}`);
    if (item.event === 'recovered' && !last)
      throw new Error(`${receiver} got recovered of ${item.alert_id} and never anything of it`);
    this.#note(receiver, item);
  }

  #note(receiver: string, item: StoredItem): void {
    this.#last.set(`${receiver} ${item.alert_id}`, item);
    if (item.severity === 'critical') this.#critical.add(`${receiver} ${item.alert_id} ${item.occurrence}`);
  }

  /** The process ended; this is what the disk has kept of what was notified. */
  restart(kept: readonly StoredNotification[], alerts: ReadonlyMap<string, Alert>, mono_ms: number): void {
    this.#in_force_ms.clear();
    for (const receiver of this.#calm_since_ms.keys()) this.#calm_since_ms.set(receiver, mono_ms);
    for (const [id, sent] of this.#sent) {
      const found = kept.find(one => one.id === id);
      if (sent.is_kept && found?.state !== 'sent') throw new Error(`that ${id} was sent is no longer stored`);
      const isKnown = found && (found.state !== 'waiting' || found.may_have_arrived);
      if (sent.is_noted && sent.copies > 0 && !isKnown)
        throw new Error(`that ${id} may have arrived is no longer stored`);
      sent.is_forgotten ||= !isKnown;
      sent.is_kept ||= found?.state === 'sent';
      sent.is_accepted = false;
      for (const item of sent.items)
        if ((alerts.get(item.alert_id)?.occurrences ?? 0) < item.occurrence)
          this.#unfounded.add(`${sent.receiver} ${keyOf(item)}`);
    }
    this.#last.clear();
    this.#critical.clear();
    for (const { receiver, items, copies, is_forgotten } of this.#sent.values())
      if (copies > 0 && !is_forgotten) for (const item of items) this.#note(receiver, item);
  }

  heldUp(receiver: string, mono_ms: number): void {
    this.#calm_since_ms.set(receiver, mono_ms);
  }

  /** Whoever is to be notified of what is in force has been, where nothing held that up for long enough. */
  check(open: readonly Alert[], mono_ms: number): void {
    const inForce = open.filter(isInForce);
    const names = new Set(inForce.map(nameOf));
    for (const name of this.#in_force_ms.keys()) if (!names.has(name)) this.#in_force_ms.delete(name);
    for (const alert of inForce) {
      const name = nameOf(alert);
      if (!this.#in_force_ms.has(name)) this.#in_force_ms.set(name, mono_ms);
      for (const receiver of wantedBy(alert)) {
        const since_ms = Math.max(
          this.#in_force_ms.get(name) ?? mono_ms,
          this.#calm_since_ms.get(receiver) ?? mono_ms,
        );
        if (mono_ms - since_ms >= GROUP_MS + SLACK_MS && !this.#isNotified(receiver, alert))
          throw new Error(
            `${receiver} was not notified of ${name} for ${mono_ms - since_ms} ms: ${this.#lastOf(receiver, alert)}`,
          );
      }
    }
  }

  /** All faults are over, and time enough has passed for every wait. */
  checkEnd(open: readonly Alert[]): void {
    for (const alert of open.filter(isInForce)) {
      for (const receiver of wantedBy(alert))
        if (!this.#isNotified(receiver, alert))
          throw new Error(
            `${receiver} was not notified of ${nameOf(alert)}: ${this.#lastOf(receiver, alert)}`,
          );
      const isEscalated = [...this.#sent.values()].some(
        ({ receiver, items, copies }) =>
          receiver === 'mail' &&
          copies > 0 &&
          items.some(
            ({ alert_id, occurrence, event }) =>
              alert_id === alert.id && occurrence === alert.occurrences && event === 'escalated',
          ),
      );
      if (!alert.acknowledged && !isEscalated && !alert.suppressed_by)
        throw new Error(`nobody acknowledged ${nameOf(alert)}, and it was not escalated`);
    }
    for (const [key, { alert_id, event }] of this.#last) {
      const alert = open.find(one => one.id === alert_id);
      const isOver = !alert || (alert.state !== 'active' && !alert.shelved);
      if (isOver && event !== 'recovered') throw new Error(`it is over, and was not notified: ${key}`);
    }
    for (const [id, { copies, is_kept, is_forgotten }] of this.#sent)
      if (copies > 0 && !is_kept && !is_forgotten)
        throw new Error(`${id} was taken, and the gateway never got to know`);
  }

  #isNotified(receiver: string, { id, occurrences, severity }: Alert): boolean {
    const last = this.#last.get(`${receiver} ${id}`);
    if (!last || last.occurrence !== occurrences || last.event === 'recovered') return false;
    return severity !== 'critical' || this.#critical.has(`${receiver} ${id} ${occurrences}`);
  }

  #lastOf(receiver: string, { id }: Alert): string {
    const last = this.#last.get(`${receiver} ${id}`);
    return last ? `the last was ${keyOf(last)}` : 'nothing was';
  }

  #of(id: string, receiver: string): Sent {
    const known = this.#sent.get(id);
    if (known) return known;
    const made = {
      receiver,
      items: [],
      text: undefined,
      copies: 0,
      is_accepted: false,
      is_noted: false,
      is_kept: false,
      is_forgotten: false,
    };
    this.#sent.set(id, made);
    return made;
  }
}

/** By the routes of the simulation: everything to the webhook, what is critical by mail as well. */
function wantedBy({ severity }: Alert): ReceiverName[] {
  return severity === 'critical' ? ['hook', 'mail'] : ['hook'];
}

const nameOf = ({ id, occurrences }: Alert) => `occurrence ${occurrences} of ${id}`;
const keyOf = ({ alert_id, occurrence, event }: Pick<StoredItem, 'alert_id' | 'occurrence' | 'event'>) =>
  `${event} ${occurrence} of ${alert_id}`;
const textOf = (items: readonly StoredItem[]) => items.map(keyOf).join(', ');
