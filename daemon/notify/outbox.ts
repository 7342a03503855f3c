/**
 * What goes to one receiver: at most one notification at a time. Until it is accepted, what comes meanwhile waits in the
 * alerts themselves and goes with the next one; so a receiver that was away for a night gets one message, not a hundred.
 */
import type { Clock } from '../../core/clock/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Due } from './due.ts';
import type { NotifyPolicy } from './policy.ts';
import type { Delivery, Outgoing, Receiver } from './receivers/receiver.ts';
import type { NotificationLog, StoredItem, StoredNotification } from './stored-notification.ts';
import type { TimeOfDay } from './time-of-day.ts';
import { REASONS, type Wording } from './wording.ts';

/** After the first failure, the second, … */
const PAUSES_MS = [5_000, 15_000, 60_000, 300_000, 900_000];
const HOUR_MS = 3_600_000;
/** Alerts in one notification; what is more goes with the next one. */
const MAX_ITEMS = 200;

export interface OutboxOptions {
  readonly id: string;
  readonly receiver: Receiver;
  readonly policy: NotifyPolicy;
  readonly clock: Clock;
  readonly log: Logger;
  readonly notifications: NotificationLog;
  readonly wording: Wording;
  readonly time: TimeOfDay;
  readonly gateway_id: string;
  readonly site_id: string;
  readonly newId: () => string;
  /** Resolves when the alerts it is about are on the disk, or cannot be. */
  readonly alertsStored: () => Promise<void>;
  /** It was accepted. */
  readonly onSent: (stored: StoredNotification) => void;
}

export interface OutboxCounters {
  sent: number;
  failed_attempts: number;
  /** Sent again, as the first copy may have arrived. */
  sent_again: number;
  /** Changes of alerts that were over before they could be sent. */
  withdrawn: number;
}

type Hold = 'quiet' | 'rate' | 'retry';

