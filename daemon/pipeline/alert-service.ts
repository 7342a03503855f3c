/** Alerts as a service: the pure engines, fed by sampler and gateway watch, recorded in the store, passed to listeners. */
import { type Alert, storedAlert } from '../../core/alerts/alert.ts';
import type { AlertBook } from '../../core/alerts/alert-book.ts';
import { AlertEngine, type EngineOptions, type PackFacts } from '../../core/alerts/engine.ts';
import { GatewayAlerts } from '../../core/alerts/gateway-alerts.ts';
import type { GatewayParts } from '../../core/alerts/gateway-rules.ts';
import { type Act, isInForce } from '../../core/alerts/lifecycle.ts';
import type { OutOfService, ServiceScope } from '../../core/alerts/out-of-service.ts';
import type { ThresholdRule } from '../../core/alerts/rule.ts';
import { nextCheckOf, ruleTitleOf } from '../../core/alerts/rule-words.ts';
import type { Settings, SettingsReply, Shelve } from '../../core/contract/http.ts';
import { type Logger, silentLogger } from '../../core/log.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { Alerts } from '../server/services.ts';
import type { Store } from '../store/store.ts';
import { AlertSettings } from './alert-settings.ts';
import { PendingDelays } from './pending-delays.ts';
import { ServiceKeeper } from './service-keeper.ts';

/** More open alerts than a fleet can have rules times packs are never restored. */
const MAX_RESTORED = 100_000;

type AlertStore = Pick<Store, 'appendAlert' | 'alerts' | 'pastAlerts' | 'documents'>;

export interface AlertServiceOptions extends Omit<EngineOptions, 'serviceOf' | 'only_thresholds'> {
  /** The time for which something was out of service is over. */
  readonly onServiceEnded?: (entry: OutOfService) => void;
}

export class AlertService implements Alerts {
  readonly #engine: AlertEngine;
  readonly #gateway: GatewayAlerts;
  readonly #store: AlertStore;
  readonly #settings: AlertSettings;
  readonly #pending: PendingDelays;
  #isRestored = false;
  readonly #listeners = new Set<(alert: Alert) => void>();
  #open: readonly Alert[] = [];
  #active: readonly Alert[] = [];

  readonly #service: ServiceKeeper;
  readonly #service_listeners = new Set<() => void>();
  readonly #onServiceEnded: (entry: OutOfService) => void;

  constructor(
    topology: Topology,
    rules: readonly ThresholdRule[],
    options: AlertServiceOptions,
    store: AlertStore,
    log: Logger = silentLogger,
  ) {
    this.#service = new ServiceKeeper(store.documents, log);
    this.#onServiceEnded = options.onServiceEnded ?? (() => {});
    const { of: serviceOf } = this.#service.list;
    this.#engine = new AlertEngine(topology, rules, { ...options, serviceOf });
    this.#gateway = new GatewayAlerts(undefined, options.run, serviceOf);
    this.#store = store;
    this.#settings = new AlertSettings(topology, rules, store.documents, log);
    this.#pending = new PendingDelays(store.documents, log);
  }

