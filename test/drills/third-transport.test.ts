/**
 * The drill for a further transport: a made-up one is added to a copy of the gateway, by the files that CONTRIBUTING.md
 * lists and no others. The compiler must name every place that needs it, and then all of the gateway must know it.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FILES = join(import.meta.dirname, 'tap');
const NODE = join(ROOT, 'node_modules/.bin/node');
const copy = mkdtempSync(join(tmpdir(), 'third-transport-'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** What is added to a file, behind a text that stands there. */
type Edits = Readonly<Record<string, readonly (readonly [behind: string, added: string])[]>>;

const NAME: Edits = {
  'drivers/profiles/profile.ts': [["Type.Literal('modbus')", ", Type.Literal('tap')"]],
};
const REST: Edits = {
  'drivers/profiles/profile.ts': [
    ["import Type, { type Static } from 'typebox';", "\nimport { TapSection } from '../tap/tap-section.ts';"],
    ['registers: Type.Optional(RegistersSection),', '\n    tap: Type.Optional(TapSection),'],
    ["export type SectionName = 'can' | 'sunspec' | 'registers'", " | 'tap'"],
    ["modbus: ['sunspec', 'registers'],", "\n  tap: ['tap'],"],
  ],
  'drivers/transports.ts': [
    [
      "import type { TransportName } from './profiles/profile.ts';",
      "\nimport { tapTransport } from './tap/tap-transport.ts';",
    ],
    ['modbus: modbusTransport,', '\n  tap: tapTransport,'],
    ['...modbusTransport.connections', ', ...tapTransport.connections'],
  ],
  'sim/transports.ts': [
    [
      "import type { ServeForm, SimulatedTransport } from './simulated-transport.ts';",
      "\nimport { simulatedTap } from './tap/simulated-tap.ts';",
    ],
    ['modbus: simulatedModbus,', '\n  tap: simulatedTap,'],
  ],
  'docs/ARCHITECTURE.md': [
    [
      '| room | one responsibility | may import |\n|---|---|---|\n',
      '| `drivers/tap/`, `sim/tap/` | taps | |\n',
    ],
  ],
};
const NEW_FOLDERS = {
  'drivers/tap': ['tap-transport.ts', 'tap-section.ts'],
  'sim/tap': ['simulated-tap.ts'],
};

function edit(edits: Edits): void {
  for (const [file, additions] of Object.entries(edits)) {
    let text = readFileSync(join(copy, file), 'utf8');
    for (const [behind, added] of additions) {
      expect(text.split(behind), `${file}: ${behind}`).toHaveLength(2);
      text = text.replace(behind, () => behind + added);
    }
    writeFileSync(join(copy, file), text);
  }
}

/** By file, what the compiler says. */
function compile(): Map<string, string[]> {
  const { stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.'], {
    cwd: copy,
    encoding: 'utf8',
  });
  const errors = new Map<string, string[]>();
  for (const [line, file] of stdout.matchAll(/^(\S+?)\(\d+,\d+\): error .*/gm))
    errors.set(file, [...(errors.get(file) ?? []), line]);
  return errors;
}

function run(...args: string[]): string {
  const { stdout, stderr } = spawnSync(NODE, args, { cwd: copy, encoding: 'utf8' });
  return stdout + stderr;
}

beforeAll(() => {
  for (const name of ['core', 'drivers', 'sim', 'daemon', 'docs', 'package.json'])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const options = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as { include: string[] };
  options.include = ['core', 'drivers', 'sim', 'daemon'];
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(options));
});

test('the name alone: the compiler leads to every file that needs the transport', () => {
  edit(NAME);
  expect([...compile().keys()].sort()).toEqual([
    'drivers/profiles/profile.ts',
    'drivers/transports.ts',
    'sim/transports.ts',
  ]);
});

test('with its folders and lines the whole gateway knows it', () => {
  for (const [folder, files] of Object.entries(NEW_FOLDERS)) {
    mkdirSync(join(copy, folder));
    for (const file of files) copyFileSync(join(FILES, `${file}.txt`), join(copy, folder, file));
  }
  edit(REST);
  expect([...compile().values()].flat()).toEqual([]);

  mkdirSync(join(copy, 'site/profiles'), { recursive: true });
  writeFileSync(
    join(copy, 'site/profiles/old-tap.yaml'),
    `id: old-tap
title: Old tap
vendor: Acme
models: []
source: none
transport: tap
cells: { max: 4 }
tap: { stale_ms: 5000 }
`,
  );
  const site = (profile: string) => `site: { id: here }
connections: [{ id: kitchen, type: virtual-tap }]
batteries: [{ id: b, packs: [{ id: p, connection: kitchen, profile: ${profile}, cells: 4 }] }]
simulation: {}
`;
  writeFileSync(join(copy, 'site/config.yaml'), site('old-tap'));
  writeFileSync(join(copy, 'site/wrong.yaml'), site('jk-can-v2'));
  expect(run('daemon/bms-gateway.mjs', 'check-config', 'site/config.yaml')).toContain(
    'connections  0 CAN, 0 Modbus, 1 Tap, with a simulation',
  );
  expect(run('daemon/bms-gateway.mjs', 'check-config', 'site/wrong.yaml')).toContain(
    'expected a profile for tap',
  );
  expect(run('daemon/bms-gateway.mjs', 'scan', 'nothing at all')).toContain(', tap:');
  expect(run('daemon/bms-gateway.mjs', 'scan', 'tap:')).toContain('- open the tap');
  expect(run('daemon/bms-gateway.mjs', 'simulate', '--help')).toMatch(/Tap profiles +tap: +a tap/);

  copyFileSync(join(FILES, 'read-it.ts.txt'), join(copy, 'read-it.ts'));
  const read = JSON.parse(run('read-it.ts', 'site/config.yaml')) as { state: string; voltages: number[] };
  expect(read.state).toBe('up');
  expect(read.voltages).toHaveLength(4);
  for (const v of read.voltages) expect(v).toBeGreaterThan(2.5);
});

test('CONTRIBUTING.md lists these files, eight at most', () => {
  const page = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const [, section] = /\*\*A transport\*\*[^\n]*\n([\s\S]*?)\n\n/.exec(page) ?? [];
  const listed = [...section.matchAll(/^- `([^`]+?)\/?`/gm)].map(([, path]) => path.replace('<name>', 'tap'));
  const touched = [...Object.keys(NEW_FOLDERS), ...Object.keys(REST)];
  expect(listed.toSorted()).toEqual([...touched, 'docs/configuration.md'].sort());
  expect(listed.length).toBeLessThanOrEqual(8);
});
