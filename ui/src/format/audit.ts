/** Entries of the audit log in words. */
import type { AuditEntry } from '../../../core/contract/access.ts';
import { t } from '../texts/texts.ts';
import { formatDay } from './time.ts';

/** Before the target, where there is one. */
export function actionWords({
  action,
  outcome,
  target,
}: Pick<AuditEntry, 'action' | 'outcome' | 'target'>): string {
  const { actions, unknownName } = t().audit;
  if (action === 'login' && outcome === 'refused' && target === null) return unknownName;
  const words = outcome === 'refused' ? actions.refused[action] : undefined;
  return words ?? actions.done[action] ?? action;
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
  typeof value === 'object' ? JSON.stringify(value) : value === true ? t().audit.yes : String(value);
