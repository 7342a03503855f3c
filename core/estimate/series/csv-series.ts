/** A CSV of one cell as a Series. What is wrong with it is returned with its place, never thrown. */
import { didYouMean } from '../../schema/problem.ts';
import type { Series } from './series.ts';

export interface CsvSeries {
  /** Undefined when there are problems. */
  readonly series: Series | undefined;
  readonly problems: readonly string[];
  /** What was read in another way than the file says, or left out. */
  readonly notes: readonly string[];
  /** The row of the file (first after the heading is 0) that each row of the series came from. */
  readonly rows: Int32Array;
  /** Rows of the file after its heading. */
  readonly row_count: number;
  /** The time of each row of the file, as it is written there. */
  readonly time_texts: readonly string[];
}

type Column = 'time' | 'current' | 'voltage' | 'temperature' | 'counter' | 'soc_ref' | 'cycle';

/** Names as they stand in files, without case and signs. */
const NAMES: Readonly<Record<Column, readonly string[]>> = {
  time: [
    'times',
    'time',
    'timestamp',
    'ts',
    't',
    'datetime',
    'tests',
    'testtimes',
    'seconds',
    'tms',
    'timems',
  ],
  current: ['currenta', 'current', 'i', 'ia', 'currentma', 'packcurrent', 'packcurrenta', 'amps'],
  voltage: ['voltagev', 'voltage', 'v', 'cellvoltagev', 'cellvoltage', 'u', 'voltagemv', 'volts'],
  temperature: [
    'tempc',
    'temperaturec',
    'temperature',
    'temp',
    'celltemperaturec',
    'celltemperature',
    'tdegc',
  ],
  counter: ['ah', 'counterah', 'chargeah'],
  soc_ref: ['socref'],
  cycle: ['cycle', 'cycleindex', 'cyclenumber'],
};
/** Between cycles whose times each begin at zero: nothing is known of what lay between. */
const CYCLE_GAP_S = 12 * 3600;
const MANDATORY: readonly Column[] = ['time', 'current', 'voltage'];

/** `needs`: columns without which the file is of no use. */
export function parseCsvSeries(name: string, text: string): CsvSeries {
  const lines = text.split(/\r?\n/);
  const begin = lines.findIndex(line => line.trim() !== '' && !line.startsWith('#'));
  const none = (problems: string[]): CsvSeries => ({
    series: undefined,
    problems,
    notes: [],
    rows: new Int32Array(0),
    row_count: 0,
    time_texts: [],
  });
  if (begin < 0) return none([`${name}:1: found an empty file, expected a heading and rows of a CSV`]);
  const separator = separatorOf(lines[begin]);
  const heading = lines[begin]
    .replace(/^\ufeff/, '')
    .split(separator)
    .map(clean);
  const columns = columnsOf(heading);
  const missing = MANDATORY.filter(column => columns[column] === undefined);
  if (missing.length > 0) return none(missing.map(column => missingColumn(name, begin + 1, column, heading)));
  return new Reader(name, lines, begin, separator, heading, columns).read();
}

const clean = (cell: string) => cell.trim().replace(/^"(.*)"$/, '$1');
const plain = (cell: string) => cell.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

function separatorOf(heading: string): string {
  const counts = [',', ';', '\t'].map(sign => heading.split(sign).length);
  return [',', ';', '\t'][counts.indexOf(Math.max(...counts))];
}

function columnsOf(heading: readonly string[]): Partial<Record<Column, number>> {
  const written = heading.map(plain);
  const found: Partial<Record<Column, number>> = {};
  for (const [column, names] of Object.entries(NAMES) as [Column, readonly string[]][]) {
    const name = names.find(known => written.includes(known));
    if (name !== undefined) found[column] = written.indexOf(name);
  }
  return found;
}

function missingColumn(name: string, line: number, column: Column, heading: readonly string[]): string {
  const expected = { time: 'time_s', current: 'current_A', voltage: 'voltage_V' }[column as 'time'];
  const near = heading.find(cell => didYouMean(cell, [expected, column]) !== '');
  const meant = near === undefined ? '' : `; is "${near}" meant?`;
  return `${name}:${line}: found the columns ${heading.join(', ')}, expected one of the ${column} (${expected})${meant}`;
}

class Reader {
  readonly #notes: string[] = [];
  readonly #problems: string[] = [];
  readonly #times: string[] = [];
  readonly #name: string;
  readonly #lines: readonly string[];
  readonly #begin: number;
  readonly #separator: string;
  readonly #heading: readonly string[];
  readonly #columns: Partial<Record<Column, number>>;

