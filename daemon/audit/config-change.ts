/** What a start changed: the configuration of this run against the one of the run before. */
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { type Logger, silentLogger } from '../../core/log.ts';
import { ReadableDocuments } from '../store/documents/readable-documents.ts';
import type { Documents } from '../store/store.ts';
import type { AuditLog } from './audit-log.ts';
import { presentable } from './presentable.ts';

const KIND = 'audit';
const ID = 'configuration';
const CHANGES_MAX = 100;

type Flat = Record<string, unknown>;
const Kept = Type.Object({ version: Type.String(), values: Type.Record(Type.String(), Type.Unknown()) });
const isKept = Compile(Kept);
const readKept = (body: unknown) => (isKept.Check(body) ? body : undefined);

/** Records the start, and each value of the configuration that differs from the last start's. */
export async function recordStart(
  audit: AuditLog,
  documents: Documents,
  start: { readonly version: string; readonly configuration: object },
  log: Logger = silentLogger,
): Promise<void> {
  const remedy = 'what this start changed in the configuration is not known';
  const kept = await new ReadableDocuments(documents, log).get(KIND, ID, readKept, remedy);
  const values = flat(start.configuration);
  audit.record({ actor: 'system', action: 'gateway.start', new: { version: start.version } });
  if (kept && kept.version !== start.version)
    audit.record({
      actor: 'system',
      action: 'gateway.upgrade',
      old: { version: kept.version },
      new: { version: start.version },
    });
  // An earlier version hid less.
  const before = kept && hidden(kept.values);
  if (before) {
    const paths = changedPaths(before, values);
    if (paths.length > 0)
      audit.record({
        actor: 'system',
        action: 'configuration.change',
        target: `${paths.length} values`,
        old: picked(before, paths),
        new: picked(values, paths),
      });
  }
  if (!kept || kept.version !== start.version || changedPaths(kept.values, values).length > 0)
    await documents.put(KIND, ID, { version: start.version, values });
}

/** By path (`server.port`), secrets hidden. */
export function flat(value: unknown, path = '', found: Flat = {}): Flat {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    if (value !== undefined) found[path] = shownAt(path, value);
    return found;
  }
  for (const [name, item] of Object.entries(value)) flat(item, path ? `${path}.${name}` : name, found);
  return found;
}

export function changedPaths(before: Flat, now: Flat): string[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...paths].filter(path => JSON.stringify(before[path]) !== JSON.stringify(now[path])).sort();
}

function hidden(values: Flat): Flat {
  return Object.fromEntries(Object.entries(values).map(([path, value]) => [path, shownAt(path, value)]));
}

function shownAt(path: string, value: unknown): unknown {
  return (presentable({ [leafName(path)]: value }) as Flat)[leafName(path)];
}

const leafName = (path: string) => path.slice(path.lastIndexOf('.') + 1);

function picked(values: Flat, paths: readonly string[]): Flat {
  return Object.fromEntries(
    paths.slice(0, CHANGES_MAX).flatMap(path => (path in values ? [[path, values[path]]] : [])),
  );
}
