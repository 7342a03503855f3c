/** What counts as harm is what the default rules call critical, by chemistry. */
import { expect, test } from 'vitest';
import { smallTopology } from '../store/testing/fixtures.ts';
import { harmLimits } from './harm-limits.ts';

test.each([
  ['lfp', { limit: 2.5, under_load: 2 }, 3.75, 0],
  ['nmc', { limit: 3, under_load: 2.5 }, 4.25, 0],
  ['lto', { limit: 1.5, under_load: 1.4 }, 2.85, -30],
] as const)('%s', (chemistry, deep_discharge, over_charge_v, cold_charge_c) => {
  const topology = smallTopology(2);
  const [battery] = topology.batteries;
  const [, limits] = harmLimits({ ...topology, batteries: [{ ...battery, chemistry }] });
  expect(limits).toMatchObject({
    deep_discharge,
    over_charge: { limit: over_charge_v },
    high_temperature: { limit: 60, hysteresis: 5 },
    low_temperature: { limit: -20 },
    cold_charge: { limit: cold_charge_c },
    hot_charge: { limit: 55 },
  });
});
