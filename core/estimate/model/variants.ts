/** A model as it holds for other cells of its kind. */
import type { CellModel, Chemistry, Grid } from './cell-model.ts';

/** Of a cell of the same kind with another capacity: more of the same in parallel. */
export function scaledTo(model: CellModel, nominal_ah: number): CellModel {
  const times = nominal_ah / model.nominal_ah;
  if (times === 1) return model;
  const divided = (grid: Grid) => grid.map(row => row.map(ohm => ohm / times));
  const { capacity, resistance } = model;
  return {
    ...model,
    nominal_ah,
    capacity: { ...capacity, ah: capacity.ah.map(ah => ah * times) },
    resistance: {
      ...resistance,
      series_ohm: divided(resistance.series_ohm),
      branches: resistance.branches.map(branch => ({ ...branch, ohm: divided(branch.ohm) })),
    },
  };
}

/** Without a temperature the resistance may be several times what is taken. */
export function atAnyTemperature(model: CellModel): CellModel {
  const { error } = model;
  return {
    ...model,
    error: {
      ...error,
      slow_v: error.slow_v.map(v => v + 0.03),
      resistance_share: error.resistance_share.map(share => Math.max(share, 0.6)),
    },
  };
}

/** How far open-circuit curves of cells of one chemistry lie apart from make to make, as far as is published. */
const MAKES_APART_V: Readonly<Record<Chemistry, number>> = {
  lfp: 0.03,
  nmc: 0.03,
  nca: 0.03,
  lco: 0.04,
  lmo: 0.05,
  lto: 0.04,
};

/** A model for cells of its chemistry that it was not made of. */
export function ofAnyMake(model: CellModel): CellModel {
  const { error } = model;
  const apart_v = MAKES_APART_V[model.chemistry];
  return { ...model, error: { ...error, slow_v: error.slow_v.map(v => Math.hypot(v, apart_v)) } };
}
