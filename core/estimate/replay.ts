/** An estimate of each moment of a recording, and whether recording and model belong together. */
import { HealthCells } from './health/health-cells.ts';
import { KalmanCells } from './kalman/kalman-cells.ts';
import { KALMAN_SETTINGS } from './kalman/settings.ts';
import type { CellModel } from './model/cell-model.ts';
import { ModelTables } from './model/tables.ts';
import { atAnyTemperature } from './model/variants.ts';
import type { Series } from './series/series.ts';
import { isCut, MAX_SD, MAX_SURPRISE, UNKNOWN_CAPACITY_SD, UNKNOWN_SD } from './start-and-end.ts';
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
  /** Capacity over nominal; NaN until something of it was learned. */
  readonly soh: Float64Array;
  readonly soh_sd: Float64Array;
}

/** Over a longer time what was counted has drifted too far to say anything. */
const MAX_CHECKED_S = 5 * 86_400;

export function replay(model: CellModel, series: Series, options: ReplayOptions): Replay {
  const { length, time_s, current_a, voltage_v, temperature_c } = series;
  const capacity_ah = options.capacity_ah ?? model.capacity.ah[model.capacity.ah.length >> 1];
  const soc = new Float64Array(length).fill(Number.NaN);
  const soc_sd = new Float64Array(length).fill(Number.NaN);
  const soh = new Float64Array(length).fill(Number.NaN);
  const soh_sd = new Float64Array(length).fill(Number.NaN);
  const result = { soc, soc_sd, soh, soh_sd, capacity_ah };
  const notes: string[] = [];
  const problems: string[] = [];
  const take = ({ problem, note }: Doubt) => {
    if (problem !== undefined) problems.push(problem);
    if (note !== undefined) notes.push(note);
  };
  checkRecording(model, series, capacity_ah).forEach(take);
  if (problems.length > 0) return { ...result, problems, notes };
  const isKnown = temperature_c.some(Number.isFinite);
  const cells = new KalmanCells(new ModelTables(isKnown ? model : atAnyTemperature(model)), 1, capacity_ah);
  const { initial_soc = 0.5 } = options;
  const sd = options.initial_soc === undefined ? UNKNOWN_SD : KALMAN_SETTINGS.initial_soc_sd;
  const scale_sd = options.capacity_ah === undefined ? UNKNOWN_CAPACITY_SD : KALMAN_SETTINGS.scale_sd;
  cells.start(0, initial_soc, sd, scale_sd);
  const health = new HealthCells(cells);
  const all = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const dt_s = i === 0 ? 0 : time_s[i] - time_s[i - 1];
    cells.step(0, dt_s, current_a[i], voltage_v[i], temperature_c[i]);
    health.step(
      0,
      dt_s,
      current_a[i],
      voltage_v[i],
      isCut(dt_s, current_a[i - 1], current_a[i], capacity_ah),
    );
    soh[i] = health.capacity_ah[0] / model.nominal_ah;
    soh_sd[i] = health.capacity_sd_ah[0] / model.nominal_ah;
    const now = Math.min(1, Math.max(0, cells.soc(0)));
    all[i] = now;
    if (!cells.isStarted(0) || cells.socSd(0) > MAX_SD || cells.surprise[0] > MAX_SURPRISE) continue;
    soc[i] = now;
    soc_sd[i] = cells.socSd(0);
  }
  if (time_s[length - 1] - time_s[0] < MAX_CHECKED_S)
    checkResult(model, series, all, capacity_ah).forEach(take);
  if (problems.length > 0) {
    soc.fill(Number.NaN);
    soc_sd.fill(Number.NaN);
    soh.fill(Number.NaN);
    soh_sd.fill(Number.NaN);
  }
  return { ...result, problems, notes };
}
