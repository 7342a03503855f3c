/**
 * Notification: who is notified of which alert, when, and what came of it. Fed by the alerts and by the clock. Apart from
 * what is active it keeps what was notified (stored-notification.ts); what is still to be sent is made of both (due.ts).
 */
import { randomUUID } from 'node:crypto';
import { type Alert, storedAlert } from '../../core/alerts/alert.ts';
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import type { ComponentStatus } from '../../core/contract/http.ts';
import type { NotificationsReply, NotificationTestReply } from '../../core/contract/notifications.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { Store } from '../store/store.ts';
import { dueOf } from './due.ts';
import { Ledger } from './ledger.ts';
import { indexOf, type NotifiedOf, viewOf } from './notified-view.ts';
import { Outbox } from './outbox.ts';
import type { NotifyPolicy } from './policy.ts';
import type { Receiver } from './receivers/receiver.ts';
import { makeReceiver } from './receivers.ts';
import { NotificationLog, type StoredNotification } from './stored-notification.ts';
import { TimeOfDay } from './time-of-day.ts';
import { Wording } from './wording.ts';

const TICK_MS = 1000;
/** Also without a change: escalation, and alerts that come from the shelf. */
const EVALUATE_MS = 10_000;
/** A disk that fails does not hold up the notification that it does. */
const MAX_STORING_MS = 5000;
const TEST_EVERY_MS = 5000;
/** Somebody waits for the answer. */
const MAX_TEST_MS = 20_000;
/** With the same rule and subject raised in one moment. */
const MAX_OF_ONE_MOMENT = 1000;

