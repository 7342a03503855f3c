/**
 * What an administrator changed of the alert rules: kept as numbered versions over what the configuration says, which is
 * never written. The newest holds; the others stay for who looks later.
 */
import { Compile } from 'typebox/compile';
import { ruleQuantity } from '../../core/alerts/figures.ts';
import type { ScopedLimits, ThresholdRule } from '../../core/alerts/rule.ts';
import { limitFaults } from '../../core/alerts/rule-check.ts';
import { type RuleView, Settings, type SettingsReply } from '../../core/contract/http.ts';
import type { RuleChange } from '../../core/contract/rules.ts';
import { GatewayError } from '../../core/errors.ts';
import { type Logger, silentLogger } from '../../core/log.ts';
import { didYouMean, formatPath } from '../../core/schema/problem.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { ReadableDocuments } from '../store/documents/readable-documents.ts';
import type { Documents } from '../store/store.ts';
import { changesOfFirstForm } from './alert-settings-first-form.ts';

const KIND = 'alert-rules';
const FIRST_KIND = 'settings';
const FIRST_ID = 'thresholds';
const MAX_VERSIONS = 100;
const isSettings = Compile(Settings);

interface Version {
  readonly version: number;
  readonly at_ms: number;
  readonly by: string;
  readonly note: string | null;
  readonly rules: Readonly<Record<string, RuleChange>>;
}

const UNCHANGED: Version = { version: 0, at_ms: 0, by: '', note: null, rules: {} };

export class AlertSettings {
  readonly #configured: readonly ThresholdRule[];
  /** What limits may be for. */
  readonly #named: Readonly<Record<'battery' | 'pack' | 'profile', readonly string[]>>;
  readonly #documents: Documents;
  readonly #readable: ReadableDocuments;
  #newest = UNCHANGED;

