/** Profiles that name what no model has are refused, with the place in the profile. */
import { expect, test } from 'vitest';
import type { PackBinding } from '../../driver.ts';
import { bindingOf } from '../testing/line.ts';
import { packMap } from './pack-map.ts';
import type { SunSpecSection } from './sunspec-section.ts';

function bindingWith(change: (section: SunSpecSection) => SunSpecSection): PackBinding {
  const binding = bindingOf({ cells: 4 });
  return { ...binding, profile: { ...binding.profile, sunspec: change(binding.profile.sunspec!) } };
}

test.each([
  [
    (section: SunSpecSection) => ({ ...section, bank: { pack: { voltage_v: '802.Volt' } } }),
    "profile sunspec-battery: sunspec.bank.pack.voltage_v: model 802 has no number 'Volt'",
  ],
  [
    (section: SunSpecSection) => ({ ...section, cells: { voltage_v: 'V' } }),
    "profile sunspec-battery: sunspec.cells.voltage_v: the cells of model 805 have no number 'V'",
  ],
  [
    (section: SunSpecSection) => ({
      ...section,
      alarm_bits: [{ bit: 1, code: 'nothing', level: 'alarm' as const }],
    }),
    "profile sunspec-battery: sunspec.alarm_bits: 'nothing' is not one of device_alarms",
  ],
  [
    (section: SunSpecSection) => ({
      ...section,
      bank: { pack: { current_a: { point: '802.A', negate_when: { option: 'sign', is: 'charge' } } } },
    }),
    "profile sunspec-battery: negate_when names 'sign', which is no option of it",
  ],
])('what is wrong in a profile is reported by its place', (change, message) => {
  expect(() => packMap(bindingWith(change))).toThrow(
    expect.objectContaining({ code: 'PROFILE_INVALID', message }),
  );
});

test('every string the shipped profile offers as an option has its map', () => {
  const { profile } = bindingOf({ cells: 4 });
  for (const string of profile.options!.string.values) {
    const map = packMap(bindingOf({ cells: 4, options: { string } }));
    expect(new Set(map.pack.map(({ model }) => model))).toEqual(new Set(string === 0 ? [802, 803] : [804]));
    expect(map.alarm_bits).toHaveLength(29);
  }
});
