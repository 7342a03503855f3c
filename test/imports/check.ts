/**
 * `npm run imports`: keeps the house in order. Imports point down and never in a circle, `core` stays pure, time comes
 * from the injected clock, names are made of our words, every file says first what lives in it, and none grows beyond
 * reading.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'vite';
import { circlesIn } from './circles.ts';
import { spreadLiteralsIn } from './literals.ts';
import { bareTimeIn, type Reference, referencesIn } from './references.ts';
import { Rooms } from './rooms.ts';
import { Words } from './words.ts';

/** What `core` may take from outside: pure packages that run in a browser too. */
const PURE_PACKAGES = ['typebox', 'yaml'];
const CLOCK_FILE = 'core/clock/system-clock.ts';
const MAX_LINES = 400;

/** Files of a room that are not part of the product: tests, what they share, and the tools that build the page. */
const isTest = (file: string) => /(^|[/.-])(test|testing|bench)[/.-]/.test(file);
const isBuildTool = (file: string) => /^[^/]*$|^ui\/([^/]*\.config\.ts|[^/]*\.mjs|dev\/)/.test(file);

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What all files are held to, and what was found of their imports on the way. */
interface House {
  readonly root: string;
  readonly rooms: Rooms;
  readonly words: Words;
  readonly shipped: ReadonlySet<string>;
  readonly imports: Map<string, string[]>;
}

/** Every violation under `root`, as `file:line: what is wrong, what is right`, in file order. */
export function violationsIn(root: string): string[] {
  const house: House = {
    root,
    rooms: new Rooms(root),
    words: new Words(root),
    shipped: shippedPackages(root),
    imports: new Map(),
  };
  const found = globSync('{core,drivers,sim,daemon,packaging,ui,test,bench}/**/*.{ts,tsx,mjs}', {
    cwd: root,
    exclude: path => /(^|\/)(node_modules|dist)$/.test(path),
  })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => !/(^|\/)(node_modules|dist)\//.test(path))
    .sort()
    .flatMap(file => violationsOf(house, file));
  const circles = circlesIn(house.imports).map(
    circle => `${circle[0]}:1: is in a circle of imports, ${circle.join(' > ')}, expected none`,
  );
  return [...found, ...circles, ...house.rooms.violations()];
}

function shippedPackages(root: string): ReadonlySet<string> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;
  return new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }));
}

function violationsOf(house: House, file: string): string[] {
  const source = readFileSync(join(house.root, file), 'utf8');
  const { program, comments, errors } = parseSync(file, source);
  const violations: { offset: number; text: string }[] = errors.map(({ message, labels }) => ({
    offset: labels[0]?.start ?? 0,
    text: `does not parse: ${message}`,
  }));
  const report = (offset: number, text: string) => violations.push({ offset, text });

  const code = /^(#!.*\n)?\s*/.exec(source)?.[0].length ?? 0;
  if (comments[0]?.start !== code && comments[1]?.start !== code)
    report(0, 'begins without a comment, expected a line that says what lives in the file');
  const lines = source.split('\n').length - (source.endsWith('\n') ? 1 : 0);
  if (lines > MAX_LINES) report(source.length - 1, `has ${lines} lines, expected at most ${MAX_LINES}`);

  for (const reference of referencesIn(program)) {
    const wrong = wrongReference(house, file, reference);
    if (wrong) report(reference.offset, wrong);
  }
  if (file !== CLOCK_FILE && !isTest(file) && !isBuildTool(file))
    for (const { offset, name } of bareTimeIn(program))
      report(offset, `uses ${name}, expected the injected Clock (core/clock/clock.ts)`);

  for (const { offset, text } of house.words.wrongIn(program)) report(offset, text);
  for (const offset of spreadLiteralsIn(program))
    report(offset, 'spreads a literal into a literal, expected its keys beside the others');

  return violations
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, text }) => `${file}:${source.slice(0, offset).split('\n').length}: ${text}`);
}

/** Says what is wrong with one import, or undefined. */
function wrongReference(
  { root, rooms, shipped, imports }: House,
  file: string,
  { specifier, typeOnly, lazy }: Reference,
): string | undefined {
  if (!rooms.ruleOf(file) || isTest(file) || isBuildTool(file)) return undefined;
  const room = file.split('/')[0];
  if (specifier.startsWith('.')) {
    const target = relative(root, resolve(root, dirname(file), specifier)).replaceAll('\\', '/');
    if (isTest(target)) return `imports ${target}, expected nothing that is only for tests`;
    imports.set(file, [...(imports.get(file) ?? []), target]);
    return rooms.expectedInPlaceOf(file, target);
  }
  if (specifier.startsWith('node:')) {
    if (specifier.startsWith('node:timers')) return `imports ${specifier}, expected the injected Clock`;
    if (room === 'core' || room === 'ui') return `${room} imports ${specifier}, expected nothing of Node`;
    return undefined;
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (room === 'core' && !PURE_PACKAGES.includes(name))
    return `core imports ${name}, expected only ${PURE_PACKAGES.join(', ')}`;
  if (room !== 'ui' && !typeOnly && !lazy && !shipped.has(name))
    return `imports ${name}, expected a package among the dependencies of package.json`;
  return undefined;
}

if (import.meta.main) {
  const violations = violationsIn(resolve(import.meta.dirname, '../..'));
  for (const line of violations) console.error(line);
  if (violations.length > 0) process.exitCode = 1;
}
