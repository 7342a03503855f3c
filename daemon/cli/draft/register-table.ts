/** A vendor's table of registers, whatever its columns are called, as rows with places. */
import { didYouMean } from '../../../core/schema/problem.ts';
import type { ByteOrder, RawType } from '../../../drivers/modbus/registers/raw-number.ts';
import { sizeOf } from '../../../drivers/modbus/registers/raw-number.ts';
import { parseCsvTable } from './csv-table.ts';
import { numberIn, unitOf } from './meaning.ts';

type NumberType = Exclude<RawType, 'coil'>;

export interface RegisterRow {
  readonly line: number;
  readonly code: 3 | 4;
  readonly at: number;
  /** Registers that the row takes up. */
  readonly length: number;
  readonly name: string;
  /** Undefined: no number, such as text or bits. */
  readonly type: NumberType | undefined;
  readonly order: ByteOrder | undefined;
  readonly scale: number;
  /** In the unit of the row. */
  readonly offset: number;
  readonly unit: string;
}

export interface RegisterTable {
  readonly rows: readonly RegisterRow[];
  /** What was taken in another way than it stands there. */
  readonly notes: readonly string[];
  /** `FILE:LINE: found …, expected …`; these rows are left out. */
  readonly problems: readonly string[];
}

type Column = 'address' | 'name' | 'type' | 'scale' | 'divisor' | 'offset' | 'unit' | 'code';

/** Headings without case and signs. */
const HEADINGS: Readonly<Record<Column, readonly string[]>> = {
  address: [
    'address',
    'addr',
    'register',
    'reg',
    'registeraddress',
    'regaddress',
    'regaddr',
    'modbusaddress',
    'addresshex',
    'addressdec',
    'addresshexadecimal',
    'addressdecimal',
    'hexaddress',
    'decaddress',
    'adresse',
    'no',
    'offsetaddress',
  ],
  name: [
    'name',
    'signal',
    'signalname',
    'description',
    'desc',
    'parameter',
    'parametername',
    'content',
    'contents',
    'item',
    'field',
    'registername',
    'variable',
    'meaning',
    'definition',
    'data',
    'label',
    'bezeichnung',
  ],
  type: ['type', 'datatype', 'format', 'dataformat', 'valuetype', 'regtype', 'typ'],
  scale: [
    'scale',
    'factor',
    'scaling',
    'scalefactor',
    'multiplier',
    'resolution',
    'coefficient',
    'coeff',
    'precision',
    'accuracy',
    'step',
    'lsb',
    'mult',
    'ratio',
    'skalierung',
  ],
  divisor: ['gain', 'divisor', 'divider', 'div'],
  offset: ['offset', 'add', 'bias', 'valueoffset'],
  unit: ['unit', 'units', 'uom', 'einheit'],
  code: ['function', 'functioncode', 'fc', 'code', 'registertype', 'table', 'area', 'readcode'],
};
const MANDATORY: readonly Column[] = ['address', 'name'];

const plain = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/\(.*?\)/g, '')
    .replace(/[^a-z0-9]/g, '');

/** @throws never; an unreadable table has problems and no rows. `code`: where the table has no column for it. */
export function readRegisterTable(file: string, text: string, code: 3 | 4): RegisterTable {
  const { rows: lines } = parseCsvTable(text);
  const heading = lines.findIndex(({ cells }) => {
    const columns = columnsOf(cells);
    return MANDATORY.every(column => columns[column] !== undefined);
  });
  if (heading < 0) return { rows: [], notes: [], problems: [noHeading(file, lines[0])] };
  return new TableReader(file, lines[heading].cells, code).read(lines.slice(heading + 1));
}

function noHeading(file: string, first: { line: number; cells: readonly string[] } | undefined): string {
  if (!first) return `${file}:1: found an empty file, expected a heading and rows of a CSV`;
  const found = columnsOf(first.cells);
  const missing = MANDATORY.filter(column => found[column] === undefined);
  const hints = first.cells.map(cell => didYouMean(plain(cell), missing)).filter(hint => hint !== '');
  return `${file}:${first.line}: found the columns ${first.cells.join(', ')}, expected one for ${missing.join(' and one for ')}${hints[0] ?? ''}`;
}

