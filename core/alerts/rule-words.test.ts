/** Every rule has a name for people. */
import { expect, test } from 'vitest';
import * as alert from './alert.ts';
import { gatewayRules } from './gateway-rules.ts';
import { BUILT_IN_RULES, ruleTitleOf } from './rule-words.ts';
import { makeRule } from './testing/make-rule.ts';

test('rules that the gateway brings along have a title, each another one', () => {
  const built_in = Object.entries(alert).flatMap(([name, id]) =>
    name.endsWith('_RULE') ? [String(id)] : [],
  );
  const ids = [...built_in, ...gatewayRules().map(({ id }) => id)];
  const titles = ids.map(id => ruleTitleOf(id, []));
  expect(ids.length).toBeGreaterThan(12);
  expect(ids.toSorted()).toEqual(BUILT_IN_RULES.toSorted());
  expect(titles).not.toContain(null);
  expect(new Set(titles).size).toBe(ids.length);
});

test('thresholds have their own; of a device alarm the code is spelt out; what is not known has none', () => {
  const rule = makeRule({ label: 'Cell voltage high' });
  expect(ruleTitleOf(rule.id, [rule])).toBe('Cell voltage high');
  expect(ruleTitleOf('device_alarm/temperature_difference', [])).toBe(
    'Alarm of the device: temperature difference',
  );
  expect(ruleTitleOf('mine', [])).toBeNull();
  expect(ruleTitleOf('constructor', [])).toBeNull();
});
