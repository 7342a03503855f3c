/** The default rules are rules a file could hold, and say why. */
import { expect, test } from 'vitest';
import type { ScopedLimits } from '../../core/alerts/rule.ts';
import type { Finding } from '../../core/schema/problem.ts';
import { DEFAULT_RULES } from './default-rules.ts';
import type { LimitsConfig, RuleConfig } from './rule-schema.ts';
import { resolveRules } from './rules.ts';

const levels = ({ critical, warning, info }: ScopedLimits) => ({
  ...(critical !== undefined && { critical }),
  ...(warning !== undefined && { warning }),
  ...(info !== undefined && { info }),
});

test('each could be written in a file', () => {
  const rules = DEFAULT_RULES.map(({ on, direction, limits, ...rule }): RuleConfig => {
    const [{ chemistry, hysteresis }] = limits;
    return {
      ...rule,
      ...(chemistry && { chemistry }),
      ...(hysteresis !== undefined && { hysteresis }),
      [on.scope]: on.metric,
      [direction]: levels(limits[0]),
    };
  });
  const further = DEFAULT_RULES.flatMap(({ id, limits }) =>
    limits.slice(1).map(({ from: _, ...scoped }) => ({ rule: id, ...scoped }) as LimitsConfig),
  );
  const findings: Finding[] = [];
  const resolved = resolveRules({ default_rules: false, rules, limits: further }, findings);
  expect(findings).toEqual([]);
  const plain = (all: typeof DEFAULT_RULES) =>
    all.map(rule => ({ ...rule, limits: rule.limits.map(limits => ({ ...limits, from: '' })) }));
  expect(plain(resolved)).toEqual(plain(DEFAULT_RULES));
});

test('each says why its limits are these and what to check, and leaves a gap, so that a value on the line does not flutter', () => {
  for (const { id, why, next_check, limits } of DEFAULT_RULES) {
    expect([id, why?.length, next_check?.length].every(Boolean)).toBe(true);
    // A count has no noise.
    if (id !== 'values_untrusted') for (const { hysteresis } of limits) expect(hysteresis).toBeGreaterThan(0);
  }
});
