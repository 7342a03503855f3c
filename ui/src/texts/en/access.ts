/** English: logging in, accounts, keys, sessions and what people did. */
import type { Around, Slot } from '../slot.ts';

export const login = {
  backToLogin: 'Back to the login',
  enterCode: 'Enter a set-up code',
  /** Around the command that makes a new code. */
  hint: (command: Slot): Slot => [
    'Accounts come from your administrator. An administrator who lost the password runs ',
    command,
    ' on the gateway.',
  ],
  expired: 'Your session has ended. Log in to go on where you were.',
  logIn: 'Log in',
  loggingIn: 'Logging in…',
};

export const setup = {
  first: 'Set up this gateway',
  recover: 'Recover an administrator',
  firstHelp: 'Nobody can log in yet. Whoever has the set-up code becomes its administrator.',
  recoverHelp: 'The code makes a new administrator, or gives an account of this name a new password.',
  code: 'Set-up code',
  /** Around the command that shows it. */
  whereCode: (command: Slot): Slot => [
    'It stands in the gateway’s journal, and ',
    command,
    ' shows it on the gateway.',
  ],
  doFirst: 'Set up',
  doRecover: 'Recover',
  busy: 'Setting up…',
};

export const confirmPassword = {
  title: 'Your password once more',
  help: 'This changes who may come in. Then it is not asked again for 15 minutes.',
  yours: 'Your password',
  goOn: 'Go on',
};

export const password = {
  change: 'Change password',
  changed: 'Changed. All your other sessions have ended.',
  old: 'Current password',
  dueTitle: 'New password',
  due: 'Choose your own password',
  dueHelp: (username: string) =>
    `An administrator gave you the one you came with, ${username}. Nobody but you should know the next.`,
  given: 'The password you were given',
};

export const account = {
  title: 'Account',
  loggedInAs: 'Logged in as',
  role: 'Role',
  logOutFailed: (why: string) => `Logging out failed: ${why}`,
  password: 'Password',
  central:
    'Your account is kept at the centre, for all gateways. The administrator there changes the password.',
  sessions: 'Sessions',
  appearance: 'Appearance',
  theme: 'Theme',
  themes: { auto: 'As device', dark: 'Dark', light: 'Light' },
  language: 'Language',
  languageAuto: 'As device',
  keptHere: 'Kept on this device.',
};

export const roles = {
  role: 'Role',
  words: { user: 'User', moderator: 'Moderator', admin: 'Administrator' },
  /** As short as a switch needs it. */
  short: { user: 'User', moderator: 'Moderator', admin: 'Admin' },
  meanings: {
    user: 'sees the batteries assigned',
    moderator: 'sees the batteries in their care, handles alerts',
    admin: 'sees everything, changes users and settings',
  },
  withMeaning: (role: string, meaning: string) => `${role}: ${meaning}`,
  seesAll: 'Sees all batteries',
  seesNone: 'No battery assigned',
  sees: (batteries: string) => `Sees ${batteries}`,
};

export const users = {
  loading: 'Loading users…',
  failed: 'The users could not be loaded',
  accounts: 'Accounts',
  add: 'Add an account',
  loggedInNow: 'Logged in now',
  you: '(you)',
  since: (moment: string) => `since ${moment}`,
  shadowsCentral: 'The centre has a user of this name too, who cannot log in here beside this one.',
  central: 'Kept at the centre, for all gateways; changed only there.',
  centre: 'Centre',
  passwordDue: 'New password due',
  disabled: 'Disabled',
  /** On buttons; the user's name follows, read aloud. */
  edit: 'Edit',
  enable: 'Enable',
  disable: 'Disable',
  remove: 'Remove',
  removeNow: (username: string) => `Remove ${username}`,
  batteries: 'Batteries this account sees',
  added: (username: string) => `${username} can log in now.`,
  addAccount: 'Add account',
  /** Around the link to one's own account. */
  ownPassword: (link: Around): Slot => ['Your password is changed under ', link('your account'), '.'],
  newPassword: 'New password, empty: stays as it is',
  endsSessions: 'A new password ends the sessions of this account.',
  mustChange: 'Must be changed at the next login',
};

export const sessions = {
  loading: 'Loading sessions…',
  endOthers: 'End all other sessions',
  of: (username: string, agent: string) => `${username}, ${agent}`,
  now: 'now',
  facts: (address: string, seen: string, since: string) => `${address} · seen ${seen} · since ${since}`,
  thisDevice: 'This device',
  end: 'End',
  /** Read aloud after "End". */
  which: (username: string, agent: string, address: string) =>
    `the session of ${username} with ${agent} from ${address}`,
  agentOn: (browser: string, device: string) => `${browser} on ${device}`,
  namelessAgent: 'A program that does not say its name',
};

