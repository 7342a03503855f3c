/** The address of the alerts page and what it lists agree. */
import { expect, test } from 'vitest';
import { alertFilter, alertsHref, clearedPath, isAbout } from './alert-filter.ts';

test('what the address holds is what it was made of; nonsense in it is as at first', () => {
  for (const state of ['open', 'shelved', 'out_of_service', 'cleared', 'figures'] as const) {
    for (const about of ['all', 'gateway'] as const) {
      const { searchParams } = new URL(alertsHref({ state, about }), 'http://gateway');
      expect(alertFilter(Object.fromEntries(searchParams))).toEqual({ state, about });
    }
  }
  expect(alertsHref({ state: 'open', about: 'all' })).toBe('/alerts');
  expect(alertFilter({ state: 'active', about: 'pack-01' })).toEqual({ state: 'open', about: 'all' });
});

test('the same alerts are left out whether they are live or asked for', () => {
  expect(clearedPath('all')).not.toContain('about');
  expect(clearedPath('gateway')).toContain('about=gateway');
  expect(isAbout('gateway', { battery_id: null })).toBe(true);
  expect(isAbout('gateway', { battery_id: 'battery-01' })).toBe(false);
  expect(isAbout('all', { battery_id: 'battery-01' })).toBe(true);
});
