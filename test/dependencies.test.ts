/** The packages of a box: each declared, exact, used, and explained in docs/dependencies.md; no other is imported. */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const RUNTIME_ROOMS = ['core', 'drivers', 'sim', 'daemon'];
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Package {
  readonly dependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}
const manifest = JSON.parse(read('package.json')) as Package;
const declared = { ...manifest.dependencies, ...manifest.optionalDependencies };
/** Loaded by name when wanted; and `node` is what runs it all. */
const NOT_IMPORTED = ['node', 'socketcan'];
/** Makes what a box runs, where the development packages are. */
const BUILDS = 'bundle.mjs';
/** Nothing of them is there at run time. */
const TYPES_ONLY = ['ws'];

function importedAtRunTime(): Set<string> {
  const files = RUNTIME_ROOMS.flatMap(room =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter(name => /\.(ts|mjs)$/.test(name) && !/\.test\.ts$|(^|\/)testing\/|\.d\.ts$/.test(name))
      .filter(name => name !== BUILDS)
      .map(name => join(room, name)),
  );
  const names = files.flatMap(file =>
    [...read(file).matchAll(/(?:\bfrom |\bimport |import\()'([a-z@][\w./@-]*)'/g)].map(([, name]) => name!),
  );
  return new Set(names.filter(name => !isBuiltin(name)).map(packageOf));
}

const packageOf = (name: string) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');

test('every package of a box is used, and every package used is one of a box', () => {
  const imported = importedAtRunTime();
  const unused = Object.keys(declared).filter(name => !NOT_IMPORTED.includes(name) && !imported.has(name));
  expect(unused, 'declared and not imported').toEqual([]);
  const missing = [...imported].filter(name => !Object.hasOwn(declared, name) && !TYPES_ONLY.includes(name));
  expect(missing, 'imported and not declared').toEqual([]);
});

test('each is explained', () => {
  const table = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \| \S/gm)].map(([, name]) => name);
  expect(table.sort()).toEqual(Object.keys(declared).sort());
});

test('versions are exact', () => {
  for (const [name, version] of Object.entries({ ...declared, ...manifest.devDependencies }))
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
});
