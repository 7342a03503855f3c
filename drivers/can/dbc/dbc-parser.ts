/**
 * Reads a DBC file. Lenient on purpose: a statement that cannot be read costs a warning with its line
 * and nothing else; sections that say nothing about decoding are skipped.
 */
import { DbcCursor, Unreadable } from './dbc-cursor.ts';
import type { Dbc, DbcMessage, DbcSignal, DbcWarning } from './dbc-model.ts';
import type { DbcToken } from './dbc-tokens.ts';

const EXTENDED_FLAG = 0x80000000;
/** Dummy message in which tools keep signals that belong to none. */
const INDEPENDENT_SIGNALS_ID = 0xc0000000;

/** Sections that carry nothing a decoder needs. */
const SKIPPED = new Set([
  'VERSION',
  'BS_',
  'BU_',
  'VAL_TABLE_',
  'BO_TX_BU_',
  'SIG_GROUP_',
  'BA_DEF_REL_',
  'BA_REL_',
  'BA_DEF_DEF_REL_',
  'BU_SG_REL_',
  'BU_EV_REL_',
  'BU_BO_REL_',
  'EV_',
  'EV_DATA_',
  'ENVVAR_DATA_',
  'SGTYPE_',
  'SGTYPE_VAL_',
  'BA_SGTYPE_',
  'SIG_TYPE_REF_',
  'SIGTYPE_VALTYPE_',
  'CAT_DEF_',
  'CAT_',
  'FILTER',
]);
const STATEMENTS = new Set([
  'NS_',
  'BO_',
  'SG_',
  'CM_',
  'BA_DEF_',
  'BA_DEF_DEF_',
  'BA_',
  'VAL_',
  'SIG_VALTYPE_',
  'SG_MUL_VAL_',
  ...SKIPPED,
]);

/** Bytes of a file to text: UTF-8 where valid, otherwise cp1252, which most tools write. */
export function decodeDbcBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

export function parseDbc(text: string): Dbc {
  return new DbcParser(text).parse();
}

class DbcParser {
  readonly #cursor: DbcCursor;
  readonly #messages = new Map<number, DbcMessage>();
  readonly #warnings: DbcWarning[] = [];
  #message: DbcMessage | undefined;
  #inMessage = false;
  /** Values of enumerated attributes by attribute name: BA_ may give an index into them. */
  readonly #enums = new Map<string, string[]>();
  readonly #attributeDefaults = new Map<string, string>();
  readonly #attributes = new Map<DbcMessage, Map<string, string>>();