function columnsOf(cells: readonly string[]): Partial<Record<Column, number>> {
  const columns: Partial<Record<Column, number>> = {};
  for (const [column, names] of Object.entries(HEADINGS) as [Column, readonly string[]][]) {
    // The best name wins, not the first column: "No" numbers the rows where there is an "Address", too.
    for (const name of names) {
      const index = cells.findIndex(cell => plain(cell) === name);
      if (index < 0) continue;
      columns[column] ??= index;
    }
  }
  return columns;
}

const MAX_ADDRESS = 65_535;

class TableReader {
  readonly #file: string;
  readonly #columns: Partial<Record<Column, number>>;
  readonly #code: 3 | 4;
  readonly #is_hex_column: boolean;
  readonly #notes = new Set<string>();
  readonly #problems: string[] = [];

  constructor(file: string, heading: readonly string[], code: 3 | 4) {
    this.#file = file;
    this.#columns = columnsOf(heading);
    this.#code = code;
    const title = heading[this.#columns.address ?? 0];
    this.#is_hex_column = /hex/i.test(title) && !/dec/i.test(title);
  }

  read(lines: readonly { line: number; cells: readonly string[] }[]): RegisterTable {
    const cell = (cells: readonly string[], column: Column) => cells[this.#columns[column] ?? -1] ?? '';
    const addresses = lines.map(({ cells }) => cell(cells, 'address'));
    const is_hex = this.#is_hex_column || addresses.some(text => /^(?=.*[a-f])[0-9a-f]{2,4}$/i.test(text));
    if (is_hex && addresses.some(text => /^\d+$/.test(text)))
      this.#notes.add('addresses are taken as hexadecimal, as some have letters or the heading says so');
    const numbers = addresses.map(text => spanIn(text, is_hex));
    const from = referenceBase(numbers.map(span => span?.[0]));
    if (from)
      this.#notes.add(
        `addresses from ${from.base} on are taken as references: less ${from.base}, function ${from.code}`,
      );
    const rows = lines.flatMap(({ line, cells }, i): RegisterRow[] => {
      const span = numbers[i];
      const name = cell(cells, 'name');
      if (!span) {
        // A title between the rows, or a remark.
        if (addresses[i] !== '')
          this.#problem(line, `address "${addresses[i]}"`, 'a number such as 4096, 0x1000 or 1000h');
        return [];
      }
      const at = span[0] - (from?.base ?? 0);
      const kind = typeOf(cell(cells, 'type'), span[1] - span[0] + 1);
      const type = kind.type ?? (kind.is_number ? guessedType(name, cell(cells, 'unit')) : undefined);
      if (kind.is_number && !kind.type)
        this.#notes.add('rows without a type are taken as u16, currents as s16');
      const length = Math.max(span[1] - span[0] + 1, type ? sizeOf(type) : 1);
      if (at < 0 || at + length - 1 > MAX_ADDRESS) {
        this.#problem(line, `address ${addresses[i]}`, `one from 0 to ${MAX_ADDRESS}`);
        return [];
      }
      const scale = this.#scale(line, cell(cells, 'scale'), cell(cells, 'divisor'));
      const offset = cell(cells, 'offset') === '' ? 0 : numberIn(cell(cells, 'offset'));
      if (offset === undefined) this.#problem(line, `offset "${cell(cells, 'offset')}"`, 'a number');
      if (scale === undefined || offset === undefined) return [];
      const code = from?.code ?? codeOf(cell(cells, 'code')) ?? this.#code;
      const unit = cell(cells, 'unit') || scale.unit;
      return [{ line, code, at, length, name, type, order: kind.order, scale: scale.value, offset, unit }];
    });
    return { rows, notes: [...this.#notes], problems: this.#problems };
  }

  #problem(line: number, found: string, expected: string): void {
    this.#problems.push(`${this.#file}:${line}: found ${found}, expected ${expected}`);
  }

  /** "0.01", "x 0.1", "1/100", "/10", "10 mV" (then with its unit). */
  #scale(line: number, text: string, divisor: string): { value: number; unit: string } | undefined {
    if (divisor !== '' && text === '') {
      const value = numberIn(divisor);
      if (value !== undefined && value > 0) return { value: 1 / value, unit: '' };
      this.#problem(line, `divisor "${divisor}"`, 'a number above 0');
      return undefined;
    }
    const bare = text
      .trim()
      .replace(/^[x×*]\s*/i, '')
      .replace(/^[/÷]\s*/, '1/');
    if (bare === '' || bare === '-') return { value: 1, unit: '' };
    const value = numberIn(bare);
    if (value !== undefined && value > 0) return { value, unit: '' };
    if (unitOf(bare)) return { value: 1, unit: bare };
    this.#problem(line, `scale "${text}"`, 'a number above 0, such as 0.01 or 1/100');
    return undefined;
  }
}

/** First and last address: "0x1000", "1000h", "4096", "0x1000-0x100F". */
function spanIn(text: string, is_hex: boolean): readonly [number, number] | undefined {
  const [first, last = first, ...more] = text.split(/\s*(?:-|–|~|\.\.|…|to)\s*/i);
  const span = [addressIn(first, is_hex), addressIn(last, is_hex)] as const;
  const [from, to] = span;
  if (more.length > 0 || from === undefined || to === undefined || to < from) return undefined;
  return [from, to];
}

function addressIn(text: string, is_hex: boolean): number | undefined {
  const [, marked] = /^(?:0x|\$|#)([0-9a-f]{1,8})$/i.exec(text) ?? /^([0-9a-f]{1,8})h$/i.exec(text) ?? [];
  if (marked !== undefined) return Number.parseInt(marked, 16);
  if (is_hex && /^[0-9a-f]{1,4}$/i.test(text)) return Number.parseInt(text, 16);
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

/** Maps that number holding registers from 40001 and input registers from 30001, all of them. */
function referenceBase(
  addresses: readonly (number | undefined)[],
): { base: number; code: 3 | 4 } | undefined {
  const known = addresses.filter(address => address !== undefined);
  if (known.length === 0) return undefined;
  const areAll = (from: number, to: number) => known.every(address => address >= from && address <= to);
  for (const [base, code] of [
    [40_001, 3],
    [400_001, 3],
    [30_001, 4],
    [300_001, 4],
  ] as const)
    if (areAll(base, base + (base > 100_000 ? MAX_ADDRESS : 9998))) return { base, code };
  return undefined;
}

function codeOf(text: string): 3 | 4 | undefined {
  if (/^(0x)?0*4\b|input|^3x/i.test(text)) return 4;
  if (/^(0x)?0*3\b|holding|^4x/i.test(text)) return 3;
  return undefined;
}

const ORDERS: readonly [RegExp, ByteOrder][] = [
  [/abcd|big/i, 'ABCD'],
  [/cdab|swap|low.?word.?first/i, 'CDAB'],
  [/badc/i, 'BADC'],
  [/dcba|little/i, 'DCBA'],
];

/** `is_number` without a type: nothing is said. */
function typeOf(
  text: string,
  registers: number,
): { type: NumberType | undefined; is_number: boolean; order: ByteOrder | undefined } {
  const order = ORDERS.find(([pattern]) => pattern.test(text))?.[1];
  const word = text
    .toLowerCase()
    .replace(/abcd|cdab|badc|dcba/g, '')
    .replace(/[^a-z0-9]/g, '');
  const none = { type: undefined, order, is_number: false };
  if (/str|ascii|char|text|bcd|bit|bool|enum|date|time|reserved/.test(word)) return none;
  const is_signed = /^(s|i(?!nput)|int|sint|signed|short|long)/.test(word) && !/^int\d*u|unsigned/.test(word);
  const bits = Number(/(64|32|16|8)/.exec(word)?.[1] ?? Number.NaN);
  if (/float|real|f32|ieee|single/.test(word))
    return bits === 64 || bits === 16 ? none : { type: 'f32', order, is_number: true };
  if (/double/.test(word)) return none;
  if (!Number.isNaN(bits)) {
    if (bits === 8) return { type: is_signed ? 's8_low' : 'u8_low', order, is_number: true };
    return { type: `${is_signed ? 's' : 'u'}${bits as 16 | 32 | 64}`, order, is_number: true };
  }
  if (/dword|long/.test(word))
    return { type: is_signed && word.startsWith('long') ? 's32' : 'u32', order, is_number: true };
  if (/word|ushort|unsigned|^u$|uint/.test(word))
    return { type: registers === 2 ? 'u32' : 'u16', order, is_number: true };
  if (/short|^s$|^i$|int|signed/.test(word))
    return { type: registers === 2 ? 's32' : 's16', order, is_number: true };
  // The column says who may do what, or nothing.
  if (/^(r|ro|rw|w|wo|rd|read|)$/.test(word))
    return { type: registers === 2 ? 'u32' : undefined, order, is_number: true };
  return none;
}

function guessedType(name: string, unit: string): NumberType {
  return /^m?a$/i.test(unit.trim()) || /current/i.test(name) ? 's16' : 'u16';
}
