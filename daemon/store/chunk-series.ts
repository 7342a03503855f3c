/** Values of a few quantities out of a chunk, without putting whole readings together where that is possible. */
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { CELL_FORMS, ReadingDecoder, VALUE_PER_UNIT } from '../../core/reading/codec.ts';
import { BodyTokens } from '../../core/reading/codec-tokens.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { ChunkGroup } from './chunk.ts';
import { CELL_SERIES, cellSeries, HISTORY_PARTS, PACK_SERIES } from './rollup.ts';

/** Which values of a reading are looked at: series of rollup.ts, all or those of one cell (counted from 0). */
export function wantedSeries(cell_count: number, cell: number | undefined): number[] {
  const wanted: number[] = PACK_SERIES.map((_, series) => series);
  for (let i = cell ?? 0; i < (cell === undefined ? cell_count : cell + 1); i++)
    for (const quantity of CELL_SERIES.keys()) wanted.push(cellSeries(i, quantity));
  return wanted;
}

const decoder = new ReadingDecoder();
const tokens = new BodyTokens();

/** Values by series, each with one entry per row of the group; NaN where one is missing. */
export type GroupValues = Map<number, Float64Array>;

export function groupValues(group: ChunkGroup, cell: number | undefined): GroupValues {
  return fromColumns(group, cell) ?? groupValuesOfBodies(group, cell);
}

/**
 * Out of the token columns: when all readings of the group are built alike and what is missing is missing in all of
 * them, a value is its token in units of its quantity.
 */
function fromColumns(group: ChunkGroup, cell: number | undefined): GroupValues | undefined {
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
  const values: GroupValues = new Map();
  const add = (series: number, at: number, per_unit: number, is_missing: boolean) => {
    if (at < 0 || is_missing) return;
    const column = group.token(at);
    const scaled = new Float64Array(column.length);
    for (let row = 0; row < scaled.length; row++) scaled[row] = column[row] / per_unit;
    values.set(series, scaled);
  };
  for (const [series, name] of PACK_SERIES.entries()) {
    const metric = PackMetric[name];
    const { at, quality_at, is_float } = tokens.pack_values[metric];
    if (at >= 0 && (is_float || (quality_at >= 0 && !isConstant(quality_at, quality_at + QUALITY_TOKENS))))
      return undefined;
    add(series, at, VALUE_PER_UNIT[metric], Number.isNaN(reading.values[metric]));
  }
  for (const [quantity, name] of CELL_SERIES.entries()) {
    const metric = CellMetric[name];
    const { at, quality_at, is_float } = tokens.cell_columns[metric];
    if (at >= 0 && (is_float || (quality_at >= 0 && !isConstant(quality_at, at)))) return undefined;
    const column = reading.column(metric);
    const end = cell === undefined ? column.length : Math.min(cell + 1, column.length);
    for (let i = cell ?? 0; i < end; i++)
      add(
        cellSeries(i, quantity),
        at < 0 ? -1 : at + i,
        CELL_FORMS[metric].per_unit,
        Number.isNaN(column[i]),
      );
  }
  return values;
}

/** NaN where it is missing. */
export function seriesValue(reading: PackReading, series: number): number {
  if (series < PACK_SERIES.length) return reading.values[PackMetric[PACK_SERIES[series]]];
  const at = series - PACK_SERIES.length;
  const name = CELL_SERIES[at % CELL_SERIES.length];
  return reading.column(CellMetric[name])[Math.floor(at / CELL_SERIES.length)] ?? Number.NaN;
}

/** Two bits for each quantity of a pack. */
const QUALITY_TOKENS = (Object.keys(PackMetric).length + 3) >> 2;

export function groupValuesOfBodies(group: ChunkGroup, cell: number | undefined): GroupValues {
  const values: GroupValues = new Map();
  const { bytes, ends } = group.bodies();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let row = 0; row < group.row_count; row++) {
    const start = row === 0 ? 0 : ends[row - 1];
    const reading = decoder.decode(view, start, ends[row] - start, HISTORY_PARTS);
    if (typeof reading === 'number') continue;
    for (const series of wantedSeries(reading.shape.cell_count, cell)) {
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
