/** Walks over the tokens of a DBC file; `Unreadable` says what stood there and what was expected. */
import { type DbcToken, type DbcTokenKind, tokenizeDbc } from './dbc-tokens.ts';

/** Names and numbers; real ones have some dozens of characters. */
const MAX_TOKEN_CHARACTERS = 1000;

/** A statement that cannot be read; the parser turns it into a warning. */
export class Unreadable extends Error {}

export class DbcCursor {
  at = 0;
  readonly #tokens: readonly DbcToken[];
  readonly #statements: ReadonlySet<string>;

  /** `statements`: the keywords that open a statement. */
  constructor(text: string, statements: ReadonlySet<string>) {
    this.#tokens = tokenizeDbc(text);
    this.#statements = statements;
  }

  get atEnd(): boolean {
    return this.at >= this.#tokens.length;
  }

  /** Line of the newest token read. */
  get line(): number {
    return this.#tokens[Math.min(this.at, this.#tokens.length) - 1]?.line ?? 1;
  }

  /** Lines of strings without their closing quote. */
  get unclosed_lines(): number[] {
    return this.#tokens.filter(token => token.unclosed).map(token => token.line);
  }

  /** The token `ahead` of the next one. */
  peek(ahead = 0): DbcToken | undefined {
    return this.#tokens[this.at + ahead];
  }

  peekText(): string | undefined {
    const token = this.#tokens[this.at];
    return token?.kind === 'string' ? undefined : token?.text;
  }

  any(wanted: string): DbcToken {
    const token = this.#tokens[this.at];
    if (!token) throw new Unreadable(`end of file, expected ${wanted}`);
    this.at++;
    return token;
  }

  next(kind: DbcTokenKind, wanted: string): DbcToken {
    const token = this.#tokens[this.at];
    if (token && token.kind !== 'string' && token.text.length > MAX_TOKEN_CHARACTERS)
      throw new Unreadable(`found ${token.text.length} characters without a break, expected ${wanted}`);
    if (token?.kind !== kind) throw new Unreadable(`found ${quoted(token)}, expected ${wanted}`);
    this.at++;
    return token;
  }

  /** A name; in real files also one of digits only. */
  name(wanted: string): string {
    const token = this.#tokens[this.at];
    return this.next(token?.kind === 'number' ? 'number' : 'word', wanted).text;
  }

  punct(text: string): void {
    if (!this.skip(text)) throw new Unreadable(`found ${quoted(this.#tokens[this.at])}, expected "${text}"`);
  }

  /** Steps over the punctuation mark `text` if it is next. */
  skip(text: string): boolean {
    const token = this.#tokens[this.at];
    if (token?.kind !== 'punct' || token.text !== text) return false;
    this.at++;
    return true;
  }

  number(wanted: string): number {
    const token = this.#tokens[this.at];
    if (token?.kind === 'word' && /^0x[0-9a-f]+$/i.test(token.text)) this.at++;
    else this.next('number', wanted);
    return Number(token?.text);
  }

  integer(wanted: string): number {
    const value = this.number(wanted);
    if (!Number.isSafeInteger(value))
      throw new Unreadable(`found ${value}, expected ${wanted}, a whole number`);
    return value;
  }

  /** True where the next token is a keyword that opens a statement. */
  get atStatement(): boolean {
    const token = this.#tokens[this.at];
    return token?.kind === 'word' && this.#statements.has(token.text);
  }

  /** Steps over names and commas up to the next statement; over a line's end only after a comma. */
  skipNames(): void {
    for (let token = this.peek(); token && !this.atStatement; token = this.peek()) {
      const comma = token.kind === 'punct' && token.text === ',';
      if (token.first && this.peek(-1)?.text !== ',') return;
      if (!comma && token.kind !== 'word' && token.kind !== 'number') return;
      this.at++;
    }
  }

  /** To the end of this statement: past its ";", or to a line that begins another. */
  skipStatement(): void {
    for (; this.at < this.#tokens.length; this.at++) {
      const token = this.#tokens[this.at];
      if (token.first && this.atStatement) return;
      if (token.kind === 'punct' && token.text === ';') {
        this.at++;
        return;
      }
    }
  }

  /** To the next keyword that opens a statement, wherever it stands. */
  skipToStatement(): void {
    while (this.at < this.#tokens.length && !this.atStatement) this.at++;
  }
}

function quoted(token: DbcToken | undefined): string {
  return token ? `"${token.text.slice(0, 60)}"` : 'end of file';
}
