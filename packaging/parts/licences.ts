/** What is inside and under which licence: said by the bundlers of daemon and page, and by the packages themselves. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Part {
  readonly name: string;
  readonly version: string;
  /** SPDX. */
  readonly licence: string;
  /** As it came; undefined where a package has none beside its name for it. */
  readonly text: string | undefined;
  /** A program of its own, not an npm package. */
  readonly is_program?: true;
}

interface Bundled {
  readonly name: string;
  readonly version: string;
  readonly identifier: string | null;
  readonly text: string | null;
}

const LISTS = ['dist/licences.json', 'ui/dist/.licences.json'];

export function partsOfBundle(root: string): Part[] {
  return LISTS.flatMap(file => JSON.parse(readFileSync(join(root, file), 'utf8')) as Bundled[]).map(
    ({ name, version, identifier, text }) => ({
      name,
      version,
      licence: identifier ?? 'NOASSERTION',
      text: text ?? undefined,
    }),
  );
}

export function partOf(directory: string): Part {
  const { name, version, license, licenses } = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  );
  const file = readdirSync(directory).find(one => /^licen[cs]e(\.|$)/i.test(one));
  return {
    name,
    version,
    licence: license?.type ?? license ?? licenses?.[0]?.type ?? 'NOASSERTION',
    text: file && readFileSync(join(directory, file), 'utf8'),
  };
}

/** Each once, by name and version. */
export function distinctParts(parts: readonly Part[]): Part[] {
  const byKey = new Map(parts.map(part => [`${part.name}@${part.version}`, part]));
  return [...byKey.keys()].sort().map(key => byKey.get(key) as Part);
}