export const keys = {
  loading: 'Loading API keys…',
  failed: 'The API keys could not be loaded',
  title: 'API keys',
  none: {
    title: 'No API key yet',
    text: 'A program (a building controller, a script, a wall display) logs in with a key of its own instead of somebody’s password.',
  },
  make: 'Make a key',
  signingKey: 'Signing key',
  expired: 'Expired',
  forEver: 'does not expire',
  until: (day: string) => `until ${day}`,
  neverUsed: 'Never used',
  used: (ago: string, address: string) => `Used ${ago} from ${address}`,
  made: (moment: string, by: string) => `made ${moment} by ${by}`,
  revoke: 'Revoke',
  revokeNow: (name: string) => `Revoke ${name} now`,
  name: 'Name',
  nameRule: 'Letters, digits, blanks, dot, dash and underscore; at most 48',
  nameExample: 'What uses it, such as Building PLC',
  batteries: 'Batteries this key sees',
  expires: 'Expires',
  lives: { never: 'Never', d30: 'In 30 days', d90: 'In 90 days', d365: 'In a year' },
  makeKey: 'Make key',
  secretOf: (name: string) => `The secret of ${name}`,
  secretHelp: 'It is shown this once: keep it where the program reads it.',
  /** The name of the field. */
  secret: (name: string) => `Secret of ${name}`,
  /** Around the header of a request. */
  sentAs: (header: Slot): Slot => ['Sent as ', header],
  copy: 'Copy',
  copied: 'Copied',
  signingHelp:
    'Signs the sessions of everybody. Replacing it logs nobody out: what the old one has signed is taken until it ends by itself.',
  replaced: 'Replaced. New sessions are signed with the new key.',
  replace: 'Replace the signing key',
};

/** Actions by their names in the API stand between who did it and to what. One without words stands for itself. */
interface ActionWords {
  readonly done: Readonly<Record<string, string>>;
  /** Of attempts that were refused, where other words fit. */
  readonly refused: Readonly<Record<string, string>>;
}

const actions: ActionWords = {
  done: {
    login: 'logged in',
    logout: 'logged out',
    setup: 'set up the gateway by its code',
    'session.end': 'ended a session of',
    'user.create': 'made the user',
    'user.change': 'changed the user',
    'user.delete': 'removed the user',
    'user.password': 'changed their password',
    'password.confirm': 'gave their password once more',
    'user.pull': 'took over',
    'key.create': 'made the API key',
    'key.revoke': 'revoked the API key',
    'signing_key.rotate': 'replaced the signing key',
    'clock.confirm': 'confirmed the time of the clock',
    'settings.change': 'changed alert rules:',
    'settings.import': 'gave alert rules as a file:',
    'notification.test': 'sent a test to the receiver',
    'alert.acknowledge': 'acknowledged the alert',
    'alert.note': 'wrote a note to the alert',
    'alert.shelve': 'shelved the alert',
    'alert.out_of_service': 'took out of service',
    'alert.in_service': 'put back in service',
    'alert.unshelve': 'took from the shelf the alert',
    'fault.add': 'simulated a fault',
    'fault.remove': 'ended the simulated fault',
    'gateway.start': 'started',
    'gateway.upgrade': 'was upgraded',
    'configuration.change': 'started with a changed configuration:',
    export: 'exported',
    refusals: 'refused more than is listed',
  },
  refused: {
    login: 'tried to log in as',
    setup: 'tried to set up the gateway as',
    'user.password': 'tried to change their password',
    'password.confirm': 'tried to give their password once more',
  },
};

export const audit = {
  loading: 'Loading audit log…',
  what: 'What',
  groups: {
    all: 'Everything',
    login: 'Logins',
    session: 'Ended sessions',
    user: 'Users',
    key: 'API keys',
    settings: 'Alert rules',
    configuration: 'Configuration',
    gateway: 'Starts of the gateway',
    export: 'Exports',
    fault: 'Simulated faults',
  },
  who: 'Who',
  anybody: 'Anybody',
  refresh: 'Refresh',
  older: 'Older entries',
  none: {
    title: 'Nothing like that was recorded',
    text: 'Choose another kind, or leave the name empty.',
  },
  somebody: 'Somebody',
  refused: 'Refused',
  actions,
  unknownName: 'tried to log in under a name that nobody has',
  yes: 'yes',
};
