/**
 * For tests: a notifier over real alerts and documents in memory, with a receiver that answers as it is asked to, and a
 * process that can be killed at any moment.
 */
import type { Alert, AlertSeverity } from '../../../core/alerts/alert.ts';
import { AlertBook, type Subject } from '../../../core/alerts/alert-book.ts';
import { OutOfServiceList, serviceId } from '../../../core/alerts/out-of-service.ts';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import type { Topology } from '../../../core/topology/topology.ts';
import type { AlertRequest, Documents } from '../../store/store.ts';
import { Notifier } from '../notifier.ts';
import type { NotifyPolicy, Route } from '../policy.ts';
import type { Delivery, Outgoing, Receiver } from '../receivers/receiver.ts';
import { DEFAULT_TEMPLATES } from '../template.ts';

/**
 * `lost`: no answer, and it has not arrived. `arrived`: no answer, and it has. `killed`: it has arrived, and the gateway is
 * killed before it knows. `stalled`: it waits until the gateway stops.
 */
export type Answer = 'accepted' | 'refused' | 'lost' | 'arrived' | 'killed' | 'stalled';

export interface Received extends Outgoing {
  readonly receiver: string;
  readonly at_ms: number;
}

export const route = (fields: Partial<Route> = {}): Route => ({
  to: ['office'],
  severities: ['critical', 'warning', 'info'],
  batteries: undefined,
  about: ['batteries', 'gateway'],
  rules: undefined,
  when: 'at_once',
  escalate_after_ms: undefined,
  escalate_to: [],
  ...fields,
});

export const policy = (fields: Partial<NotifyPolicy> = {}): NotifyPolicy => ({
  receivers: [{ id: 'office', type: 'webhook', url: 'http://192.0.2.1/', secret_from: 'X' }],
  routes: [route()],
  group_ms: 5000,
  max_per_hour: 1000,
  digest_at_min: 7 * 60,
  quiet_hours: undefined,
  time_zone: 'Europe/Berlin',
  page_url: 'https://box',
  templates: DEFAULT_TEMPLATES,
  ...fields,
});

/** Packs 0 and 1 are of battery north, 2 and 3 of south. */
const BATTERIES = ['north', 'north', 'south', 'south'];

export class NotifyBench {
  readonly clock = new ManualClock();
  readonly service = new OutOfServiceList();
  readonly book = new AlertBook('run', this.service.of);
  readonly received: Received[] = [];
  /** Each attempt at a receiver. */
  attempts = 0;
  answer: Answer = 'accepted';
  flushes = 0;
  disk_fails = false;
  notifier: Notifier;
  readonly stored = new Map<string, string>();
  readonly #recorded = new Map<string, Alert>();
  readonly #listeners = new Set<(alert: Alert) => void>();
  readonly #policy: NotifyPolicy;
  #process = { isAlive: true };
  #ids = 0;

  constructor(fields: Partial<NotifyPolicy> = {}) {
    this.#policy = policy(fields);
    this.notifier = this.#make();
  }

  start(): Promise<void> {
    return this.notifier.start();
  }

  /** As `kill -9`: what it had not written is gone. */
  async kill(): Promise<void> {
    this.#process.isAlive = false;
    await this.#begin();
  }