  constructor(
    name: string,
    lines: readonly string[],
    begin: number,
    separator: string,
    heading: readonly string[],
    columns: Partial<Record<Column, number>>,
  ) {
    this.#name = name;
    this.#lines = lines;
    this.#begin = begin;
    this.#separator = separator;
    this.#heading = heading;
    this.#columns = columns;
  }

  read(): CsvSeries {
    const values: Record<Column, number[]> = {
      time: [],
      current: [],
      voltage: [],
      temperature: [],
      counter: [],
      soc_ref: [],
      cycle: [],
    };
    const rows: number[] = [];
    let row_count = 0;
    let last = Number.NEGATIVE_INFINITY;
    let backwards = 0;
    let timeless = 0;
    let unreadable = '';
    let shift = 0;
    let cycles = 1;
    let last_cycle: string | undefined;
    const at_cycle = this.#columns.cycle;
    for (let i = this.#begin + 1; i < this.#lines.length; i++) {
      if (this.#lines[i].trim() === '') continue;
      const cells = this.#lines[i].split(this.#separator);
      const row = row_count++;
      const text = clean(cells[this.#columns.time ?? 0] ?? '');
      this.#times.push(text);
      let time = this.#timeOf(text) + shift;
      const cycle = at_cycle === undefined ? undefined : clean(cells[at_cycle] ?? '');
      if (time < last && cycle !== last_cycle) {
        cycles++;
        shift += last + CYCLE_GAP_S - time;
        time = last + CYCLE_GAP_S;
      }
      last_cycle = cycle;
      if (Number.isNaN(time)) timeless++;
      else if (time < last) backwards++;
      if (Number.isNaN(time) || time < last) continue;
      last = time;
      rows.push(row);
      values.time.push(time);
      for (const column of ['current', 'voltage', 'temperature', 'counter', 'soc_ref'] as const) {
        const at = this.#columns[column];
        const cell = at === undefined ? '' : clean(cells[at] ?? '');
        const value =
          cell === '' || cell.toLowerCase() === 'nan' ? Number.NaN : Number(cell.replace(/,/, '.'));
        if (Number.isNaN(value) && cell !== '' && cell.toLowerCase() !== 'nan' && unreadable === '')
          unreadable = `${this.#name}:${i + 1} ${this.#heading[at ?? 0]}: found "${cell.slice(0, 40)}", expected a number`;
        values[column].push(value * this.#unit(column));
      }
    }
    if (unreadable) this.#notes.push(unreadable);
    if (cycles > 1)
      this.#notes.push(
        `${this.#name}: the times of ${cycles} cycles each begin again; half a day is put between them`,
      );
    if (timeless > 0) this.#notes.push(`${this.#name}: ${timeless} rows without a time are left out`);
    if (backwards > 0)
      this.#notes.push(`${this.#name}: ${backwards} rows older than the one before are left out`);
    if (rows.length < 2)
      this.#problems.push(`${this.#name}: found ${rows.length} rows with a time, expected two at least`);
    if (this.#columns.temperature === undefined)
      this.#notes.push(`${this.#name}: no column of the temperature`);
    return {
      series: this.#problems.length > 0 ? undefined : this.#series(values),
      problems: this.#problems,
      notes: this.#notes,
      rows: Int32Array.from(rows),
      row_count,
      time_texts: this.#times,
    };
  }

  #series(values: Record<Column, number[]>): Series {
    const column = (name: Column) => Float64Array.from(values[name]);
    return {
      name: this.#name,
      length: values.time.length,
      time_s: column('time'),
      current_a: column('current'),
      voltage_v: column('voltage'),
      temperature_c: column('temperature'),
      counter_ah: this.#columns.counter === undefined ? undefined : column('counter'),
      soc_ref: this.#columns.soc_ref === undefined ? undefined : column('soc_ref'),
    };
  }

  /** Seconds: a number, or a date. */
  #timeOf(text: string): number {
    if (text === '') return Number.NaN;
    const number = Number(text);
    if (!Number.isNaN(number)) return number * this.#unit('time');
    return Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(' ', 'T')}Z`) / 1000;
  }

  #unit(column: Column): number {
    const name = plain(this.#heading[this.#columns[column] ?? 0] ?? '');
    return ['tms', 'timems', 'currentma', 'voltagemv'].includes(name) ? 1e-3 : 1;
  }
}
