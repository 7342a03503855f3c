/** Capacity and resistance of made cells that have aged, from what they do in operation. */
import { expect, test } from 'vitest';
import { KalmanCells } from '../kalman/kalman-cells.ts';
import type { CellModel } from '../model/cell-model.ts';
import { ModelTables } from '../model/tables.ts';
import type { Series } from '../series/series.ts';
import { madeDrive, madeModel, madeSeries } from '../testing/made-cell.ts';
import { HealthCells } from './health-cells.ts';

const nmc = madeModel('nmc');

function learned(model: CellModel, series: Series, begin_soc: number): HealthCells {
  const cells = new KalmanCells(new ModelTables(model), 2, model.nominal_ah);
  const health = new HealthCells(cells);
  cells.start(1, begin_soc, 0.2, 0.05);
  for (let i = 0; i < series.length; i++) {
    const dt_s = i === 0 ? 0 : series.time_s[i] - series.time_s[i - 1];
    const a = series.current_a[i];
    cells.step(1, dt_s, a, series.voltage_v[i], series.temperature_c[i]);
    health.step(1, dt_s, a, series.voltage_v[i], false);
  }
  return health;
}

const rest = (samples: number) => Array(samples).fill(0) as number[];
const flow = (samples: number, a: number) => Array(samples).fill(a) as number[];

test.each([1, 0.85, 0.7])('partial charges between rests show a capacity of %d of nominal', true_health => {
  const part = Math.floor((0.6 * 3 * true_health * 3600) / 10 / 1.5);
  const cycle = [...rest(360), ...flow(part, 1.5), ...rest(360), ...flow(part, -1.5)];
  const currents = [...cycle, ...cycle, ...cycle, ...rest(360)];
  const series = madeSeries(nmc, currents, { begin_soc: 0.25, dt_s: 10, health: true_health });
  const health = learned(nmc, series, 0.3);
  const off_ah = Math.abs(health.capacity_ah[1] - 3 * true_health);
  expect(off_ah).toBeLessThan(0.03 * 3);
  expect(off_ah).toBeLessThan(2.5 * health.capacity_sd_ah[1]);
  // The other cell was never stepped.
  expect(health.capacity_ah[0]).toBeNaN();
});

test('small swings do not show the capacity', () => {
  const swing = [...flow(60, 1), ...rest(30), ...flow(60, -1), ...rest(30)];
  const currents = Array.from({ length: 20 }, () => swing).flat();
  const health = learned(nmc, madeSeries(nmc, currents, { begin_soc: 0.5, dt_s: 10 }), 0.5);
  expect(health.capacity_ah[1]).toBeNaN();
});

test('load steps show by how much the resistance has grown', () => {
  const grown = (share: number): CellModel => {
    const grow = (grid: number[][]) => grid.map(row => row.map(ohm => ohm * share));
    const { resistance } = nmc;
    const branches = resistance.branches.map(branch => ({ ...branch, ohm: grow(branch.ohm) }));
    return { ...nmc, resistance: { ...resistance, series_ohm: grow(resistance.series_ohm), branches } };
  };
  for (const share of [1, 1.4, 2]) {
    const series = madeSeries(grown(share), madeDrive(6000, 3), { begin_soc: 0.9 });
    const { resistance, resistance_sd } = learned(nmc, series, 0.9);
    expect(Math.abs(resistance[1] / share - 1)).toBeLessThan(0.1);
    expect(resistance_sd[1]).toBeLessThan(0.1);
  }
});
