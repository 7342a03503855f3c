/** Quality of values in words and letters: what a person must see of a value that cannot be trusted. */
import type { CellColumn, QualifiedValue } from '../../../core/contract/model.ts';
import { QUALITY_LETTERS, QUALITY_NAMES, type QualityName } from '../../../core/reading/quality.ts';
import { t } from '../texts/texts.ts';

export interface QualityMark {
  /** One or two words beside the value. */
  readonly word: string;
  /** The same within a sentence. */
  readonly inText: string;
  /** The whole story, for a tooltip and for screen readers. */
  readonly title: string;
}

/** Undefined for good values: they need no mark. */
export function qualityMark(quality: QualityName): QualityMark | undefined {
  return quality === 'good' ? undefined : t().qualities[quality];
}

/** Of one cell; a cell beyond the column, or a letter nobody knows, is missing. */
export function cellQuality(column: CellColumn, cell: number): QualityName {
  const code = QUALITY_LETTERS.indexOf(column.quality[cell] ?? 'm');
  return QUALITY_NAMES[code] ?? 'missing';
}

/** The value of one cell, null where it is missing whatever number stands there. */
export function cellValue(column: CellColumn, cell: number): number | null {
  return cellQuality(column, cell) === 'missing' ? null : (column.values[cell] ?? null);
}

/** The number to show, null where it is missing whatever number stands there. */
export function shownValue(qualified: QualifiedValue): number | null {
  return qualified.quality === 'missing' ? null : qualified.value;
}

export interface QualityCounts {
  readonly good: number;
  readonly stale: number;
  readonly suspect: number;
  readonly missing: number;
}

export function countQuality(column: CellColumn): QualityCounts {
  const counts = { good: 0, stale: 0, suspect: 0, missing: 0 };
  for (let cell = 0; cell < column.values.length; cell++) counts[cellQuality(column, cell)]++;
  return counts;
}

/** "2 stale, 1 suspect"; empty while every cell is good. */
export function describeQuality(counts: QualityCounts): string {
  const { counted } = t().qualities;
  return (['missing', 'stale', 'suspect'] as const)
    .filter(quality => counts[quality] > 0)
    .map(quality => counted[quality](counts[quality]))
    .join(', ');
}
