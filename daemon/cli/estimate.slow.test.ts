/** `fit-cell` and `estimate` on files: a row out for every row in, empty where nothing can be said, faults with their place. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeModel } from '../../core/estimate/model/model-file.ts';
import type { Series } from '../../core/estimate/series/series.ts';
import { madeDrive, madeModel, madeSeries } from '../../core/estimate/testing/made-cell.ts';
import { type EstimateWanted, estimate } from './estimate.ts';
import { runFitCell } from './fit-cell.ts';
import { temperatureInName } from './series-files.ts';

let folder: string;
const model = madeModel('nmc');
const drive = madeSeries(model, madeDrive(3000, 3), { begin_soc: 0.9 });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'estimate-'));
  writeFileSync(join(folder, 'model.yaml'), writeModel(model));
  writeFileSync(join(folder, 'drive.csv'), csvOf(drive));
});
afterAll(() => rmSync(folder, { recursive: true }));

function csvOf({ time_s, current_a, voltage_v, temperature_c, length }: Series, sign = 1): string {
  const lines = ['time_s,current_A,voltage_V,temp_C'];
  for (let i = 0; i < length; i++)
    lines.push(`${time_s[i]},${sign * current_a[i]},${voltage_v[i].toFixed(4)},${temperature_c[i]}`);
  return lines.join('\n');
}

const at = (name: string) => join(folder, name);
function run(change: Partial<EstimateWanted>): { code: number; said: string; rows: string[] } {
  const said: string[] = [];
  const out = at('out.csv');
  const code = estimate(
    {
      model_file: at('model.yaml'),
      data_file: at('drive.csv'),
      initial_soc: '0.5',
      capacity_ah: '3',
      is_health: false,
      out,
      ...change,
    },
    line => said.push(line),
  );
  return { code, said: said.join('\n'), rows: readFileSync(out, 'utf8').trimEnd().split('\n') };
}

test('a row out for every row in, with the time as it stands there', () => {
  const lines = csvOf(drive).split('\n');
  lines[10] = `,${lines[10].slice(1)}`;
  writeFileSync(at('holes.csv'), lines.join('\n'));
  const { code, said, rows } = run({ data_file: at('holes.csv') });
  expect(code).toBe(0);
  expect(said).toContain('1 rows without a time are left out');
  expect(rows[0]).toBe('time,soc,soc_sd');
  expect(rows.length).toBe(3001);
  expect(rows[10]).toBe(',,');
  const [time, soc, sd] = rows[3000].split(',');
  expect(time).toBe('2999');
  expect(Math.abs(Number(soc) - (drive.soc_ref?.[2999] ?? 0))).toBeLessThan(0.02);
  expect(Number(sd)).toBeGreaterThan(0);
});

test('a reversed current leaves every field empty, and says why', () => {
  writeFileSync(at('reversed.csv'), csvOf(drive, -1));
  const { code, said, rows } = run({ data_file: at('reversed.csv') });
  expect(code).toBe(1);
  expect(said).toMatch(
    /reversed.csv current: found that the voltage falls when the current rises.*is the sign reversed/,
  );
  expect(rows.slice(1).every(row => row.endsWith(',,'))).toBe(true);
});

test.each([
  [{ model_file: undefined }, /needs a cell model and a CSV/],
  [{ initial_soc: '50' }, /--initial-soc: found "50", expected a number from 0 to 1/],
  [{ capacity_ah: 'x' }, /--capacity-ah: found "x", expected a number/],
  [{ data_file: '/nowhere.csv' }, /\/nowhere.csv cannot be read/],
  [{ model_file: '/nowhere.yaml' }, /\/nowhere.yaml cannot be read/],
])('%j is refused', (change, message) => {
  expect(() => run(change)).toThrow(message);
});

test('a model that is none is named with its line', () => {
  writeFileSync(at('broken.yaml'), writeModel(model).replace('chemistry: nmc', 'chemistry: lpf'));
  expect(() => run({ model_file: at('broken.yaml') })).toThrow(/broken.yaml:3:12 chemistry: found "lpf"/);
});

// A fit takes seconds of processor time, and machines are busy.
test('fit-cell writes a model that estimate reads, and a plot', { timeout: 600_000 }, () => {
  const low = madeSeries(model, [0, 0, ...Array(1330).fill(-0.135)], { begin_soc: 1, dt_s: 60 });
  writeFileSync(at('ocv_P20.csv'), csvOf(low).replaceAll(/,20$/gm, ',').replace('temp_C', 'unused'));
  writeFileSync(at('cycle.csv'), csvOf(madeSeries(model, madeDrive(6000, 3, 3), { begin_soc: 1 })));
  const said: string[] = [];
  const wanted = {
    chemistry: 'NMC',
    nominal_ah: '3',
    ocv: [at('ocv_P20.csv')],
    capacity: [],
    drive: [at('cycle.csv')],
    history: [],
    name: undefined,
    licence: undefined,
    out: at('fitted.yaml'),
    plot: undefined,
  };
  expect(runFitCell(wanted, line => said.push(line))).toBe(0);
  expect(said.join('\n')).toContain('the temperature of its name is taken, 20 °C');
  expect(readFileSync(at('fitted.svg'), 'utf8')).toMatch(/^<svg/);
  const { code, rows } = run({ model_file: at('fitted.yaml') });
  expect(code).toBe(0);
  expect(Math.abs(Number(rows[3000].split(',')[1]) - (drive.soc_ref?.[2999] ?? 0))).toBeLessThan(0.03);
  expect(() => runFitCell({ ...wanted, chemistry: 'lead' }, () => {})).toThrow(
    /--chemistry: found "lead", expected one of lfp/,
  );
});

test.each([
  ['ocv_c30_N05.csv', -5],
  ['/a/b/ocv_c30_P35.csv', 35],
  ['hppc_n20degC.csv', -20],
  ['drive_25degC_Cycle1.csv', 25],
  ['run-10degC.csv', -10],
  ['cap_1C.csv', undefined],
  ['cycle.csv', undefined],
  ['ocv_c20.csv', undefined],
])('%s', (name, expected) => {
  expect(temperatureInName(name)).toBe(expected);
});
