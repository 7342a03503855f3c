/** Walks over the tokens of a DBC file; `Unreadable` says what stood there and what was expected. */
import { type DbcToken, type DbcTokenKind, tokenizeDbc } from './dbc-tokens.ts';

/** A statement that cannot be read; the parser turns it into a warning. */
export class Unreadable extends Error {}

export class DbcCursor {
  at = 0;
  readonly #tokens: readonly DbcToken[];
  readonly #statements: ReadonlySet<string>;

  /** `statements`: the keywords that open a statement where they begin a line. */
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
    if (token?.kind !== kind)
      throw new Unreadable(`found "${token?.text ?? 'end of file'}", expected ${wanted}`);
    this.at++;
    return token;
  }

  punct(text: string): void {
    const token = this.#tokens[this.at];
    if (token?.text !== text || token.kind !== 'punct')
      throw new Unreadable(`found "${token?.text ?? 'end of file'}", expected "${text}"`);
    this.at++;
  }

  number(wanted: string): number {
    return Number(this.next('number', wanted).text);
  }

  integer(wanted: string): number {
    const value = this.number(wanted);
    if (!Number.isSafeInteger(value))
      throw new Unreadable(`found ${value}, expected ${wanted}, a whole number`);
    return value;
  }

  optionalWord(): void {
    const token = this.peek();
    if (token?.kind === 'word' && !token.first) this.at++;
  }

  skipToStatement(): void {
    while (this.at < this.#tokens.length) {
      const token = this.#tokens[this.at];
      if (token.first && token.kind === 'word' && this.#statements.has(token.text)) return;
      this.at++;
    }
  }
}
