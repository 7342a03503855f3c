/** State of health against measured capacities. */
import { fitCell } from '../../core/estimate/fit/fit-cell.ts';
import type { CellModel } from '../../core/estimate/model/cell-model.ts';
import { replay } from '../../core/estimate/replay.ts';
import { parseCsvSeries } from '../../core/estimate/series/csv-series.ts';
import { loadRows, loadSeries, readData } from './battery-data.ts';
import { essl1Model } from './essl1-model.ts';
import { publishedModels } from './published-cells.ts';

export interface HealthScore {
  readonly name: string;
  readonly cycles: number;
  /** Of the capacity over nominal, %. */
  readonly mae: number;
  readonly worst: number;
  /** Share of cycles in the stated 90 %, %. */
  readonly covered: number;
  readonly baseline: string;
  readonly goal: string;
}

const NINETY = 1.645;
const CALCE_AH = 1.1;

export function* healthScores(): Generator<HealthScore> {
  for (const [judged, fitted] of [
    ['CS2_36', 'CS2_35'],
    ['CS2_35', 'CS2_36'],
  ]) {
    const truth = new Map(
      loadRows(`calce_cs2/${judged}_cycles.csv`).map(row => [row.cycle, row.q_dis_Ah / CALCE_AH]),
    );
    const name = `CALCE LCO ${judged}, model from the history of ${fitted}`;
    const file = `calce_cs2/${judged}_traces_every25.csv`;
    yield scoreHealth(name, calceModel(fitted), file, truth, '1.0 to 1.4', '0.8');
  }
  const model = essl1Model();
  for (const [cell, rate, baseline, goal] of [
    ['cell1', '1C', '4.5', '2.0'],
    ['cell4', 'C/2, its own curve', '1.3', '1.0'],
  ]) {
    const truth = new Map(loadRows(`essl1_lfp_102ah/${cell}_cycles.csv`).map(row => [row.cycle, row.soh]));
    const file = `essl1_lfp_102ah/${cell}_charge_traces_every20.csv`;
    yield scoreHealth(`ESSL1 LFP ${cell}, charges at ${rate}`, model, file, truth, baseline, goal);
  }
}

function calceModel(cell: string): CellModel {
  const { model, problems } = fitCell({
    name: cell,
    chemistry: 'lco',
    nominal_ah: CALCE_AH,
    licence: 'for evaluation only',
    ocv: [],
    capacity: [],
    drive: [],
    history: [{ series: loadSeries(`calce_cs2/${cell}_traces_every25.csv`), temperature_c: 25 }],
    borrowed: publishedModels().find(({ chemistry }) => chemistry === 'lco'),
  });
  if (!model) throw new Error(problems.join('\n'));
  return model;
}

/** What is stated at the end of each cycle. */
function scoreHealth(
  name: string,
  model: CellModel,
  file: string,
  truth: ReadonlyMap<number, number>,
  baseline: string,
  goal: string,
): HealthScore {
  const { series, rows } = parseCsvSeries(file, readData(file));
  if (!series) throw new Error(file);
  const { soh, soh_sd, problems } = replay(model, series, { initial_soc: undefined, capacity_ah: undefined });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const cycleOf = loadRows(file).map(({ cycle }) => cycle);
  const errors: number[] = [];
  let covered = 0;
  for (let i = 0; i < series.length; i++) {
    const cycle = cycleOf[rows[i]];
    const known = truth.get(cycle);
    if (cycle === cycleOf[rows[i + 1] ?? -1] || known === undefined || Number.isNaN(soh[i])) continue;
    const off = Math.abs(soh[i] - known);
    errors.push(100 * off);
    if (off <= NINETY * soh_sd[i]) covered++;
  }
  return {
    name,
    cycles: errors.length,
    mae: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    worst: Math.max(...errors),
    covered: (100 * covered) / errors.length,
    baseline,
    goal,
  };
}