  readonly #readers: ReadonlyMap<string, (keyword: DbcToken) => void> = new Map([
    ['NS_', () => this.#skipNewSymbols()],
    ['BO_', (keyword: DbcToken) => this.#readMessage(keyword)],
    ['SG_', (keyword: DbcToken) => this.#readSignal(keyword)],
    ['CM_', () => this.#readComment()],
    ['BA_DEF_', () => this.#readAttributeDefinition()],
    ['BA_DEF_DEF_', () => this.#readAttributeDefault()],
    ['BA_', () => this.#readAttribute()],
    ['VAL_', () => this.#readChoices()],
    ['SIG_VALTYPE_', () => this.#readValueType()],
    ['SG_MUL_VAL_', () => this.#readMultiplexRanges()],
  ]);

  constructor(text: string) {
    this.#cursor = new DbcCursor(text, STATEMENTS);
  }

  parse(): Dbc {
    const cursor = this.#cursor;
    while (!cursor.atEnd) {
      const start = cursor.at;
      try {
        this.#statement();
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        this.#warn(cursor.peek()?.line ?? cursor.line, error.message);
        cursor.at = Math.max(cursor.at, start + 1);
        cursor.skipToStatement();
      }
    }
    for (const message of this.#messages.values()) this.#finish(message);
    return { messages: [...this.#messages.values()], warnings: this.#warnings };
  }

  #statement(): void {
    const keyword = this.#cursor.next('word', 'a section keyword');
    const read = this.#readers.get(keyword.text);
    if (read) read(keyword);
    else if (SKIPPED.has(keyword.text)) this.#cursor.skipToStatement();
    else throw new Unreadable(`unknown section "${keyword.text}"`);
  }

  // -- messages and signals

  #readMessage(keyword: DbcToken): void {
    this.#message = undefined;
    this.#inMessage = true;
    const fileId = this.#cursor.integer('a message id');
    const name = this.#cursor.next('word', 'a message name').text;
    if (this.#cursor.peekText() === ':') this.#cursor.at++;
    const length_bytes = this.#cursor.integer('a message length');
    this.#cursor.optionalWord();
    if (fileId === INDEPENDENT_SIGNALS_ID) return;
    if (fileId > 0x7ff && fileId < EXTENDED_FLAG)
      this.#warn(
        keyword.line,
        `message ${name}: id ${fileId} needs 29 bits but bit 31 is not set; taken as extended`,
      );
    if (this.#messages.has(fileId)) {
      this.#warn(
        keyword.line,
        `message ${name}: id ${fileId} is taken by ${this.#messages.get(fileId)?.name}`,
      );
      return;
    }
    this.#message = {
      id: (fileId & 0x1fffffff) >>> 0,
      extended: fileId >= EXTENDED_FLAG || fileId > 0x7ff,
      name,
      length_bytes,
      signals: [],
      cycle_ms: undefined,
      j1939: false,
      comment: undefined,
    };
    this.#messages.set(fileId, this.#message);
  }

  #readSignal(keyword: DbcToken): void {
    const name = this.#cursor.next('word', 'a signal name').text;
    const muxText =
      this.#cursor.peekText() === ':' ? '' : this.#cursor.next('word', 'a multiplex mark or ":"').text;
    this.#cursor.punct(':');
    const start_bit = this.#cursor.integer('a start bit');
    this.#cursor.punct('|');
    const length_bit = this.#cursor.integer('a length');
    this.#cursor.punct('@');
    const [order, sign] = this.#orderAndSign();
    this.#cursor.punct('(');
    const scale = this.#cursor.number('a scale');
    this.#cursor.punct(',');
    const offset = this.#cursor.number('an offset');
    this.#cursor.punct(')');
    this.#cursor.punct('[');
    const min = this.#cursor.number('a minimum');
    this.#cursor.punct('|');
    const max = this.#cursor.number('a maximum');
    this.#cursor.punct(']');
    const unit = this.#cursor.next('string', 'a unit').text;
    this.#skipReceivers(keyword.line);
    const mark = /^(?:m(\d+))?(M)?$/.exec(muxText);
    if (!mark) throw new Unreadable(`signal ${name}: multiplex mark "${muxText}" is none of M, mN, mNM`);
    if (length_bit < 1 || length_bit > 64)
      throw new Unreadable(`signal ${name}: length ${length_bit} bit, expected 1 to 64`);
    if (!this.#message) {
      if (!this.#inMessage) throw new Unreadable(`signal ${name} stands outside a message`);
      return;
    }
    this.#message.signals.push({
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
      multiplexer: mark[2] === 'M',
      mux: mark[1] === undefined ? undefined : { switch: '', ranges: [[Number(mark[1]), Number(mark[1])]] },
      choices: undefined,
      comment: undefined,
    });
  }

  /** `1+`, `0-`: the tokenizer may have joined or split them. */
  #orderAndSign(): [string, string] {
    const order = this.#cursor.next('number', 'a byte order').text;
    const sign = this.#cursor.next('punct', '+ or -').text;
    if ((order !== '0' && order !== '1') || (sign !== '+' && sign !== '-'))
      throw new Unreadable(`byte order and sign "${order}${sign}", expected 0 or 1 with + or -`);
    return [order, sign];
  }

  #skipReceivers(line: number): void {
    for (
      let token = this.#cursor.peek();
      token && token.line === line && !token.first;
      token = this.#cursor.peek()
    )
      this.#cursor.at++;
  }

  /** Multiplexed signals name their switch; a message's plain `M` serves those that name none. */
  #finish(message: DbcMessage): void {
    const plain = message.signals.find(signal => signal.multiplexer && signal.mux === undefined);
    const anySwitch = plain ?? message.signals.find(signal => signal.multiplexer);
    for (const signal of message.signals) {
      if (signal.mux?.switch !== '') continue;
      if (anySwitch && anySwitch !== signal) signal.mux = { ...signal.mux, switch: anySwitch.name };
      else {
        this.#warn(
          0,
          `signal ${message.name}.${signal.name} is multiplexed but the message has no multiplexer`,
        );
        message.signals.splice(message.signals.indexOf(signal), 1);
        this.#finish(message);
        return;
      }
    }
    const cycle_ms = Number(this.#attributeOf(message, 'GenMsgCycleTime') ?? Number.NaN);
    if (cycle_ms > 0) message.cycle_ms = cycle_ms;
    message.j1939 = message.extended && this.#attributeOf(message, 'VFrameFormat') === 'J1939PG';
  }

  #attributeOf(message: DbcMessage, name: string): string | undefined {
    const value = this.#attributes.get(message)?.get(name) ?? this.#attributeDefaults.get(name);
    return this.#enums.get(name)?.[Number(value)] ?? value;
  }

  // -- what is said about them elsewhere

  #readComment(): void {
    if (this.#cursor.peek()?.kind === 'string') {
      this.#cursor.at++;
      this.#endOfStatement();
      return;
    }
    const kind =
      this.#cursor.peek()?.kind === 'number'
        ? 'BO_'
        : this.#cursor.next('word', 'what the comment is for').text;
    if (kind === 'BO_' || kind === 'SG_') {
      const message = this.#lookUpMessage();
      const signal = this.#cursor.peek()?.kind === 'word' ? this.#lookUpSignal(message) : undefined;
      const text = this.#cursor.next('string', 'a comment').text;
      if (signal) signal.comment = text;
      else if (message) message.comment = text;
      this.#endOfStatement();
      return;
    }
    this.#cursor.skipToStatement();
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
      this.#enums.set(name, values);
    }
    this.#cursor.skipToStatement();
  }

  #readAttributeDefault(): void {
    const name = this.#cursor.next('string', 'an attribute name').text;
    this.#attributeDefaults.set(name, this.#cursor.any('a default').text);
    this.#endOfStatement();
  }

  #readAttribute(): void {
    const name = this.#cursor.next('string', 'an attribute name').text;
    const kind = this.#cursor.peek()?.kind === 'word' ? this.#cursor.any('what it is for').text : '';
    if (kind !== 'BO_' && kind !== 'SG_') {
      this.#cursor.skipToStatement();
      return;
    }
    const message = this.#lookUpMessage();
    const signal = kind === 'SG_' ? this.#lookUpSignal(message) : undefined;
    const value = this.#cursor.any('an attribute value').text;
    this.#endOfStatement();
    if (!message) return;
    if (kind === 'BO_') {
      const own = this.#attributes.get(message) ?? new Map<string, string>();
      this.#attributes.set(message, own.set(name, value));
    }
    if (kind === 'BO_' && name === 'SystemMessageLongSymbol') message.name = value;
    if (kind === 'SG_' && name === 'SystemSignalLongSymbol' && signal) this.#rename(message, signal, value);
  }

  #rename(message: DbcMessage, signal: DbcSignal, name: string): void {
    for (const other of message.signals)
      if (other.mux?.switch === signal.name) other.mux = { ...other.mux, switch: name };
    signal.name = name;
  }

  #readChoices(): void {
    if (this.#cursor.peek()?.kind === 'word') {
      this.#cursor.skipToStatement();
      return;
    }
    const message = this.#lookUpMessage();
    const signal = this.#lookUpSignal(message);
    const choices = new Map<number, string>();
    while (this.#cursor.peek()?.kind === 'number') {
      const value = this.#cursor.number('a value');
      choices.set(value, this.#cursor.next('string', 'what the value means').text);
    }
    if (signal) signal.choices = choices;
    this.#endOfStatement();
  }

  #readValueType(): void {
    const message = this.#lookUpMessage();
    const signal = this.#lookUpSignal(message);
    if (this.#cursor.peekText() === ':') this.#cursor.at++;
    const type = this.#cursor.integer('a value type');
    this.#endOfStatement();
    if (!signal || type === 0) return;
    const wanted = type === 1 ? 32 : type === 2 ? 64 : 0;
    if (signal.length_bit !== wanted)
      throw new Unreadable(`signal ${signal.name}: value type ${type} on ${signal.length_bit} bit`);
    signal.float = type === 1 ? 'float32' : 'float64';
  }

  #readMultiplexRanges(): void {
    const message = this.#lookUpMessage();
    const signal = this.#lookUpSignal(message);
    const switchName = this.#cursor.next('word', 'a multiplexer name').text;
    const ranges: [number, number][] = [];
    while (this.#cursor.peek() && this.#cursor.peekText() !== ';') {
      const low = this.#cursor.integer('a multiplex value');
      // "3-5" arrives as 3 and -5.
      const high = Math.abs(this.#cursor.integer('the end of a multiplex range'));
      ranges.push([low, high]);
      if (this.#cursor.peekText() === ',') this.#cursor.at++;
    }
    this.#endOfStatement();
    if (!message || !signal) return;
    if (!message.signals.some(other => other.name === switchName))
      throw new Unreadable(`signal ${signal.name}: no multiplexer ${switchName} in message ${message.name}`);
    signal.mux = { switch: switchName, ranges };
  }

  /** Undefined, with a warning, where the file speaks of a message it does not have. */
  #lookUpMessage(): DbcMessage | undefined {
    const token = this.#cursor.peek();
    const id = this.#cursor.integer('a message id');
    const message = this.#messages.get(id);
    if (!message && id !== INDEPENDENT_SIGNALS_ID) this.#warn(token?.line ?? 0, `no message with id ${id}`);
    return message;
  }

  #lookUpSignal(message: DbcMessage | undefined): DbcSignal | undefined {
    const token = this.#cursor.next('word', 'a signal name');
    const signal = message?.signals.find(other => other.name === token.text);
    if (message && !signal) this.#warn(token.line, `message ${message.name} has no signal ${token.text}`);
    return signal;
  }

  #endOfStatement(): void {
    if (this.#cursor.peekText() === ';') this.#cursor.at++;
    else this.#warn(this.#cursor.line, 'statement without its ";"');
  }

  /** The NS_ list names keywords, one a line; it ends at the first that opens a statement. */
  #skipNewSymbols(): void {
    if (this.#cursor.peekText() === ':') this.#cursor.at++;
    while (this.#cursor.peek()?.kind === 'word' && this.#cursor.peek(1)?.first !== false) this.#cursor.at++;
  }

  #warn(line: number, text: string): void {
    this.#warnings.push({ line, text });
  }
}
