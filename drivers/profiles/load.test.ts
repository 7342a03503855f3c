/** Loading profiles: the bundled ones are sound, broken ones say why and stop nobody else. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { formatProblem } from '../../core/schema/problem.ts';
import { loadProfiles, loadProfilesFor } from './load.ts';
import { shapeOf } from './shape.ts';

const root = mkdtempSync(join(tmpdir(), 'profiles-'));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
/** A profile that is sound but for what `changes` breaks (the bus section apart, which its driver owns). */
function problemsOf(changes: string, name = 'acme-can'): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  const base = [
    'id: acme-can',
    'title: Acme',
    'vendor: Acme',
    'models: []',
    'source: Acme paper, section 3',
    'cells: { max: 16 }',
  ];
  const changed = new Set(changes.split('\n').map(line => line.split(':')[0]));
  const kept = base.filter(line => !changed.has(line.split(':')[0]));
  writeFileSync(join(folder, `${name}.yaml`), [...kept, changes, ''].join('\n'));
  const { profiles, problems } = loadProfiles(folder);
  expect(profiles.size).toBe(0);
  return problems.map(formatProblem).join('\n').replaceAll(`${folder}/`, '');
}

test('the bundled profiles are sound', () => {
  expect(loadProfiles().problems.map(formatProblem)).toEqual([]);
});

test('a profile says what the schema cannot: name, section, alarms, options, ranges', () => {
  const text = problemsOf(`transport: can
address: { min: 1, max: 5, default: 9 }
device_alarms: [{ code: a, label: A }, { code: a, label: B }]
options:
  sign: { values: [1, -1], default: 0, doc: The sign }
plausible:
  pack: { voltage: [0, 60], current_a: [5, -5] }`);
  expect(text.split('\n').map(line => line.replace(/^acme-can\.yaml:\d+:\d+ /, ''))).toEqual([
    'transport: found transport can without its section, expected a section "can"',
    'address.default: found 9, expected a number from min 1 to max 5',
    'device_alarms[1].code: found "a" a second time, expected each code once',
    'options.sign.default: found 0, expected one of its values: 1, -1',
    expect.stringMatching(/^plausible\.pack\.voltage: found unknown .*; did you mean "voltage_v"\?$/),
    'plausible.pack.current_a: found [5, -5], expected [lowest, highest]',
  ]);
  expect(problemsOf('transport: can', 'other')).toMatch(
    /^other\.yaml:1:5 id: found "acme-can", expected "other"/,
  );
});

test('a profile that does not fit its DBC is left out and reported by file and line; lines it does not need may be broken', () => {
  const folder = join(root, 'misfit');
  mkdirSync(folder);
  for (const name of ['jk-can-v2.yaml', 'jk-can-v2.dbc', 'can-bus-bms-lv.yaml', 'can-bus-bms-lv.dbc'])
    copyFileSync(join(import.meta.dirname, name), join(folder, name));
  const edit = (name: string, from: string, to: string) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text).toContain(from);
    writeFileSync(join(folder, name), text.replace(from, to));
    return text.slice(0, text.indexOf(from)).split('\n').length;
  };
  const unused_line = edit('jk-can-v2.dbc', 'MaxTempNo : 8|8', 'MaxTempNo : x|8');
  const harmless = loadProfiles(folder);
  expect([...harmless.profiles.keys()]).toEqual(['can-bus-bms-lv', 'jk-can-v2']);
  expect(harmless.problems).toEqual([]);
  const signal_line = edit('jk-can-v2.yaml', 'BattVolt', 'BatVolt');
  expect([...loadProfiles(folder).profiles.keys()]).toEqual(['can-bus-bms-lv']);
  const dbc_line = edit('jk-can-v2.dbc', 'MaxCellVolt : 0|16', 'MaxCellVolt : x|16');
  const lines = loadProfiles(folder).problems.map(problem =>
    formatProblem(problem).replace(`${folder}/`, ''),
  );
  expect(lines).toContain(
    `jk-can-v2.yaml:${signal_line}:20 can.messages.BATT_ST1.pack.voltage_v: message BATT_ST1 has no signal BatVolt`,
  );
  for (const line of [unused_line, dbc_line])
    expect(lines.some(text => text.startsWith(`jk-can-v2.dbc:${line}:1: `))).toBe(true);
  expect(lines.join()).toContain('message CELL_VOLT has no signal MaxCellVolt');
  rmSync(join(folder, 'jk-can-v2.dbc'));
  expect(loadProfiles(folder).problems.map(formatProblem).join()).toContain(
    'can.dbc: profile jk-can-v2: cannot read',
  );
});

