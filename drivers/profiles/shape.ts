/** What a pack of a profile has. */
import type { PackShape } from '../../core/reading/pack-reading.ts';
import type { Profile } from './profile.ts';

/** `sensors` undefined: as many as the profile carries at most. */
export function shapeOf(profile: Profile, cells: number, sensors?: number): PackShape {
  return {
    cell_count: cells,
    sensor_count: sensors ?? profile.sensors?.max ?? 0,
    device_alarms: (profile.device_alarms ?? []).map(alarm => alarm.code),
  };
}
