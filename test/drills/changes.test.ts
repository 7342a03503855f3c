/** Drills for other kinds of change, each in a copy of the gateway, by the files that CONTRIBUTING.md lists and no others. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { type Edits, GatewayCopy, listedFor, ROOT } from './copy.ts';

// The compiler may have to wait for its turn on a busy machine.
vi.setConfig({ testTimeout: 600_000 });

let copy: GatewayCopy | undefined;
afterEach(() => copy?.remove());

/** Tests ask for more, each by itself; they are no part of the count. */
const isTest = (error: string) => /(^|[/.-])(test|testing)[/.-]/.test(error.replace(/\(.*/, ''));

test('a quantity: one line, and its column at the centre', () => {
  copy = new GatewayCopy(true);
  const edits: Edits = {
    'core/metrics.ts': [
      [
        "metric('estimated_soh_sd_pct', 'Deviation of the estimated state of health', '%', 0.1, 0, 100),",
        "\n  metric('coolant_temperature_c', 'Coolant temperature', '°C', 0.1, -60, 150),",
      ],
    ],
  };
  copy.edit(edits);
  expect(copy.errors().filter(error => !isTest(error))).toEqual([]);
  writeFileSync(
    join(copy.path, 'try.ts'),
    `/** Stores and reads the new quantity. */
import { PACK_METRICS, PackMetric } from './core/metrics.ts';
import { encodeInto, maxEncodedBytes, ReadingDecoder } from './core/reading/codec.ts';
import { PackReading } from './core/reading/pack-reading.ts';
import { Quality } from './core/reading/quality.ts';

const reading = new PackReading(0, { cell_count: 4, sensor_count: 0, device_alarms: [] });
reading.values[PackMetric.coolant_temperature_c] = 41.5;
reading.value_quality[PackMetric.coolant_temperature_c] = Quality.good;
const view = new DataView(new ArrayBuffer(maxEncodedBytes(reading.shape)));
const back = new ReadingDecoder().decode(view, 0, encodeInto(reading, view, 0));
console.log(typeof back === 'number' ? back : back.values[PackMetric.coolant_temperature_c], PACK_METRICS.at(-1)?.name);
`,
  );
  expect(copy.run('try.ts')).toBe('41.5 coolant_temperature_c\n');
  const listed = listedFor('A quantity');
  expect(listed.slice(0, 2)).toEqual([...Object.keys(edits), 'migrations/postgres']);
  expect(listed.length).toBeLessThanOrEqual(5);
});

test('a role: its place in the order, its words, and what the centre allows', () => {
  copy = new GatewayCopy(true);
  const edits: Edits = {
    'core/contract/roles.ts': [["Type.Literal('moderator'),", " Type.Literal('auditor'),"]],
    'ui/src/texts/en/access.ts': [
      ["words: { user: 'User', moderator: 'Moderator',", " auditor: 'Auditor',"],
      ["short: { user: 'User', moderator: 'Moderator',", " auditor: 'Auditor',"],
      ["moderator: 'sees the batteries in their care, handles alerts',", " auditor: 'reads the audit log',"],
    ],
  };
  copy.edit(edits);
  expect(copy.errors().filter(error => !isTest(error))).toEqual([]);
  const listed = listedFor('A role');
  expect(listed).toEqual(['core/contract/roles.ts', 'migrations/postgres', 'ui/src/texts/en/access.ts']);
});

test('a command: its entry and its file', () => {
  copy = new GatewayCopy();
  copy.edit({
    'daemon/cli/commands.ts': [
      [
        '  ...ESTIMATE_COMMANDS,\n',
        `  command({
    name: 'greet',
    forms: ['NAME'],
    about: 'a greeting',
    operands: 1,
    options: { loud: { type: 'boolean', about: 'in capitals' } },
    async run({ operands: [name], values: { loud = false } }) {
      const { greeting } = await import('./greet.ts');
      return printLines([greeting(String(name), loud)]);
    },
  }),
`,
      ],
    ],
  });
  writeFileSync(
    join(copy.path, 'daemon/cli/greet.ts'),
    `/** A greeting. */
export const greeting = (name: string, loud: boolean) => (loud ? \`HELLO, \${name}\` : \`hello, \${name}\`);
`,
  );
  expect(copy.errors()).toEqual([]);
  expect(copy.run('daemon/bms-gateway.mjs', 'greet', 'Ada', '--loud')).toBe('HELLO, Ada\n');
  expect(copy.run('daemon/bms-gateway.mjs', 'help')).toContain('greet NAME');
  expect(copy.run('daemon/bms-gateway.mjs', 'greet', '--lout')).toContain('did you mean "--loud"');
  expect(listedFor('A command')).toEqual(['daemon/cli/commands.ts', 'daemon/cli/<name>.ts']);
});

test('what CONTRIBUTING.md lists is there, for an alert rule in four files at most', () => {
  const changes = [
    'A quantity',
    'An alert rule',
    'A type of connection',
    'A transport',
    'A role',
    'A command',
  ];
  for (const change of changes) {
    const listed = listedFor(change);
    expect(listed.length, change).toBeGreaterThan(1);
    for (const path of listed)
      if (!path.includes('<name>')) expect(existsSync(join(ROOT, path)), `${change}: ${path}`).toBe(true);
  }
  expect(listedFor('An alert rule').length).toBeLessThanOrEqual(4);
});
