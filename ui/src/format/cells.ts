/** What a page says about a column of cells: extremes, median, and the scale of its colours. */
import type { CellColumn } from '../../../core/contract/model.ts';
import { cellQuality } from './quality.ts';

/** Over cells of good quality only; indices count from 0, undefined while no cell is good. */
export interface ColumnStats {
  readonly good_count: number;
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly min_cell: number | undefined;
  readonly max_cell: number | undefined;
}

export function columnStats(column: CellColumn): ColumnStats {
  const good: number[] = [];
  let min_cell: number | undefined;
  let max_cell: number | undefined;
  column.values.forEach((value, cell) => {
    if (value === null || cellQuality(column, cell) !== 'good') return;
    good.push(value);
    if (min_cell === undefined || value < (column.values[min_cell] ?? 0)) min_cell = cell;
    if (max_cell === undefined || value > (column.values[max_cell] ?? 0)) max_cell = cell;
  });
  good.sort((a, b) => a - b);
  return {
    good_count: good.length,
    median: medianOfSorted(good),
    min: good[0] ?? null,
    max: good.at(-1) ?? null,
    min_cell,
    max_cell,
  };
}

export function medianOfSorted(sorted: readonly number[]): number | null {
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Half widths a colour scale may have, by quantity. */
const SCALE_STEPS = {
  voltage_v: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
  temperature_c: [2, 5, 10, 20, 50],
} as const;
export type ScaledMetric = keyof typeof SCALE_STEPS;

/** Half the width of the colour scale: the smallest round step that holds the largest deviation. */
export function deviationScale(metric: ScaledMetric, columns: readonly CellColumn[]): number {
  let largest = 0;
  for (const column of columns) {
    const { median, min, max } = columnStats(column);
    if (median === null || min === null || max === null) continue;
    largest = Math.max(largest, max - median, median - min);
  }
  const steps: readonly number[] = SCALE_STEPS[metric];
  return steps.find(step => step >= largest - 1e-9) ?? steps[steps.length - 1];
}

/** Bottom and top of a bar view around the good values; never so narrow that noise looks like a fault. */
export function barRange(stats: ColumnStats, narrowest: number): { bottom: number; top: number } | undefined {
  if (stats.min === null || stats.max === null) return undefined;
  const missing = Math.max(0, narrowest - (stats.max - stats.min));
  const margin = (stats.max - stats.min + missing) * 0.15 + missing / 2;
  return { bottom: stats.min - margin, top: stats.max + margin };
}

/** Round values between bottom and top for the lines of an axis: three to seven of them. */
export function roundTicks(bottom: number, top: number): number[] {
  const power = 10 ** Math.floor(Math.log10((top - bottom) / 3));
  const step = [5, 2, 1].map(digit => digit * power).find(one => (top - bottom) / one >= 3) ?? power;
  const first = Math.ceil(bottom / step - 1e-6);
  const last = Math.floor(top / step + 1e-6);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}
