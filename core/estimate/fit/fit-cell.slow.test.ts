/** A model fitted to recordings of a cell that is known finds that cell again. */
import { expect, test } from 'vitest';
import { ModelTables } from '../model/tables.ts';
import { replay } from '../replay.ts';
import type { Series } from '../series/series.ts';
import { madeDrive, madeModel, madeSeries } from '../testing/made-cell.ts';
import { fitCell } from './fit-cell.ts';
import { LeastSquares } from './least-squares.ts';
import { plotOfFit } from './plot.ts';

/** Fits take seconds of processor time, and machines are busy. */
const PATIENT = { timeout: 600_000 };
const truth = madeModel('nmc');
const lowRate = (): Series => {
  const down = Array(1330).fill(-0.135);
  const up = Array(1330).fill(0.135);
  return madeSeries(truth, [0, 0, ...down, 0, 0, ...up], { begin_soc: 1, dt_s: 60, name: 'low-rate.csv' });
};
const input = {
  name: 'fitted',
  chemistry: 'nmc' as const,
  nominal_ah: 3,
  licence: 'none',
  capacity: [],
  history: [],
};

test('least squares finds what made the equations, and a prior holds what they leave open', () => {
  const least = new LeastSquares(3);
  least.add([0, 1], [1, 2], 2, 5, 1e6);
  least.add([0, 1], [1, -1], 2, -1, 1e6);
  least.add([2], [1], 1, 7, 1);
  const [x, y, z] = least.solve();
  expect([x, y, z].map(value => Number(value.toFixed(4)))).toEqual([1, 2, 7]);
});

test('curve, resistance and capacity are found again', PATIENT, () => {
  const drive = (temperature_c: number) => ({
    series: madeSeries(truth, madeDrive(16_000, 3, 5), {
      begin_soc: 1,
      temperature_c,
      name: `drive ${temperature_c}`,
    }),
    temperature_c,
  });
  const result = fitCell({
    ...input,
    ocv: [{ series: lowRate(), temperature_c: 20 }],
    drive: [drive(20), drive(0)],
  });
  expect(result.problems).toEqual([]);
  const { model } = result;
  if (!model) throw new Error('no model');
  expect(model.capacity.ah[0]).toBeCloseTo(3, 1);
  const made = new Float64Array(6);
  const found = new Float64Array(6);
  for (const temperature_c of [0, 20])
    for (const soc of [0.5, 0.6, 0.8]) {
      const tables = [new ModelTables(truth), new ModelTables(model)];
      for (const [i, out] of [made, found].entries()) {
        tables[i].seek(temperature_c);
        tables[i].read(soc, out, 0);
      }
      expect(Math.abs(found[0] - made[0])).toBeLessThan(0.012);
      // What a load of some seconds sees; how it is shared between series and branch is another matter.
      expect(Math.abs((found[2] + found[3]) / (made[2] + made[3]) - 1)).toBeLessThan(0.12);
    }
  const other = madeSeries(truth, madeDrive(6000, 3, 9), { begin_soc: 0.9, temperature_c: 10 });
  const { soc } = replay(model, other, { initial_soc: 0.7, capacity_ah: 3 });
  const off = soc.map((value, i) => Math.abs(value - (other.soc_ref?.[i] ?? 0)));
  expect(Math.max(...off.slice(600))).toBeLessThan(0.03);
  const plot = plotOfFit(result);
  expect(plot).toMatch(/^<svg[\s\S]*drive 20: voltage[\s\S]*measured[\s\S]*modelled[\s\S]*<\/svg>\n$/);
});

test('a recording that is no low-rate test is named with what was found', () => {
  const series = madeSeries(truth, madeDrive(3000, 3), { begin_soc: 1, name: 'city.csv' });
  const { model, problems } = fitCell({ ...input, ocv: [{ series, temperature_c: 20 }], drive: [] });
  expect(model).toBeUndefined();
  expect(problems[0]).toMatch(/^city.csv: found no steady charge or discharge below C\/7 of more than \d/);
});

test('without a drive the model says by its error that its resistance was not measured', PATIENT, () => {
  const { model } = fitCell({ ...input, ocv: [{ series: lowRate(), temperature_c: 20 }], drive: [] });
  expect(model?.verified).toBe(false);
  expect(Math.min(...(model?.error.resistance_share ?? []))).toBeGreaterThanOrEqual(0.2);
});

test('operating data alone bend a borrowed curve, and what they do not reach is said', PATIENT, () => {
  const series = madeSeries(
    truth,
    [...madeDrive(9000, 3, 5), ...Array(1500).fill(2), ...madeDrive(9000, 3, 8)],
    {
      begin_soc: 0.9,
      name: 'weeks.csv',
    },
  );
  const borrowed = { ...truth, ocv: { ...truth.ocv, middle_v: [truth.ocv.middle_v[0].map(v => v - 0.015)] } };
  const result = fitCell({
    ...input,
    ocv: [],
    drive: [],
    history: [{ series, temperature_c: 20 }],
    borrowed,
  });
  expect(result.problems).toEqual([]);
  expect(result.notes.join('\n')).toMatch(/no low-rate test: the curve begins as that of "made nmc"/);
  expect(result.notes.join('\n')).toMatch(/capacity: /);
  const { model } = result;
  if (!model) throw new Error('no model');
  const { soc } = replay(model, series, { initial_soc: 0.7, capacity_ah: 3 });
  const off = soc.map((value, i) => Math.abs(value - (series.soc_ref?.[i] ?? 0)));
  expect(Math.max(...off.slice(2000))).toBeLessThan(0.05);
});

test('without a test and without a history nothing is made up', () => {
  const { model, problems } = fitCell({ ...input, ocv: [], drive: [] });
  expect(model).toBeUndefined();
  expect(problems).toEqual([
    'found neither a low-rate test (--ocv) nor operating data (--history), expected one of them',
  ]);
});
