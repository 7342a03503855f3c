/** English: what several texts are made of. Other languages need nothing of this. */
import { countingIn } from '../numerals.ts';

export const LOCALE = 'en-GB';
const ORDINALS = new Intl.PluralRules(LOCALE, { type: 'ordinal' });

export const { count } = countingIn(LOCALE);

const noun =
  (one: string, other = `${one}s`) =>
  (n: number) =>
    count(n, { one, other });

export const countOf = {
  alarms: noun('alarm'),
  alerts: noun('alert'),
  attempts: noun('attempt'),
  batteries: noun('battery', 'batteries'),
  cells: noun('cell'),
  days: noun('day'),
  hours: noun('hour'),
  notes: noun('note'),
  packs: noun('pack'),
  readings: noun('reading'),
  rules: noun('rule'),
};

/** "3rd" */
export const ordinalOf = (n: number) =>
  `${n}${{ one: 'st', two: 'nd', few: 'rd', other: 'th', zero: 'th', many: 'th' }[ORDINALS.select(n)]}`;

/** What stands in the place of something that is loaded, not allowed or not there. */
export const placeOf = (what: string) => ({
  loading: `Loading ${what}…`,
  forbidden: `Your account may not see this ${what}`,
  absent: `There is no such ${what}`,
});