  /** Takes over rules, open alerts and delays that run from before a restart. */
  async restore(t_ms: number, mono_ms: number): Promise<void> {
    await this.#settings.restore();
    await this.#service.restore();
    this.#engine.replaceRules(this.#settings.rules());
    for (const past of await this.#store.pastAlerts()) this.#bookOf(past).remember(past);
    const open = (await this.#store.alerts({ state: 'open', limit: MAX_RESTORED })).map(storedAlert);
    this.#gateway.adopt(open.filter(isOfGateway), t_ms, this.#record);
    this.#engine.adopt(
      open.filter(alert => !isOfGateway(alert)),
      t_ms,
      this.#record,
    );
    // What a process that ended in between has stored of the entry, and not of its alerts.
    this.#serviceChanged(t_ms, null);
    this.#engine.resume(await this.#pending.restore(t_ms), mono_ms);
    this.#isRestored = true;
    this.#gather();
  }

  /** What is known of a pack at one moment. */
  judge(pack: number, facts: PackFacts, t_ms: number, mono_ms: number): void {
    this.#engine.evaluate(pack, facts, t_ms, mono_ms, this.#record);
  }

  /** After all packs of a moment were judged. */
  finishMoment(t_ms: number, mono_ms: number): void {
    this.#engine.finish(t_ms, mono_ms, this.#record);
    this.#endService(t_ms);
    this.#pending.saveNowAndThen(() => this.#engine.pending(mono_ms), t_ms, mono_ms);
  }

  judgeGateway(parts: GatewayParts, t_ms: number, mono_ms: number): void {
    this.#gateway.evaluate(parts, t_ms, mono_ms, this.#record);
  }

  /** Saves what a restart needs, once; nothing is judged after it. Before it was restored there is nothing to save. */
  async stop(t_ms: number, mono_ms: number): Promise<void> {
    if (!this.#isRestored) return;
    this.#isRestored = false;
    await this.#pending.save(this.#engine.pending(mono_ms), t_ms);
  }

  open(): readonly Alert[] {
    return this.#open;
  }

  active(): readonly Alert[] {
    return this.#active;
  }

  onChange(listener: (alert: Alert) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  acknowledge(id: string, act: Act, note: string | null): Alert | undefined {
    return this.#act(book => book.acknowledge(id, act, note, this.#record));
  }

  note(id: string, act: Act, text: string): Alert | undefined {
    return this.#act(book => book.note(id, act, text, this.#record));
  }

  shelve(id: string, act: Act, { duration_ms, reason }: Shelve): Alert | undefined {
    return this.#act(book => book.shelve(id, act, act.at_ms + duration_ms, reason, this.#record));
  }

  unshelve(id: string, act: Act): Alert | undefined {
    return this.#act(book => book.unshelve(id, act, this.#record));
  }

  outOfService(): readonly OutOfService[] {
    return this.#service.list.all();
  }

  onServiceChange(listener: () => void): () => void {
    this.#service_listeners.add(listener);
    return () => this.#service_listeners.delete(listener);
  }

  hasRule(rule_id: string, pack: number): boolean {
    return this.#engine.hasRule(rule_id, pack);
  }

  async takeOutOfService(
    scope: ServiceScope,
    what: Pick<OutOfService, 'by' | 'at_ms' | 'until_ms' | 'reason'>,
  ): Promise<OutOfService> {
    const entry = await this.#service.take(scope, what);
    this.#serviceChanged(what.at_ms, what.by);
    return entry;
  }

  async putInService(id: string, { by, at_ms }: Act): Promise<void> {
    await this.#service.putBack(id);
    this.#serviceChanged(at_ms, by);
  }

  ruleLabel(rule_id: string): string | null {
    return ruleTitleOf(rule_id, this.#engine.rules);
  }

  nextCheck(alert: Alert): string | null {
    return nextCheckOf(alert, this.#engine.rules);
  }

  settings(): SettingsReply {
    return this.#settings.reply();
  }

  /** The rules as they hold, and as they would after a change. GatewayErrors as of `changeSettings`. */
  rulesWith(settings: Settings): { before: readonly ThresholdRule[]; after: readonly ThresholdRule[] } {
    return { before: this.#settings.rules(), after: this.#settings.check(settings) };
  }

  rules(): readonly ThresholdRule[] {
    return this.#settings.rules();
  }

  /** In place of all rules as they hold; only what the configuration says otherwise is kept. */
  async takeRules(
    rules: readonly ThresholdRule[],
    { by, at_ms }: Act,
    note: string | null,
  ): Promise<SettingsReply> {
    await this.#settings.take(rules, note, by, at_ms);
    this.#engine.replaceRules(this.#settings.rules());
    return this.settings();
  }

  async changeSettings(settings: Settings, { by, at_ms }: Act): Promise<SettingsReply> {
    await this.#settings.change(settings, by, at_ms);
    this.#engine.replaceRules(this.#settings.rules());
    return this.settings();
  }

  #endService(t_ms: number): void {
    const ended = this.#service.endDue(t_ms);
    if (ended.length === 0) return;
    this.#serviceChanged(t_ms, null);
    for (const entry of ended) this.#onServiceEnded(entry);
  }

  #serviceChanged(t_ms: number, by: string | null): void {
    this.#engine.book.applyService(t_ms, by, this.#record);
    this.#gateway.book.applyService(t_ms, by, this.#record);
    for (const listener of this.#service_listeners) listener();
  }

  #act(step: (book: AlertBook) => Alert | undefined): Alert | undefined {
    return step(this.#engine.book) ?? step(this.#gateway.book);
  }

  #bookOf(alert: Alert): AlertBook {
    return isOfGateway(alert) ? this.#gateway.book : this.#engine.book;
  }

  readonly #record = (alert: Alert): void => {
    this.#store.appendAlert(alert);
    this.#gather();
    for (const listener of this.#listeners) listener(alert);
  };

  #gather(): void {
    const of_gateway = this.#gateway.book.all();
    const of_packs = this.#engine.book.all();
    this.#open =
      of_gateway.length === 0
        ? of_packs
        : [...of_gateway, ...of_packs].sort((a, b) => b.raised_ms - a.raised_ms);
    this.#active = this.#open.filter(isInForce);
  }
}

/** Not of packs or connections. */
function isOfGateway({ battery_id, connection_id }: Alert): boolean {
  return battery_id === null && connection_id === null;
}
