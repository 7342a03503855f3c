/** From the configuration's rules and limits to the rules the alert engine judges by. */
import type { LimitScope, ScopedLimits, ThresholdRule } from '../../core/alerts/rule.ts';
import { limitFaults } from '../../core/alerts/rule-check.ts';
import { BUILT_IN_RULES } from '../../core/alerts/rule-words.ts';
import { didYouMean, type Finding, type Path } from '../../core/schema/problem.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { DEFAULT_RULES } from './default-rules.ts';
import { DEFAULTS } from './defaults.ts';
import type { LimitsConfig, RuleConfig } from './rule-schema.ts';

const FROM = 'configuration';

export interface AlertRulesConfig {
  readonly default_rules?: boolean;
  readonly rules?: readonly RuleConfig[];
  readonly limits?: readonly LimitsConfig[];
}

/** What a scope may name. */
export interface KnownScopes {
  readonly batteries: readonly string[];
  readonly packs: readonly string[];
  readonly profiles: readonly string[];
}

/** Findings are pushed; a rule that has one is left out. */
export function resolveRules(config: AlertRulesConfig, findings: Finding[]): ThresholdRule[] {
  const own = resolveOwn(config.rules ?? [], findings);
  const ids = new Set(own.map(({ id }) => id));
  const defaults = config.default_rules === false ? [] : DEFAULT_RULES.filter(({ id }) => !ids.has(id));
  const rules = [...defaults, ...own];
  (config.limits ?? []).forEach((limits, i) => {
    const path = ['alerts', 'limits', i];
    const at = rules.findIndex(({ id }) => id === limits.rule);
    if (at >= 0) rules[at] = withLimits(rules[at], limits, path, findings);
    else if (!config.rules?.some(({ id }) => id === limits.rule))
      findings.push(
        unknownName(
          [...path, 'rule'],
          limits.rule,
          'rule',
          rules.map(({ id }) => id),
        ),
      );
  });
  return rules;
}

export function knownScopes({ batteries, packs }: Topology): KnownScopes {
  return {
    batteries: batteries.map(({ id }) => id),
    packs: packs.map(({ id }) => id),
    profiles: [...new Set(packs.map(({ profile_id }) => profile_id))],
  };
}

/** Scopes that name what there is not. */
export function scopeFindings({ limits = [] }: AlertRulesConfig, known: KnownScopes): Finding[] {
  return limits.flatMap((scope, i) => {
    const at = (key: keyof LimitScope) => ['alerts', 'limits', i, key];
    const { pack, battery, profile } = scope;
    return [
      ...(pack !== undefined && !known.packs.includes(pack)
        ? [unknownName(at('pack'), pack, 'pack', known.packs)]
        : []),
      ...(battery !== undefined && !known.batteries.includes(battery)
        ? [unknownName(at('battery'), battery, 'battery', known.batteries)]
        : []),
      ...(profile !== undefined && !known.profiles.includes(profile)
        ? [unknownName(at('profile'), profile, 'profile in use', known.profiles)]
        : []),
    ];
  });
}

function unknownName(path: Path, found: string, what: string, names: readonly string[]): Finding {
  const expected = `the id of a ${what}`;
  const message = `found "${found}", expected ${expected}${didYouMean(found, names)}`;
  return { path, found: `"${found}"`, expected, message };
}

function resolveOwn(rules: readonly RuleConfig[], findings: Finding[]): ThresholdRule[] {
  const ids = new Set(BUILT_IN_RULES);
  return rules.flatMap((rule, i) => {
    const path = ['alerts', 'rules', i];
    if (ids.has(rule.id))
      findings.push({ path: [...path, 'id'], found: `"${rule.id}" again`, expected: 'an id of its own' });
    ids.add(rule.id);
    return resolveRule(rule, path, findings) ?? [];
  });
}

function resolveRule(rule: RuleConfig, path: Path, findings: Finding[]): ThresholdRule | undefined {
  const on = quantityOf(rule);
  if (!on) findings.push({ path, ...eitherOr('cell', 'pack', rule) });
  const direction = rule.above ? 'above' : 'below';
  const levels = rule.above ?? rule.below;
  if (levels === undefined || (rule.above && rule.below)) {
    findings.push({ path, ...eitherOr('above', 'below', rule) });
    return undefined;
  }
  if (Object.keys(levels).length === 0)
    findings.push({ path: [...path, direction], found: 'no limit', expected: 'critical, warning or info' });
  if (!on) return undefined;
  const { id, label, chemistry, hysteresis, during, why, next_check } = rule;
  const raise_after_ms = rule.raise_after_ms ?? DEFAULTS.raise_after_ms;
  const limits = { ...levels, ...(hysteresis !== undefined && { hysteresis }) };
  const pathOf = (key: string) => (key === 'hysteresis' ? [...path, key] : [...path, direction, key]);
  findings.push(...limitFaults({ on, direction }, limits, pathOf));
  return {
    id,
    label,
    on,
    direction,
    limits: [{ ...(chemistry && { chemistry }), ...limits, from: FROM }],
    raise_after_ms,
    critical_after_ms: rule.critical_after_ms ?? raise_after_ms,
    clear_after_ms: rule.clear_after_ms ?? DEFAULTS.clear_after_ms,
    inhibit_ms: rule.inhibit_ms ?? DEFAULTS.inhibit_ms,
    latch: rule.latch ?? false,
    ...(during && { during }),
    ...(why !== undefined && { why }),
    ...(next_check !== undefined && { next_check }),
  };
}

function withLimits(
  rule: ThresholdRule,
  { rule: _, ...limits }: LimitsConfig,
  path: Path,
  findings: Finding[],
): ThresholdRule {
  const { critical, warning, info, hysteresis, ...scope } = limits;
  if ([critical, warning, info, hysteresis].every(value => value === undefined))
    findings.push({ path, found: 'no limit', expected: 'critical, warning, info or hysteresis' });
  const scopes = Object.keys(scope);
  if (scopes.length > 1)
    findings.push({
      path,
      found: scopes.join(' and '),
      expected: 'one of pack, battery, profile and chemistry',
    });
  const scoped: ScopedLimits = { ...limits, from: FROM };
  findings.push(...limitFaults(rule, scoped, key => [...path, key]));
  return { ...rule, limits: [...rule.limits, scoped] };
}

function quantityOf({ cell, pack }: RuleConfig): ThresholdRule['on'] | undefined {
  if (cell !== undefined && pack !== undefined) return undefined;
  if (cell !== undefined) return { scope: 'cell', metric: cell };
  return pack === undefined ? undefined : { scope: 'pack', metric: pack };
}

function eitherOr(one: keyof RuleConfig, other: keyof RuleConfig, rule: RuleConfig) {
  const both = rule[one] !== undefined && rule[other] !== undefined;
  const found = both ? `both "${one}" and "${other}"` : `neither "${one}" nor "${other}"`;
  return { found, expected: `either "${one}" or "${other}"` };
}
