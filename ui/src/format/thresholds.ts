/** Alert rules in words, and the form of their limits as a change of the settings. */
import { type LimitScope, scopeName } from '../../../core/alerts/rule.ts';
import type { RuleView, Settings } from '../../../core/contract/http.ts';
import type { RuleChange } from '../../../core/contract/rules.ts';
import { t } from '../texts/texts.ts';

type Limits = RuleView['limits'][number];
export const LEVELS = ['warning', 'critical', 'info'] as const;
export type Level = (typeof LEVELS)[number];
const TIMES = ['raise_after_ms', 'critical_after_ms', 'clear_after_ms'] as const;
export type Time = (typeof TIMES)[number];
/** Limits that are added for further packs. */
export const NEW_ROW = '+';
export const NEW_SCOPES = ['battery', 'pack', 'profile'] as const;
const SCOPE_KEYS = ['pack', 'battery', 'profile', 'chemistry'] as const;

/** The limits of a rule for some packs: what the configuration says, and over it the settings. */
export interface ScopeRow {
  /** Unique within the rule. */
  readonly key: string;
  readonly scope: LimitScope;
  readonly limits: Omit<Limits, 'from'>;
  readonly from: string;
}

export function scopeRows(rule: Pick<RuleView, 'limits'>): ScopeRow[] {
  const rows = new Map<string, ScopeRow>();
  for (const { from, ...limits } of rule.limits) {
    const scope = scopeOf(limits);
    const key = keyOf(scope);
    const before = rows.get(key);
    const merged = { ...before?.limits, ...limits };
    rows.set(key, { key, scope, limits: merged, from });
  }
  return [...rows.values()];
}

/** The name of an input; rule ids and scopes hold no space. */
export const fieldName = (rule_id: string, row: string, what: string) => `${rule_id} ${row} ${what}`;

export interface FieldFault {
  /** Name of the input. */
  readonly field: string;
  readonly text: string;
}

const FAULT = /^(?:body\.)?rules\.([a-z0-9_]+)\.(?:limits(?:\[|\.)(\d+)\]?\.)?(\w+)(?:\.[\w.[\]]*)?: (.*)$/s;

/** The input that an answer of the gateway is about: "rules.soc_low.limits[0].warning: found …"; undefined: none. */
export function faultIn(message: string, { rules }: Settings, shown: SettingsRules): FieldFault | undefined {
  const [, id, index, what, text] = FAULT.exec(message) ?? [];
  if (id === undefined || what === undefined || text === undefined || !shown[id]) return undefined;
  if (index === undefined) return { field: fieldName(id, '-', what), text };
  const limits = rules[id]?.limits?.[Number(index)];
  if (!limits) return undefined;
  const key = keyOf(scopeOf(limits));
  const isShown = scopeRows(shown[id]).some(row => row.key === key);
  const isName = NEW_SCOPES.some(scope => scope === what);
  return { field: fieldName(id, isShown ? key : NEW_ROW, isName ? 'name' : what), text };
}

/** What of the form differs from the rules as they are; nothing else is sent. */
export function changesOf(fields: FormData, rules: SettingsRules): Settings {
  const changed: Settings['rules'] = {};
  for (const [id, rule] of Object.entries(rules)) {
    const change = changeOf(fields, id, rule);
    if (change) changed[id] = change;
  }
  return { rules: changed };
}

type SettingsRules = Readonly<Record<string, RuleView>>;

function changeOf(fields: FormData, id: string, rule: RuleView): RuleChange | undefined {
  const change: RuleChange = {};
  for (const time of TIMES) {
    const seconds = fields.get(fieldName(id, '-', time));
    const ms = Math.round(Number(seconds) * 1000);
    if (seconds !== null && ms !== rule[time]) change[time] = ms;
  }
  const rows = scopeRows(rule).map(row => ({ row, limits: limitsIn(fields, id, row) }));
  const added = addedLimits(fields, id);
  if (added || rows.some(({ row, limits }) => !isSame(row.limits, limits))) {
    // The settings of a rule are replaced as a whole: what they hold of other packs goes with them.
    change.limits = rows
      .filter(({ row, limits }) => !isSame(row.limits, limits) || row.from.startsWith('settings'))
      .map(({ limits }) => limits);
    if (added) change.limits.push(added);
  }
  return Object.keys(change).length > 0 ? change : undefined;
}

/** Further packs, as the form names them; undefined: it names none. */
function addedLimits(fields: FormData, id: string): ScopeRow['limits'] | undefined {
  const name = String(fields.get(fieldName(id, NEW_ROW, 'name')) ?? '').trim();
  const scope = NEW_SCOPES.find(one => one === fields.get(fieldName(id, NEW_ROW, 'scope')));
  if (name === '' || !scope) return undefined;
  return limitsIn(fields, id, { key: NEW_ROW, scope: {}, limits: { [scope]: name }, from: '' });
}

function limitsIn(fields: FormData, id: string, row: ScopeRow): ScopeRow['limits'] {
  const limits: ScopeRow['limits'] = { ...row.limits };
  for (const what of [...LEVELS, 'hysteresis'] as const) {
    const text = fields.get(fieldName(id, row.key, what));
    if (typeof text === 'string' && text !== '') limits[what] = Number(text);
  }
  return limits;
}

const isSame = (a: object, b: object) => JSON.stringify(a) === JSON.stringify(b);

function scopeOf(limits: LimitScope): LimitScope {
  return Object.fromEntries(
    SCOPE_KEYS.flatMap(key => (limits[key] === undefined ? [] : [[key, limits[key]]])),
  );
}

function keyOf(scope: LimitScope): string {
  const name = scopeName(scope);
  return name === 'all' ? name : `${name}:${scope[name]}`;
}

/** "All packs", "LFP batteries", "Battery north". */
export function describeScope(scope: LimitScope): string {
  const { scopes, chemistries } = t().thresholds;
  const name = scopeName(scope);
  if (name === 'all') return scopes.all;
  if (name === 'chemistry') return scope.chemistry ? chemistries[scope.chemistry] : '';
  return scopes[name](scope[name] ?? '');
}

/** "Each cell’s voltage, while charging". */
export function describeRule(rule: Pick<RuleView, 'scope' | 'metric' | 'metric_label' | 'during'>): string {
  const { scope, metric, metric_label, during } = rule;
  const { metrics, ofCell, ofPack, at, always } = t().thresholds;
  const label = metrics[`${scope}.${metric}`] ?? metric_label;
  const what = (scope === 'cell' ? ofCell : ofPack)(label);
  return during === null ? always(what) : at(what, during);
}