export interface NotifierOptions {
  readonly policy: NotifyPolicy;
  readonly topology: Topology;
  readonly alerts: {
    open(): readonly Alert[];
    onChange(listener: (alert: Alert) => void): () => void;
    nextCheck(alert: Alert): string | null;
  };
  readonly store: Pick<Store, 'documents' | 'flush' | 'alerts'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** See ReceiverContext. */
  readonly secret: (name: string) => string | undefined;
  /** For tests: receivers in place of the configured ones. */
  readonly makeReceiver?: (id: string) => Receiver;
  readonly newId?: () => string;
}

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #notifications: NotificationLog;
  readonly #outboxes = new Map<string, Outbox>();
  readonly #receivers = new Map<string, Receiver>();
  readonly #ledger = new Ledger();
  readonly #ended = new Map<string, Alert>();
  /** Monotonic time since which an occurrence of an alert is there. */
  readonly #since = new Map<string, number>();
  readonly #abort = new AbortController();
  readonly #tested_mono_ms = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #index: Map<string, NotifiedOf[]> | undefined;
  #unsubscribe: (() => void) | undefined;
  #timer: TimerHandle | undefined;
  #is_dirty = true;
  #evaluated_mono_ms = 0;
  #pruning: Promise<void> | undefined;

  constructor(options: NotifierOptions) {
    const { policy, topology, alerts, clock, log, store } = options;
    this.#options = options;
    this.#notifications = new NotificationLog(store.documents, log);
    const time = new TimeOfDay(policy.time_zone);
    const wording = new Wording({
      topology,
      templates: policy.templates,
      page_url: policy.page_url,
      time,
      nextCheck: alert => alerts.nextCheck(alert),
    });
    for (const config of policy.receivers) {
      const receiver =
        options.makeReceiver?.(config.id) ??
        makeReceiver(config, { secret: options.secret, wallMs: () => clock.wallMs() });
      this.#receivers.set(config.id, receiver);
      this.#outboxes.set(
        config.id,
        new Outbox({
          id: config.id,
          receiver,
          policy,
          clock,
          log,
          wording,
          time,
          notifications: this.#notifications,
          gateway_id: topology.gateway_id,
          site_id: topology.site.id,
          newId: options.newId ?? randomUUID,
          alertsStored: () => this.#alertsStored(),
          onSent: stored => this.#sent(stored),
        }),
      );
    }
  }

  /** After the alerts were restored. */
  async start(): Promise<void> {
    if (this.#outboxes.size === 0) return;
    const { alerts, log } = this.#options;
    try {
      await this.#restore();
    } catch (error) {
      const reason = describeError(error);
      log.error(
        { component: 'notify', reason },
        'what was notified before cannot be read: it may be notified again',
      );
    }
    if (this.#abort.signal.aborted) return;
    this.#unsubscribe = alerts.onChange(alert => {
      this.#changed();
      if (!alert.is_open) this.#ended.set(alert.id, alert);
    });
    this.#tick();
  }

  /** What is under way is ended: it is known to have arrived, or goes again after the next start with the same id. */
  async stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#options.clock.clearTimer(this.#timer);
    this.#abort.abort();
    await Promise.all([...this.#outboxes.values()].map(outbox => outbox.settled()));
    await this.#pruning;
  }

  /** Undefined: nobody is notified. */
  status(): ComponentStatus | undefined {
    if (this.#outboxes.size === 0) return undefined;
    const all = [...this.#outboxes];
    const failing = this.failing();
    const sum = (count: (outbox: Outbox) => number) =>
      all.reduce((total, [, outbox]) => total + count(outbox), 0);
    const reasons = failing.map(({ id, reason }) => `${id}: ${reason}`).join('; ');
    return {
      name: 'notify',
      state: failing.length === 0 ? 'ok' : failing.length === all.length ? 'down' : 'degraded',
      reason: reasons || null,
      counters: {
        receivers: all.length,
        receivers_failing: failing.length,
        notifications_sent: sum(({ counters }) => counters.sent),
        notifications_sent_again: sum(({ counters }) => counters.sent_again),
        notify_attempts_failed: sum(({ counters }) => counters.failed_attempts),
        notify_alerts_waiting: sum(outbox => outbox.alerts_waiting),
        notify_alerts_withdrawn: sum(({ counters }) => counters.withdrawn),
      },
    };
  }

  /** Receivers to which nothing goes through. */
  failing(): { readonly id: string; readonly reason: string }[] {
    return [...this.#outboxes].flatMap(([id, { failing }]) =>
      failing ? [{ id, reason: failing.reason }] : [],
    );
  }

  view(): NotificationsReply {
    const receivers = this.#options.policy.receivers.map(({ id, type }) => {
      const outbox = this.#outboxes.get(id);
      const reason = outbox?.failing?.reason ?? null;
      return {
        id,
        type,
        to: this.#receivers.get(id)?.to ?? '',
        reason,
        state: reason === null ? ('ok' as const) : ('down' as const),
        last_sent_ms: outbox?.last_sent_ms ?? null,
        alerts_waiting: outbox?.alerts_waiting ?? 0,
      };
    });
    return { receivers, notifications: this.#notifications.all().reverse().map(viewOf) };
  }

  onNotified(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Who was notified of an alert, the oldest first. */
  notifiedOf(alert_id: string): readonly NotifiedOf[] {
    this.#index ??= indexOf(this.#notifications.all());
    return this.#index.get(alert_id) ?? [];
  }

  /** A GatewayError NOT_FOUND, or RATE_LIMITED where the last one was just now. */
  async test(receiver: string): Promise<NotificationTestReply> {
    const outbox = this.#outboxes.get(receiver);
    if (!outbox) throw new GatewayError('NOT_FOUND', `There is no receiver '${receiver}'`);
    const now = this.#options.clock.monoMs();
    const last = this.#tested_mono_ms.get(receiver);
    if (last !== undefined && now - last < TEST_EVERY_MS)
      throw new GatewayError(
        'RATE_LIMITED',
        `A test was just sent to '${receiver}': wait ${TEST_EVERY_MS / 1000} s`,
      );
    this.#tested_mono_ms.set(receiver, now);
    const { delivery } = await this.#within(MAX_TEST_MS, signal => outbox.test(signal));
    this.#changed();
    return { accepted: delivery.result === 'accepted', reply: delivery.reply };
  }

  async #restore(): Promise<void> {
    await this.#notifications.restore();
    for (const stored of this.#notifications.all()) {
      const outbox = this.#outboxes.get(stored.receiver);
      if (outbox) {
        if (stored.state === 'sent') this.#ledger.add(stored);
        outbox.adopt(stored);
      } else if (stored.state === 'waiting' || stored.state === 'sending')
        await this.#notifications.save({
          ...stored,
          state: 'withdrawn',
          reply: 'the receiver is no longer configured',
        });
    }
    const open = new Set(this.#options.alerts.open().map(({ id }) => id));
    for (const [id, outbox] of this.#outboxes) {
      for (const { item, is_recovered } of this.#ledger.of(id).values())
        if (!is_recovered && !open.has(item.alert_id)) await this.#findEnded(item.alert_id, item.raised_ms);
      for (const item of outbox.current())
        if (!open.has(item.alert_id)) await this.#findEnded(item.alert_id, item.raised_ms);
    }
  }

  /** How an alert ended that was over before this start. */
  async #findEnded(alert_id: string, raised_ms: number): Promise<void> {
    const span = { from_ms: raised_ms, to_ms: raised_ms };
    const found = await this.#options.store.alerts({ state: 'all', limit: MAX_OF_ONE_MOMENT, ...span });
    const alert = found.find(({ id }) => id === alert_id);
    if (alert) this.#ended.set(alert_id, storedAlert(alert));
  }

  #tick(): void {
    const { clock, log } = this.#options;
    try {
      const mono_ms = clock.monoMs();
      if (this.#is_dirty || mono_ms - this.#evaluated_mono_ms >= EVALUATE_MS) {
        this.#is_dirty = false;
        this.#evaluated_mono_ms = mono_ms;
        this.#evaluate();
      }
      for (const outbox of this.#outboxes.values()) outbox.pump(this.#abort.signal);
    } catch (error) {
      log.error(
        { component: 'notify', reason: describeError(error) },
        'what is to be notified could not be found',
      );
    }
    this.#arm();
  }

  /** When something may be due; a second at the earliest. */
  #arm(): void {
    const { clock } = this.#options;
    if (this.#abort.signal.aborted) return;
    clock.clearTimer(this.#timer);
    let wait_ms = this.#is_dirty ? TICK_MS : EVALUATE_MS;
    for (const outbox of this.#outboxes.values())
      wait_ms = Math.min(wait_ms, outbox.dueMonoMs() - clock.monoMs());
    this.#timer = clock.setTimer(() => this.#tick(), Math.max(TICK_MS, wait_ms));
  }

  /** Within a second; many changes at once are one. */
  #changed(): void {
    if (this.#is_dirty) return;
    this.#is_dirty = true;
    this.#arm();
  }

  #evaluate(): void {
    const { alerts, policy } = this.#options;
    const open = alerts.open();
    const ageOf = this.#ages(open);
    for (const { id, role } of policy.receivers) {
      const outbox = this.#outboxes.get(id);
      if (!outbox) continue;
      const situation = {
        receiver: id,
        is_of_user: role === 'user',
        routes: policy.routes,
        open,
        ageOf,
        notified: this.#ledger.of(id),
        ended: this.#ended,
      };
      outbox.update(dueOf(situation, outbox.failing !== undefined));
    }
    this.#forget(open);
  }

  /** Measured by the monotonic clock; before this start the wall clock has to do. */
  #ages(open: readonly Alert[]): (alert: Alert) => number {
    const { clock, policy } = this.#options;
    if (policy.routes.every(({ escalate_after_ms }) => escalate_after_ms === undefined)) return () => 0;
    const mono_ms = clock.monoMs();
    const names = new Set<string>();
    for (const alert of open) {
      const name = `${alert.id} ${alert.occurrences}`;
      names.add(name);
      if (!this.#since.has(name))
        this.#since.set(name, mono_ms - Math.max(0, clock.wallMs() - alert.occurred_ms));
    }
    for (const name of this.#since.keys()) if (!names.has(name)) this.#since.delete(name);
    return ({ id, occurrences }) => mono_ms - (this.#since.get(`${id} ${occurrences}`) ?? mono_ms);
  }

  /** What is over for everybody. */
  #forget(open: readonly Alert[]): void {
    const needed = new Set(open.map(({ id }) => id));
    for (const [id, outbox] of this.#outboxes) {
      const notified = this.#ledger.of(id);
      for (const [alert_id, { is_recovered }] of notified)
        if (is_recovered && !needed.has(alert_id)) notified.delete(alert_id);
      for (const { alert_id } of outbox.current()) needed.add(alert_id);
    }
    for (const alert_id of this.#ended.keys()) {
      const isOwed = [...this.#outboxes.keys()].some(id => this.#ledger.of(id).has(alert_id));
      if (!isOwed && !needed.has(alert_id)) this.#ended.delete(alert_id);
    }
    const isNeeded = (stored: StoredNotification) =>
      stored.state === 'waiting' || stored.state === 'sending' || this.#ledger.isNeeded(stored);
    this.#pruning ??= this.#notifications
      .saveAgain()
      .then(() => this.#notifications.prune(isNeeded))
      .finally(() => {
        this.#pruning = undefined;
        this.#index = undefined;
      });
  }

  #sent(stored: StoredNotification): void {
    this.#ledger.add(stored);
    this.#index = undefined;
    this.#changed();
    for (const listener of this.#listeners) listener();
  }

  /** The signal aborts after this time, and when the gateway stops. */
  async #within<T>(time_ms: number, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const late = new AbortController();
    const timer = clock.setTimer(() => late.abort(), time_ms);
    try {
      return await act(AbortSignal.any([this.#abort.signal, late.signal]));
    } finally {
      clock.clearTimer(timer);
    }
  }

  async #alertsStored(): Promise<void> {
    const { clock, store } = this.#options;
    let timer: TimerHandle | undefined;
    const late = new Promise<void>(resolve => {
      timer = clock.setTimer(resolve, MAX_STORING_MS);
    });
    await Promise.race([store.flush().catch(() => {}), late]);
    clock.clearTimer(timer);
  }
}
