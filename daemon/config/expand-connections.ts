/** Connections of the configuration, with ranges expanded: `fox-{01..10}` becomes ten connections. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Finding, Path } from '../../core/schema/problem.ts';
import type { ConnectionConfig } from '../../drivers/connections.ts';
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
      const connection = one.type === 'candump' ? { ...one, file: resolve(directory, one.file) } : one;
      if (!isId(connection.id)) {
        problems.push({ path: [...path, 'id'], ...wrongId(connection.id) });
        break;
      }
      if (byId.has(connection.id)) {
        const found = `connection "${connection.id}" again`;
        problems.push({ path: [...path, 'id'], found, expected: 'an id of its own' });
        break;
      }
      if (connection.type === 'candump' && !existsSync(connection.file)) {
        const found = `no file ${connection.file}`;
        problems.push({ path: [...path, 'file'], found, expected: 'a log written by candump -l' });
      }
      byId.set(connection.id, { connection, path });
    }
  }
  return byId;
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
