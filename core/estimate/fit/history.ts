/**
 * What operating data alone say of a cell: a model of its chemistry from elsewhere, scaled to its capacity, tells where
 * the cell stood at each moment, mostly by counting; the voltage is then fitted to that. Twice, as the second time
 * the model is already the cell's own.
 */
import { HealthCells } from '../health/health-cells.ts';
import { KalmanCells } from '../kalman/kalman-cells.ts';
import type { CellModel, Grid } from '../model/cell-model.ts';
import { ModelTables } from '../model/tables.ts';
import { GAP_S, type Series } from '../series/series.ts';
import type { OcvTest } from './low-rate.ts';

/** Of a curve from elsewhere: counting must decide where the cell stands, not that curve. */
const BORROWED_SLOW_V = 0.025;
const BORROWED_SHARE = 0.3;
/** Moments at which the state of charge is less sure than this are not fitted. */
const MAX_SD = 0.06;
/** A cell that has lost so much is another cell: the model is that of the first weeks. */
const MAX_AGED = 0.06;

/** The model of another cell of the same chemistry, as a first guess for one of `nominal_ah`. */
export function scaledModel(model: CellModel, nominal_ah: number): CellModel {
  const scale = model.nominal_ah / nominal_ah;
  const scaled = (grid: Grid) => grid.map(row => row.map(ohm => ohm * scale));
  return {
    ...model,
    nominal_ah,
    capacity: { temperature_c: [25], ah: [nominal_ah] },
    resistance: {
      ...model.resistance,
      series_ohm: scaled(model.resistance.series_ohm),
      branches: model.resistance.branches.map(branch => ({ ...branch, ohm: scaled(branch.ohm) })),
    },
    error: {
      ...model.error,
      slow_v: model.error.slow_v.map(v => Math.max(v, BORROWED_SLOW_V)),
      resistance_share: model.error.resistance_share.map(share => Math.max(share, BORROWED_SHARE)),
    },
  };
}

/** The curve of a model in the form of low-rate tests without a current. */
export function curvesOf({ ocv, nominal_ah }: CellModel): OcvTest[] {
  return ocv.temperature_c.map((temperature_c, c) => {
    const branch = (sign: number) => ({
      soc: Float64Array.from(ocv.soc),
      voltage_v: Float64Array.from(ocv.middle_v[c], (v, s) => v + sign * ocv.half_gap_v[c][s]),
      current_a: 0,
    });
    return { temperature_c, discharge: branch(-1), charge: branch(1), capacity_ah: nominal_ah, notes: [] };
  });
}

export interface Placed {
  /** NaN where it is not sure enough. */
  readonly soc: Float64Array;
  /** First learned; NaN: none. */
  readonly capacity_ah: number;
}

/** Where the cell stood at each moment of its history, by a model that is only roughly its own. */
export function placeHistory(model: CellModel, series: Series): Placed {
  const { length, time_s, current_a, voltage_v, temperature_c } = series;
  const cells = new KalmanCells(new ModelTables(model), 1, model.capacity.ah[0]);
  const health = new HealthCells(cells);
  cells.start(0, 0.5, 0.5, 0.1);
  const soc = new Float64Array(length).fill(Number.NaN);
  let capacity_ah = Number.NaN;
  for (let i = 0; i < length; i++) {
    const dt_s = i === 0 ? 0 : time_s[i] - time_s[i - 1];
    cells.step(0, dt_s, current_a[i], voltage_v[i], temperature_c[i]);
    health.step(0, dt_s, current_a[i], voltage_v[i], dt_s > GAP_S);
    const found_ah = health.capacity_ah[0];
    if (Number.isNaN(capacity_ah)) capacity_ah = found_ah;
    if (found_ah > 0.2 * model.nominal_ah) cells.capacity_ah[0] = found_ah;
    const hasAged = Math.abs(found_ah / capacity_ah - 1) > MAX_AGED;
    if (cells.isStarted(0) && cells.socSd(0) < MAX_SD && !hasAged) soc[i] = cells.soc(0);
  }
  return { soc, capacity_ah };
}
