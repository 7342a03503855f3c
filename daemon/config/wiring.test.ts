/** What a file may say that no bus, port or battery can do, with the profiles that come with the gateway. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { formatProblem } from '../../core/schema/problem.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { chemistryMisfit } from './chemistry-misfit.ts';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load.ts';
import { quietEnvironment } from './testing/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'wiring-'));
afterAll(() => rmSync(folder, { recursive: true }));
const profiles = loadProfiles();

function problemsOf(connections: readonly string[], packs: readonly string[], chemistry = 'lfp'): string[] {
  return problemsIn(`site: { id: home }
connections:
${connections.map(one => `  - { ${one} }\n`).join('')}batteries:
  - id: b1
    chemistry: ${chemistry}
    packs:
${packs.map(one => `      - { ${one} }\n`).join('')}`);
}

function problemsIn(text: string): string[] {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, text);
  try {
    loadConfig(file, quietEnvironment, profiles);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(problem => formatProblem(problem).replaceAll(`${folder}/`, ''));
  }
}

const JK = 'id: jk, connection: bus, profile: jk-can-v2, address: 0, cells: 16';
const LV = 'id: lv, connection: bus, profile: can-bus-bms-lv, cells: 0';

test('profiles of two bit rates on one CAN interface', () => {
  expect(problemsOf(['id: bus, type: socketcan, interface: can0'], [JK, LV])).toEqual([
    'config.yaml:9:45 batteries[0].packs[1].profile: found profile can-bus-bms-lv of 500 kbit/s on connection bus, ' +
      'where profile jk-can-v2 speaks at 250 kbit/s, expected profiles of one bit rate on one bus; a bus of its own for the other',
  ]);
  expect(problemsOf(['id: bus, type: virtual-can'], [JK, LV])).toEqual([]);
  expect(
    problemsOf(
      ['id: bus, type: socketcan, interface: can0'],
      [JK, JK.replace('id: jk', 'id: k').replace('address: 0', 'address: 1')],
    ),
  ).toEqual([]);
});

test('unit ids that Modbus keeps for itself', () => {
  const pack = (address: number) =>
    `id: p, connection: bus, profile: sunspec-battery, address: ${address}, cells: 8`;
  const tcp = ['id: bus, type: modbus-tcp, host: 10.0.0.7'];
  const rtu = ['id: bus, type: modbus-rtu, port: /dev/ttyUSB9'];
  for (const usual of [1, 247, 255]) expect(problemsOf(tcp, [pack(usual)])).toEqual([]);
  expect(problemsOf(tcp, [pack(248)])[0]).toContain('.address: found 248, expected a unit id of at most 247');
  expect(problemsOf(rtu, [pack(250)])[0]).toContain('.address: found 250, expected a unit id of at most 247');
});

test('one serial port by two paths, plugged in or not', () => {
  writeFileSync(join(folder, 'ttyUSB0'), '');
  symlinkSync(join(folder, 'ttyUSB0'), join(folder, 'by-id'));
  const two = (a: string, b: string) =>
    problemsOf(
      [`id: a, type: modbus-rtu, port: ${a}`, `id: b, type: modbus-rtu, port: ${b}`],
      [
        'id: p, connection: a, profile: jk-pb-modbus, address: 1, cells: 16',
        'id: q, connection: b, profile: jk-pb-modbus, address: 1, cells: 16',
      ],
    );
  expect(two('/dev/ttyABSENT0', '/dev/../dev/ttyABSENT0')[0]).toContain(
    'connections[1].port: found /dev/../dev/ttyABSENT0, which is /dev/ttyABSENT0, which connection a has',
  );
  expect(two(join(folder, 'ttyUSB0'), join(folder, 'by-id'))).toHaveLength(1);
  expect(two('/dev/ttyABSENT0', '/dev/ttyABSENT1')).toEqual([]);
});

test('a chemistry by one of its other names', () => {
  const bus = ['id: bus, type: socketcan, interface: can0'];
  expect(problemsOf(bus, [JK], 'LiFePO4')).toEqual([
    'config.yaml:6:16 batteries[0].chemistry: found "LiFePO4", expected one of lfp, nmc, nca, lto, other; did you mean "lfp"?',
  ]);
  expect(problemsOf(bus, [JK], 'Li-Ion')[0]).toContain('did you mean "nmc"?');
  expect(problemsOf(bus, [JK], 'lpf')[0]).toContain('did you mean "lfp"?');
});

test('a profile whose cells cannot be of the chemistry; unknown fits', () => {
  const jk = profiles.profiles.get('jk-can-v2');
  if (!jk) throw new Error('no profile jk-can-v2');
  const profile: Profile = { ...jk, plausible: { cell: { voltage_v: [2, 3.9] } } };
  expect(chemistryMisfit('nmc', profile)?.found).toBe(
    'profile jk-can-v2, whose cells have 2 to 3.9 V, in a battery of nmc',
  );
  expect(chemistryMisfit('lfp', profile)).toBeUndefined();
  expect(chemistryMisfit('other', profile)).toBeUndefined();
});

test('each shipped profile fits the chemistries its device is made for, and no other', () => {
  const lfp_only = ['pylontech-hv', 'seplos-v3', 'seplos-v3-system'];
  for (const known of profiles.profiles.values()) {
    expect(chemistryMisfit('lfp', known)).toBeUndefined();
    for (const chemistry of ['nmc', 'other'] as const)
      expect([known.id, chemistryMisfit(chemistry, known) === undefined]).toEqual([
        known.id,
        !lfp_only.includes(known.id),
      ]);
  }
  const pylontech = profiles.profiles.get('pylontech-hv');
  expect(pylontech && chemistryMisfit('nmc', pylontech)).toEqual({
    found: 'profile pylontech-hv, a device for cells of lfp, in a battery of nmc',
    expected: '"chemistry: lfp", or the profile of another device',
  });
});

test.each([
  ['a:\n - id: x\n  b: 1', ':3:1', 'as many spaces before it as before the first key after "- "'],
  ['a:\n  b: 1\n   c: 2', ':2:6', 'a second "key: value" within a value'],
  ['a: "x', ':1:6', 'quotes are not closed'],
  ['a: [1, 2', ':1:9', '"]" at its end'],
  ['a: {x: 1', ':1:9', '"}" at their end'],
  ['a: @x', ':1:4', 'quotes around it'],
  ['a\nb: 1', ':1:1', 'a line without a colon'],
  ['a:\n  - x\n  b: 1', ':3:', 'the same number of spaces before each key of one level'],
])('YAML that is none, in plain words: %j', (text, place, words) => {
  const [problem] = problemsIn(text);
  expect(problem).toContain(words);
  expect(problem).toContain(`config.yaml${place}`);
});
