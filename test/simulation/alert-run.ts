/** The alert service and the notifier of one run of the process, over what the simulation has of disk, wire and time. */
import type { Alert } from '../../core/alerts/alert.ts';
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { silentLogger } from '../../core/log.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { Notifier } from '../../daemon/notify/notifier.ts';
import type { NotifyPolicy } from '../../daemon/notify/policy.ts';
import type { Delivery, Outgoing } from '../../daemon/notify/receivers/receiver.ts';
import { makeReceiver } from '../../daemon/notify/receivers.ts';
import { policy, route } from '../../daemon/notify/testing/notify-bench.ts';
import { AlertService } from '../../daemon/pipeline/alert-service.ts';
import { type AlertRequest, type Documents, LogKind } from '../../daemon/store/store.ts';
import { type AlertMistake, mistaken } from './alert-mistakes.ts';
import { RULES, SILENT_AFTER_MS } from './alert-model.ts';
import type { Gateway } from './gateway.ts';
import type { LogModel, NewRow } from './log-model.ts';
import { json } from './made-rows.ts';
import { ESCALATE_AFTER_MS, GROUP_MS } from './notify-model.ts';
import type { Receivers } from './receivers.ts';

/** What the gateway's life gives to its alerts. */
export interface AlertHost {
  readonly topology: Topology;
  readonly receivers: Receivers;
  readonly gateway: Gateway;
  readonly model: LogModel;
  /** As the process sees it. */
  readonly clock: Clock;
  appendRecord(row: NewRow): void;
  /** Throws while the disk fails, and so do these. */
  flush(): void;
  putDocument(kind: string, id: string, body: string): void;
  deleteDocument(kind: string, id: string): boolean;
  passTime(by_ms: number): Promise<void>;
  trace(line: string): void;
  /** Found while nobody waited for it. */
  fail(error: unknown): void;
}

export interface AlertRunOptions {
  readonly host: AlertHost;
  readonly mistake: AlertMistake | undefined;
  readonly number: number;
  readonly newId: () => string;
  /** In place of the host's. */
  readonly put: (kind: string, id: string, body: unknown) => void;
  readonly onSendingOver: () => void;
}

export class AlertRun {
  readonly service: AlertService;
  readonly notifier: Notifier;
  readonly begun_ms: number;
  is_alive = true;
  /** Messages that are on their way. */
  sending = 0;
  timer: TimerHandle | undefined;
  readonly #options: AlertRunOptions;

  constructor(options: AlertRunOptions) {
    this.#options = options;
    const { host, mistake, number, newId } = options;
    const { topology, clock } = host;
    this.begun_ms = clock.monoMs();
    const store = mistaken(mistake, this.#store());
    const rules = mistake === 'delay_skipped' ? RULES.map(withoutDelay) : RULES;
    const label = (_: number, code: string) => code;
    const engine = { silent_after_ms: SILENT_AFTER_MS, deviceAlarmLabel: label, run: `run${number}` };
    const service = new AlertService(topology, rules, engine, store);
    const notify = policyTo(host.receivers);
    this.service = service;
    this.notifier = new Notifier({
      policy: notify,
      topology,
      alerts: {
        open: () => store.announced(service.open()),
        onChange: listener => service.onChange(listener),
        nextCheck: alert => service.nextCheck(alert),
      },
      store,
      clock,
      log: silentLogger,
      secret: () => 'secret',
      makeReceiver: id => this.#receiver(notify, id),
      newId,
    });
  }

  /** In the order of the product. */
  async stop(): Promise<void> {
    const { clock } = this.#options.host;
    clock.clearTimer(this.timer);
    await this.service.stop(clock.wallMs(), clock.monoMs()).catch(() => {});
    await this.notifier.stop();
    this.is_alive = false;
  }

  /** From one moment to the next: of what it was about to do nothing is done. */
  kill(): void {
    this.is_alive = false;
    this.#options.host.clock.clearTimer(this.timer);
    void this.notifier.stop();
  }

  /** The real one, watched. */
  #receiver({ receivers }: NotifyPolicy, id: string) {
    const { host, onSendingOver } = this.#options;
    const config = receivers.find(one => one.id === id) as (typeof receivers)[number];
    const real = makeReceiver(config, { secret: () => 'secret', wallMs: () => host.clock.wallMs() });
    return {
      to: real.to,
      fault: real.fault,
      send: async (message: Outgoing, signal: AbortSignal): Promise<Delivery> => {
        this.sending++;
        const delivery = await real.send(message, signal);
        this.sending--;
        onSendingOver();
        if (!this.is_alive) return new Promise(() => {});
        host.trace(`(${id} ${message.notification_id}: ${delivery.result}, ${delivery.reply})`);
        return this.#mistaken(delivery);
      },
    };
  }

  #mistaken(delivery: Delivery): Delivery {
    const { mistake } = this.#options;
    if (delivery.result !== 'unknown') return delivery;
    if (mistake === 'lost_answer_taken_for_yes') return { ...delivery, result: 'accepted' };
    return mistake === 'lost_answer_taken_for_no' ? { ...delivery, result: 'refused' } : delivery;
  }

  /** As the store is to the service and the notifier; once the process is gone nothing answers any more. */
  #store() {
    const { host, put } = this.#options;
    const ifAlive = async <T>(act: () => T): Promise<T> =>
      this.is_alive ? act() : new Promise<never>(() => {});
    const documents: Documents = {
      get: (kind, id) => ifAlive(() => host.gateway.reader.get(kind, id)?.body),
      list: kind => ifAlive(() => host.gateway.reader.list(kind)),
      put: (kind, id, body) => ifAlive(() => put(kind, id, body)),
      delete: (kind, id) => ifAlive(() => host.deleteDocument(kind, id)),
    };
    return {
      documents,
      flush: () => ifAlive(() => host.flush()),
      appendAlert: (alert: Alert) => host.appendRecord(json(LogKind.alert, alert.changed_ms, alert)),
      alerts: (request: AlertRequest) => ifAlive(() => host.gateway.reader.alerts(request)),
      pastAlerts: () => ifAlive(() => host.gateway.reader.pastAlerts()),
    };
  }
}

/** Everything to the webhook; what is critical, and what nobody acknowledges, by mail as well. */
function policyTo({ port }: Receivers): NotifyPolicy {
  const from = 'box@example.com';
  const mail = { id: 'mail', type: 'email', host: '127.0.0.1', port: port.mail, security: 'none' } as const;
  return policy({
    receivers: [
      { id: 'hook', type: 'webhook', url: `http://127.0.0.1:${port.hook}/`, secret_from: 'X' },
      { ...mail, from, to: [from] },
    ],
    routes: [
      route({ to: ['hook'], escalate_after_ms: ESCALATE_AFTER_MS, escalate_to: ['mail'] }),
      route({ to: ['mail'], severities: ['critical'] }),
    ],
    group_ms: GROUP_MS,
  });
}

const withoutDelay = (rule: (typeof RULES)[number]) => ({ ...rule, raise_after_ms: 0, critical_after_ms: 0 });
