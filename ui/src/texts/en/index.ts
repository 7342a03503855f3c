/** English, the language whose shape all others have: a text that is missing or too many there does not compile. */
import {
  account,
  audit,
  confirmPassword,
  keys,
  login,
  password,
  roles,
  sessions,
  setup,
  users,
} from './access.ts';
import { alerts, ruleFiles, service, thresholds } from './alerts.ts';
import { apiDocs } from './api-docs.ts';
import {
  common,
  dataStates,
  errors,
  fields,
  flows,
  notices,
  qualities,
  severities,
  shell,
  states,
  times,
} from './common.ts';
import { estimates } from './estimates.ts';
import { history } from './history.ts';
import { notifications } from './notifications.ts';
import { battery, cells, cellViews, device, fleet, fleetMap, health, pack } from './pages.ts';
import { quantities } from './quantities.ts';
import {
  certificate,
  completeness,
  components,
  confirmClock,
  exporting,
  simulator,
  system,
} from './system.ts';
import { countOf, LOCALE } from './words.ts';

export const en = {
  /** Of numbers, dates and plurals (BCP 47). */
  locale: LOCALE,
  counts: { batteries: countOf.batteries, cells: countOf.cells, packs: countOf.packs },
  common,
  shell,
  notices,
  errors,
  times,
  states,
  dataStates,
  severities,
  qualities,
  flows,
  fields,
  quantities,
  cellViews,
  fleet,
  health,
  fleetMap,
  battery,
  pack,
  cells,
  device,
  estimates,
  history,
  alerts,
  system,
  certificate,
  components,
  confirmClock,
  exporting,
  completeness,
  ruleFiles,
  service,
  thresholds,
  notifications,
  simulator,
  login,
  setup,
  confirmPassword,
  password,
  account,
  roles,
  users,
  sessions,
  keys,
  audit,
  apiDocs,
};

export type Texts = typeof en;
