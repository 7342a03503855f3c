/** From the configuration's rules to the thresholds the alert engine judges by. */
import {
  DEVICE_ALARM_RULE,
  PACK_SILENT_RULE,
  type ThresholdRule,
  TWO_DEVICES_RULE,
} from '../../core/alerts/alert.ts';
import type { Finding, Path } from '../../core/schema/problem.ts';
import { DEFAULTS } from './defaults.ts';
import type { RuleConfig } from './schema.ts';

/** Findings are pushed; a rule that has one is left out. */
export function resolveRules(rules: readonly RuleConfig[], findings: Finding[]): ThresholdRule[] {
  const ids = new Set<string>([PACK_SILENT_RULE, TWO_DEVICES_RULE, DEVICE_ALARM_RULE]);
  return rules.flatMap((rule, i) => {
    const path = ['alerts', 'rules', i];
    if (ids.has(rule.id))
      findings.push({ path: [...path, 'id'], found: `"${rule.id}" again`, expected: 'an id of its own' });
    ids.add(rule.id);
    return resolveRule(rule, path, findings) ?? [];
  });
}

function resolveRule(rule: RuleConfig, path: Path, findings: Finding[]): ThresholdRule | undefined {
  const { above, below, clear_at } = rule;
  const on = quantityOf(rule);
  if (!on) findings.push({ path, ...eitherOr('cell', 'pack', rule) });
  const raise_at = above ?? below;
  if (raise_at === undefined || (above !== undefined && below !== undefined)) {
    findings.push({ path, ...eitherOr('above', 'below', rule) });
    return undefined;
  }
  if (above !== undefined ? clear_at > above : clear_at < raise_at) {
    const expected =
      above !== undefined ? `at most ${above}, the value of above` : `at least ${below}, the value of below`;
    findings.push({ path: [...path, 'clear_at'], found: String(clear_at), expected });
    return undefined;
  }
  if (!on) return undefined;
  const { id, label, severity, chemistry, delay_ms = DEFAULTS.delay_ms } = rule;
  const direction = above !== undefined ? 'above' : 'below';
  return {
    id,
    label,
    severity,
    ...(chemistry && { chemistry }),
    on,
    direction,
    raise_at,
    clear_at,
    delay_ms,
  };
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
