/** English: the gateway itself. */
import { placeOf } from './words.ts';

export const system = {
  place: placeOf('system status'),
};

export const completeness = {
  loading: 'Loading account of readings…',
};

export const simulator = {
  loading: 'Loading faults…',
};
