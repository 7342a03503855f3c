/**
 * `npm run imports`: keeps the house in order. Imports point down, `core` stays pure, time comes from the
 * injected clock, every file says first what lives in it, and none grows beyond reading.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type ESTree, parseSync, Visitor } from 'vite';

/** Which rooms a room may import from. `test` and `bench` cross rooms and are not held to it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  drivers: ['core', 'drivers'],
  sim: ['core', 'drivers', 'sim'],
  daemon: ['core', 'drivers', 'sim', 'daemon'],
  ui: ['core', 'ui'],
};
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

interface Reference {
  readonly specifier: string;
  readonly offset: number;
  /** Erased before the program runs. */
  readonly typeOnly: boolean;
  /** Loaded when it is needed, which may be never. */
  readonly lazy: boolean;
}

/** Every violation under `root`, as `file:line: what is wrong, what is right`, in file order. */
export function violationsIn(root: string): string[] {
  const shipped = shippedPackages(root);
  return globSync('{core,drivers,sim,daemon,ui,test,bench}/**/*.{ts,tsx,mjs}', {
    cwd: root,
    exclude: path => /(^|\/)(node_modules|dist)$/.test(path),
  })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => !/(^|\/)(node_modules|dist)\//.test(path))
    .sort()
    .flatMap(file => violationsOf(root, file, shipped));
}

function shippedPackages(root: string): ReadonlySet<string> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;
  return new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }));
}

function violationsOf(root: string, file: string, shipped: ReadonlySet<string>): string[] {
  const source = readFileSync(join(root, file), 'utf8');
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
    const wrong = wrongReference(root, file, reference, shipped);
    if (wrong) report(reference.offset, wrong);
  }
  if (file !== CLOCK_FILE && !isTest(file) && !isBuildTool(file))
    for (const { offset, name } of bareTimeIn(program))
      report(offset, `uses ${name}, expected the injected Clock (core/clock/clock.ts)`);

  return violations
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, text }) => `${file}:${source.slice(0, offset).split('\n').length}: ${text}`);
}

/** Says what is wrong with one import, or undefined. */
function wrongReference(
  root: string,
  file: string,
  { specifier, typeOnly, lazy }: Reference,
  shipped: ReadonlySet<string>,
): string | undefined {
  const room = file.split('/')[0];
  const rooms = MAY_IMPORT[room];
  if (!rooms || isTest(file) || isBuildTool(file)) return undefined;
  if (specifier.startsWith('.')) {
    const target = relative(root, resolve(root, dirname(file), specifier)).replaceAll('\\', '/');
    const other = target.split('/')[0];
    if (isTest(target)) return `imports ${target}, expected nothing that is only for tests`;
    const known = other in MAY_IMPORT && !rooms.includes(other);
    return known ? `${room} imports ${target}, expected only ${rooms.join(', ')}` : undefined;
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

/** Imports of every form: static, re-export, dynamic, of types, and `new URL('./x.ts', import.meta.url)`. */
function referencesIn(program: ESTree.Program): Reference[] {
  const found: Reference[] = [];
  const add = (node: ESTree.Node | null, typeOnly: boolean, lazy: boolean) => {
    if (node?.type === 'Literal' && typeof node.value === 'string')
      found.push({ specifier: node.value, offset: node.start, typeOnly, lazy });
    else if (node?.type === 'TemplateLiteral' && node.quasis.length === 1)
      found.push({ specifier: node.quasis[0].value.raw, offset: node.start, typeOnly, lazy });
  };
  new Visitor({
    ImportDeclaration: node => add(node.source, node.importKind === 'type', false),
    ExportNamedDeclaration: node => add(node.source, node.exportKind === 'type', false),
    ExportAllDeclaration: node => add(node.source, node.exportKind === 'type', false),
    ImportExpression: node => add(node.source, false, true),
    TSImportType: node => add(node.source, true, false),
    NewExpression: ({ callee, arguments: [first] }) => {
      const isModule = first?.type === 'Literal' && /^\.\.?\/.*\.(ts|tsx|mjs)$/.test(String(first.value));
      if (callee.type === 'Identifier' && callee.name === 'URL' && isModule) add(first, false, true);
    },
  }).visit(program);
  return found;
}

const TIMERS = ['setTimeout', 'setInterval'];
const GLOBALS = ['globalThis', 'window', 'self'];

/** Uses of the machine's own time: a timer also where it is only handed on, as in `promisify(setTimeout)`. */
function bareTimeIn(program: ESTree.Program): { offset: number; name: string }[] {
  const found: { offset: number; name: string }[] = [];
  const note = (node: ESTree.Node) => {
    const name = timeNameOf(node);
    if (name) found.push({ offset: node.start, name });
  };
  new Visitor({
    CallExpression: node => {
      note(node.callee);
      for (const argument of node.arguments) note(argument);
    },
    NewExpression: ({ start, callee, arguments: given }) => {
      if (callee.type === 'Identifier' && callee.name === 'Date' && given.length === 0)
        found.push({ offset: start, name: 'new Date()' });
    },
  }).visit(program);
  return found;
}

function timeNameOf(node: ESTree.Node): string | undefined {
  if (node.type === 'Identifier') return TIMERS.find(name => name === node.name);
  if (node.type !== 'MemberExpression' || node.object.type !== 'Identifier') return undefined;
  if (node.property.type !== 'Identifier' || node.computed) return undefined;
  const name = `${node.object.name}.${node.property.name}`;
  if (name === 'Date.now' || name === 'performance.now') return name;
  return GLOBALS.includes(node.object.name) ? TIMERS.find(timer => timer === node.property.name) : undefined;
}

if (import.meta.main) {
  const violations = violationsIn(resolve(import.meta.dirname, '..'));
  for (const line of violations) console.error(line);
  if (violations.length > 0) process.exitCode = 1;
}
