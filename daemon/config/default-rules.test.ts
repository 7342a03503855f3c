/** The default rules are rules a file could hold. */
import { expect, test } from 'vitest';
import type { Finding } from '../../core/schema/problem.ts';
import { DEFAULT_RULES } from './default-rules.ts';
import { resolveRules } from './rules.ts';
import type { RuleConfig } from './schema.ts';

test('each has its own id and clears on the safe side', () => {
  const asWritten = DEFAULT_RULES.map(({ on, direction, raise_at, ...rule }) => ({
    ...rule,
    [on.scope]: on.metric,
    [direction]: raise_at,
  })) as unknown as RuleConfig[];
  const findings: Finding[] = [];
  expect(resolveRules(asWritten, findings)).toEqual(DEFAULT_RULES);
  expect(findings).toEqual([]);
});

test('each leaves a gap between raising and clearing, so that a value on the line does not flutter', () => {
  for (const { raise_at, clear_at } of DEFAULT_RULES) expect(clear_at).not.toBe(raise_at);
});
