/** Values of a few quantities out of a chunk, without putting whole readings together where that is possible. */
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { ReadingDecoder } from '../../../core/reading/codec.ts';
import { BodyTokens } from '../../../core/reading/codec-tokens.ts';
import {
  CELL_SERIES,
  cellSeries,
  factSeries,
  HISTORY_PARTS,
  PACK_SERIES,
  READING_FACTS,
  seriesQuality,
  seriesValue,
  wantedSeries,
} from '../../../core/reading/history-series.ts';
import { Quality } from '../../../core/reading/quality.ts';
import {
  AGE_STEP_MS,
  CELL_FORMS,
  ReadingFlag,
  VALUE_PER_UNIT,
} from '../../../core/reading/reading-format.ts';
import type { ChunkGroup } from './chunk.ts';
import type { Rollup } from './rollup-block.ts';

const decoder = new ReadingDecoder();
const tokens = new BodyTokens();

export interface Wanted {
  /** Only of this cell, counted from 0; undefined: of all. */
  readonly cell?: number | undefined;
  /** Values of another quality are left out like missing ones, and the READING_FACTS are left out. */
  readonly good_only?: boolean;
}

/** Values by series, each with one entry per row of the group; NaN where one is missing. */
export type GroupValues = Map<number, Float64Array>;

export function groupValues(group: ChunkGroup, wanted: Wanted): GroupValues {
  return valuesOfColumns(group, wanted) ?? valuesOfBodies(group, wanted);
}

/** Adds the good values of a group to what `rollupAt` says for a moment; moments outside of it are left out. */
export function addGoodValues(
  group: ChunkGroup,
  times: Float64Array,
  rollupAt: (t_ms: number) => Rollup,
): void {
  const values = [...groupValues(group, { good_only: true })];
  for (let row = 0; row < times.length; row++) {
    const rollup = rollupAt(times[row]);
    const step = rollup.step(times[row]);
    if (step < 0) continue;
    rollup.readings[step]++;
    for (const [series, column] of values)
      if (!Number.isNaN(column[row])) rollup.addValue(series, step, column[row]);
  }
}

/**
 * Out of the token columns: when all readings of the group are built alike and a value's quality is the same in all of
 * them, a value is its token in units of its quantity.
 */
function valuesOfColumns(group: ChunkGroup, { cell, good_only = false }: Wanted): GroupValues | undefined {
  if (group.widths.length === 0) return undefined;
  const first = group.firstBody();
  const view = new DataView(first.buffer, first.byteOffset, first.length);
  if (!tokens.split(view, 0, first.length)) return undefined;
  const isConstant = (from: number, to: number) => {
    for (let k = from; k < to; k++) if (group.constant(k) === undefined) return false;
    return true;
  };
  for (let k = 0; k < tokens.count; k++)
    if (tokens.structural[k] && group.constant(k) === undefined) return undefined;
  const reading = decoder.decode(view, 0, first.length, HISTORY_PARTS);
  if (typeof reading === 'number') return undefined;
  const values: GroupValues = good_only ? new Map() : factsOfColumns(group);
  const add = (series: number, at: number, per_unit: number) => {
    const quality = seriesQuality(reading, series);
    if (at < 0 || quality === Quality.missing || (good_only && quality !== Quality.good)) return;
    const column = group.token(at);
    const scaled = new Float64Array(column.length);
    for (let row = 0; row < scaled.length; row++) scaled[row] = column[row] / per_unit;
    values.set(series, scaled);
  };
  for (const [series, name] of PACK_SERIES.entries()) {
    const metric = PackMetric[name];
    const { at, quality_at, quality_end, is_float } = tokens.pack_values[metric];
    if (at >= 0 && (is_float || (quality_at >= 0 && !isConstant(quality_at, quality_end)))) return undefined;
    add(series, at, VALUE_PER_UNIT[metric]);
  }
  for (const [quantity, name] of CELL_SERIES.entries()) {
    const metric = CellMetric[name];
    const { at, quality_at, quality_end, is_float } = tokens.cell_columns[metric];
    if (at < 0) continue;
    if (is_float || (quality_at >= 0 && !isConstant(quality_at, quality_end))) return undefined;
    const end = cell === undefined ? tokens.cell_count : Math.min(cell + 1, tokens.cell_count);
    for (let i = cell ?? 0; i < end; i++) add(cellSeries(i, quantity), at + i, CELL_FORMS[metric].per_unit);
  }
  return values;
}

/** Where `tokens` hold the first body of the group. */
function factsOfColumns(group: ChunkGroup): GroupValues {
  const { ages_at, reading_flags_at } = tokens;
  const repeated = new Float64Array(group.row_count);
  const facts: GroupValues = new Map([[factSeries('is_repeated'), repeated]]);
  if (reading_flags_at >= 0)
    group.token(reading_flags_at).forEach((flags, row) => {
      repeated[row] = flags & ReadingFlag.repeated;
    });
  if (ages_at < 0) return facts;
  const newest = group.token(ages_at);
  const older = group.token(ages_at + 1);
  facts.set(
    factSeries('newest_age_ms'),
    Float64Array.from(newest, age => age * AGE_STEP_MS),
  );
  facts.set(
    factSeries('oldest_age_ms'),
    Float64Array.from(older, (more, row) => (newest[row] + more) * AGE_STEP_MS),
  );
  return facts;
}

export function valuesOfBodies(group: ChunkGroup, { cell, good_only = false }: Wanted): GroupValues {
  const values: GroupValues = new Map();
  const { bytes, ends } = group.bodies();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let row = 0; row < group.row_count; row++) {
    const start = row === 0 ? 0 : ends[row - 1];
    const reading = decoder.decode(view, start, ends[row] - start, HISTORY_PARTS);
    // What cannot be decoded is kept as it is, and has no values.
    if (typeof reading === 'number') continue;
    const wanted = wantedSeries(reading.shape.cell_count, cell);
    for (const series of good_only ? wanted : [...READING_FACTS.map(factSeries), ...wanted]) {
      if (good_only && seriesQuality(reading, series) !== Quality.good) continue;
      let column = values.get(series);
      if (!column) {
        column = new Float64Array(group.row_count).fill(Number.NaN);
        values.set(series, column);
      }
      column[row] = seriesValue(reading, series);
    }
  }
  return values;
}
