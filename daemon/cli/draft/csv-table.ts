/** A CSV as people export it: quoted fields, comma, semicolon or tab, with or without a byte order mark (RFC 4180). */

export interface CsvRow {
  /** Of the file, counting from 1; where a quoted field goes over several, the first. */
  readonly line: number;
  readonly cells: readonly string[];
}

const SEPARATORS = [',', ';', '\t'] as const;

/** Without empty rows; cells are trimmed. */
export function parseCsvTable(text: string): { separator: string; rows: CsvRow[] } {
  const plain = text.replace(/^\ufeff/, '');
  const separator = separatorOf(plain);
  return {
    separator,
    rows: rowsOf(plain, separator).filter(({ cells }) => cells.some(cell => cell !== '')),
  };
}

/** The one that the first line with any has most of, outside quotes. */
function separatorOf(text: string): string {
  for (const line of text.split(/\r?\n/)) {
    const bare = line.replace(/"[^"]*"/g, '');
    const counts = SEPARATORS.map(separator => bare.split(separator).length - 1);
    const most = Math.max(...counts);
    if (most > 0) return SEPARATORS[counts.indexOf(most)];
  }
  return ',';
}

function rowsOf(text: string, separator: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let cell = '';
  let is_quoted = false;
  let line = 1;
  let begin = 1;
  const endCell = () => {
    cells.push(cell.trim());
    cell = '';
  };
  const endRow = () => {
    endCell();
    rows.push({ line: begin, cells });
    cells = [];
    begin = line + 1;
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      if (is_quoted && text[i + 1] === '"') cell += text[i++];
      else if (is_quoted || cell.trim() === '') is_quoted = !is_quoted;
      else cell += character;
    } else if (character === separator && !is_quoted) endCell();
    else if (character === '\n' && !is_quoted) {
      endRow();
      line++;
    } else {
      if (character === '\n') line++;
      if (character !== '\r' || is_quoted) cell += character;
    }
  }
  endRow();
  return rows;
}
