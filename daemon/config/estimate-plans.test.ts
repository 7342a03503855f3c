/** Which model and capacity each pack gets; what is wrong with a model is said with its place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeModel } from '../../core/estimate/model/model-file.ts';
import { madeModel } from '../../core/estimate/testing/made-cell.ts';
import { formatProblem } from '../../core/schema/problem.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';
import { ConfigError } from './config-error.ts';
import { readEnvironment } from './environment.ts';
import { loadConfig } from './load.ts';

const profiles = loadProfiles();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plans-'));
  writeFileSync(join(folder, 'own.yaml'), writeModel(madeModel('lfp', 280)));
  writeFileSync(join(folder, 'broken.yaml'), writeModel({ ...madeModel('lfp'), min_v: 5 }));
});
afterAll(() => rmSync(folder, { recursive: true }));

function load(battery: string, pack = '') {
  const file = join(folder, 'config.yaml');
  writeFileSync(
    file,
    `site: { id: s }
connections: [{ id: c, type: virtual-can }]
batteries:
  - id: b
${battery
  .split('\n')
  .map(line => `    ${line}`)
  .join('\n')}
    packs: [{ id: 'p-{1..2}', connection: c, profile: jk-can-v2, address: 0..1, cells: 10${pack} }]
simulation: {}
`,
  );
  return loadConfig(file, readEnvironment({}), profiles);
}

function problemsOf(battery: string): string {
  try {
    load(battery);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(formatProblem).join('\n');
    throw error;
  }
  return '';
}

test('the model of the chemistry, and the capacity of the device', () => {
  const { estimates } = load('chemistry: nmc');
  expect(estimates).toHaveLength(2);
  expect(estimates[0]).toMatchObject({ is_own: false, nominal_ah: undefined, nominal_from: 'device' });
  expect(estimates[0].model?.chemistry).toBe('nmc');
});

test('a capacity that is configured, of a pack before that of its battery', () => {
  const { estimates } = load('nominal_ah: 100', ', nominal_ah: 280');
  expect(estimates[1]).toMatchObject({ nominal_ah: 280, nominal_from: 'configuration' });
});

test('a model of these cells brings its capacity', () => {
  const { estimates } = load('cell_model: own.yaml');
  expect(estimates[0]).toMatchObject({ is_own: true, nominal_ah: 280, nominal_from: 'model' });
});

test('a shipped model by its name', () => {
  expect(load('cell_model: nca').estimates[0].model?.chemistry).toBe('nca');
});

test.each([
  ['chemistry: other', /no cell model of chemistry "other"/],
  ['cell_model: none', /switched off/],
])('%s: there are none, and it is said why', (battery, reason) => {
  const [plan] = load(battery).estimates;
  expect(plan.model).toBeUndefined();
  expect(plan.reason).toMatch(reason);
});

test('what is wrong is said with its place', () => {
  expect(problemsOf('cell_model: missing.yaml')).toMatch(
    /config\.yaml:5:17 batteries\[0\]\.cell_model: found no file .*missing\.yaml, expected a cell model as/,
  );
  expect(problemsOf('cell_model: broken.yaml')).toMatch(
    /batteries\[0\]\.cell_model: found .*broken\.yaml:\d+:\d+ min_v: found 5, expected less than max_v/,
  );
  expect(problemsOf('cell_model: own.yaml\nnominal_ah: 3')).toMatch(
    /batteries\[0\]\.nominal_ah: found 3 Ah, expected about the 280 Ah of the model/,
  );
});

test('a model of another chemistry is hardly meant', () => {
  const { warnings } = load('chemistry: nmc\ncell_model: own.yaml');
  expect(warnings.map(formatProblem).join()).toMatch(/found a model of lfp in a battery of nmc/);
});
