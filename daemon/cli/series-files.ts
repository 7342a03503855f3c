/** Recordings a person named on the command line; what is wrong with one ends the command with its place. */
import { type CsvSeries, parseCsvSeries } from '../../core/estimate/series/csv-series.ts';
import type { Series } from '../../core/estimate/series/series.ts';
import { readNamedFile } from './named-files.ts';
import { UsageError } from './usage.ts';

export interface NamedSeries extends CsvSeries {
  readonly series: Series;
}

/** @throws UsageError that names the file, what was found and what was expected */
export function readSeries(file: string): NamedSeries {
  const read = parseCsvSeries(file, new TextDecoder().decode(readNamedFile(file)));
  if (!read.series) throw new UsageError(read.problems.join('\n'));
  return { ...read, series: read.series };
}

/**
 * The temperature in a file's name, for recordings without a column of it: `ocv_N05.csv` and `ocv_n5degC.csv` are
 * -5 °C. Undefined: none.
 */
export function temperatureInName(file: string): number | undefined {
  const name = file.replace(/^.*[/\\]/, '').replace(/\.[a-z]+$/i, '');
  // Not a bare C: "1C" is a rate.
  const degrees =
    /(?:(?<![a-z0-9.])(n|m|minus ?)|(-)|(?<![a-z0-9.-]))(\d{1,2}(?:\.\d+)?) ?(?:deg ?c|degrees|celsius|°c)(?![a-z])/i.exec(
      name,
    );
  if (degrees) return Number(degrees[3]) * (degrees[1] || degrees[2] ? -1 : 1);
  const letter = /(?:^|[_ -])([NP])(\d{2})(?=$|[_ .-])/.exec(name);
  return letter ? Number(letter[2]) * (letter[1] === 'N' ? -1 : 1) : undefined;
}
