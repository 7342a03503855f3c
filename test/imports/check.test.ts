/** The house rules catch what they are for: each violation in a tree of its own, and nothing in a sound one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { violationsIn } from './check.ts';

let root: string;
/** As in docs/ARCHITECTURE.md. */
const TABLE = `# House
| room | one responsibility | may import |
|---|---|---|
| \`core/\` | pure | - |
| \`core/clock/\`, \`core/schema/\` | described only | |
| \`drivers/\` | bytes | \`core\` |
| \`drivers/can/\` | a bus | \`core\`, \`drivers/driver.ts\` |
| \`drivers/modbus/\` | a line | \`core\`, \`drivers/driver.ts\` |
| \`sim/\` | made up | \`core\`, \`drivers\` |
| \`daemon/\` | the process | \`core\`, \`drivers\`, \`sim\` |
| \`daemon/store/\` | SQLite | \`core\` |
| \`ui/\` | the page | \`core\` |
`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'house-'));
  file(
    'package.json',
    JSON.stringify({ dependencies: { pg: '1', typebox: '1', yaml: '1' }, devDependencies: { vite: '1' } }),
  );
  for (const room of [
    'sim',
    'ui',
    'core/clock',
    'core/schema',
    'drivers/can',
    'drivers/modbus',
    'daemon/store',
  ])
    file(`${room}/about.md`, '');
  file('drivers/driver.ts', '/** What a driver is. */');
  file('docs/ARCHITECTURE.md', TABLE);
});
afterEach(() => rmSync(root, { recursive: true }));

