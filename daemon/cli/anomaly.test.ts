/** `anomaly`: what is wrong with a recording. What it finds in measured cars: test/alerts/measured-cars.test.ts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { anomalyLines, findAnomalies } from './anomaly.ts';

const directory = mkdtempSync(join(tmpdir(), 'anomaly-'));
afterAll(() => rmSync(directory, { recursive: true }));

function recording(header: string, rows: readonly string[]): string {
  const file = join(directory, 'pack.csv');
  writeFileSync(file, `${header}\n${rows.join('\n')}\n`);
  return file;
}

test('columns that are missing are named with what was found and expected', () => {
  expect(() => findAnomalies(recording('when,cell_mV_1', []))).toThrow(
    'pack.csv:1 found columns when, cell_mV_1, expected one named "time"',
  );
  expect(() => findAnomalies(recording('time,cell_mV_1', []))).toThrow(
    'found 1 columns of cells, expected at least 4: cell_mV_1, cell_mV_2, …',
  );
  const odd = ['1', '2', '4', '5'].map(no => `cell_mV_${no}`).join(',');
  expect(() => findAnomalies(recording(`time,${odd}`, []))).toThrow(
    'found cell_mV_4, expected cell_mV_3: each cell once',
  );
  expect(() => findAnomalies(join(directory, 'none.csv'))).toThrow(/none\.csv cannot be read/);
});

test('rows without a time are counted and named; too short a recording says so', () => {
  const header = 'time,current_A,cell_mV_1,cell_mV_2,cell_mV_3,cell_mV_4';
  const file = recording(header, ['2021-05-05T09:10:00,0,3300,3301,3302,', 'soon,0,3300,3301,3302,3303']);
  expect(anomalyLines(file, findAnomalies(file))).toEqual([
    `${file}: 1 rows of 4 cells`,
    `1 rows left out; the first: ${file}:3 time: found "soon", expected a time`,
    'Too little to judge: two hours at rest, of charging or of discharging are needed.',
  ]);
});
