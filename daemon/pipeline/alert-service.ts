/** Alerts as a service: the pure engines, fed by sampler and gateway watch, recorded in the store, passed to listeners. */
import { Compile } from 'typebox/compile';
import type { Alert, ThresholdRule } from '../../core/alerts/alert.ts';
import { AlertEngine, type EngineOptions, type PackFacts } from '../../core/alerts/engine.ts';
import { GatewayAlerts } from '../../core/alerts/gateway-alerts.ts';
import type { GatewayParts } from '../../core/alerts/gateway-rules.ts';
import { ruleQuantity } from '../../core/alerts/measure.ts';
import { type RuleView, Settings, type SettingsReply } from '../../core/contract/http.ts';
import { GatewayError } from '../../core/errors.ts';
import { type Logger, silentLogger } from '../../core/log.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { Alerts } from '../server/services.ts';
import { ReadableDocuments } from '../store/documents/readable-documents.ts';
import type { Store } from '../store/store.ts';

const isSettings = Compile(Settings);
const SETTINGS_KIND = 'settings';
const SETTINGS_ID = 'thresholds';
/** More active alerts than a fleet can have rules times packs are never restored. */
const MAX_RESTORED = 100_000;

export class AlertService implements Alerts {
  readonly #engine: AlertEngine;
  readonly #gateway: GatewayAlerts;
  readonly #configured: readonly ThresholdRule[];
  readonly #store: Pick<Store, 'appendAlert' | 'alerts' | 'documents'>;
  readonly #readable: ReadableDocuments;
  readonly #listeners = new Set<(alert: Alert) => void>();
  #active: readonly Alert[] = [];

  constructor(
    topology: Topology,
    rules: readonly ThresholdRule[],
    options: EngineOptions,
    store: Pick<Store, 'appendAlert' | 'alerts' | 'documents'>,
    log: Logger = silentLogger,
  ) {
    this.#engine = new AlertEngine(topology, rules, options);
    this.#gateway = new GatewayAlerts(undefined, options.run);
    this.#configured = rules;
    this.#store = store;
    this.#readable = new ReadableDocuments(store.documents, log);
  }

  /** Takes over thresholds and active alerts from before a restart. */
  async restore(t_ms: number): Promise<void> {
    const readSettings = (body: unknown) => (isSettings.Check(body) ? body : undefined);
    const remedy = 'alerts are raised by the thresholds of the configuration; set them again';
    const saved = await this.#readable.get(SETTINGS_KIND, SETTINGS_ID, readSettings, remedy);
    if (saved) this.#engine.replaceRules(withThresholds(this.#configured, saved));
    const active = await this.#store.alerts({ state: 'active', limit: MAX_RESTORED });
    const of_gateway = this.#gateway.adopt(
      active.filter(alert => alert.battery_id === null),
      t_ms,
    );
    const of_packs = this.#engine.adopt(
      active.filter(alert => alert.battery_id !== null),
      t_ms,
    );
    for (const orphan of [...of_gateway, ...of_packs]) this.#record(orphan);
    this.#active = this.#allActive();
  }

  /** What is known of a pack at one moment. */
  judge(pack: number, facts: PackFacts, t_ms: number, mono_ms: number): void {
    this.#engine.evaluate(pack, facts, t_ms, mono_ms, this.#record);
  }

  judgeGateway(parts: GatewayParts, t_ms: number, mono_ms: number): void {
    this.#gateway.evaluate(parts, t_ms, mono_ms, this.#record);
  }

  active(): readonly Alert[] {
    return this.#active;
  }

  onChange(listener: (alert: Alert) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  settings(): SettingsReply {
    return { thresholds: Object.fromEntries(this.#engine.rules.map(rule => [rule.id, viewOf(rule)])) };
  }

  async changeSettings(settings: Settings): Promise<SettingsReply> {
    for (const [id, { raise_at, clear_at }] of Object.entries(settings.thresholds)) {
      const rule = this.#configured.find(one => one.id === id);
      if (!rule) {
        const names = this.#configured.map(one => one.id).join(', ');
        throw new GatewayError('BAD_REQUEST', `thresholds.${id}: no such rule; the rules are ${names}`);
      }
      const onSafeSide = rule.direction === 'above' ? clear_at <= raise_at : clear_at >= raise_at;
      if (!onSafeSide) {
        const side = rule.direction === 'above' ? 'at or below' : 'at or above';
        throw new GatewayError(
          'BAD_REQUEST',
          `thresholds.${id}.clear_at: found ${clear_at}, expected a value ${side} raise_at (${raise_at})`,
        );
      }
    }
    const changed = withThresholds(this.#engine.rules, settings);
    await this.#store.documents.put(SETTINGS_KIND, SETTINGS_ID, thresholdsOf(changed));
    this.#engine.replaceRules(changed);
    return this.settings();
  }

  readonly #record = (alert: Alert): void => {
    this.#store.appendAlert(alert);
    this.#active = this.#allActive();
    for (const listener of this.#listeners) listener(alert);
  };

  /** Newest first. */
  #allActive(): Alert[] {
    const of_gateway = this.#gateway.active();
    const of_packs = this.#engine.active();
    if (of_gateway.length === 0) return of_packs;
    return [...of_gateway, ...of_packs].sort((a, b) => b.raised_ms - a.raised_ms);
  }
}

function thresholdsOf(rules: readonly ThresholdRule[]): Settings {
  return {
    thresholds: Object.fromEntries(
      rules.map(({ id, raise_at, clear_at, delay_ms }) => [id, { raise_at, clear_at, delay_ms }]),
    ),
  };
}

function viewOf(rule: ThresholdRule): RuleView {
  const { label, severity, on, direction, chemistry = null, raise_at, clear_at, delay_ms } = rule;
  const { label: metric_label, unit } = ruleQuantity(rule);
  const seen = { scope: on.scope, metric: on.metric, metric_label, unit };
  return { label, severity, ...seen, direction, chemistry, raise_at, clear_at, delay_ms };
}

function withThresholds(rules: readonly ThresholdRule[], settings: Settings): ThresholdRule[] {
  return rules.map(rule => ({ ...rule, ...settings.thresholds[rule.id] }));
}