interface Waiting {
  due: Due;
  readonly since_mono_ms: number;
  readonly since_ms: number;
  hold: Hold | undefined;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<string, Waiting>();
  /** Monotonic times of what arrived, or may have. */
  readonly #counted: number[] = [];
  readonly counters: OutboxCounters = { sent: 0, failed_attempts: 0, sent_again: 0, withdrawn: 0 };
  /** Not accepted yet; its text is final where it may have arrived. */
  #current: StoredNotification | undefined;
  #failures = 0;
  #next_try_mono_ms = 0;
  #failing_since_ms: number | undefined;
  #reason: string | undefined;
  last_sent_ms: number | null = null;
  #attempt: Promise<void> | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Takes over one from before a restart, in the order they were made. */
  adopt(stored: StoredNotification): void {
    const { clock } = this.#options;
    for (const t_ms of stored.counted_ms) {
      const age_ms = Math.max(0, clock.wallMs() - t_ms);
      if (age_ms < HOUR_MS) this.#counted.push(clock.monoMs() - age_ms);
    }
    if (stored.state === 'sent') this.last_sent_ms = stored.sent_ms;
    // What went through last, or did not, is how it stands until something is tried.
    this.#reason = stored.state === 'sent' ? undefined : (stored.reply ?? this.#reason);
    this.#failing_since_ms =
      this.#reason === undefined ? undefined : (this.#failing_since_ms ?? stored.made_ms);
    if (stored.state !== 'waiting' && stored.state !== 'sending') return;
    const wasSending = stored.state === 'sending';
    if (wasSending) this.#counted.push(clock.monoMs());
    this.#current = {
      ...stored,
      state: 'waiting',
      may_have_arrived: stored.may_have_arrived || wasSending,
      counted_ms: wasSending ? [...stored.counted_ms, clock.wallMs()] : stored.counted_ms,
    };
  }

  /** When something may have become due, by the monotonic clock; what waits for a time of day is not known here. */
  dueMonoMs(): number {
    const { policy } = this.#options;
    if (this.#attempt) return Number.NEGATIVE_INFINITY;
    let earliest = this.#current?.may_have_arrived ? 0 : Number.POSITIVE_INFINITY;
    for (const { since_mono_ms, hold, due } of this.#waiting.values())
      if (hold !== 'quiet' && !due.is_for_digest)
        earliest = Math.min(earliest, since_mono_ms + policy.group_ms);
    if (this.#current && this.#waiting.size === 0) earliest = 0;
    const slot = this.#freeSlot() ? 0 : this.#counted[0] + HOUR_MS;
    return Math.max(earliest, slot, this.#next_try_mono_ms);
  }

  get alerts_waiting(): number {
    return Math.max(this.#waiting.size, this.#current?.items.length ?? 0);
  }

  /** Alerts of one that is not accepted yet. */
  current(): readonly StoredItem[] {
    return this.#current?.items ?? [];
  }

  /** Undefined: what was tried last went through. */
  get failing(): { readonly reason: string; readonly since_ms: number | null } | undefined {
    const { fault } = this.#options.receiver;
    if (fault !== undefined) return { reason: fault, since_ms: null };
    if (this.#reason === undefined) return undefined;
    return { reason: this.#reason, since_ms: this.#failing_since_ms ?? null };
  }

  /** What the receiver is to be notified of now; what is no longer among it is withdrawn. */
  update(due: readonly Due[]): void {
    const { clock } = this.#options;
    const keys = new Set<string>();
    for (const one of due) {
      const key = keyOf(one);
      keys.add(key);
      const known = this.#waiting.get(key);
      if (known) known.due = one;
      else
        this.#waiting.set(key, {
          due: one,
          since_mono_ms: clock.monoMs(),
          since_ms: clock.wallMs(),
          hold: undefined,
        });
    }
    const isOnItsWay = this.#attempt !== undefined || this.#current?.may_have_arrived;
    const on_its_way = new Set(isOnItsWay ? this.#current?.items.map(itemKey) : []);
    for (const key of this.#waiting.keys()) {
      if (keys.has(key)) continue;
      this.#waiting.delete(key);
      if (!on_its_way.has(key)) this.counters.withdrawn++;
    }
  }

  /** Sends what is due, unless something is under way. */
  pump(signal: AbortSignal): void {
    if (this.#attempt || signal.aborted) return;
    this.#attempt = this.#next(signal)
      .catch(error => {
        const { log, id } = this.#options;
        log.error({ component: 'notify', receiver: id, reason: String(error) }, 'could not be sent');
      })
      .finally(() => {
        this.#attempt = undefined;
      });
  }

  /** Resolves when what is under way has ended. */
  async settled(): Promise<void> {
    await this.#attempt;
  }

  /** A test goes at once, beside all bounds. */
  async test(signal: AbortSignal): Promise<{ stored: StoredNotification; delivery: Delivery }> {
    const { id, clock, wording, notifications, receiver, newId } = this.#options;
    const made_ms = clock.wallMs();
    const made: StoredNotification = {
      id: newId(),
      number: notifications.nextNumber(),
      receiver: id,
      kind: 'test',
      made_ms,
      state: 'failed',
      may_have_arrived: false,
      attempts: 1,
      counted_ms: [],
      sent_ms: null,
      reply: null,
      ...wording.test(id, made_ms),
      items: [],
    };
    const delivery = await receiver.send(this.#outgoing(made), signal);
    const isAccepted = delivery.result === 'accepted';
    const stored: StoredNotification = {
      ...made,
      reply: delivery.reply,
      may_have_arrived: delivery.result === 'unknown',
      ...(isAccepted && { state: 'sent', sent_ms: clock.wallMs() }),
    };
    await notifications.save(stored);
    if (isAccepted) this.#wentThrough();
    else this.#failed(delivery.reply);
    return { stored, delivery };
  }

  async #next(signal: AbortSignal): Promise<void> {
    const { clock, notifications } = this.#options;
    const isFree = this.#freeSlot();
    const batch = this.#choose(isFree);
    if (clock.monoMs() < this.#next_try_mono_ms) return;
    if (this.#current?.may_have_arrived) {
      if (!isFree) return;
      this.counters.sent_again++;
      return this.#send(this.#current, signal);
    }
    if (batch && isFree) return this.#send(this.#compose(batch.due, batch.reason), signal);
    if (this.#current && this.#waiting.size === 0) {
      const { reply } = this.#current;
      await notifications.save({ ...this.#current, state: 'withdrawn', reply });
      this.#current = undefined;
    }
  }

  #freeSlot(): boolean {
    const { clock, policy } = this.#options;
    const oldest = clock.monoMs() - HOUR_MS;
    while (this.#counted.length > 0 && this.#counted[0] <= oldest) this.#counted.shift();
    return this.#counted.length < policy.max_per_hour;
  }

  /** What goes together now, and why; also notes what is held back. */
  #choose(isFree: boolean): { due: Due[]; reason: string } | undefined {
    const { clock, policy, time } = this.#options;
    const now_ms = clock.wallMs();
    const isQuiet = policy.quiet_hours !== undefined && time.isQuiet(policy.quiet_hours, now_ms);
    const digest_ms = time.lastAt(policy.digest_at_min, now_ms);
    const prompt: Waiting[] = [];
    const digest: Waiting[] = [];
    for (const waiting of this.#waiting.values()) {
      const { due, since_ms } = waiting;
      if (due.is_for_digest) {
        if (digest_ms > Math.min(since_ms, due.happened_ms) || now_ms < since_ms) digest.push(waiting);
      } else if (isQuiet && !policy.quiet_hours?.except.includes(due.item.severity)) waiting.hold = 'quiet';
      else prompt.push(waiting);
    }
    const groups = Map.groupBy(prompt, ({ due }) => due.item.battery_id);
    const ripe = [...groups.values()].filter(group =>
      group.some(({ since_mono_ms }) => clock.monoMs() - since_mono_ms >= policy.group_ms),
    );
    if (!isFree) for (const one of [...ripe.flat(), ...digest]) one.hold ??= 'rate';
    const held = prompt.find(({ hold }) => hold !== undefined)?.hold;
    if (held && ripe.length > 0) {
      const reason = held === 'rate' ? REASONS.rate(policy.max_per_hour) : REASONS[held];
      return { due: dueIn([...prompt, ...digest]), reason };
    }
    if (ripe.length > 0) return { due: dueIn(ripe[0]), reason: REASONS.none };
    if (digest.length > 0) return { due: dueIn(digest), reason: REASONS.digest };
    return undefined;
  }

  /** In place of the one that certainly did not arrive. */
  #compose(due: readonly Due[], reason: string): StoredNotification {
    const { id, clock, wording, notifications, newId } = this.#options;
    const made_ms = clock.wallMs();
    const before = this.#current;
    return {
      id: before?.id ?? newId(),
      number: before?.number ?? notifications.nextNumber(),
      receiver: id,
      kind: reason ? 'digest' : 'alerts',
      made_ms,
      state: 'waiting',
      may_have_arrived: false,
      attempts: before?.attempts ?? 0,
      counted_ms: [],
      sent_ms: null,
      reply: before?.reply ?? null,
      ...wording.write(due, reason, made_ms),
      items: due.map(({ item, alert }) => {
        const url = wording.urlOf({ item, alert });
        return url === undefined ? item : { ...item, url };
      }),
    };
  }

  async #send(made: StoredNotification, signal: AbortSignal): Promise<void> {
    const { clock, notifications, receiver, alertsStored, onSent } = this.#options;
    const sending: StoredNotification = { ...made, state: 'sending', attempts: made.attempts + 1 };
    this.#current = sending;
    await alertsStored();
    await notifications.save(sending);
    if (signal.aborted) {
      this.#current = made;
      await notifications.save(made);
      return;
    }
    const { result, reply } = await receiver.send(this.#outgoing(sending), signal);
    const now_ms = clock.wallMs();
    const mayBeThere = result !== 'refused';
    if (mayBeThere) this.#counted.push(clock.monoMs());
    const counted_ms = mayBeThere
      ? [...sending.counted_ms, now_ms].slice(-this.#options.policy.max_per_hour)
      : sending.counted_ms;
    const after: StoredNotification = { ...sending, counted_ms, reply };
    if (result === 'accepted') {
      const sent: StoredNotification = { ...after, state: 'sent', sent_ms: now_ms };
      const saving = notifications.save(sent);
      this.#current = undefined;
      for (const item of sent.items) this.#waiting.delete(itemKey(item));
      this.counters.sent++;
      this.last_sent_ms = now_ms;
      this.#wentThrough();
      onSent(sent);
      await saving;
      return;
    }
    const may_have_arrived = sending.may_have_arrived || result === 'unknown';
    this.#current = { ...after, state: 'waiting', may_have_arrived };
    this.counters.failed_attempts++;
    for (const item of sending.items) {
      const waiting = this.#waiting.get(itemKey(item));
      if (waiting) waiting.hold ??= sending.items.length > 1 || this.#waiting.size > 1 ? 'retry' : undefined;
    }
    this.#failed(reply);
    await notifications.save(this.#current);
  }

  #wentThrough(): void {
    const { log, id } = this.#options;
    if (this.#reason !== undefined)
      log.info({ component: 'notify', receiver: id }, 'notifications go through again');
    this.#reason = undefined;
    this.#failing_since_ms = undefined;
    this.#failures = 0;
    this.#next_try_mono_ms = 0;
  }

  #failed(reason: string): void {
    const { clock, log, id } = this.#options;
    if (this.#reason !== reason)
      log.warn({ component: 'notify', receiver: id, reason }, 'a notification was not accepted');
    this.#reason = reason;
    this.#failing_since_ms ??= clock.wallMs();
    const pause_ms = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)];
    this.#failures++;
    this.#next_try_mono_ms = clock.monoMs() + pause_ms;
  }

  #outgoing({ id, kind, made_ms, subject, text, items }: StoredNotification): Outgoing {
    const { gateway_id, site_id } = this.#options;
    const alerts = items.map(({ raised_ms: _, ...item }) => item);
    return { notification_id: id, kind, gateway_id, site_id, made_ms, subject, text, alerts };
  }
}

const dueIn = (waiting: readonly Waiting[]) => waiting.slice(0, MAX_ITEMS).map(({ due }) => due);

type ItemName = Pick<Due['item'], 'alert_id' | 'occurrence' | 'event'>;
const itemKey = ({ alert_id, occurrence, event }: ItemName) => `${event} ${occurrence} ${alert_id}`;
const keyOf = ({ item }: Due) => itemKey(item);
