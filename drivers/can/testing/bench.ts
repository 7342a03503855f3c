/** What the tests of this room share: a profile from the shipped folder, bound to a pack. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { PackReading, type PackShape } from '../../../core/reading/pack-reading.ts';
import type { PackState } from '../../../core/reading/pack-state.ts';
import type { PackBinding } from '../../driver.ts';
import type { Profile } from '../../profiles/profile.ts';

const profilesFolder = new URL('../../profiles/', import.meta.url);

export function shippedProfile(id: string): Profile {
  const text = readFileSync(new URL(`${id}.yaml`, profilesFolder), 'utf8');
  return { ...(parse(text) as Profile), directory: profilesFolder.pathname };
}

export interface BindingChoice {
  pack?: number;
  address?: number | undefined;
  cells?: number;
  sensors?: number;
  options?: Record<string, string | number | boolean>;
  sensor_of_cell?: readonly number[];
}

export function bindingOf(profile: Profile, choice: BindingChoice = {}): PackBinding {
  const defaults = Object.entries(profile.options ?? {}).map(([name, option]) => [name, option.default]);
  const shape: PackShape = {
    cell_count: choice.cells ?? 16,
    sensor_count: choice.sensors ?? profile.sensors?.max ?? 0,
    device_alarms: (profile.device_alarms ?? []).map(alarm => alarm.code),
  };
  const pack = choice.pack ?? 0;
  return {
    pack,
    pack_id: `pack-${pack + 1}`,
    profile,
    address: choice.address ?? profile.address?.default,
    shape,
    options: { ...Object.fromEntries(defaults), ...choice.options },
    sensor_of_cell: choice.sensor_of_cell,
  };
}

export function snapshot(state: PackState, mono_ms: number): PackReading {
  const reading = new PackReading(state.pack, state.shape);
  state.snapshotInto(reading, 0, mono_ms);
  return reading;
}
