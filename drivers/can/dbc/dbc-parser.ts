/**
 * Makes messages and signals of a DBC file's statements. What is said about a message or signal is applied
 * wherever in the file it stands, to every message of that id. Where a file is wrong, the rest is kept and
 * a warning names the line.
 */
import type { Dbc, DbcMessage, DbcSignal, DbcWarning } from './dbc-model.ts';
import {
  type Choices,
  type DbcStatements,
  type MessageStatement,
  type Remark,
  readDbcStatements,
  type SignalStatement,
} from './dbc-syntax.ts';

const EXTENDED_FLAG = 0x80000000;
const INDEPENDENT_SIGNALS_ID = 0xc0000000;
/** VFrameFormat by its name, or by its number where the attribute is no enumeration. */
const J1939_FORMATS = ['J1939PG', '3'];

/** Bytes of a file to text: UTF-8 where valid, otherwise cp1252, which most tools write. */
export function decodeDbcBytes(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** Larger than any file met so far, by far. */
export const MAX_DBC_CHARACTERS = 32 << 20;
/** Messages that share an id: real files have a few. */
const MAX_MESSAGES_OF_ONE_ID = 100;
/** Signals of one message: 64 bytes have 512 bits, times the values of its multiplexers. */
const MAX_SIGNALS = 20_000;

/** Time and memory are linear in the text; what is beyond all measure is left out with a warning. */
export function parseDbc(text: string): Dbc {
  if (text.length > MAX_DBC_CHARACTERS) {
    const warning = `file of ${text.length} characters, expected at most ${MAX_DBC_CHARACTERS}: nothing of it is read`;
    return { messages: [], warnings: [{ line: 1, text: warning }] };
  }
  return new DbcBuilder(readDbcStatements(text)).build();
}

/** A message on its way, with what is needed until all remarks are known. */
interface Draft {
  readonly statement: MessageStatement;
  readonly message: DbcMessage;
  readonly attributes: Map<string, string>;
  /** By the names of the file, which remarks use. */
  readonly by_name: ReadonlyMap<string, readonly DbcSignal[]>;
  /** By signal: multiplexers and the values for which it is in the frame (SG_MUL_VAL_). */
  readonly mux: Map<DbcSignal, Extract<Remark, { kind: 'mux' }>>;
  /** Long names (SystemSignalLongSymbol); remarks and multiplexers use the short ones. */
  readonly long_names: Map<DbcSignal, string>;
}

class DbcBuilder {
  readonly #found: DbcStatements;
  readonly #warnings: DbcWarning[];
  readonly #drafts: Draft[] = [];
  readonly #byId = new Map<number, Draft[]>();

  constructor(found: DbcStatements) {
    this.#found = found;
    this.#warnings = [...found.warnings];
  }

  build(): Dbc {
    for (const statement of this.#found.messages) this.#addMessage(statement);
    for (const remark of this.#found.remarks) this.#apply(remark);
    for (const draft of this.#drafts) this.#finish(draft);
    this.#warnings.sort((a, b) => a.line - b.line);
    return { messages: this.#drafts.map(({ message }) => message), warnings: this.#warnings };
  }

  #addMessage(statement: MessageStatement): void {
    const { file_id, line, name, length_bytes, signals } = statement;
    const extended = file_id > 0x7ff;
    if (extended && file_id < EXTENDED_FLAG)
      this.#warn(
        line,
        `message ${name}: id ${file_id} needs 29 bits but bit 31 is not set; taken as extended`,
      );
    const same = this.#byId.get(file_id) ?? [];
    if (same.length > 0)
      this.#warn(line, `message ${name}: id ${file_id} is taken by ${same[0].message.name} too`);
    if (same.length >= MAX_MESSAGES_OF_ONE_ID || signals.length > MAX_SIGNALS) {
      const found =
        signals.length > MAX_SIGNALS ? `${signals.length} signals` : `more messages of id ${file_id}`;
      const most = signals.length > MAX_SIGNALS ? MAX_SIGNALS : MAX_MESSAGES_OF_ONE_ID;
      this.#warn(line, `message ${name}: found ${found}, expected at most ${most}; it is left out`);
      return;
    }
    this.#warnOfDoubles(statement);
    const message: DbcMessage = {
      id: (file_id & 0x1fffffff) >>> 0,
      extended,
      name,
      length_bytes,
      signals: signals.map(({ signal }) => signal),
      cycle_ms: undefined,
      j1939: false,
      comment: undefined,
    };
    const maps = { attributes: new Map(), mux: new Map(), long_names: new Map() };
    const draft: Draft = { statement, message, by_name: byName(message.signals), ...maps };
    this.#drafts.push(draft);
    same.push(draft);
    this.#byId.set(file_id, same);
  }

  #warnOfDoubles({ name, signals }: MessageStatement): void {
    const names = new Set<string>();
    for (const { signal, mux_value, line } of signals) {
      // Under another multiplexer value a name may come again.
      const place = `${signal.name} ${mux_value ?? ''}`;
      if (names.has(place)) this.#warn(line, `message ${name} has more than one signal ${signal.name}`);
      names.add(place);
    }
  }

  // -- remarks

  #apply(remark: Remark): void {
    const drafts = this.#byId.get(remark.file_id) ?? [];
    if (drafts.length === 0) {
      if (remark.file_id !== INDEPENDENT_SIGNALS_ID)
        this.#warn(remark.line, `no message with id ${remark.file_id}`);
      return;
    }
    if (remark.signal === undefined) {
      for (const draft of drafts) this.#applyToMessage(draft, remark);
      return;
    }
    let known = false;
    for (const draft of drafts)
      for (const signal of draft.by_name.get(remark.signal) ?? []) {
        known = true;
        this.#applyToSignal(draft, signal, remark);
      }
    if (!known) this.#warn(remark.line, `message ${drafts[0].message.name} has no signal ${remark.signal}`);
  }

  #applyToMessage({ message, attributes }: Draft, remark: Remark): void {
    if (remark.kind === 'comment') message.comment = remark.text;
    if (remark.kind === 'attribute') attributes.set(remark.name, remark.value);
  }

  #applyToSignal(draft: Draft, signal: DbcSignal, remark: Remark): void {
    if (remark.kind === 'comment') signal.comment = remark.text;
    if (remark.kind === 'choices') signal.choices = this.#choicesOf(remark.choices, remark.line);
    if (remark.kind === 'value type') this.#setValueType(signal, remark.type, remark.line);
    if (remark.kind === 'mux') draft.mux.set(signal, remark);
    if (remark.kind === 'attribute' && remark.name === 'SystemSignalLongSymbol' && remark.value !== '')
      draft.long_names.set(signal, remark.value);
  }

  #choicesOf(choices: Choices | string, line: number): Choices | undefined {
    if (typeof choices !== 'string') return choices;
    const table = this.#found.value_tables.get(choices);
    if (!table) this.#warn(line, `no value table ${choices}`);
    return table;
  }

  /** The length decides which float it is; type 0 is a whole number. */
  #setValueType(signal: DbcSignal, type: number, line: number): void {
    if (type === 0) return;
    const float = ({ 16: 'float16', 32: 'float32', 64: 'float64' } as const)[signal.length_bit];
    const wanted = ['float32', 'float64'][type - 1];
    if (float && wanted) signal.float = float;
    if (!float || float !== wanted)
      this.#warn(line, `signal ${signal.name}: value type ${type} on ${signal.length_bit} bit`);
  }

  // -- when everything is said

  #finish(draft: Draft): void {
    const { message, attributes, long_names } = draft;
    this.#finishMultiplexing(draft);
    const renamed = new Map([...long_names].map(([signal, name]) => [signal.name, name]));
    for (const signal of message.signals) {
      const switchName = signal.mux && renamed.get(signal.mux.switch);
      if (signal.mux && switchName !== undefined) signal.mux = { ...signal.mux, switch: switchName };
    }
    for (const [signal, name] of long_names) signal.name = name;
    message.name = attributes.get('SystemMessageLongSymbol') || message.name;
    const cycle_ms = Number(this.#attributeOf(draft, 'GenMsgCycleTime') ?? Number.NaN);
    if (cycle_ms > 0) message.cycle_ms = cycle_ms;
    message.j1939 =
      message.extended && J1939_FORMATS.includes(this.#attributeOf(draft, 'VFrameFormat') ?? '');
  }

  /**
   * With one multiplexer in the message it is the switch of every `mN`, for value N and those of SG_MUL_VAL_;
   * with several only SG_MUL_VAL_ says whose. A signal whose switch nobody names is read from every frame.
   */
  #finishMultiplexing(draft: Draft): void {
    const { statement, mux, by_name } = draft;
    const switches = statement.signals.filter(({ signal }) => signal.multiplexer);
    const only = switches.length === 1 ? switches[0].signal : undefined;
    for (const entry of statement.signals) {
      const { signal, mux_value, line } = entry;
      if (mux_value === undefined && !signal.multiplexer) continue;
      const said = mux.get(signal);
      if (said && !by_name.has(said.switch))
        this.#warn(
          said.line,
          `signal ${signal.name}: no multiplexer ${said.switch} in message ${statement.name}`,
        );
      signal.mux = only ? muxOfOnly(entry, only, said) : said && { switch: said.switch, ranges: said.ranges };
      if (mux_value !== undefined && !signal.mux)
        this.#warn(line, `signal ${signal.name} is multiplexed by none; read from every frame`);
    }
  }

  #attributeOf({ attributes }: Draft, name: string): string | undefined {
    const value = attributes.get(name) ?? this.#found.attribute_defaults.get(name);
    return this.#found.enums.get(name)?.[Number(value)] ?? value;
  }

  #warn(line: number, text: string): void {
    this.#warnings.push({ line, text });
  }
}

function byName(signals: readonly DbcSignal[]): Map<string, DbcSignal[]> {
  const found = new Map<string, DbcSignal[]>();
  for (const signal of signals) {
    const same = found.get(signal.name);
    if (same) same.push(signal);
    else found.set(signal.name, [signal]);
  }
  return found;
}

function muxOfOnly(
  { signal, mux_value }: SignalStatement,
  only: DbcSignal,
  said: Extract<Remark, { kind: 'mux' }> | undefined,
): DbcSignal['mux'] {
  if (signal === only || mux_value === undefined) return undefined;
  const more = said?.switch === only.name ? said.ranges : [];
  return { switch: only.name, ranges: [[mux_value, mux_value], ...more] };
}
