/** Rules as the text of a configuration: what is other than the default rules, in the shape of `alerts`. */
import { stringify } from 'yaml';
import { SEVERITIES } from '../../core/alerts/alert.ts';
import type { ScopedLimits, ThresholdRule } from '../../core/alerts/rule.ts';
import { ruleDifferences } from '../../core/alerts/rule-difference.ts';
import { DEFAULT_RULES } from './default-rules.ts';
import { DEFAULTS } from './defaults.ts';
import type { LimitsConfig, RuleConfig } from './rule-schema.ts';

const HEAD = `# Alert rules as they hold. Import them on the page System, Thresholds, or put them into the configuration file in
# place of these keys of "alerts"; what is not said here is as the default rules have it.
`;

export function ruleText(rules: readonly ThresholdRule[]): string {
  const hasDefaults = DEFAULT_RULES.every(({ id }) => rules.some(rule => rule.id === id));
  const own: RuleConfig[] = [];
  const limits: LimitsConfig[] = [];
  for (const rule of rules) {
    const standard = hasDefaults ? DEFAULT_RULES.find(({ id }) => id === rule.id) : undefined;
    const isStandard = standard && beginsWith(rule, standard);
    if (!isStandard) own.push(ruleConfig(rule));
    limits.push(...furtherLimits(rule, isStandard ? standard.limits.length : 1));
  }
  const alerts = { default_rules: hasDefaults, rules: own, limits };
  return HEAD + stringify({ alerts }, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Whether the rule is another one with further limits, and nothing else of it differs. */
function beginsWith(rule: ThresholdRule, other: ThresholdRule): boolean {
  const first = { ...rule, limits: rule.limits.slice(0, other.limits.length) };
  return ruleDifferences([other], [first]).length === 0;
}

function furtherLimits({ id, limits }: ThresholdRule, from: number): LimitsConfig[] {
  return limits.slice(from).flatMap(({ from: _, ...scoped }) => {
    const saysNothing = [...SEVERITIES, 'hysteresis' as const].every(key => scoped[key] === undefined);
    return saysNothing ? [] : [{ rule: id, ...scoped } as LimitsConfig];
  });
}

/** With its first limits, which a rule of the configuration holds itself. */
function ruleConfig(rule: ThresholdRule): RuleConfig {
  const { id, label, on, direction, raise_after_ms, critical_after_ms, clear_after_ms, inhibit_ms } = rule;
  const {
    from: _,
    chemistry,
    hysteresis,
    pack: __,
    battery: ___,
    profile: ____,
    ...levels
  } = rule.limits[0] as ScopedLimits;
  return {
    id,
    label,
    ...(chemistry !== undefined && { chemistry }),
    [on.scope]: on.metric,
    [direction]: levels,
    ...(hysteresis !== undefined && { hysteresis }),
    ...(rule.during !== undefined && { during: rule.during }),
    ...(raise_after_ms !== DEFAULTS.raise_after_ms && { raise_after_ms }),
    ...(critical_after_ms !== raise_after_ms && { critical_after_ms }),
    ...(clear_after_ms !== DEFAULTS.clear_after_ms && { clear_after_ms }),
    ...(inhibit_ms !== DEFAULTS.inhibit_ms && { inhibit_ms }),
    ...(rule.latch && { latch: true }),
    ...(rule.why !== undefined && { why: rule.why }),
    ...(rule.next_check !== undefined && { next_check: rule.next_check }),
  } as RuleConfig;
}
