/** `bms-gateway fit-cell`: a cell model from a site's own tests, with a plot, and how good it is. */
import { basename } from 'node:path';
import { type FitCellResult, fitCell, type TestFile } from '../../core/estimate/fit/fit-cell.ts';
import { plotOfFit } from '../../core/estimate/fit/plot.ts';
import { CHEMISTRIES, type Chemistry } from '../../core/estimate/model/cell-model.ts';
import { writeModel } from '../../core/estimate/model/model-file.ts';
import { listOf } from '../../core/schema/problem.ts';
import { shippedModel } from '../estimates/shipped-models.ts';
import { numberIn, withTemperature, write } from './estimate.ts';
import { readSeries } from './series-files.ts';
import { UsageError } from './usage.ts';

export interface FitCellWanted {
  readonly chemistry: string | undefined;
  readonly nominal_ah: string | undefined;
  readonly ocv: readonly string[];
  readonly capacity: readonly string[];
  readonly drive: readonly string[];
  readonly history: readonly string[];
  readonly name: string | undefined;
  readonly licence: string | undefined;
  readonly out: string | undefined;
  readonly plot: string | undefined;
}

/** Where neither the file nor its name says it. */
const USUAL_C = 25;

export function runFitCell(wanted: FitCellWanted, say: (line: string) => void): number {
  const chemistry = wanted.chemistry?.toLowerCase();
  if (!CHEMISTRIES.some(known => known === chemistry))
    throw new UsageError(
      `--chemistry: found "${wanted.chemistry ?? ''}", expected one of ${listOf(CHEMISTRIES)}`,
    );
  const nominal_ah = numberIn('--nominal-ah', wanted.nominal_ah, 1e-3, 1e5);
  if (nominal_ah === undefined)
    throw new UsageError('--nominal-ah: found nothing, expected the capacity in Ah');
  if (wanted.out === undefined) throw new UsageError('--out: found nothing, expected the file of the model');
  const files = (names: readonly string[]): TestFile[] =>
    names.map(file => {
      const { series, notes } = readSeries(file);
      for (const note of notes) if (!note.endsWith('no column of the temperature')) say(note);
      const known = withTemperature({ ...series, name: basename(file) }, file, say);
      if (!known.temperature_c.some(Number.isFinite)) say(`${file}: no temperature, ${USUAL_C} °C is taken`);
      return { series: known, temperature_c: USUAL_C };
    });
  const result = fitCell({
    name: wanted.name ?? `${chemistry} ${nominal_ah} Ah`,
    chemistry: chemistry as Chemistry,
    nominal_ah,
    licence: wanted.licence ?? "the site's own measurements",
    ocv: files(wanted.ocv),
    capacity: files(wanted.capacity),
    drive: files(wanted.drive),
    history: files(wanted.history),
    borrowed: wanted.ocv.length === 0 ? shippedModel(chemistry as Chemistry) : undefined,
  });
  for (const line of [...result.problems, ...result.notes]) say(line);
  if (!result.model) return 1;
  write(wanted.out, writeModel(result.model));
  const plot = wanted.plot ?? wanted.out.replace(/(\.ya?ml)?$/i, '.svg');
  write(plot, plotOfFit(result));
  for (const line of reportOf(result)) process.stdout.write(`${line}\n`);
  process.stdout.write(`model: ${wanted.out}\nplot: ${plot}\n`);
  return 0;
}

/** How good the fit is, and what it could not learn. */
function reportOf({ model, rows, residuals, tests }: FitCellResult): string[] {
  if (!model) return [];
  const lines = [`capacity: ${model.capacity.ah.join(', ')} Ah`];
  for (const test of tests) {
    const branches = [test.discharge && 'discharge', test.charge && 'charge'].filter(Boolean).join(' and ');
    lines.push(
      `curve at ${test.temperature_c.toFixed(0)} °C: ${branches}, ${test.capacity_ah.toFixed(3)} Ah`,
    );
  }
  rows.forEach((drive, d) => {
    const known = residuals[d].filter((v, i) => Number.isFinite(v) && drive.soc[i] > 0.1);
    const rms = Math.sqrt(known.reduce((sum, v) => sum + v * v, 0) / Math.max(1, known.length));
    lines.push(`${drive.name}: voltage off by ${(1000 * rms).toFixed(1)} mV (rms above 10 % of charge)`);
  });
  const colds = rows.flatMap(({ temperature_c }) => [
    Math.min(...sample(temperature_c)),
    Math.max(...sample(temperature_c)),
  ]);
  if (colds.length === 0)
    lines.push('resistance: not learned, no drive or load cycle was given; usual values are taken');
  else
    lines.push(
      `resistance: learned from ${Math.min(...colds).toFixed(0)} to ${Math.max(...colds).toFixed(0)} °C; beyond it grows and falls as usual, less sure`,
    );
  return lines;
}

const sample = (values: Float64Array) => values.filter((_, i) => i % 100 === 0);
