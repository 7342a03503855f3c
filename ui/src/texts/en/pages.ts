/** English: fleet, battery and pack. */
import { placeOf } from './words.ts';

export const fleet = {
  place: placeOf('fleet'),
};

export const battery = {
  place: placeOf('battery'),
};

export const pack = {
  place: placeOf('pack'),
};
