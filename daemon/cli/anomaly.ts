/** `anomaly`: a recording of a pack's cells, reading by reading, through what the gateway learns of them. */
import { gunzipSync } from 'node:zlib';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { SiblingDeviation, type WeakCell, weakCellText } from '../../core/siblings/deviation.ts';
import { readNamedFile } from './named-files.ts';
import { UsageError } from './usage.ts';

export interface Flagged {
  /** Counting from 1. */
  readonly cell: number;
  readonly first_flagged_ms: number;
  readonly last: WeakCell;
}

export interface AnomalyReport {
  readonly flagged: readonly Flagged[];
  readonly cells: number;
  readonly rows: number;
  /** Rows that could not be read, with the first one's place and fault. */
  readonly rows_bad: number;
  readonly first_bad: string | undefined;
  /** Whether any state was seen for long enough to judge. */
  readonly is_enough: boolean;
}

const CELL = /^cell_mV_(\d+)$/i;

/** @throws UsageError that names file, what was found and what was expected */
export function findAnomalies(file: string): AnomalyReport {
  const bytes = readNamedFile(file);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = new TextDecoder().decode(isGzip ? gunzipSync(bytes) : bytes);
  const end = text.indexOf('\n');
  const columns = columnsOf(file, text.slice(0, end < 0 ? undefined : end));
  const cell_count = columns.cells.length;
  const reading = new PackReading(0, { cell_count, sensor_count: 0, device_alarms: [] });
  const deviation = new SiblingDeviation(cell_count);
  const first = new Map<number, number>();
  const last = new Map<number, WeakCell>();
  let [rows, rows_bad, line_no, at] = [0, 0, 1, end + 1];
  let first_bad: string | undefined;
  while (end >= 0 && at < text.length) {
    const next = text.indexOf('\n', at);
    const line = text.slice(at, next < 0 ? undefined : next).trimEnd();
    at = next < 0 ? text.length : next + 1;
    line_no++;
    if (line === '') continue;
    const fields = line.split(',');
    const t_ms = momentOf(fields[columns.time]);
    if (Number.isNaN(t_ms)) {
      rows_bad++;
      first_bad ??= `${file}:${line_no} ${columns.names[columns.time]}: found "${fields[columns.time]}", expected a time`;
      continue;
    }
    rows++;
    fill(reading, fields, columns, t_ms);
    deviation.learn(reading);
    for (const weak of deviation.weak) {
      if (!first.has(weak.cell)) first.set(weak.cell, t_ms);
      last.set(weak.cell, weak);
    }
  }
  const flagged = [...last.values()].map(
    (weak): Flagged => ({ cell: weak.cell + 1, first_flagged_ms: first.get(weak.cell)!, last: weak }),
  );
  return {
    flagged: flagged.sort((a, b) => a.cell - b.cell),
    cells: cell_count,
    rows,
    rows_bad,
    first_bad,
    is_enough: deviation.hasEnough,
  };
}

/** `cell,first_flagged`, the time in ISO form. */
export function flaggedCsv({ flagged }: AnomalyReport): string {
  const rows = flagged.map(
    ({ cell, first_flagged_ms }) => `${cell},${new Date(first_flagged_ms).toISOString()}`,
  );
  return `${['cell,first_flagged', ...rows].join('\n')}\n`;
}

export function anomalyLines(file: string, report: AnomalyReport): string[] {
  const { flagged, cells, rows, rows_bad, first_bad, is_enough } = report;
  const lines = [`${file}: ${rows} rows of ${cells} cells`];
  if (rows_bad > 0) lines.push(`${rows_bad} rows left out; the first: ${first_bad}`);
  for (const { last, first_flagged_ms } of flagged)
    lines.push(`${weakCellText(last)}. First seen ${new Date(first_flagged_ms).toISOString()}`);
  if (flagged.length > 0) return lines;
  return [
    ...lines,
    is_enough
      ? 'No cell stands apart from its siblings.'
      : 'Too little to judge: two hours at rest, of charging or of discharging are needed.',
  ];
}

interface Columns {
  readonly names: readonly string[];
  readonly time: number;
  readonly current: number;
  readonly voltage: number;
  /** In the order of the cells' numbers. */
  readonly cells: readonly number[];
}

function columnsOf(file: string, header: string): Columns {
  const names = header
    .replace(/^\uFEFF/, '')
    .trim()
    .split(',')
    .map(name => name.trim());
  const place = (name: string) => names.findIndex(one => one.toLowerCase() === name);
  const cells = names
    .flatMap((name, i) => (CELL.test(name) ? [{ no: Number(CELL.exec(name)![1]), i }] : []))
    .sort((a, b) => a.no - b.no);
  const time = place('time');
  if (time < 0) throw new UsageError(`${file}:1 found columns ${shown(names)}, expected one named "time"`);
  if (cells.length < 4)
    throw new UsageError(
      `${file}:1 found ${cells.length} columns of cells, expected at least 4: cell_mV_1, cell_mV_2, …`,
    );
  const gap = cells.findIndex(({ no }, i) => no !== i + 1);
  if (gap >= 0)
    throw new UsageError(
      `${file}:1 found cell_mV_${cells[gap].no}, expected cell_mV_${gap + 1}: each cell once`,
    );
  return {
    names,
    time,
    current: place('current_a'),
    voltage: place('pack_v'),
    cells: cells.map(({ i }) => i),
  };
}

const shown = (names: readonly string[]) =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')}, …` : names.join(', ');

/** Without a zone it is UTC: a recording's clock. */
function momentOf(text = ''): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const hasZone = /(z|[+-]\d\d:?\d\d)$/i.test(text);
  return Date.parse(hasZone ? text : `${text.replace(' ', 'T')}Z`);
}

function fill(reading: PackReading, fields: readonly string[], columns: Columns, t_ms: number): void {
  reading.t_ms = reading.mono_ms = t_ms;
  const set = (metric: number, column: number) => {
    const value = column < 0 || !fields[column] ? Number.NaN : Number(fields[column]);
    reading.values[metric] = value;
    reading.value_quality[metric] = Number.isNaN(value) ? Quality.missing : Quality.good;
  };
  set(PackMetric.current_a, columns.current);
  set(PackMetric.voltage_v, columns.voltage);
  const voltages = reading.column(CellMetric.voltage_v);
  const quality = reading.columnQuality(CellMetric.voltage_v);
  for (const [cell, column] of columns.cells.entries()) {
    const voltage_v = Number(fields[column]) / 1000;
    const isPlausible = voltage_v > 0.5 && voltage_v < 5;
    voltages[cell] = isPlausible ? voltage_v : Number.NaN;
    quality[cell] = isPlausible ? Quality.good : Quality.missing;
  }
}
