/** An estimate of each moment of a recording, and whether recording and model belong together. */
import { KalmanCells } from './kalman/kalman-cells.ts';
import { KALMAN_SETTINGS } from './kalman/settings.ts';
import type { CellModel } from './model/cell-model.ts';
import { ModelTables } from './model/tables.ts';
import type { Series } from './series/series.ts';
import { checkRecording, checkResult, type Doubt } from './trust.ts';

export interface ReplayOptions {
  /** The device's figure, or a guess; undefined: nothing is known. */
  readonly initial_soc: number | undefined;
  /** Undefined: that of the model, which the cell may no longer have. */
  readonly capacity_ah: number | undefined;
}

export interface Replay {
  /** One of each row; NaN where the estimate is not to be trusted. */
  readonly soc: Float64Array;
  readonly soc_sd: Float64Array;
  /** Why nothing of it is to be trusted; empty: it is. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly capacity_ah: number;
}

/** What is known of the state of charge without a figure to start from. */
const UNKNOWN_SD = 0.5;
/** The capacity of a cell whose age is not known. */
const UNKNOWN_CAPACITY_SD = 0.05;
/** An estimate less sure than this is none. */
const MAX_SD = 0.2;
/** Innovations so many times their expected square: the model does not describe this cell. */
const MAX_SURPRISE = 6;

export function replay(model: CellModel, series: Series, options: ReplayOptions): Replay {
  const { length, time_s, current_a, voltage_v, temperature_c } = series;
  const capacity_ah = options.capacity_ah ?? model.capacity.ah[model.capacity.ah.length >> 1];
  const soc = new Float64Array(length).fill(Number.NaN);
  const soc_sd = new Float64Array(length).fill(Number.NaN);
  const notes: string[] = [];
  const problems: string[] = [];
  const take = ({ problem, note }: Doubt) => {
    if (problem !== undefined) problems.push(problem);
    if (note !== undefined) notes.push(note);
  };
  checkRecording(model, series, capacity_ah).forEach(take);
  if (problems.length > 0) return { soc, soc_sd, problems, notes, capacity_ah };
  const cells = new KalmanCells(new ModelTables(model), 1, capacity_ah);
  const { initial_soc = 0.5 } = options;
  const sd = options.initial_soc === undefined ? UNKNOWN_SD : KALMAN_SETTINGS.initial_soc_sd;
  const scale_sd = options.capacity_ah === undefined ? UNKNOWN_CAPACITY_SD : KALMAN_SETTINGS.scale_sd;
  cells.start(0, initial_soc, sd, scale_sd);
  const all = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    cells.step(0, i === 0 ? 0 : time_s[i] - time_s[i - 1], current_a[i], voltage_v[i], temperature_c[i]);
    const now = Math.min(1, Math.max(0, cells.soc(0)));
    all[i] = now;
    if (!cells.isStarted(0) || cells.socSd(0) > MAX_SD || cells.surprise[0] > MAX_SURPRISE) continue;
    soc[i] = now;
    soc_sd[i] = cells.socSd(0);
  }
  checkResult(model, series, all, capacity_ah).forEach(take);
  if (problems.length > 0) {
    soc.fill(Number.NaN);
    soc_sd.fill(Number.NaN);
  }
  return { soc, soc_sd, problems, notes, capacity_ah };
}
