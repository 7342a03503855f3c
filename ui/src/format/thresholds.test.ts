/** Alert rules in words; the form of their limits as the change that is sent. */
import { expect, test } from 'vitest';
import type { RuleView } from '../../../core/contract/http.ts';
import {
  changesOf,
  describeRule,
  describeScope,
  faultIn,
  fieldName,
  NEW_ROW,
  scopeRows,
} from './thresholds.ts';

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

test('an answer of the gateway names the field it is about', () => {
  const body = {
    rules: {
      high: {
        limits: [
          { chemistry: 'lfp' as const, warning: 3.9 },
          { battery: 'west', warning: 3.5 },
        ],
        raise_after_ms: -1,
      },
    },
  };
  const of = (message: string) => faultIn(message, body, { high: rule });
  expect(of('rules.high.limits[0].warning: found 3.9, expected at most 3.75')).toEqual({
    field: fieldName('high', 'chemistry:lfp', 'warning'),
    text: 'found 3.9, expected at most 3.75',
  });
  expect(of('body.rules.high.limits.0.warning: found a text')?.field).toBe('high chemistry:lfp warning');
  expect(of('rules.high.limits[1].battery: found "west"')?.field).toBe(fieldName('high', NEW_ROW, 'name'));
  expect(of('rules.high.limits[1].warning: found 3.5')?.field).toBe(fieldName('high', NEW_ROW, 'warning'));
  expect(of('body.rules.high.raise_after_ms: found -1')?.field).toBe(
    fieldName('high', '-', 'raise_after_ms'),
  );
  for (const other of [
    'rules.other.raise_after_ms: found -1',
    'rules.high.limits[7].warning: no',
    'the disk is full',
  ])
    expect(of(other)).toBeUndefined();
});
