/** `bms-gateway profiles draft --csv FILE`: a first Modbus profile from a vendor's table of registers. */
import { sizeOf } from '../../../drivers/modbus/registers/raw-number.ts';
import type {
  PackSource,
  RegistersSection,
  Row,
} from '../../../drivers/modbus/registers/registers-section.ts';
import { ABOUT, CURRENT_SIGN, type Draft, draftText, headOf } from './draft.ts';
import { type Meaning, meaningOf, round, unitOf } from './meaning.ts';
import { type RegisterRow, readRegisterTable } from './register-table.ts';

type Blocks = Record<string, RegistersSection['blocks'][string]>;

/** A number of a row: cell or sensor `number`. */
interface Numbered {
  readonly number: number;
  readonly row: RegisterRow;
  readonly at: number;
}

export function draftRegisters(file: string, text: string, id: string, code: 3 | 4): Draft {
  const table = readRegisterTable(file, text, code);
  const open: string[] = [...table.problems, ...table.notes.map(note => `${file}: ${note}`)];
  if (table.rows.length === 0) return { text: '', open };
  const { blocks, blockOf } = blocksOf(table.rows);
  const pack: Record<string, PackSource> = {};
  const cells: Numbered[] = [];
  const sensors: Numbered[] = [];
  const skip = (row: RegisterRow, why: string) =>
    open.push(`${file}:${row.line}: ${addressText(row.at)} "${row.name}": ${why}`);
  for (const row of table.rows) {
    const meaning = meaningOf(row.name, row.unit);
    if (!row.type) skip(row, 'no number that is read: text, bits or a type that is not known');
    else if ('why' in meaning) skip(row, meaning.why);
    else if (meaning.scope === 'pack') {
      const { metric } = meaning;
      if (pack[metric]) skip(row, `a second ${metric}; the first one was taken`);
      else {
        pack[metric] = sourceOf(row, blockOf(row));
        if (metric === 'current_a') pack[metric] = { ...pack[metric], negate_when: CURRENT_SIGN };
        if (sizeOf(row.type) > 1 && !row.order)
          skip(row, 'taken with the high word first; write `order: CDAB` if its numbers make no sense');
      }
    } else (meaning.scope === 'cell' ? cells : sensors).push(...numbersOf(row, meaning, skip));
  }
  const cellRows = rowsOf(cells, blockOf, skip);
  const sensorRows = rowsOf(sensors, blockOf, skip);
  const countIn = (rows: readonly Row[]) => rows.reduce((sum, { count }) => sum + count, 0);
  const has_current = pack.current_a !== undefined;
  if (has_current) open.push('the sign of the current is an option: compare once with the charger running');
  if (!pack.voltage_v) open.push('no voltage of the pack was found');
  const source = `Drafted from ${file.split(/[\\/]/).at(-1)}`;
  const profile = {
    ...headOf({
      id,
      source,
      transport: 'modbus',
      cells: countIn(cellRows),
      sensors: countIn(sensorRows),
      has_current,
    }),
    registers: {
      blocks,
      pack,
      ...(cellRows.length > 0 && { cells: { voltage_v: cellRows } }),
      ...(sensorRows.length > 0 && { sensors: sensorRows }),
    },
  };
  return { text: draftText(profile, ABOUT, open), open };
}

const addressText = (at: number) => `0x${at.toString(16).padStart(4, '0')}`;

/** Rows that follow one another without a hole, of one function, are a block: of others nothing is known. */
function blocksOf(rows: readonly RegisterRow[]): { blocks: Blocks; blockOf: (row: RegisterRow) => string } {
  const blocks: Blocks = {};
  const sorted = rows.toSorted((a, b) => a.code - b.code || a.at - b.at);
  let current: { code: number; first: number; last: number } | undefined;
  for (const { code, at, length } of sorted) {
    if (current && current.code === code && at <= current.last + 1) {
      current.last = Math.max(current.last, at + length - 1);
    } else {
      current = { code, first: at, last: at + length - 1 };
      blocks[`block_${Object.keys(blocks).length + 1}`] = current;
    }
  }
  const entries = Object.entries(blocks);
  const blockOf = ({ code, at }: RegisterRow) =>
    entries.find(([, block]) => block.code === code && at >= block.first && at <= block.last)![0];
  return { blocks, blockOf };
}

/** (raw + add) × scale in SI, from raw × scale + offset in the vendor's unit. */
function scalingOf(row: RegisterRow): { scale?: number; add?: number } {
  const unit = unitOf(row.unit) ?? { factor: 1, offset: 0 };
  const scale = round(row.scale * unit.factor);
  const add = round((row.offset * unit.factor + unit.offset) / scale);
  return { ...(add !== 0 && { add }), ...(scale !== 1 && { scale }) };
}

function placeOf(row: RegisterRow, block: string, at: number) {
  return {
    block,
    at,
    ...(row.type && row.type !== 'u16' && { type: row.type }),
    ...(row.order && row.order !== 'ABCD' && { order: row.order }),
  };
}

function sourceOf(row: RegisterRow, block: string): PackSource {
  return { ...placeOf(row, block, row.at), ...scalingOf(row) };
}

type Skip = (row: RegisterRow, why: string) => void;

/** One number, or as many as the name says where the row is as long as all of them. */
function numbersOf(
  row: RegisterRow,
  { first, last }: Meaning & { first: number; last: number },
  skip: Skip,
): Numbered[] {
  const count = last - first + 1;
  const size = row.type ? sizeOf(row.type) : 1;
  if (count > 1 && row.length !== count * size) {
    skip(
      row,
      `${count} numbers in ${row.length} registers: give each a row, or the row its whole span of addresses`,
    );
    return [];
  }
  return Array.from({ length: count }, (_, i) => ({ number: first + i, row, at: row.at + i * size }));
}

/** Runs of numbers with one type and scale and one distance; a number that is missing ends them. */
function rowsOf(numbered: readonly Numbered[], blockOf: (row: RegisterRow) => string, skip: Skip): Row[] {
  const sorted = numbered.toSorted((a, b) => a.number - b.number);
  const rows: Row[] = [];
  let previous: Numbered | undefined;
  for (const one of sorted) {
    if (previous && one.number === previous.number) {
      skip(one.row, `number ${one.number} a second time`);
      continue;
    }
    if (previous && one.number !== previous.number + 1) {
      skip(one.row, `number ${previous.number + 1} is missing before it`);
      continue;
    }
    const block = blockOf(one.row);
    const like = { ...placeOf(one.row, block, one.at), ...scalingOf(one.row) };
    const size = one.row.type ? sizeOf(one.row.type) : 1;
    const run = rows.at(-1);
    if (run && previous && isAlike(run, like)) {
      const stride = run.stride ?? size;
      const distance = one.at - previous.at;
      if (distance === stride || (run.count === 1 && distance > 0 && distance <= 1024)) {
        rows[rows.length - 1] = {
          ...run,
          count: run.count + 1,
          ...(distance !== size && { stride: distance }),
        };
        previous = one;
        continue;
      }
    }
    rows.push({ ...like, count: 1 });
    previous = one;
  }
  return rows;
}

/** The same but for the place. */
function isAlike(run: Row, other: Omit<Row, 'count'>): boolean {
  return (['block', 'type', 'order', 'scale', 'add'] as const).every(key => run[key] === other[key]);
}
