/** The npm packages that the bundle loads from their place, with what they load in turn: from the lock file. */
import { readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { PackagingError } from '../packaging-error.ts';
import { type Part, partOf } from './licences.ts';

/** `NOT_BUNDLED` of daemon/bundle.mjs, without the PostgreSQL of the demo. */
const LOADED = ['better-sqlite3', 'pino', 'serialport', 'socketcan'];
/** Named as dependencies, but only needed to compile. */
const ONLY_TO_COMPILE = ['node-gyp', 'node-addon-api'];

const CODE = /\.(c?js|mjs|json)$/;
/** Folders that are no part of what is loaded. Compiled add-ons are put there by themselves. */
const ASIDE =
  /^(\..*|fixtures|scripts|tests?|__tests__|benchmarks?|examples?|samples|docs?|deps|native|prebuilds|build)$/;
const ASIDE_FILES =
  /(^bench\w*|\.test|\.config)\.[cm]?js$|^(tsconfig|\.eslintrc|bower|component|karma\.conf)\b/;

interface Locked {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export interface PackageAtRunTime {
  /** Such as node_modules/pino. */
  readonly place: string;
  readonly part: Part;
}

export function packagesAtRunTime(root: string): PackageAtRunTime[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const found = new Set<string>();
  const visit = (name: string, from: string) => {
    if (ONLY_TO_COMPILE.includes(name)) return;
    const place = placeOf(name, from, packages);
    if (found.has(place)) return;
    found.add(place);
    for (const dependency of Object.keys(packages[place].dependencies ?? {})) visit(dependency, place);
  };
  for (const name of LOADED) visit(name, '');
  return [...found].sort().map(place => ({ place, part: partOf(join(root, place)) }));
}

/** Where Node finds it from there. */
function placeOf(name: string, from: string, packages: Readonly<Record<string, Locked>>): string {
  for (let above = from; ; above = above.slice(0, Math.max(0, above.lastIndexOf('/node_modules/')))) {
    const place = `${above && `${above}/`}node_modules/${name}`;
    if (packages[place]) return place;
    if (above === '')
      throw new PackagingError(`package-lock.json has no ${name}, which ${from || 'the bundle'} loads`);
  }
}

/** Whether it is code that is loaded, or a folder with such. A package within has an entry of its own. */
export function isNeeded(directory: string, path: string): boolean {
  const words = relative(directory, path).split('/');
  if (words[0] === '') return true;
  if (words.includes('node_modules')) return false;
  const name = words.at(-1) as string;
  if (words.some(word => ASIDE.test(word))) return false;
  return statSync(path).isDirectory() || (CODE.test(name) && !ASIDE_FILES.test(name) && !isScript(path));
}

/** A program of the package's own, which nothing loads. */
const isScript = (path: string) => readFileSync(path).subarray(0, 2).toString() === '#!';
