/** Connections of the configuration, with ranges expanded: `fox-{01..10}` becomes ten connections. */
import type { Finding, Path } from '../../core/schema/problem.ts';
import type { ConnectionFinding } from '../../drivers/transport.ts';
import { type ConnectionConfig, transportOf } from '../../drivers/transports.ts';
import { type Expanded, expandText, isId, wrongId } from './ranges.ts';

export interface ExpandedConnection {
  readonly connection: ConnectionConfig;
  /** Where it stands in the file. */
  readonly path: Path;
}

/** By id. `directory`: relative files are meant from there. */
export function expandConnections(
  entries: readonly ConnectionConfig[],
  directory: string,
  problems: Finding[],
): Map<string, ExpandedConnection> {
  const byId = new Map<string, ExpandedConnection>();
  for (const [i, entry] of entries.entries()) {
    const path = ['connections', i];
    for (const one of expandEntry(entry, path, problems)) {
      if (!isId(one.id)) {
        problems.push({ path: [...path, 'id'], ...wrongId(one.id) });
        break;
      }
      if (byId.has(one.id)) {
        const found = `connection "${one.id}" again`;
        problems.push({ path: [...path, 'id'], found, expected: 'an id of its own' });
        break;
      }
      const report = (finding: ConnectionFinding) => problems.push(findingAt(path, finding));
      const connection = transportOf(one).prepare?.(one, directory, report) ?? one;
      byId.set(one.id, { connection, path });
    }
  }
  return byId;
}

/** In the place of the file it is about. */
export function findingAt(path: Path, { key, found, expected }: ConnectionFinding): Finding {
  return { path: key === undefined ? path : [...path, key], found, expected };
}

/** Every text of the entry may hold a range; all ranges are as long as the one of the id. */
function expandEntry(entry: ConnectionConfig, path: Path, problems: Finding[]): ConnectionConfig[] {
  const ids = expandText(entry.id);
  if (typeof ids === 'string') {
    problems.push({ path: [...path, 'id'], found: ids, expected: 'one range such as {01..10}' });
    return [];
  }
  const ranged: [string, Expanded][] = [];
  for (const [key, value] of Object.entries(entry)) {
    if (key === 'id' || typeof value !== 'string' || !/\{\d+\.\.\d+\}/.test(value)) continue;
    const expanded = expandText(value);
    const count = typeof expanded === 'string' ? expanded : `a range of ${expanded.texts.length}`;
    if (typeof expanded !== 'string' && expanded.texts.length === ids.texts.length)
      ranged.push([key, expanded]);
    else {
      const expected = ids.numbers
        ? `a range of ${ids.texts.length}, as in id`
        : 'a range only where the id has one';
      problems.push({ path: [...path, key], found: count, expected });
    }
  }
  return ids.texts.map((id, n) => ({
    ...entry,
    ...Object.fromEntries(ranged.map(([key, { texts }]) => [key, texts[n]])),
    id,
  }));
}