function file(path: string, text: string): void {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** The violations of a tree that holds one file, after its opening comment. */
function violationsOf(path: string, code: string): string[] {
  file(path, `/** About. */\n${code}\n`);
  return violationsIn(root);
}

const WRONG: readonly [string, string, string][] = [
  ['core/a.ts', "import { x } from '../drivers/b.ts';", 'core imports drivers/b.ts, expected only core'],
  ['core/a.ts', "import type { X } from '../daemon/b.ts';", 'core imports daemon/b.ts, expected only core'],
  ['core/a.ts', "export * from '../sim/b.ts';", 'core imports sim/b.ts, expected only core'],
  ['core/a.ts', "type X = import('../ui/b.ts').X;", 'core imports ui/b.ts, expected only core'],
  ['core/a.ts', "import fs from 'node:fs';", 'core imports node:fs, expected nothing of Node'],
  ['core/a.ts', "import pg from 'pg';", 'core imports pg, expected only typebox, yaml'],
  [
    'drivers/can/a.ts',
    "await import('../../sim/b.ts');",
    'drivers/can imports sim/b.ts, expected only core, drivers/driver.ts, drivers/can',
  ],
  [
    'drivers/can/a.ts',
    "import type { X } from '../modbus/b.ts';",
    'drivers/can imports drivers/modbus/b.ts, expected only core, drivers/driver.ts, drivers/can',
  ],
  [
    'daemon/store/a.ts',
    "import { x } from '../gateway.ts';",
    'daemon/store imports daemon/gateway.ts, expected only core, daemon/store',
  ],
  [
    'sim/a.ts',
    'await import(`../daemon/b.ts`);',
    'sim imports daemon/b.ts, expected only core, drivers, sim',
  ],
  [
    'drivers/a.ts',
    "new URL('../daemon/worker.ts', import.meta.url);",
    'drivers imports daemon/worker.ts, expected only core, drivers',
  ],
  ['ui/a.tsx', "export { x } from '../daemon/b.ts';", 'ui imports daemon/b.ts, expected only core, ui'],
  ['ui/a.tsx', "import fs from 'node:fs';", 'ui imports node:fs, expected nothing of Node'],
  [
    'daemon/a.ts',
    "import { x } from '../ui/b.ts';",
    'daemon imports ui/b.ts, expected only core, drivers, sim, daemon',
  ],
  [
    'daemon/a.ts',
    "import 'vite';",
    'imports vite, expected a package among the dependencies of package.json',
  ],
  [
    'daemon/a.ts',
    "import { x } from '../test/b.ts';",
    'imports test/b.ts, expected nothing that is only for tests',
  ],
  [
    'daemon/a.ts',
    "import { x } from './store/testing.ts';",
    'imports daemon/store/testing.ts, expected nothing that is only for tests',
  ],
  [
    'daemon/a.ts',
    "import { setTimeout } from 'node:timers/promises';",
    'imports node:timers/promises, expected the injected Clock',
  ],
  ...['Date.now', 'performance.now', 'setTimeout', 'setInterval'].map((name): [string, string, string] => [
    'daemon/a.ts',
    `export const t = ${name}(() => {});`,
    `uses ${name}, expected the injected Clock (core/clock/clock.ts)`,
  ]),
  [
    'sim/a.ts',
    'export const t = new Date();',
    'uses new Date(), expected the injected Clock (core/clock/clock.ts)',
  ],
  [
    'sim/a.ts',
    'export const t = wrap(setTimeout);',
    'uses setTimeout, expected the injected Clock (core/clock/clock.ts)',
  ],
  [
    'ui/a.ts',
    'globalThis.setInterval(f);',
    'uses setInterval, expected the injected Clock (core/clock/clock.ts)',
  ],
];

test.each(WRONG)('%s: %s', (path, code, expected) => {
  expect(violationsOf(path, code)).toEqual([`${path}:2: ${expected}`]);
});

const RIGHT: readonly [string, string][] = [
  ['daemon/a.ts', "import { x } from '../core/a.ts';\nimport pg from 'pg';\nimport fs from 'node:fs';"],
  ['daemon/a.ts', "import { x } from './store/b.ts';\nimport { y } from '../drivers/can/b.ts';"],
  ['drivers/can/a.ts', "import { x } from '../driver.ts';\nimport { y } from '../../core/a.ts';"],
  ['daemon/a.ts', "import type { X } from 'vite';\nconst y = await import('vite');"],
  [
    'core/schema/a.ts',
    "import Type from 'typebox';\nimport { parse } from 'yaml';\nimport { Value } from 'typebox/value';",
  ],
  ['core/clock/system-clock.ts', 'export const t = [Date.now(), setTimeout(() => {}, 1)];'],
  ['core/a.test.ts', "import { x } from '../daemon/b.ts';\nconst t = Date.now();"],
  ['test/a.ts', "import { x } from '../daemon/b.ts';\nawait new Promise(done => setTimeout(done, 1));"],
  ['bench/main.ts', "import { x } from '../daemon/b.ts';\nconst t = performance.now();"],
  ['ui/vite.config.ts', "import fs from 'node:fs';"],
  [
    'drivers/a.ts',
    "// import { x } from '../daemon/b.ts'; Date.now()\nconst s = \"import('../daemon/b.ts') setTimeout()\";",
  ],
  ['drivers/a.ts', 'socket.setTimeout(5);\nconst t = new Date(5);\nconst setTimer = { setTimeout: 5 };'],
];

test.each(RIGHT)('%s may: %s', (path, code) => {
  expect(violationsOf(path, code)).toEqual([]);
});

test('every file begins with a comment and stays short', () => {
  file('core/bare.ts', 'export const x = 1;\n/** Late. */\n');
  file('core/long.ts', `/** Long. */\n${'export {};\n'.repeat(400)}`);
  file('core/just.ts', `/** Just. */\n${'export {};\n'.repeat(399)}`);
  file('daemon/run.mjs', '#!/usr/bin/env node\n/** Script. */\nexport {};\n');
  file('core/line.ts', '// One line.\nexport {};\n');
  file('ui/dist/bundle.mjs', 'export {};\n');
  file('ui/node_modules/x/index.mjs', 'export {};\n');
  expect(violationsIn(root)).toEqual([
    'core/bare.ts:1: begins without a comment, expected a line that says what lives in the file',
    'core/long.ts:401: has 401 lines, expected at most 400',
  ]);
});

test('a file that does not parse is a violation, not a crash', () => {
  expect(violationsOf('core/a.ts', 'const = ;')).toEqual([
    expect.stringMatching(/^core\/a\.ts:2: does not parse: /),
  ]);
});

test('a circle of imports is found once, with the shortest way round, by types and through tests not', () => {
  file('core/a.ts', "/** A. */\nimport type { B } from './b.ts';\nimport './apart.ts';\n");
  file('core/b.ts', "/** B. */\nimport './c.ts';\nimport './a.test.ts';\n");
  file('core/c.ts', "/** C. */\nconst a = await import('./a.ts');\nimport './b.ts';\n");
  file('core/apart.ts', "/** Apart. */\nimport './leaf.ts';\n");
  file('core/leaf.ts', '/** Leaf. */\n');
  file('core/leaf.test.ts', "/** Test. */\nimport './leaf.test.ts';\n");
  const found = violationsIn(root).filter(text => text.includes('circle'));
  expect(found).toEqual([
    'core/a.ts:1: is in a circle of imports, core/a.ts > core/b.ts > core/c.ts > core/a.ts, expected none',
  ]);
});

test('the table names what is there, and every room is in it', () => {
  file('docs/ARCHITECTURE.md', `${TABLE}| \`daemon/gone/\` | nothing | \`core\`, \`sim/elsewhere.ts\` |\n`);
  file('drivers/serial/a.ts', '/** New. */\n');
  expect(violationsIn(root)).toEqual([
    'docs/ARCHITECTURE.md:13: names daemon/gone, which is not there',
    'docs/ARCHITECTURE.md:13: names sim/elsewhere.ts, which is not there',
    'docs/ARCHITECTURE.md:1: has no row for drivers/serial/, expected what it is for',
  ]);
});

test('names made of words that we do not say are found, once each, whatever their form', () => {
  file(
    'docs/terms.md',
    '# Terms\n| `told` | a term |\n### Words that names are not made of\n\n| not | but |\n|---|---|\n' +
      '| `told`, `heard` | reported |\n| `MOST_` | MAX_ |\n',
  );
  const code = [
    'const was_told = 1, lastHeardMs = 2, mostly = 3, toldenough = 4, MOST_TRIES = 5, TOLD_MS = 6, most = 7;',
    'class A { #told = was_told; told = 1; }',
    'const { heard } = "told";',
  ].join('\n');
  const instead = 'expected reported in place of';
  expect(violationsOf('core/a.ts', code)).toEqual([
    `core/a.ts:2: is named was_told, ${instead} "told" (docs/terms.md)`,
    `core/a.ts:2: is named lastHeardMs, ${instead} "heard" (docs/terms.md)`,
    'core/a.ts:2: is named MOST_TRIES, expected MAX_ in place of "MOST_" (docs/terms.md)',
    `core/a.ts:2: is named TOLD_MS, ${instead} "told" (docs/terms.md)`,
    `core/a.ts:3: is named told, ${instead} "told" (docs/terms.md)`,
    `core/a.ts:4: is named heard, ${instead} "heard" (docs/terms.md)`,
  ]);
});

test('a literal that is spread into a literal is found; what may be left out is not', () => {
  const code =
    'export const a = (b: object, c?: number) => ({\n  ...{ d: 1 },\n  ...b,\n  ...(c && { c }),\n});';
  expect(violationsOf('core/a.ts', code)).toEqual([
    'core/a.ts:3: spreads a literal into a literal, expected its keys beside the others',
  ]);
});
