/** `bms-gateway estimate MODEL DATA --out FILE`: state of charge, and health, of each row of a recording. */
import { writeFileSync } from 'node:fs';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { CellModel } from '../../core/estimate/model/cell-model.ts';
import { readModel } from '../../core/estimate/model/model-file.ts';
import { replay } from '../../core/estimate/replay.ts';
import type { Series } from '../../core/estimate/series/series.ts';
import { formatProblems } from '../../core/schema/problem.ts';
import { readNamedFile } from './named-files.ts';
import { readSeries, temperatureInName } from './series-files.ts';
import { UsageError } from './usage.ts';

export interface EstimateWanted {
  readonly model_file: string | undefined;
  readonly data_file: string | undefined;
  readonly initial_soc: string | undefined;
  readonly capacity_ah: string | undefined;
  readonly is_health: boolean;
  readonly out: string | undefined;
}

/** The exit code: 1 where nothing of the estimate is to be trusted. */
export function estimate(wanted: EstimateWanted, say: (line: string) => void): number {
  const { model_file, data_file, out } = wanted;
  if (!model_file || !data_file) throw new UsageError('estimate needs a cell model and a CSV');
  const initial_soc = numberIn('--initial-soc', wanted.initial_soc, 0, 1);
  const capacity_ah = numberIn('--capacity-ah', wanted.capacity_ah, 1e-3, 1e5);
  const model = readModelFile(model_file);
  const data = readSeries(data_file);
  for (const note of data.notes) say(note);
  const series = withTemperature(data.series, data_file, say);
  const result = replay(model, series, { initial_soc, capacity_ah });
  for (const line of [...result.problems, ...result.notes]) say(line);
  const columns = [result.soc, result.soc_sd, ...(wanted.is_health ? [result.soh, result.soh_sd] : [])];
  const names = ['soc', 'soc_sd', ...(wanted.is_health ? ['soh', 'soh_sd'] : [])];
  const lines: string[] = [`time,${names.join(',')}`];
  const rowOf = new Int32Array(data.row_count).fill(-1);
  for (const [i, row] of data.rows.entries()) rowOf[row] = i;
  for (let row = 0; row < data.row_count; row++) {
    const i = rowOf[row];
    const cells = columns.map(column => (i < 0 || Number.isNaN(column[i]) ? '' : column[i].toFixed(5)));
    lines.push(`${data.time_texts[row]},${cells.join(',')}`);
  }
  write(out, `${lines.join('\n')}\n`);
  if (result.problems.length > 0) say('nothing of it can be trusted: every field is left empty');
  return result.problems.length > 0 ? 1 : 0;
}

export function readModelFile(file: string): CellModel {
  const { model, problems } = readModel(file, new TextDecoder().decode(readNamedFile(file)));
  if (!model) throw new UsageError(formatProblems(problems).join('\n'));
  return model;
}

/** Where the recording has none: what the name of the file says. */
export function withTemperature(series: Series, file: string, say: (line: string) => void): Series {
  if (series.temperature_c.some(Number.isFinite)) return series;
  const named = temperatureInName(file);
  if (named === undefined) return series;
  say(`${file}: the temperature of its name is taken, ${named} °C`);
  return { ...series, temperature_c: series.temperature_c.map(() => named) };
}

export function numberIn(
  name: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max))
    throw new UsageError(`${name}: found "${text}", expected a number from ${min} to ${max}`);
  return value;
}

export function write(file: string | undefined, text: string): void {
  if (file === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new GatewayError('BAD_REQUEST', `${file} cannot be written: ${describeError(error)}`, {
      cause: error,
    });
  }
}
