/**
 * Readings as lines of a file: CSV (RFC 4180) or newline-delimited JSON, a row per cell or per pack. Missing values
 * are empty (CSV) or null; stale and suspect ones stand there with their quality, as everywhere.
 */
import type { ExportFormat, ExportRows } from '../../core/contract/export.ts';
import {
  CELL_METRICS,
  CellMetric,
  type Metric,
  PACK_METRICS,
  PackMetric,
  roundTo,
} from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { QUALITY_NAMES, Quality } from '../../core/reading/quality.ts';
import { cellId } from '../../core/topology/topology.ts';

export interface ExportForm {
  readonly rows: ExportRows;
  readonly format: ExportFormat;
}

const CELL_COLUMNS = ['voltage_v', 'temperature_c', 'soc_pct', 'soh_pct', 'balancing'] as const;
const withQuality = (names: readonly string[]) => [...names, ...names.map(name => `${name}_quality`)];
/** Of the whole reading: the last columns of either form. */
const TAIL = ['time_certain', 'newest_age_ms', 'oldest_age_ms', 'is_repeated'] as const;

const COLUMNS: Readonly<Record<ExportRows, readonly string[]>> = {
  cell: ['time', 't_ms', 'pack_id', 'cell_id', ...withQuality(['current_a', ...CELL_COLUMNS]), ...TAIL],
  pack: ['time', 't_ms', 'pack_id', ...withQuality(PACK_METRICS.map(({ name }) => name)), ...TAIL],
};

/** The first line of a CSV; nothing of JSON. */
export function exportHead({ rows, format }: ExportForm): string {
  return format === 'csv' ? `${COLUMNS[rows].join(',')}\r\n` : '';
}

/** When a reading was, of which pack, and whether somebody vouched for the time. */
export interface Moment {
  readonly pack_id: string;
  readonly t_ms: number;
  readonly certain: boolean;
}

/** All lines of one reading. */
export function exportLines(form: ExportForm, reading: PackReading, moment: Moment): string {
  return form.rows === 'pack' ? packLine(form, reading, moment) : cellLines(form, reading, moment);
}

type Value = string | number | boolean | null;

function packLine({ rows, format }: ExportForm, reading: PackReading, moment: Moment): string {
  const qualities = PACK_METRICS.map((_, m) => reading.value_quality[m]);
  const values = PACK_METRICS.map((metric, m) => shown(metric, reading.values[m], qualities[m]));
  return line(format, COLUMNS[rows], [
    ...heads(moment),
    ...values,
    ...qualities.map(name),
    ...tail(reading, moment),
  ]);
}

/** In series cells the pack's current is each cell's. */
function cellLines({ rows, format }: ExportForm, reading: PackReading, moment: Moment): string {
  const current_quality = reading.value_quality[PackMetric.current_a];
  const current = shown(
    PACK_METRICS[PackMetric.current_a],
    reading.values[PackMetric.current_a],
    current_quality,
  );
  const columns = CELL_COLUMNS.map(metric => ({
    metric: CELL_METRICS[CellMetric[metric]],
    values: reading.column(CellMetric[metric]),
    qualities: reading.columnQuality(CellMetric[metric]),
  }));
  const tails = tail(reading, moment);
  let text = '';
  for (let cell = 0; cell < reading.shape.cell_count; cell++) {
    const values = columns.map(({ metric, values, qualities }) =>
      shown(metric, values[cell], qualities[cell]),
    );
    const qualities = columns.map(({ qualities }) => name(qualities[cell]));
    const id = cellId(moment.pack_id, cell + 1);
    text += line(format, COLUMNS[rows], [
      ...heads(moment),
      id,
      current,
      ...values,
      name(current_quality),
      ...qualities,
      ...tails,
    ]);
  }
  return text;
}

const heads = ({ t_ms, pack_id }: Moment) => [new Date(t_ms).toISOString(), t_ms, pack_id];

const tail = ({ newest_age_ms, oldest_age_ms, is_repeated }: PackReading, { certain }: Moment) => [
  certain,
  ...[newest_age_ms, oldest_age_ms].map(age_ms => (Number.isNaN(age_ms) ? null : age_ms)),
  is_repeated,
];

const name = (quality: number) => QUALITY_NAMES[quality];

function shown(metric: Metric, value: number, quality: number): number | null {
  return quality === Quality.missing || !Number.isFinite(value) ? null : roundTo(metric, value);
}

/** Ids hold nothing that CSV would have to quote (see the configuration's schema). */
function line(format: ExportFormat, columns: readonly string[], values: readonly Value[]): string {
  if (format === 'csv') return `${values.map(value => value ?? '').join(',')}\r\n`;
  return `${JSON.stringify(Object.fromEntries(columns.map((column, i) => [column, values[i]])))}\n`;
}
