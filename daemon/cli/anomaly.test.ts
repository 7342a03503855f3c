/** `anomaly`: measured cars, and what is wrong with a recording. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { anomalyLines, findAnomalies, flaggedCsv } from './anomaly.ts';

const CARS = fileURLToPath(new URL('../../../shared/battery-data/ev_pack_faults', import.meta.url));
const isThere = existsSync(CARS);
if (!isThere && process.env.CI !== 'true') console.warn(`Measured cars skipped: ${CARS} not found`);
const directory = mkdtempSync(join(tmpdir(), 'anomaly-'));
afterAll(() => rmSync(directory, { recursive: true }));

function recording(header: string, rows: readonly string[]): string {
  const file = join(directory, 'pack.csv');
  writeFileSync(file, `${header}\n${rows.join('\n')}\n`);
  return file;
}

test.skipIf(!isThere && process.env.CI !== 'true')(
  'of a measured car exactly the two weak cells are named; a healthy one is silent',
  () => {
    const weak = findAnomalies(join(CARS, 'car3.csv.gz'));
    expect(weak.flagged.map(({ cell }) => cell)).toEqual([2, 81]);
    expect(flaggedCsv(weak)).toMatch(
      /^cell,first_flagged\n2,2019-04-16T\d\d:\d\d:\d\d\.000Z\n81,2019-04-16T/,
    );
    const healthy = findAnomalies(join(CARS, 'car1.csv.gz'));
    expect([healthy.flagged, healthy.is_enough]).toEqual([[], true]);
    expect(flaggedCsv(healthy)).toBe('cell,first_flagged\n');
  },
);

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