test('frames in the profile itself: their lines are named, and a file beside them is refused', () => {
  const folder = join(root, 'inline');
  mkdirSync(folder);
  const file = join(folder, 'emus-cells.yaml');
  const sound = readFileSync(join(import.meta.dirname, '../_blueprint/emus-cells.yaml'), 'utf8');
  const loadText = (text: string) => {
    writeFileSync(file, text);
    const { profiles, problems } = loadProfiles(folder);
    return { ids: [...profiles.keys()], lines: problems.map(formatProblem) };
  };
  expect(loadText(sound)).toEqual({ ids: ['emus-cells'], lines: [] });
  const broken = sound.replace('Cell03 : 16|8', 'Cell03 : x|8');
  const line = broken.split('\n').findIndex(text => text.includes('Cell03 :')) + 1;
  const { ids, lines } = loadText(broken);
  expect(ids).toEqual([]);
  expect(lines[0]).toMatch(`${file}:${line}:1 can.frames: found "x", expected a start bit`);
  expect(lines.join()).toContain('Cell03: no such signal in can.frames');
  const both = sound.replace('  frames: |', '  dbc: x.dbc\n  frames: |');
  expect(loadText(both).lines.join()).toContain('has both can.dbc and can.frames, expected one of them');
  const neither = `${sound.slice(0, sound.indexOf('  frames: |'))}  messages: {}\n`;
  expect(loadText(neither).lines.join()).toContain(
    'has neither can.dbc nor can.frames, expected one of them',
  );
});

test('a profile that would send anything but a known read request is refused', () => {
  const folder = join(root, 'writer');
  mkdirSync(folder);
  for (const name of ['daly-can.yaml', 'daly-can.dbc'])
    copyFileSync(join(import.meta.dirname, name), join(folder, name));
  const text = readFileSync(join(folder, 'daly-can.yaml'), 'utf8');
  const refusals = (changed: string) => {
    expect(changed).not.toBe(text);
    writeFileSync(join(folder, 'daly-can.yaml'), changed);
    const { profiles, problems } = loadProfiles(folder);
    expect(profiles.size).toBe(0);
    return problems.map(({ path, message }) => `${path} ${message}`);
  };
  const refused = expect.stringMatching(/^can\.polls\[0\] is not among the requests known to read only/);
  expect(refusals(text.replace('id: 0x18900040', 'id: 0x18D90040'))).toEqual([refused]);
  expect(
    refusals(
      text
        .replace('"0000000000000000"', '"0100000000000000"')
        .replace("'0000000000000000'", "'0100000000000000'"),
    ),
  ).toEqual([refused]);
});

test("a site's own profiles stand in a folder beside its configuration; an id that is taken is reported", () => {
  const site = join(root, 'site');
  mkdirSync(join(site, 'profiles'), { recursive: true });
  const config_file = join(site, 'config.yaml');
  const bundled = [...loadProfiles().profiles.keys()];
  expect([...loadProfilesFor(join(root, 'elsewhere', 'config.yaml')).profiles.keys()]).toEqual(bundled);
  const yaml = readFileSync(join(import.meta.dirname, 'tesla-model-3.yaml'), 'utf8');
  writeFileSync(join(site, 'profiles', 'own-pack.yaml'), yaml.replace('id: tesla-model-3', 'id: own-pack'));
  copyFileSync(join(import.meta.dirname, 'tesla-model-3.dbc'), join(site, 'profiles', 'tesla-model-3.dbc'));
  const own = loadProfilesFor(config_file);
  expect(own.problems).toEqual([]);
  expect([...own.profiles.keys()].sort()).toEqual([...bundled, 'own-pack'].sort());
  writeFileSync(join(site, 'profiles', 'tesla-model-3.yaml'), yaml);
  const clash = loadProfilesFor(config_file);
  expect(clash.problems.map(formatProblem)).toEqual([
    `${join(site, 'profiles', 'tesla-model-3.yaml')}: found id "tesla-model-3", expected an id that no profile of the gateway has`,
  ]);
  expect(clash.profiles.get('tesla-model-3')?.directory).toBe(import.meta.dirname);
  rmSync(join(site, 'profiles'), { recursive: true });
  writeFileSync(join(site, 'profiles'), 'not a folder');
  expect(loadProfilesFor(config_file).problems.map(({ file }) => file)).toEqual([join(site, 'profiles')]);
});

test('a broken profile does not stop the others', () => {
  const folder = join(root, 'mixed');
  mkdirSync(folder);
  writeFileSync(join(folder, 'broken.yaml'), 'id: [');
  writeFileSync(join(folder, 'empty.yaml'), '');
  writeFileSync(join(folder, 'notes.txt'), 'not a profile');
  const { problems } = loadProfiles(folder);
  expect(problems.map(({ file, line }) => [file, line])).toEqual([
    [join(folder, 'broken.yaml'), 1],
    [join(folder, 'empty.yaml'), 1],
  ]);
});

test('the shape takes the sensors given, or as many as the profile carries', () => {
  const profile = { device_alarms: [{ code: 'x', label: 'X' }], sensors: { max: 5 } };
  const of = (sensors?: number) => shapeOf(profile as Parameters<typeof shapeOf>[0], 8, sensors);
  expect(of()).toEqual({ cell_count: 8, sensor_count: 5, device_alarms: ['x'] });
  expect(of(0).sensor_count).toBe(0);
});
