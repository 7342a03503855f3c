/** The registers of a simulated unit, whichever section its profile has. */
import type { PackBinding } from '../driver.ts';
import type { UnitImage } from './register-image.ts';
import { createRegistersImage } from './registers/registers-image.ts';
import { createSunSpecImage } from './sunspec/sunspec-image.ts';

export function createUnitImage(binding: PackBinding): UnitImage {
  return binding.profile.registers ? createRegistersImage(binding) : createSunSpecImage(binding);
}
