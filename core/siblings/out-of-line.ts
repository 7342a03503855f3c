/**
 * Cells that stand out of line with their siblings at this moment: further from their median than the others differ among
 * themselves, and than measuring or a little difference of charge explains. It is what people see at once; what alerts
 * are raised for is learnt over hours (deviation.ts) or has limits.
 */
import { CellMetric } from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import { medianOf, SD_PER_MAD } from './median.ts';

const LEAST_CELLS = 4;
/** So many standard deviations of its siblings, and at least this. */
const APART_SD = 6;
const APART_V = 0.02;
const APART_C = 8;
/** Where as many are apart, none is: a group was read at another moment, or is of another make. */
const MAX_SHARE = 0.25;

export interface OutOfLine {
  /** Counting from 0, the furthest first: those whose voltage is apart, then those that are hot. */
  readonly cells: readonly number[];
  /** How far the furthest good voltage is from the median, V; null: there is none to compare. */
  readonly deviation_v: number | null;
  /** Whose voltage that is, counting from 0. */
  readonly deviating_cell: number | null;
}

export function outOfLine(reading: PackReading): OutOfLine {
  const volts = deviations(reading, CellMetric.voltage_v);
  const furthest = volts.by_distance.at(0);
  const deviation_v = furthest === undefined ? null : Math.abs(volts.of[furthest]);
  const hot = deviations(reading, CellMetric.temperature_c);
  return {
    cells: [
      ...new Set([
        ...apart(volts, APART_V),
        // A cold cell is beside a door; a hot one is ill.
        ...apart(hot, APART_C).filter(cell => hot.of[cell] > 0),
      ]),
    ],
    deviation_v,
    deviating_cell: furthest ?? null,
  };
}

interface Deviations {
  /** By cell; NaN: not good. */
  readonly of: Float32Array;
  readonly by_distance: readonly number[];
  /** How much the cells differ, one standard deviation. */
  readonly usual: number;
}

function deviations(reading: PackReading, metric: number): Deviations {
  const column = reading.column(metric);
  const quality = reading.columnQuality(metric);
  const good = [...column.keys()].filter(cell => quality[cell] === Quality.good);
  const scratch = Float32Array.from(good, cell => column[cell]);
  const median = medianOf(scratch, good.length);
  const of = new Float32Array(column.length).fill(Number.NaN);
  for (const cell of good) of[cell] = column[cell] - median;
  for (const [i, cell] of good.entries()) scratch[i] = Math.abs(of[cell]);
  const usual = SD_PER_MAD * medianOf(scratch, good.length);
  return { of, usual, by_distance: good.sort((a, b) => Math.abs(of[b]) - Math.abs(of[a])) };
}

function apart({ of, by_distance, usual }: Deviations, least: number): readonly number[] {
  if (by_distance.length < LEAST_CELLS) return [];
  const limit = Math.max(least, APART_SD * usual);
  const found = by_distance.filter(cell => Math.abs(of[cell]) >= limit);
  return found.length > 1 && found.length >= by_distance.length * MAX_SHARE ? [] : found;
}
