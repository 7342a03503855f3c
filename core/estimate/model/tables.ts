/**
 * A cell model as one dense table over temperature and state of charge, so that a step of an estimator looks
 * everything up by two multiplications.
 */
import { interpolate, placeIn } from '../interpolate.ts';
import type { CellModel, Grid } from './cell-model.ts';

/** Steps of the table; beyond its ends in state of charge the curve goes on with its slope there. */
export const SOC_STEP = 0.01;
export const SOC_BEGIN = -0.1;
export const SOC_COUNT = 121;
const C_STEP = 5;
const C_BEGIN = -40;
const C_COUNT = 23;
/** Values of a node: middle of the branches, half gap, resistance in series and of each branch. */
export const STRIDE = 6;
export const MAX_BRANCHES = 3;
const ROW = SOC_COUNT * STRIDE;

export class ModelTables {
  readonly model: CellModel;
  readonly nodes: Float64Array;
  /** Of each branch; one that is not there has no resistance. */
  readonly time_constants_s: Float64Array;
  readonly slow_v: Float64Array;
  readonly fast_v: Float64Array;
  readonly share: Float64Array;
  /** Between which rows of the table the temperature of the last `seek` lies. */
  row = 0;
  row_share = 0;

  constructor(model: CellModel) {
    this.model = model;
    const { ocv, resistance, error } = model;
    this.time_constants_s = Float64Array.from(
      { length: MAX_BRANCHES },
      (_, i) => resistance.branches[i]?.time_constant_s ?? 60,
    );
    this.nodes = new Float64Array(C_COUNT * ROW);
    const column = (values: readonly number[]) =>
      Float64Array.from({ length: C_COUNT }, (_, c) =>
        interpolate(error.temperature_c, values, C_BEGIN + c * C_STEP),
      );
    this.slow_v = column(error.slow_v);
    this.fast_v = column(error.fast_v);
    this.share = column(error.resistance_share);
    for (let c = 0; c < C_COUNT; c++) {
      const temperature_c = C_BEGIN + c * C_STEP;
      for (let s = 0; s < SOC_COUNT; s++) {
        const soc = SOC_BEGIN + s * SOC_STEP;
        const at = c * ROW + s * STRIDE;
        this.nodes[at] = curveAt(ocv.temperature_c, ocv.soc, ocv.middle_v, temperature_c, soc);
        this.nodes[at + 1] = bilinear(ocv.temperature_c, ocv.soc, ocv.half_gap_v, temperature_c, soc);
        const { temperature_c: knots, soc: socs, series_ohm, branches } = resistance;
        this.nodes[at + 2] = resistanceAt(knots, socs, series_ohm, temperature_c, soc);
        for (let b = 0; b < MAX_BRANCHES; b++)
          this.nodes[at + 3 + b] = branches[b]
            ? resistanceAt(knots, socs, branches[b].ohm, temperature_c, soc)
            : 0;
      }
    }
  }

  seek(temperature_c: number): void {
    const x = Math.min(C_COUNT - 1.001, Math.max(0, (temperature_c - C_BEGIN) / C_STEP));
    this.row = Math.floor(x);
    this.row_share = x - this.row;
  }

  /** The STRIDE values at the sought temperature, into `out` from `at`. */
  read(soc: number, out: Float64Array, at: number): void {
    const x = Math.min(SOC_COUNT - 1.001, Math.max(0, (soc - SOC_BEGIN) / SOC_STEP));
    const i = Math.floor(x);
    const v = x - i;
    const u = this.row_share;
    const a = (1 - u) * (1 - v);
    const b = (1 - u) * v;
    const c = u * (1 - v);
    const d = u * v;
    const { nodes } = this;
    let low = this.row * ROW + i * STRIDE;
    for (let k = 0; k < STRIDE; k++, low++)
      out[at + k] =
        a * nodes[low] + b * nodes[low + STRIDE] + c * nodes[low + ROW] + d * nodes[low + ROW + STRIDE];
  }

  /** The middle of the branches at a step of the state of charge, at the sought temperature. */
  middleV(step: number): number {
    const low = this.row * ROW + step * STRIDE;
    return this.nodes[low] * (1 - this.row_share) + this.nodes[low + ROW] * this.row_share;
  }

  /** How steep the curve is there, V over the whole of the charge. */
  slopeAt(soc: number): number {
    const x = Math.min(SOC_COUNT - 2.001, Math.max(1, (soc - SOC_BEGIN) / SOC_STEP));
    const i = Math.floor(x);
    const v = x - i;
    // Between the central differences at the steps around it.
    const low = this.middleV(i + 1) - this.middleV(i - 1);
    const high = this.middleV(i + 2) - this.middleV(i);
    return ((1 - v) * low + v * high) / (2 * SOC_STEP);
  }

  errorAt(column: Float64Array): number {
    return column[this.row] * (1 - this.row_share) + column[this.row + 1] * this.row_share;
  }
}

const place_c = { index: 0, share: 0 };
const place_s = { index: 0, share: 0 };

function bilinear(
  cs: readonly number[],
  socs: readonly number[],
  grid: Grid,
  c: number,
  soc: number,
): number {
  placeIn(cs, c, place_c);
  placeIn(socs, soc, place_s);
  const { index: s, share: v } = place_s;
  const row = (k: number) => grid[k][s] * (1 - v) + grid[k][s + 1] * v;
  const below = row(place_c.index);
  return place_c.share === 0 ? below : below * (1 - place_c.share) + row(place_c.index + 1) * place_c.share;
}

function curveAt(cs: readonly number[], socs: readonly number[], grid: Grid, c: number, soc: number): number {
  const at = (x: number) => bilinear(cs, socs, grid, c, x);
  const inside = Math.min(1, Math.max(0, soc));
  if (soc < 0) return at(0) + (soc / 0.01) * Math.max(0.002, at(0.01) - at(0));
  if (soc > 1) return at(1) + ((soc - 1) / 0.01) * Math.max(0.002, at(1) - at(0.99));
  return at(inside);
}

/** Resistances multiply from one temperature to the next. */
function resistanceAt(
  cs: readonly number[],
  socs: readonly number[],
  grid: Grid,
  c: number,
  soc: number,
): number {
  placeIn(cs, c, place_c);
  placeIn(socs, Math.min(1, Math.max(0, soc)), place_s);
  const { index: s, share: v } = place_s;
  const row = (k: number) => grid[k][s] * (1 - v) + grid[k][s + 1] * v;
  const low = row(place_c.index);
  if (place_c.share === 0) return low;
  const high = row(place_c.index + 1);
  if (low <= 0 || high <= 0) return low * (1 - place_c.share) + high * place_c.share;
  return low ** (1 - place_c.share) * high ** place_c.share;
}
