/** The series of a history: which quantities of a pack and its cells have one, by number, and their values in a reading. */
import { CellMetric, PackMetric } from '../metrics.ts';
import { cellPart, Part } from './codec.ts';
import type { PackReading } from './pack-reading.ts';
import { Quality } from './quality.ts';

/** Quantities that have a history. The order is that of the stored series: append only. */
export const PACK_SERIES = ['voltage_v', 'current_a', 'soc_pct', 'temperature_c'] as const;
export const CELL_SERIES = ['voltage_v', 'temperature_c'] as const;

/** What a history of readings says of each as a whole, beside the quantities; not stored with the steps. */
export const READING_FACTS = ['newest_age_ms', 'oldest_age_ms', 'is_repeated'] as const;
/** Below zero, so that they stand beside the series of quantities. */
export const factSeries = (fact: (typeof READING_FACTS)[number]) => -1 - READING_FACTS.indexOf(fact);
const REPEATED_SERIES = factSeries('is_repeated');
const NEWEST_AGE_SERIES = factSeries('newest_age_ms');

/** What of a reading must be decoded for them. */
export const HISTORY_PARTS =
  Part.values | cellPart(CellMetric.voltage_v) | cellPart(CellMetric.temperature_c);

/** Series of a reading: all, or those of the pack and of one cell (counted from 0). */
export function wantedSeries(cell_count: number, cell: number | undefined): number[] {
  const wanted: number[] = PACK_SERIES.map((_, series) => series);
  for (let i = cell ?? 0; i < (cell === undefined ? cell_count : cell + 1); i++)
    for (const quantity of CELL_SERIES.keys()) wanted.push(cellSeries(i, quantity));
  return wanted;
}

/** NaN where it is missing. */
export function seriesValue(reading: PackReading, series: number): number {
  if (series === REPEATED_SERIES) return reading.is_repeated ? 1 : 0;
  if (series < 0) return series === NEWEST_AGE_SERIES ? reading.newest_age_ms : reading.oldest_age_ms;
  if (series < PACK_SERIES.length) return reading.values[PackMetric[PACK_SERIES[series]]];
  const at = series - PACK_SERIES.length;
  const metric = CellMetric[CELL_SERIES[at % CELL_SERIES.length]];
  return reading.column(metric)[Math.floor(at / CELL_SERIES.length)] ?? Number.NaN;
}

export function seriesQuality(reading: PackReading, series: number): number {
  if (series < PACK_SERIES.length) return reading.value_quality[PackMetric[PACK_SERIES[series]]];
  const at = series - PACK_SERIES.length;
  const metric = CellMetric[CELL_SERIES[at % CELL_SERIES.length]];
  return reading.columnQuality(metric)[Math.floor(at / CELL_SERIES.length)] ?? Quality.missing;
}

/** Of a cell's quantity; those of the pack come first, by PACK_SERIES. */
export function cellSeries(cell: number, quantity: number): number {
  return PACK_SERIES.length + cell * CELL_SERIES.length + quantity;
}