  constructor(
    { batteries, packs }: Pick<Topology, 'batteries' | 'packs'>,
    configured: readonly ThresholdRule[],
    documents: Documents,
    log: Logger = silentLogger,
  ) {
    this.#named = {
      battery: batteries.map(({ id }) => id),
      pack: packs.map(({ id }) => id),
      profile: [...new Set(packs.map(({ profile_id }) => profile_id))],
    };
    this.#configured = configured;
    this.#documents = documents;
    this.#readable = new ReadableDocuments(documents, log);
  }

  /** Reads the newest version. */
  async restore(): Promise<void> {
    const remedy = 'alerts are raised by the version before it; set the rules again';
    const versions = await this.#readable.list(KIND, readVersion, remedy);
    const newest = versions.toSorted((a, b) => b.version - a.version)[0];
    const first = await this.#readable.get(
      FIRST_KIND,
      FIRST_ID,
      changesOfFirstForm,
      'alerts are raised by the rules of the configuration; set the rules again',
    );
    if (newest) this.#newest = newest;
    else if (first) this.#newest = { ...UNCHANGED, rules: first };
  }

  /** As they hold now. */
  rules(): ThresholdRule[] {
    const { version, rules } = this.#newest;
    return this.#configured.map(rule => withChange(rule, rules[rule.id], version));
  }

  reply(): SettingsReply {
    const { version, at_ms, by, note, rules } = this.#newest;
    return {
      version,
      changed: version === 0 ? null : { at_ms, by, note },
      rules: Object.fromEntries(this.rules().map(rule => [rule.id, viewOf(rule, rule.id in rules)])),
    };
  }

  /** Throws BAD_REQUEST with the place, what was found and what is expected; nothing is changed then. */
  check(settings: Settings): ThresholdRule[] {
    for (const [id, change] of Object.entries(settings.rules)) this.#checkRule(id, change);
    const { version } = this.#newest;
    const rules = merged(this.#newest.rules, settings);
    return this.#configured.map(rule => withChange(rule, rules[rule.id], version + 1));
  }

  async change(settings: Settings, by: string, at_ms: number): Promise<void> {
    this.check(settings);
    const next: Version = {
      version: this.#newest.version + 1,
      at_ms,
      by,
      note: settings.note ?? null,
      rules: merged(this.#newest.rules, settings),
    };
    await this.#documents.put(KIND, idOf(next.version), next);
    this.#newest = next;
    await this.#documents.delete(KIND, idOf(next.version - MAX_VERSIONS));
  }

  #checkRule(id: string, change: RuleChange | null): void {
    const rule = this.#configured.find(one => one.id === id);
    if (!rule) {
      const names = this.#configured.map(one => one.id).join(', ');
      throw new GatewayError('BAD_REQUEST', `rules.${id}: no such rule; the rules are ${names}`);
    }
    change?.limits?.forEach((limits, i) => {
      const path = ['rules', id, 'limits', i];
      const scopes = Object.keys(limits).filter(key => SCOPES.has(key));
      if (scopes.length > 1)
        throw new GatewayError(
          'BAD_REQUEST',
          `${formatPath(path)}: found ${scopes.join(' and ')}, expected one of ${[...SCOPES].join(', ')}`,
        );
      for (const scope of ['battery', 'pack', 'profile'] as const) {
        const name = limits[scope];
        if (name === undefined || this.#named[scope].includes(name)) continue;
        const hint = didYouMean(name, this.#named[scope]);
        throw new GatewayError(
          'BAD_REQUEST',
          `${formatPath([...path, scope])}: found "${name}", expected the id of a ${scope} in use${hint}`,
        );
      }
      const whole = inherited(rule, limits);
      const [fault] = limitFaults(rule, whole, key => [...path, key]);
      if (!fault) return;
      const { path: where, found, expected, message } = fault;
      const text = message ?? `found ${found}, expected ${expected}`;
      throw new GatewayError('BAD_REQUEST', `${formatPath(where)}: ${text}`);
    });
  }
}

const SCOPES = new Set(['pack', 'battery', 'profile', 'chemistry']);

/** With what the configuration says for the same packs, so that levels are compared that hold together. */
function inherited(rule: ThresholdRule, limits: Omit<ScopedLimits, 'from'>): Omit<ScopedLimits, 'from'> {
  const same = rule.limits.filter(other =>
    [...SCOPES].every(key => keyIn(other, key) === keyIn(limits, key)),
  );
  return Object.assign({}, ...same, limits);
}

const keyIn = (limits: object, key: string) => (limits as Record<string, unknown>)[key];

function merged(before: Version['rules'], { rules }: Settings): Record<string, RuleChange> {
  const after: Record<string, RuleChange> = { ...before };
  for (const [id, change] of Object.entries(rules)) {
    if (change === null) delete after[id];
    else after[id] = { ...after[id], ...change };
  }
  return after;
}

function withChange(rule: ThresholdRule, change: RuleChange | undefined, version: number): ThresholdRule {
  if (!change) return rule;
  const { limits = [], ...timing } = change;
  const from = version === 0 ? 'settings' : `settings, version ${version}`;
  return { ...rule, ...timing, limits: [...rule.limits, ...limits.map(one => ({ ...one, from }))] };
}

function viewOf(rule: ThresholdRule, is_changed: boolean): RuleView {
  const { label: metric_label, unit } = ruleQuantity(rule);
  const { label, direction, limits, raise_after_ms, critical_after_ms, clear_after_ms, inhibit_ms } = rule;
  return {
    label,
    scope: rule.on.scope,
    metric: rule.on.metric,
    metric_label,
    unit,
    direction,
    during: rule.during ?? null,
    limits: limits as RuleView['limits'],
    raise_after_ms,
    critical_after_ms,
    clear_after_ms,
    inhibit_ms,
    latch: rule.latch,
    why: rule.why ?? null,
    next_check: rule.next_check ?? null,
    is_changed,
  };
}

/** So that they are listed in order. */
const idOf = (version: number) => String(version).padStart(9, '0');

function readVersion(body: unknown): Version | undefined {
  const found = body as Partial<Version> | null;
  const isWhole =
    typeof found === 'object' &&
    Number.isSafeInteger(found?.version) &&
    typeof found?.at_ms === 'number' &&
    typeof found.by === 'string' &&
    isSettings.Check({ rules: found.rules });
  return isWhole ? { ...UNCHANGED, ...(found as Version) } : undefined;
}
