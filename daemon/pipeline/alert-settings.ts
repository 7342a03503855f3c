/**
 * What an administrator changed of the alert rules: kept as numbered versions over what the configuration says, which is
 * never written. The newest holds; the others stay for who looks later.
 */
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { ruleQuantity } from '../../core/alerts/figures.ts';
import type { ScopedLimits, ThresholdRule } from '../../core/alerts/rule.ts';
import { limitFaults } from '../../core/alerts/rule-check.ts';
import { differingRules } from '../../core/alerts/rule-difference.ts';
import { type RuleView, Settings, type SettingsReply } from '../../core/contract/http.ts';
import { type RuleChange, StoredRule } from '../../core/contract/rules.ts';
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
const isOwn = Compile(Type.Array(StoredRule));
const isNames = Compile(Type.Array(Type.String()));

interface Version {
  readonly version: number;
  readonly at_ms: number;
  readonly by: string;
  readonly note: string | null;
  readonly rules: Readonly<Record<string, RuleChange>>;
  /** Whole rules, in place of those of the configuration or beside them; changes hold over them. */
  readonly own: readonly ThresholdRule[];
  /** Ids of rules of the configuration that do not hold. */
  readonly removed: readonly string[];
}

const UNCHANGED: Version = { version: 0, at_ms: 0, by: '', note: null, rules: {}, own: [], removed: [] };

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
    return this.#rulesOf(this.#newest);
  }

  reply(): SettingsReply {
    const { version, at_ms, by, note, rules, own, removed } = this.#newest;
    return {
      version,
      changed: version === 0 ? null : { at_ms, by, note },
      rules: Object.fromEntries(
        this.rules().map(rule => [
          rule.id,
          viewOf(rule, rule.id in rules || own.some(({ id }) => id === rule.id)),
        ]),
      ),
      removed: [...removed],
    };
  }

  /** Throws BAD_REQUEST with the place, what was found and what is expected; nothing is changed then. */
  check(settings: Settings): ThresholdRule[] {
    for (const [id, change] of Object.entries(settings.rules)) this.#checkRule(id, change);
    return this.#rulesOf(this.#next(settings, '', 0));
  }

  #rulesOf({ own, removed, rules, version }: Version): ThresholdRule[] {
    const standing = this.#configured
      .filter(({ id }) => !removed.includes(id))
      .map(rule => own.find(({ id }) => id === rule.id) ?? rule);
    const added = own.filter(({ id }) => !this.#configured.some(rule => rule.id === id));
    return [...standing, ...added].map(rule => withChange(rule, rules[rule.id], version));
  }

  #next({ rules, note }: Settings, by: string, at_ms: number): Version {
    const { version, own, removed, rules: before } = this.#newest;
    // What is as configured again has no rule of its own either.
    const isKept = (id: string) => rules[id] !== null;
    return {
      version: version + 1,
      at_ms,
      by,
      note: note ?? null,
      rules: merged(before, rules),
      own: own.filter(({ id }) => isKept(id)),
      removed: removed.filter(isKept),
    };
  }

  async change(settings: Settings, by: string, at_ms: number): Promise<void> {
    this.check(settings);
    await this.#keep(this.#next(settings, by, at_ms));
  }

  /** In place of all rules, which were checked: kept is what differs from the configuration. */
  async take(
    wanted: readonly ThresholdRule[],
    note: string | null,
    by: string,
    at_ms: number,
  ): Promise<void> {
    const version = this.#newest.version + 1;
    const rules: Record<string, RuleChange> = {};
    const own: ThresholdRule[] = [];
    for (const rule of wanted) {
      const configured = this.#configured.find(({ id }) => id === rule.id);
      if (configured && differingRules([configured], [rule]).length === 0) continue;
      const change = configured && changeTo(configured, rule);
      if (change) rules[rule.id] = change;
      else own.push(fromSettings(rule, version));
    }
    const removed = this.#configured.flatMap(({ id }) => (wanted.some(rule => rule.id === id) ? [] : [id]));
    await this.#keep({ version, at_ms, by, note, rules, own, removed });
  }

  async #keep(next: Version): Promise<void> {
    await this.#documents.put(KIND, idOf(next.version), next);
    this.#newest = next;
    await this.#documents.delete(KIND, idOf(next.version - MAX_VERSIONS));
  }

  #checkRule(id: string, change: RuleChange | null): void {
    const known = this.#rulesOf({ ...this.#newest, rules: {} });
    const rule = known.find(one => one.id === id);
    if (!rule && change === null && this.#newest.removed.includes(id)) return;
    if (!rule) {
      const names = known.map(one => one.id).join(', ');
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

function merged(before: Version['rules'], rules: Settings['rules']): Record<string, RuleChange> {
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

const TIMINGS = ['raise_after_ms', 'critical_after_ms', 'clear_after_ms', 'inhibit_ms', 'latch'] as const;

/** The change that makes one rule of another; undefined: no change does. */
function changeTo(rule: ThresholdRule, wanted: ThresholdRule): RuleChange | undefined {
  const limits = wanted.limits.slice(rule.limits.length).map(({ from: _, ...limits }) => limits);
  const timing = Object.fromEntries(
    TIMINGS.flatMap(key => (rule[key] === wanted[key] ? [] : [[key, wanted[key]]])),
  );
  const change = { ...(limits.length > 0 && { limits }), ...timing } as RuleChange;
  return differingRules([withChange(rule, change, 0)], [wanted]).length === 0 ? change : undefined;
}

function fromSettings(rule: ThresholdRule, version: number): ThresholdRule {
  return {
    ...rule,
    limits: rule.limits.map(limits => ({ ...limits, from: `settings, version ${version}` })),
  };
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
    isSettings.Check({ rules: found.rules }) &&
    isOwn.Check(found.own ?? []) &&
    isNames.Check(found.removed ?? []);
  return isWhole ? { ...UNCHANGED, ...(found as Version) } : undefined;
}