  async restart(): Promise<void> {
    // One that was killed in the middle of an answer no longer stops in order.
    if (this.#process.isAlive) await this.notifier.stop();
    this.#process.isAlive = false;
    await this.#begin();
  }

  raise(pack: number, severity: AlertSeverity = 'critical', rule_id = 'cell_high'): void {
    this.book.raise(
      { id: rule_id, severity },
      subject(pack),
      { message: `Pack ${pack}: ${rule_id}`, cell_no: 3 },
      this.clock.wallMs(),
      this.emit,
    );
  }

  raiseOfGateway(rule_id = 'storage_fault'): void {
    this.book.raise(
      { id: rule_id, severity: 'critical' },
      { index: 0, battery_id: null, pack_id: null, connection_id: null },
      { message: 'The disk is full' },
      this.clock.wallMs(),
      this.emit,
    );
  }

  worsen(pack: number, severity: AlertSeverity, rule_id = 'cell_high'): void {
    const found = { message: `Pack ${pack}: worse` };
    this.book.update(rule_id, subject(pack), found, this.clock.wallMs(), this.emit, severity);
  }

  clear(pack: number, rule_id = 'cell_high'): void {
    this.book.clear({ id: rule_id }, subject(pack), this.clock.wallMs(), this.emit);
  }

  alertOf(pack: number, rule_id = 'cell_high'): Alert | undefined {
    return this.book.all().find(alert => alert.pack_id === `p${pack}` && alert.rule_id === rule_id);
  }

  takeOut(pack: number): void {
    const scope = { ...subject(pack), rule_id: null };
    const what = { id: serviceId(scope), ...this.act, until_ms: null, reason: 'rack rebuilt' };
    this.service.put({ ...scope, ...what });
    this.book.applyService(this.clock.wallMs(), 'ada', this.emit);
  }

  putBack(pack: number): void {
    this.service.remove(serviceId({ ...subject(pack), rule_id: null }));
    this.book.applyService(this.clock.wallMs(), 'ada', this.emit);
  }

  get act() {
    return { by: 'ada', at_ms: this.clock.wallMs() };
  }

  readonly emit = (alert: Alert): void => {
    this.#recorded.set(alert.id, alert);
    for (const listener of this.#listeners) listener(alert);
  };

  advance(by_ms: number): Promise<void> {
    return this.clock.advanceAsync(by_ms);
  }

  /** `raised p0, recovered p1` of each message, in order. */
  events(receiver = 'office'): string[] {
    return this.received
      .filter(message => message.receiver === receiver)
      .map(({ alerts }) => alerts.map(({ event, pack_id }) => `${event} ${pack_id ?? 'gateway'}`).join(', '));
  }

  async #begin(): Promise<void> {
    void this.notifier.stop();
    this.#process = { isAlive: true };
    this.notifier = this.#make();
    await this.notifier.start();
  }

  #make(): Notifier {
    const process = this.#process;
    return new Notifier({
      policy: this.#policy,
      topology,
      alerts: {
        open: () => this.book.all(),
        onChange: listener => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
        nextCheck: () => 'Look at it',
      },
      store: {
        documents: this.#documents(process),
        flush: async () => {
          this.flushes++;
        },
        alerts: async ({ from_ms = 0, to_ms = 0 }: AlertRequest) =>
          [...this.#recorded.values()].filter(({ raised_ms }) => raised_ms >= from_ms && raised_ms <= to_ms),
      },
      clock: this.clock,
      log: silentLogger,
      secret: () => 'secret',
      makeReceiver: id => this.#receiver(id, process),
      newId: () => `n${++this.#ids}`,
    });
  }

  #receiver(receiver: string, process: { isAlive: boolean }): Receiver {
    return {
      to: receiver,
      fault: undefined,
      send: async (message, signal): Promise<Delivery> => {
        if (!process.isAlive) return new Promise(() => {});
        this.attempts++;
        const { answer } = this;
        const arrives = answer === 'accepted' || answer === 'arrived' || answer === 'killed';
        if (arrives) this.received.push({ ...message, receiver, at_ms: this.clock.monoMs() });
        if (answer === 'killed') process.isAlive = false;
        if (answer === 'stalled')
          await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }));
        if (answer === 'accepted') return { result: 'accepted', reply: 'OK' };
        return { result: answer === 'refused' ? 'refused' : 'unknown', reply: answer };
      },
    };
  }

  #documents(process: { isAlive: boolean }): Documents {
    const key = (kind: string, id: string) => `${kind} ${id}`;
    return {
      get: async (kind, id) => JSON.parse(this.stored.get(key(kind, id)) ?? 'null') ?? undefined,
      list: async kind =>
        [...this.stored]
          .filter(([name]) => name.startsWith(`${kind} `))
          .map(([name, text]) => ({ id: name.slice(kind.length + 1), body: JSON.parse(text) })),
      put: async (kind, id, body) => {
        if (this.disk_fails) throw new Error('disk full');
        if (process.isAlive) this.stored.set(key(kind, id), JSON.stringify(body));
      },
      delete: async (kind, id) => process.isAlive && this.stored.delete(key(kind, id)),
    };
  }
}

function subject(pack: number): Subject {
  return { index: pack, battery_id: BATTERIES[pack], pack_id: `p${pack}`, connection_id: null };
}

const topology: Topology = {
  site: { id: 'site', name: 'Test site' },
  gateway_id: 'gw',
  batteries: [
    { battery: 0, id: 'north', name: 'North', chemistry: 'lfp', packs: [0, 1] },
    { battery: 1, id: 'south', name: 'South', chemistry: 'lfp', packs: [2, 3] },
  ],
  packs: [],
};
