/** The measured sets of `../shared/battery-data`: where they are, and how they are disturbed. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseCsvSeries } from '../../core/estimate/series/csv-series.ts';
import { pickRows, type Series } from '../../core/estimate/series/series.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/battery-data/', import.meta.url));
export const hasBatteryData = existsSync(FOLDER);
/** Behind the title of a test that is skipped. */
export const missingData = hasBatteryData ? '' : ' (skipped: ../shared/battery-data is not on this machine)';

export const dataFile = (name: string) => `${FOLDER}${name}`;
export const readData = (name: string) => readFileSync(dataFile(name), 'utf8');

export function loadSeries(name: string): Series {
  const { series, problems } = parseCsvSeries(name, readData(name));
  if (!series) throw new Error(problems.join('\n'));
  return series;
}

/** Rows of a CSV as records of numbers. */
export function loadRows(name: string): Record<string, number>[] {
  const [heading, ...lines] = readData(name).trim().split(/\r?\n/);
  const names = heading.split(',');
  return lines.map(line => {
    const cells = line.split(',');
    return Object.fromEntries(
      names.map((column, i) => [column, cells[i] === '' ? Number.NaN : Number(cells[i])]),
    );
  });
}

export interface Disturbance {
  readonly name: string;
  readonly initial: number;
  readonly offset_a: number;
  readonly gain: number;
  /** One of so many rows is kept. */
  readonly every: number;
}

export const DISTURBANCES: readonly Disturbance[] = [
  { name: 'none', initial: 0, offset_a: 0, gain: 0, every: 1 },
  { name: 'initial -20 %', initial: -0.2, offset_a: 0, gain: 0, every: 1 },
  { name: 'sensor +50 mA +1 %', initial: 0, offset_a: 0.05, gain: 0.01, every: 1 },
  { name: 'both', initial: -0.2, offset_a: 0.05, gain: 0.01, every: 1 },
  { name: 'both, 5 s', initial: -0.2, offset_a: 0.05, gain: 0.01, every: 5 },
];

export function disturbed(series: Series, { offset_a, gain, every }: Disturbance): Series {
  const kept = Array.from({ length: Math.ceil(series.length / every) }, (_, i) => i * every);
  const picked = every === 1 ? series : pickRows(series, kept);
  return {
    ...picked,
    current_a: picked.current_a.map(a => a * (1 + gain) + offset_a),
    counter_ah: undefined,
  };
}

/** Of the reference: what it counted as the whole. */
export function referenceCapacity({ counter_ah, soc_ref, length }: Series): number {
  if (!counter_ah || !soc_ref) throw new Error('no reference');
  return (counter_ah[length - 1] - counter_ah[0]) / (soc_ref[length - 1] - soc_ref[0]);
}
