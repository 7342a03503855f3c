/** Entries of the audit log in words. */
import type { AuditEntry } from '../../../core/contract/access.ts';
import { formatDay } from './time.ts';

const WORDS: Readonly<Record<string, string>> = {
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
  'settings.change': 'changed thresholds:',
  'fault.add': 'simulated a fault',
  'fault.remove': 'ended the simulated fault',
  'gateway.start': 'started',
  'gateway.upgrade': 'was upgraded',
  'configuration.change': 'started with a changed configuration:',
  export: 'exported',
  refusals: 'refused more than is listed',
};

const TRIED: Readonly<Record<string, string>> = {
  login: 'tried to log in as',
  setup: 'tried to set up the gateway as',
  'user.password': 'tried to change their password',
  'password.confirm': 'tried to give their password once more',
};

/** Before the target, where there is one. */
export function actionWords({
  action,
  outcome,
  target,
}: Pick<AuditEntry, 'action' | 'outcome' | 'target'>): string {
  if (action === 'login' && outcome === 'refused' && target === null)
    return 'tried to log in under a name that nobody has';
  const words = outcome === 'refused' ? TRIED[action] : undefined;
  return words ?? WORDS[action] ?? action;
}

export interface Change {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What differs, value by value; of what was made or removed everything that says something. */
export function changesOf(old: unknown, now: unknown): Change[] {
  const [before, after] = [flat(old), flat(now)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter(name => before.get(name) !== after.get(name))
    .map(name => ({ name, before: before.get(name), after: after.get(name) }));
}

function flat(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (value === undefined || value === null) return found;
  if (Array.isArray(value)) {
    if (value.length > 0) found.set(path, value.map(textOf).join(', '));
  } else if (typeof value === 'object') {
    for (const [name, item] of Object.entries(value)) flat(item, path ? `${path}.${name}` : name, found);
  } else if (value !== false)
    found.set(path, path === 'expires_ms' ? formatDay(Number(value)) : textOf(value));
  return found;
}

const textOf = (value: unknown) =>
  typeof value === 'object' ? JSON.stringify(value) : value === true ? 'yes' : String(value);
