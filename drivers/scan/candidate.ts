/** A profile as a scan tries it: its default options but for some, as many cells and sensors as wanted. */
import type { PackBinding } from '../driver.ts';
import type { Profile } from '../profiles/profile.ts';
import { shapeOf } from '../profiles/shape.ts';

/** `cells`, `sensors` undefined: as many as the profile carries. */
export function candidateBinding(
  profile: Profile,
  address: number | undefined,
  cells: number = profile.cells.max,
  sensors?: number,
  options: PackBinding['options'] = {},
): PackBinding {
  const defaults = Object.entries(profile.options ?? {}).map(([name, option]) => [name, option.default]);
  return {
    pack: 0,
    pack_id: 'candidate',
    profile,
    address,
    shape: shapeOf(profile, cells, sensors),
    options: { ...Object.fromEntries(defaults), ...options },
    sensor_of_cell: undefined,
  };
}
