/** State of charge against the reference of measured drive cycles. */
import { fitCell, type TestFile } from '../../core/estimate/fit/fit-cell.ts';
import type { CellModel } from '../../core/estimate/model/cell-model.ts';
import { replay } from '../../core/estimate/replay.ts';
import type { Series } from '../../core/estimate/series/series.ts';
import { DISTURBANCES, type Disturbance, disturbed, loadSeries, referenceCapacity } from './battery-data.ts';

export interface SocScore {
  readonly file: string;
  readonly group: string;
  readonly disturbance: string;
  readonly rmse: number;
  readonly mae: number;
  /** After the first ten minutes. */
  readonly worst: number;
  /** Minutes until the error stays within 5 % for the first time. */
  readonly minutes: number;
  /** Share of moments at which the truth lies in the stated 90 %. */
  readonly covered: number;
}

/** Of a normal distribution, within which 90 % lie. */
const NINETY = 1.645;
const SETTLE_S = 600;

export function scoreSoc(
  model: CellModel,
  series: Series,
  group: string,
  disturbance: Disturbance,
  capacity_ah: number | undefined,
): SocScore {
  const given = disturbed(series, disturbance);
  const { soc_ref, time_s, length } = given;
  if (!soc_ref) throw new Error(`${series.name} has no reference`);
  const initial_soc = Math.max(0, Math.min(1, soc_ref[0] + disturbance.initial));
  const { soc, soc_sd, problems } = replay(model, given, { initial_soc, capacity_ah });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  let square = 0;
  let absolute = 0;
  let covered = 0;
  let count = 0;
  let worst = 0;
  let minutes = Number.NaN;
  for (let i = 0; i < length; i++) {
    if (Number.isNaN(soc[i])) continue;
    const error = soc[i] - soc_ref[i];
    count++;
    square += error * error;
    absolute += Math.abs(error);
    if (Math.abs(error) <= NINETY * soc_sd[i]) covered++;
    if (time_s[i] - time_s[0] > SETTLE_S) worst = Math.max(worst, Math.abs(error));
    if (Math.abs(error) > 0.05) minutes = Number.NaN;
    else if (Number.isNaN(minutes)) minutes = (time_s[i] - time_s[0]) / 60;
  }
  return {
    file: series.name,
    group,
    disturbance: disturbance.name,
    rmse: 100 * Math.sqrt(square / count),
    mae: (100 * absolute) / count,
    worst: 100 * worst,
    minutes,
    covered: (100 * covered) / count,
  };
}

const PANASONIC: Readonly<Record<string, number>> = {
  '25degC': 25,
  '10degC': 10,
  '0degC': 0,
  n10degC: -10,
  n20degC: -20,
};
const A123: Readonly<Record<string, number>> = { P35: 35, P15: 15, N05: -5, N25: -25 };
const panasonicFile = (condition: string, cycle: number) =>
  `panasonic_18650pf/drive_${condition}_Cycle${cycle}.csv`;
const test = (name: string, temperature_c: number): TestFile => ({ series: loadSeries(name), temperature_c });

/** From the curve and the first cycle at each temperature but those left out. */
export function fitPanasonic(left_out: readonly string[] = []): CellModel {
  const conditions = Object.entries(PANASONIC).filter(([condition]) => !left_out.includes(condition));
  return modelOf({
    name: 'Panasonic NCR18650PF',
    chemistry: 'nca',
    nominal_ah: 2.9,
    licence: 'CC BY 4.0',
    ocv: [test('panasonic_18650pf/ocv_c20_25degC.csv', 25)],
    capacity: [],
    drive: conditions.map(([condition, c]) => test(panasonicFile(condition, 1), c)),
    history: [],
  });
}

/** At run time only: nothing of this set is shipped. */
export function fitA123(left_out: readonly string[]): CellModel {
  const conditions = Object.entries(A123).filter(([condition]) => !left_out.includes(condition));
  return modelOf({
    name: 'A123 26650',
    chemistry: 'lfp',
    nominal_ah: 2,
    licence: 'CC BY-NC-SA, for evaluation only',
    ocv: conditions.map(([condition, c]) => test(`a123_lfp_plett/ocv_c30_${condition}.csv`, c)),
    capacity: [],
    drive: conditions.map(([condition, c]) => test(`a123_lfp_plett/drive_udds_${condition}.csv`, c)),
    history: [],
  });
}

function modelOf(input: Parameters<typeof fitCell>[0]): CellModel {
  const { model, problems } = fitCell(input);
  if (!model) throw new Error(problems.join('\n'));
  return model;
}

/** Every judged file in every disturbance, and without the capacity in the hardest. */
export function* socScores(): Generator<SocScore> {
  const panasonic = fitPanasonic();
  for (const [condition, c] of Object.entries(PANASONIC)) {
    const side = c >= 0 ? '0 °C and above' : 'below 0 °C';
    const without = fitPanasonic([condition]);
    for (const cycle of [1, 2, 3, 4]) {
      const series = loadSeries(panasonicFile(condition, cycle));
      // The first cycle was fitted: it is judged only where its temperature was left out.
      if (cycle > 1) yield* all(panasonic, series, `Panasonic NCA, ${side}`);
      yield* all(without, series, `Panasonic NCA, ${side}, temperature left out`);
    }
  }
  for (const [condition, c] of Object.entries(A123)) {
    const model = fitA123([condition]);
    const side = c >= 5 ? '5 °C and above' : `${c} °C`;
    yield* all(
      model,
      loadSeries(`a123_lfp_plett/drive_udds_${condition}.csv`),
      `A123 LFP, ${side}, temperature left out`,
    );
  }
}

function* all(model: CellModel, series: Series, group: string): Generator<SocScore> {
  const capacity_ah = referenceCapacity(series);
  for (const disturbance of DISTURBANCES) yield scoreSoc(model, series, group, disturbance, capacity_ah);
  const hardest = DISTURBANCES[DISTURBANCES.length - 1];
  const unknown = { ...hardest, name: `${hardest.name}, no capacity` };
  yield scoreSoc(model, series, group, unknown, undefined);
}
