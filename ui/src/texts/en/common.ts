/** English: words of all pages, for values, states and times; and what stands around the pages. */
import type { Slot } from '../slot.ts';
import { count, countOf, placeOf } from './words.ts';

/** The product's name is the same in all languages. */
const PRODUCT = 'BMS Gateway';

export const common = {
  product: PRODUCT,
  titleOf: (page: string) => `${page} · ${PRODUCT}`,
  breadcrumb: 'Breadcrumb',
  /** Between two ends: times, dates. */
  fromTo: (from: string, to: string) => `${from} – ${to}`,
  labelled: (label: string, value: string) => `${label}: ${value}`,
  yes: 'Yes',
  no: 'No',
  keep: 'Keep',
  cancel: 'Cancel',
  save: 'Save',
  saved: 'Saved.',
  /** A pack and a cell in it. */
  cellOf: (pack: string, cell_no: number) => `${pack}, cell ${cell_no}`,
};

export const shell = {
  skip: 'Skip to content',
  navigation: 'Main',
  fleet: 'Fleet',
  alerts: 'Alerts',
  system: 'System',
  account: 'Account',
  activeAlerts: (n: number) => count(n, { one: 'active alert', other: 'active alerts' }),
  live: 'Live',
  connecting: 'Connecting',
  reconnecting: 'Reconnecting',
  notLive: 'Not live.',
  /** Around the moment of the last message. */
  old: (since: Slot): Slot => ['What you see is old: ', since, ' Reconnecting by itself.'],
  lastMessage: (clock: string) => `last message at ${clock},`,
  ago: (span: string) => `${span} ago.`,
  asking: 'Asking the gateway…',
};

export const notices = {
  unreachable: {
    title: 'The gateway does not answer',
    text: 'Check that this device is on the gateway’s network and that the gateway has power.',
    again: 'Try again',
  },
  /** Where a page does not say what it is of. */
  page: placeOf('page'),
  forbidden: 'Ask an administrator to assign it to you.',
  absent: 'It may have been renamed or taken out of the configuration.',
  failed: 'Something went wrong',
  toFleet: 'Back to the fleet',
};

/** Of the API and of the way to it, where the gateway itself gives no words of its own. */
export const errors = {
  noAnswer: 'The gateway does not answer. Check that this device is on its network.',
  status: (status: number) => `The gateway answered with status ${status}.`,
  noFile: 'The gateway does not give the file',
  notConfirmed: 'Nothing was changed: the password was not given.',
  ownFault: 'Something went wrong on this page. Reload it and try again.',
  wrongLogin: 'User name or password is wrong.',
  tooManyTries: (span: string) => `Too many attempts. Try again in ${span}.`,
  tooManyTriesSoon: 'Too many attempts. Wait a minute.',
};

export const times = {
  seconds: (n: string) => `${n} s`,
  minutes: (n: number) => `${n} min`,
  hours: (n: number) => `${n} h`,
  days: countOf.days,
  hoursAndMinutes: (hours: number, minutes: number) => `${hours} h ${minutes} min`,
  daysAndHours: (days: number, hours: number) => `${days} d ${hours} h`,
  justNow: 'just now',
  ago: (span: string) => `${span} ago`,
  old: (span: string) => `${span} old`,
  dayAndTime: (day: string, time: string) => `${day}, ${time}`,
  /** A clock beside another. */
  aboutSame: 'about the same',
  gatewayAhead: (span: string) => `the gateway’s is ${span} ahead`,
  gatewayBehind: (span: string) => `the gateway’s is ${span} behind`,
};

/** Of a battery's or pack's data; OK is said where its cells are well, too. */
export const dataStates = { ok: 'OK', degraded: 'Data degraded', offline: 'Offline' };

/** Of the gateway and its parts. */
export const states = { ok: 'OK', degraded: 'Degraded', offline: 'Offline', down: 'Down', off: 'Off' };

export const severities = {
  critical: { word: 'Critical', inText: 'critical' },
  warning: { word: 'Warning', inText: 'warning' },
  info: { word: 'Info', inText: 'info' },
  alertsOf: (severity: string, n: number) => `${severity}: ${countOf.alerts(n)}`,
};

/** Of values that cannot be trusted: one or two words, the same within a sentence, the whole story. */
export const qualities = {
  stale: {
    word: 'Stale',
    inText: 'stale',
    title: 'Stale: not updated within its time limit; the last value is shown',
  },
  suspect: {
    word: 'Suspect',
    inText: 'suspect',
    title: 'Suspect: outside what is possible, or flagged by the device',
  },
  missing: {
    word: 'Missing',
    inText: 'missing',
    title: 'Missing: never received, or the device says it has none',
  },
  counted: {
    missing: (n: number) => `${n} missing`,
    stale: (n: number) => `${n} stale`,
    suspect: (n: number) => `${n} suspect`,
  },
};

/** Which way power flows. */
export const flows = {
  charging: 'Charging',
  discharging: 'Discharging',
  idle: 'Idle',
  unknown: 'Power unknown',
};

/** Of several forms. */
export const fields = {
  username: 'User name',
  nameRule: 'Small letters, digits, dot, dash and underscore; at most 32',
  password: 'Password',
  newPassword: 'New password, at least 8 characters',
  firstPassword: 'Password, at least 8 characters',
  showPassword: 'Show password',
  logOut: 'Log out',
};
