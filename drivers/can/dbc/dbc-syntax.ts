/**
 * Reads the statements of a DBC file, each for itself: messages with their signals, and remarks about them,
 * which may come before what they speak of. A statement that cannot be read costs a warning with its line
 * and nothing else; sections that say nothing about decoding are skipped.
 */
import { DbcCursor, Unreadable } from './dbc-cursor.ts';
import type { DbcSignal, DbcWarning } from './dbc-model.ts';
import type { DbcToken } from './dbc-tokens.ts';

/** Id of the dummy message in which tools keep signals that belong to none, and its name. */
const INDEPENDENT_SIGNALS_ID = 0xc0000000;
const INDEPENDENT_SIGNALS = 'VECTOR__INDEPENDENT_SIG_MSG';
const MAX_SIGNAL_BIT = 512;

/** Sections that carry nothing a decoder needs. */
const SKIPPED =
  'BO_TX_BU_ SIG_GROUP_ BA_DEF_REL_ BA_REL_ BA_DEF_DEF_REL_ BU_SG_REL_ BU_EV_REL_ BU_BO_REL_ EV_ EV_DATA_ ' +
  'ENVVAR_DATA_ SGTYPE_ SGTYPE_VAL_ BA_DEF_SGTYPE_ BA_SGTYPE_ SIG_TYPE_REF_ SIGTYPE_VALTYPE_ CAT_DEF_ CAT_ ' +
  'FILTER NS_DESC_';

export interface MessageStatement {
  readonly line: number;
  /** As in the file: bit 31 marks an extended id. */
  readonly file_id: number;
  readonly name: string;
  readonly length_bytes: number;
  readonly signals: SignalStatement[];
}

/** A signal with its multiplex mark: `M`, `mN`, `mNM` or none. */
export interface SignalStatement {
  readonly line: number;
  readonly signal: DbcSignal;
  readonly mux_value: number | undefined;
}

interface About {
  readonly line: number;
  readonly file_id: number;
  readonly signal: string | undefined;
}

export type Remark = About &
  (
    | { readonly kind: 'comment'; readonly text: string }
    | { readonly kind: 'attribute'; readonly name: string; readonly value: string }
    | { readonly kind: 'choices'; readonly choices: Choices | string }
    | { readonly kind: 'value type'; readonly type: number }
    | { readonly kind: 'mux'; readonly switch: string; readonly ranges: readonly [number, number][] }
  );

export type Choices = ReadonlyMap<number, string>;

export interface DbcStatements {
  readonly messages: MessageStatement[];
  readonly remarks: Remark[];
  readonly value_tables: Map<string, Choices>;
  /** Values of enumerated attributes by attribute name: an attribute may give an index into them. */
  readonly enums: Map<string, string[]>;
  readonly attribute_defaults: Map<string, string>;
  readonly warnings: DbcWarning[];
}

export function readDbcStatements(text: string): DbcStatements {
  return new DbcReader(text).read();
}

