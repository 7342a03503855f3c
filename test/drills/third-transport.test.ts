/**
 * The drill for a further transport: a made-up one is added to a copy of the gateway, by the files that CONTRIBUTING.md
 * lists and no others. The compiler must name every place that needs it, and then all of the gateway must know it.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { type Edits, GatewayCopy, listedFor } from './copy.ts';

// The compiler may have to wait for its turn on a busy machine.
vi.setConfig({ testTimeout: 600_000 });

const FILES = join(import.meta.dirname, 'tap');
const copy = new GatewayCopy();
afterAll(() => copy.remove());

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

test('the name alone: the compiler leads to every file that needs the transport', () => {
  copy.edit(NAME);
  expect(copy.filesWithErrors()).toEqual([
    'drivers/profiles/profile.ts',
    'drivers/transports.ts',
    'sim/transports.ts',
  ]);
});

test('with its folders and lines the whole gateway knows it', () => {
  for (const [folder, files] of Object.entries(NEW_FOLDERS)) {
    mkdirSync(join(copy.path, folder));
    for (const file of files) copyFileSync(join(FILES, `${file}.txt`), join(copy.path, folder, file));
  }
  copy.edit(REST);
  expect(copy.errors()).toEqual([]);

  mkdirSync(join(copy.path, 'site/profiles'), { recursive: true });
  writeFileSync(
    join(copy.path, 'site/profiles/old-tap.yaml'),
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
  writeFileSync(join(copy.path, 'site/config.yaml'), site('old-tap'));
  writeFileSync(join(copy.path, 'site/wrong.yaml'), site('jk-can-v2'));
  expect(copy.run('daemon/bms-gateway.mjs', 'check-config', 'site/config.yaml')).toContain(
    'connections  0 CAN, 0 Modbus, 1 Tap, with a simulation',
  );
  expect(copy.run('daemon/bms-gateway.mjs', 'check-config', 'site/wrong.yaml')).toContain(
    'expected a profile for tap',
  );
  expect(copy.run('daemon/bms-gateway.mjs', 'scan', 'nothing at all')).toContain(', tap:');
  expect(copy.run('daemon/bms-gateway.mjs', 'scan', 'tap:')).toContain('- open the tap');
  expect(copy.run('daemon/bms-gateway.mjs', 'simulate', '--help')).toMatch(/Tap profiles +tap: +a tap/);

  copyFileSync(join(FILES, 'read-it.ts.txt'), join(copy.path, 'read-it.ts'));
  const read = JSON.parse(copy.run('read-it.ts', 'site/config.yaml')) as {
    state: string;
    voltages: number[];
  };
  expect(read.state).toBe('up');
  expect(read.voltages).toHaveLength(4);
  for (const v of read.voltages) expect(v).toBeGreaterThan(2.5);
});

test('CONTRIBUTING.md lists these files, eight at most', () => {
  const listed = listedFor('A transport').map(path => path.replace('<name>', 'tap'));
  const touched = [...Object.keys(NEW_FOLDERS), ...Object.keys(REST)];
  expect(listed.toSorted()).toEqual([...touched, 'docs/configuration.md'].sort());
  expect(listed.length).toBeLessThanOrEqual(8);
});
