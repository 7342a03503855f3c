/** Alert rules in words; the form of their limits as the change that is sent. */
import { expect, test } from 'vitest';
import type { RuleView } from '../../../core/contract/http.ts';
import { changesOf, describeRule, describeScope, fieldName, NEW_ROW, scopeRows } from './thresholds.ts';

const rule: RuleView = {
  label: 'Cell voltage high',
  scope: 'cell',
  metric: 'voltage_v',
  metric_label: 'cell voltage',
  unit: 'V',
  direction: 'above',
  during: null,
  limits: [
    { chemistry: 'lfp', warning: 3.65, critical: 3.75, hysteresis: 0.1, from: 'default' },
    { battery: 'north', warning: 3.6, from: 'configuration' },
    { chemistry: 'lfp', warning: 3.62, from: 'settings, version 2' },
  ],
  raise_after_ms: 10_000,
  critical_after_ms: 4000,
  clear_after_ms: 10_000,
  inhibit_ms: 0,
  latch: false,
  why: null,
  next_check: null,
  is_changed: true,
};

/** The form as it stands, but for what is typed into it. */
function form(typed: Record<string, string> = {}): FormData {
  const fields = new FormData();
  for (const row of scopeRows(rule))
    for (const what of ['warning', 'critical', 'hysteresis'] as const)
      if (row.limits[what] !== undefined)
        fields.set(fieldName('high', row.key, what), String(row.limits[what]));
  for (const time of ['raise_after_ms', 'critical_after_ms', 'clear_after_ms'] as const)
    fields.set(fieldName('high', '-', time), String(rule[time] / 1000));
  for (const [name, value] of Object.entries(typed)) fields.set(name, value);
  return fields;
}

test('a rule and for whom its limits hold, in words', () => {
  expect(describeRule(rule)).toBe('Each cell’s voltage');
  expect(describeRule({ ...rule, scope: 'pack', metric_label: 'charge current', during: 'charging' })).toBe(
    'The pack’s charge current, while charging',
  );
  expect(scopeRows(rule).map(({ scope }) => describeScope(scope))).toEqual([
    'LFP batteries',
    'Battery north',
  ]);
  expect(describeScope({})).toBe('All packs');
});

test('of one scope the settings stand over the configuration', () => {
  expect(scopeRows(rule)[0]).toMatchObject({
    limits: { chemistry: 'lfp', warning: 3.62, critical: 3.75, hysteresis: 0.1 },
    from: 'settings, version 2',
  });
});

test('only what was changed is sent, with what the settings already hold of the rule', () => {
  const rules = { high: rule };
  expect(changesOf(form(), rules)).toEqual({
    rules: {},
  });
  const typed = { [fieldName('high', 'battery:north', 'warning')]: '3.58' };
  expect(changesOf(form({ ...typed, [fieldName('high', '-', 'raise_after_ms')]: '1.5' }), rules)).toEqual({
    rules: {
      high: {
        raise_after_ms: 1500,
        limits: [
          { chemistry: 'lfp', warning: 3.62, critical: 3.75, hysteresis: 0.1 },
          { battery: 'north', warning: 3.58 },
        ],
      },
    },
  });
});

test('limits for further packs are added to those that the settings hold', () => {
  const typed = {
    [fieldName('high', NEW_ROW, 'scope')]: 'pack',
    [fieldName('high', NEW_ROW, 'name')]: ' rack-1 ',
    [fieldName('high', NEW_ROW, 'critical')]: '3.7',
  };
  expect(changesOf(form(typed), { high: rule })).toEqual({
    rules: {
      high: {
        limits: [
          { chemistry: 'lfp', warning: 3.62, critical: 3.75, hysteresis: 0.1 },
          { pack: 'rack-1', critical: 3.7 },
        ],
      },
    },
  });
  expect(changesOf(form({ ...typed, [fieldName('high', NEW_ROW, 'name')]: ' ' }), { high: rule })).toEqual({
    rules: {},
  });
});
