/** The registers of a simulated unit, whichever section its profile has. */
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { PackBinding } from '../driver.ts';
import type { RegisterImage } from './register-image.ts';
import { createRegistersImage } from './registers/registers-image.ts';
import { createSunSpecImage } from './sunspec/sunspec-image.ts';

export interface UnitImage {
  readonly image: RegisterImage;
  /** Shows the reading; a missing value becomes what the device has for "none". */
  write(reading: PackReading): void;
}

export function createUnitImage(binding: PackBinding): UnitImage {
  return binding.profile.registers ? createRegistersImage(binding) : createSunSpecImage(binding);
}