class DbcReader {
  readonly #cursor: DbcCursor;
  readonly #found: DbcStatements = {
    messages: [],
    remarks: [],
    value_tables: new Map(),
    enums: new Map(),
    attribute_defaults: new Map(),
    warnings: [],
  };
  /** Where SG_ lines belong; undefined: nowhere, null: to a message that is left out. */
  #message: MessageStatement | null | undefined;

  readonly #readers: ReadonlyMap<string, (keyword: DbcToken) => void> = new Map([
    ['VERSION', () => this.#cursor.peek()?.kind === 'string' && this.#cursor.at++],
    ['NS_', () => this.#skipNewSymbols()],
    ['BS_', () => this.#cursor.skipToStatement()],
    ['BU_', () => this.#cursor.skipToStatement()],
    ['BO_', (keyword: DbcToken) => this.#readMessage(keyword.line)],
    ['SG_', (keyword: DbcToken) => this.#readSignal(keyword.line)],
    ['CM_', (keyword: DbcToken) => this.#readComment(keyword.line)],
    ['BA_DEF_', () => this.#readAttributeDefinition()],
    ['BA_DEF_DEF_', () => this.#readAttributeDefault()],
    ['BA_', (keyword: DbcToken) => this.#readAttribute(keyword.line)],
    ['VAL_TABLE_', () => this.#readValueTable()],
    ['VAL_', (keyword: DbcToken) => this.#readChoices(keyword.line)],
    ['SIG_VALTYPE_', (keyword: DbcToken) => this.#readValueType(keyword.line)],
    ['SG_MUL_VAL_', (keyword: DbcToken) => this.#readMultiplexRanges(keyword.line)],
    ...SKIPPED.split(' ').map(name => [name, () => this.#cursor.skipStatement()] as const),
  ]);

  constructor(text: string) {
    this.#cursor = new DbcCursor(text, new Set(this.#readers.keys()));
  }

  read(): DbcStatements {
    const cursor = this.#cursor;
    for (const line of cursor.unclosed_lines) this.#warn(line, 'text without its closing quote');
    while (!cursor.atEnd) {
      const start = cursor.at;
      try {
        this.#statement();
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        this.#warn(cursor.peek()?.line ?? cursor.line, error.message);
        cursor.at = Math.max(cursor.at, start + 1);
        cursor.skipStatement();
      }
    }
    return this.#found;
  }

  #statement(): void {
    const token = this.#cursor.any('a section keyword');
    if (token.kind === 'punct' && token.text === ';') return;
    const read = token.kind === 'word' && this.#readers.get(token.text);
    if (!read) throw new Unreadable(`found "${token.text.slice(0, 60)}", expected a section keyword`);
    read(token);
  }

  // -- messages and signals

  #readMessage(line: number): void {
    this.#message = null;
    const file_id = this.#cursor.integer('a message id');
    const name = this.#cursor.name('a message name');
    this.#cursor.skip(':');
    const length_bytes = this.#cursor.integer('a message length');
    this.#cursor.skipNames();
    if (name === INDEPENDENT_SIGNALS || file_id === INDEPENDENT_SIGNALS_ID) return;
    if (file_id < 0 || file_id > 0xffffffff)
      throw new Unreadable(`message ${name}: id ${file_id}, expected one of 32 bits`);
    this.#message = { line, file_id, name, length_bytes, signals: [] };
    this.#found.messages.push(this.#message);
  }

  #readSignal(line: number): void {
    const cursor = this.#cursor;
    const name = cursor.name('a signal name');
    const mark = cursor.peekText() === ':' ? '' : cursor.next('word', 'a multiplex mark or ":"').text;
    cursor.punct(':');
    const start_bit = cursor.integer('a start bit');
    cursor.punct('|');
    const length_bit = cursor.integer('a length');
    cursor.punct('@');
    const [order, sign] = this.#orderAndSign();
    cursor.punct('(');
    const scale = cursor.number('a scale');
    cursor.punct(',');
    const offset = cursor.number('an offset');
    cursor.punct(')');
    const [min, max] = this.#bounds();
    const unit = cursor.peek()?.kind === 'string' ? cursor.any('a unit').text : '';
    cursor.skipNames();
    const [, mux, switches] = /^(?:m(\d+))?(M)?$/.exec(mark) ?? [];
    if (mark !== '' && mux === undefined && switches === undefined)
      throw new Unreadable(`signal ${name}: multiplex mark "${mark}" is none of M, mN, mNM`);
    if (length_bit < 1 || length_bit > MAX_SIGNAL_BIT || start_bit < 0)
      throw new Unreadable(
        `signal ${name}: ${length_bit} bit from bit ${start_bit}, expected 1 to ${MAX_SIGNAL_BIT}`,
      );
    if (this.#message === undefined) throw new Unreadable(`signal ${name} stands outside a message`);
    const signal: DbcSignal = {
      name,
      start_bit,
      length_bit,
      byte_order: order === '1' ? 'intel' : 'motorola',
      signed: sign === '-',
      float: 'none',
      scale,
      offset,
      min,
      max,
      unit,
      multiplexer: switches !== undefined,
      mux: undefined,
      choices: undefined,
      comment: undefined,
    };
    const mux_value = mux === undefined ? undefined : Number(mux);
    this.#message?.signals.push({ line, signal, mux_value });
  }

  /** `1+`, `0-`. */
  #orderAndSign(): [string, string] {
    const order = this.#cursor.next('number', 'a byte order').text;
    const sign = this.#cursor.next('punct', '+ or -').text;
    if ((order !== '0' && order !== '1') || (sign !== '+' && sign !== '-'))
      throw new Unreadable(`byte order and sign "${order}${sign}", expected 0 or 1 with + or -`);
    return [order, sign];
  }

  /** `[min|max]`. It limits nothing, so that one which cannot be read costs nothing. */
  #bounds(): [number, number] {
    const bounds: number[] = [];
    if (!this.#cursor.skip('[')) return [0, 0];
    for (let token = this.#cursor.peek(); token && !token.first; token = this.#cursor.peek()) {
      if (this.#cursor.skip(']')) break;
      if (token.kind === 'number') bounds.push(Number(token.text));
      this.#cursor.at++;
    }
    return [bounds[0] ?? 0, bounds[1] ?? 0];
  }

  // -- what is said about them elsewhere

  #readComment(line: number): void {
    const cursor = this.#cursor;
    const first = cursor.peek();
    if (first?.kind === 'string') cursor.at++;
    else {
      const kind = first?.kind === 'number' ? 'BO_' : cursor.next('word', 'what the comment is for').text;
      if (kind !== 'BO_' && kind !== 'SG_') {
        cursor.skipStatement();
        return;
      }
      const file_id = cursor.integer('a message id');
      const signal = cursor.peek()?.kind === 'string' ? undefined : cursor.name('a signal name');
      const { text } = cursor.next('string', 'a comment');
      this.#found.remarks.push({ kind: 'comment', line, file_id, signal, text });
    }
    this.#endOfStatement();
  }

  #readAttributeDefinition(): void {
    if (this.#cursor.peek()?.kind === 'word') this.#cursor.at++;
    const name = this.#cursor.next('string', 'an attribute name').text;
    if (this.#cursor.peekText() === 'ENUM') {
      this.#cursor.at++;
      const values: string[] = [];
      for (let token = this.#cursor.peek(); token && token.text !== ';'; token = this.#cursor.peek()) {
        if (token.kind === 'string') values.push(token.text);
        else if (token.text !== ',') break;
        this.#cursor.at++;
      }
      this.#found.enums.set(name, values);
    }
    this.#cursor.skipStatement();
  }

  #readAttributeDefault(): void {
    const name = this.#cursor.next('string', 'an attribute name').text;
    this.#found.attribute_defaults.set(name, this.#cursor.any('a default').text);
    this.#endOfStatement();
  }

  #readAttribute(line: number): void {
    const cursor = this.#cursor;
    const { text: name } = cursor.next('string', 'an attribute name');
    const kind = cursor.peek()?.kind === 'word' ? cursor.any('what it is for').text : '';
    if (kind !== 'BO_' && kind !== 'SG_') {
      cursor.skipStatement();
      return;
    }
    const file_id = cursor.integer('a message id');
    const signal = kind === 'SG_' ? cursor.name('a signal name') : undefined;
    const value = cursor.any('an attribute value').text;
    this.#endOfStatement();
    this.#found.remarks.push({ kind: 'attribute', line, file_id, signal, name, value });
  }

  #readValueTable(): void {
    const name = this.#cursor.name('the name of a value table');
    this.#found.value_tables.set(name, this.#choices());
    this.#endOfStatement();
  }

  /** `VAL_ id signal 0 "off" 1 "on" ;`, or the name of a value table in place of the values. */
  #readChoices(line: number): void {
    const cursor = this.#cursor;
    // Of an environment variable.
    if (cursor.peek()?.kind === 'word') {
      cursor.skipStatement();
      return;
    }
    const file_id = cursor.integer('a message id');
    const signal = cursor.name('a signal name');
    const choices = cursor.peek()?.kind === 'word' && !cursor.atStatement ? cursor.name('') : this.#choices();
    this.#found.remarks.push({ kind: 'choices', line, file_id, signal, choices });
    this.#endOfStatement();
  }

  #choices(): Map<number, string> {
    const choices = new Map<number, string>();
    while (this.#cursor.peek()?.kind === 'number') {
      const value = this.#cursor.number('a value');
      choices.set(value, this.#cursor.next('string', 'what the value means').text);
    }
    return choices;
  }

  #readValueType(line: number): void {
    const file_id = this.#cursor.integer('a message id');
    const signal = this.#cursor.name('a signal name');
    this.#cursor.skip(':');
    const type = this.#cursor.integer('a value type');
    this.#endOfStatement();
    this.#found.remarks.push({ kind: 'value type', line, file_id, signal, type });
  }

  #readMultiplexRanges(line: number): void {
    const cursor = this.#cursor;
    const file_id = cursor.integer('a message id');
    const signal = cursor.name('a signal name');
    const switchName = cursor.name('a multiplexer name');
    const ranges: [number, number][] = [];
    while (cursor.peek()?.kind === 'number') {
      const low = cursor.integer('a multiplex value');
      // "3-5" arrives as 3 and -5.
      cursor.skip('-');
      ranges.push([low, Math.abs(cursor.integer('the end of a multiplex range'))]);
      cursor.skip(',');
    }
    this.#endOfStatement();
    this.#found.remarks.push({ kind: 'mux', line, file_id, signal, switch: switchName, ranges });
  }

  #endOfStatement(): void {
    if (!this.#cursor.skip(';')) this.#warn(this.#cursor.line, 'statement without its ";"');
  }

  /** The NS_ list names keywords, mostly one a line; it ends at the first that opens a statement. */
  #skipNewSymbols(): void {
    const cursor = this.#cursor;
    cursor.skip(':');
    for (let token = cursor.peek(); token?.kind === 'word'; token = cursor.peek()) {
      const after = cursor.peek(1);
      const listed = after?.first !== false || (after.kind === 'word' && !token.first);
      if (!listed) return;
      cursor.at++;
    }
  }

  #warn(line: number, text: string): void {
    this.#found.warnings.push({ line, text });
  }
}
