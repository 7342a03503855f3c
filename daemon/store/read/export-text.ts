/**
 * Readings as lines of a file: CSV (RFC 4180) or newline-delimited JSON, a row per cell or per pack. Missing values
 * are empty (CSV) or null; stale and suspect ones stand there with their quality, as everywhere. Straight into bytes,
 * without an object or a string per value: an export of a month has billions of them.
 */
import type { ExportFormat, ExportRows } from '../../../core/contract/export.ts';
import {
  CELL_METRICS,
  CellMetric,
  type CellMetricName,
  decimalsOf,
  PACK_METRICS,
  PackMetric,
} from '../../../core/metrics.ts';
import type { PackReading } from '../../../core/reading/pack-reading.ts';
import { QUALITY_NAMES, Quality } from '../../../core/reading/quality.ts';
import { CELL_DIGITS, CELL_MARK } from '../../../core/topology/topology.ts';
import { NumberText } from './number-text.ts';

export interface ExportForm {
  readonly rows: ExportRows;
  readonly format: ExportFormat;
}

const CELL_COLUMNS = Object.keys(CellMetric) as CellMetricName[];
const withQuality = (names: readonly string[]) => [...names, ...names.map(name => `${name}_quality`)];
/** What a line begins with, up to the id of the cell. */
const HEAD = ['time', 't_ms', 'pack_id'] as const;
/** Of the whole reading: the last columns of either form. */
const TAIL = ['time_certain', 'newest_age_ms', 'oldest_age_ms', 'is_repeated'] as const;

const COLUMNS: Readonly<Record<ExportRows, readonly string[]>> = {
  cell: [...HEAD, 'cell_id', ...withQuality(['current_a', ...CELL_COLUMNS]), ...TAIL],
  pack: [...HEAD, ...withQuality(PACK_METRICS.map(({ name }) => name)), ...TAIL],
};

const CELL_DECIMALS = CELL_COLUMNS.map(name => decimalsOf(CELL_METRICS[CellMetric[name]]));
const PACK_DECIMALS = PACK_METRICS.map(decimalsOf);

/** When a reading was, of which pack, and whether somebody vouched for the time. */
export interface Moment {
  readonly pack_id: string;
  readonly t_ms: number;
  readonly certain: boolean;
}

/** A piece of a file. Ids hold nothing that CSV would have to quote (see the configuration's schema). */
export class ExportText {
  readonly #rows: ExportRows;
  readonly #text: NumberText;
  /** What stands before each column's value, what stands where there is none, what ends a line. */
  readonly #before: readonly Buffer[];
  readonly #missing: string;
  readonly #end: Buffer;
  readonly #quote: Buffer;
  /** By quality. */
  readonly #qualities: readonly Buffer[];
  readonly #cell_columns: Float32Array[] = [];
  readonly #cell_qualities: Uint8Array[] = [];

  constructor({ rows, format }: ExportForm, expected_bytes: number) {
    const is_csv = format === 'csv';
    this.#rows = rows;
    this.#text = new NumberText(expected_bytes);
    this.#before = COLUMNS[rows].map((name, i) =>
      Buffer.from(is_csv ? (i === 0 ? '' : ',') : `${i === 0 ? '{' : ','}"${name}":`),
    );
    this.#missing = is_csv ? '' : 'null';
    this.#end = Buffer.from(is_csv ? '\r\n' : '}\n');
    this.#quote = Buffer.from(is_csv ? '' : '"');
    this.#qualities = QUALITY_NAMES.map(name => Buffer.from(this.#quoted(name)));
  }

  get bytes(): number {
    return this.#text.bytes;
  }

  /** The first line of a CSV; nothing of JSON. */
  head(): void {
    if (this.#quote.length === 0) this.#text.text(`${COLUMNS[this.#rows].join(',')}\r\n`);
  }

  /** All lines of one reading. */
  reading(reading: PackReading, moment: Moment): void {
    if (this.#rows === 'pack') this.#packLine(reading, moment);
    else this.#cellLines(reading, moment);
  }

  /** Nothing can be added afterwards. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#text.done();
  }

  #packLine(reading: PackReading, moment: Moment): void {
    const { values, value_quality } = reading;
    this.#text.ascii(this.#headOf(moment));
    let column: number = HEAD.length;
    for (let m = 0; m < PACK_METRICS.length; m++)
      this.#value(column++, values[m], value_quality[m], PACK_DECIMALS[m]);
    for (let m = 0; m < PACK_METRICS.length; m++) this.#quality(column++, value_quality[m]);
    this.#text.ascii(this.#tailOf(reading, moment));
  }

  /** In series cells the pack's current is each cell's. */
  #cellLines(reading: PackReading, moment: Moment): void {
    const text = this.#text;
    // With the id of the cell as far as it is the same for all; its number, and what ends it, follow.
    const cell = this.#joined(HEAD.length, [`${this.#quote}${moment.pack_id}${CELL_MARK}`]);
    const head = Buffer.concat([this.#headOf(moment), cell]);
    const current = reading.values[PackMetric.current_a];
    const current_quality = reading.value_quality[PackMetric.current_a];
    const quality_at = HEAD.length + 2 + CELL_COLUMNS.length;
    const tail = this.#tailOf(reading, moment);
    CELL_COLUMNS.forEach((name, k) => {
      this.#cell_columns[k] = reading.column(CellMetric[name]);
      this.#cell_qualities[k] = reading.columnQuality(CellMetric[name]);
    });
    for (let cell = 0; cell < reading.shape.cell_count; cell++) {
      text.ascii(head);
      text.padded(cell + 1, CELL_DIGITS);
      text.ascii(this.#quote);
      this.#value(HEAD.length + 1, current, current_quality, PACK_DECIMALS[PackMetric.current_a]);
      for (let k = 0; k < CELL_COLUMNS.length; k++) {
        const quality = this.#cell_qualities[k][cell];
        this.#value(HEAD.length + 2 + k, this.#cell_columns[k][cell], quality, CELL_DECIMALS[k]);
      }
      this.#quality(quality_at, current_quality);
      for (let k = 0; k < CELL_COLUMNS.length; k++)
        this.#quality(quality_at + 1 + k, this.#cell_qualities[k][cell]);
      text.ascii(tail);
    }
  }

  #value(column: number, value: number, quality: number, decimals: number): void {
    this.#text.ascii(this.#before[column]);
    this.#text.number(quality === Quality.missing ? Number.NaN : value, decimals, this.#missing);
  }

  #quality(column: number, quality: number): void {
    this.#text.ascii(this.#before[column]);
    this.#text.ascii(this.#qualities[quality]);
  }

  /** The first columns, which are the same in all lines of a reading. */
  #headOf({ t_ms, pack_id }: Moment): Buffer {
    return this.#joined(0, [this.#quoted(new Date(t_ms).toISOString()), t_ms, this.#quoted(pack_id)]);
  }

  /** The last ones, and the end of the line. */
  #tailOf({ newest_age_ms, oldest_age_ms, is_repeated }: PackReading, { certain }: Moment): Buffer {
    const ages = [newest_age_ms, oldest_age_ms].map(age => (Number.isNaN(age) ? this.#missing : age));
    const values = [certain, ...ages, is_repeated];
    return Buffer.concat([this.#joined(this.#before.length - values.length, values), this.#end]);
  }

  #joined(first_column: number, values: readonly (string | number | boolean)[]): Buffer {
    return Buffer.from(values.map((value, i) => `${this.#before[first_column + i]}${value}`).join(''));
  }

  #quoted(text: string): string {
    return `${this.#quote}${text}${this.#quote}`;
  }
}
