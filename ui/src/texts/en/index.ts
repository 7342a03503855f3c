/** English, the language whose shape all others have: a text that is missing or too many there does not compile. */
import { audit, keys, sessions, users } from './access.ts';
import { alerts, thresholds } from './alerts.ts';
import { common, errors, flows, notices, qualities, severities, shell, states, times } from './common.ts';
import { battery, fleet, pack } from './pages.ts';
import { completeness, simulator, system } from './system.ts';
import { countOf, LOCALE } from './words.ts';

export const en = {
  /** Of numbers, dates and plurals (BCP 47). */
  locale: LOCALE,
  counts: countOf,
  common,
  shell,
  notices,
  errors,
  times,
  states,
  severities,
  qualities,
  flows,
  fleet,
  battery,
  pack,
  alerts,
  system,
  completeness,
  thresholds,
  simulator,
  users,
  sessions,
  keys,
  audit,
};

export type Texts = typeof en;
