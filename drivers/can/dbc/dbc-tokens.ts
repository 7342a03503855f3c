/** Cuts DBC text into tokens. Never throws: what fits nowhere becomes a punctuation token the parser will refuse. */

export type DbcTokenKind = 'word' | 'number' | 'string' | 'punct';

export interface DbcToken {
  readonly kind: DbcTokenKind;
  readonly text: string;
  readonly line: number;
  /** First token of its line: where the parser may find its feet again after an error. */
  readonly first: boolean;
  /** A string that lost its closing quote and was ended where its line ends. */
  readonly unclosed?: boolean;
}

// Each quantifier is followed by what it cannot take: time is linear in the text, whatever it is.
// A name may begin with a digit in real files; a number directly followed by a letter is such a name.
const TOKEN =
  /[ \t\f\v\0\u00a0\ufeff]+|\/\/[^\r\n]*|(\r\n?|\n)|("(?:\\[\s\S]|[^"\\])*"?)|([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_.]))|([\p{L}\p{N}_][\p{L}\p{N}_.-]*)|([\s\S])/gu;

/** A line inside a string that can hardly be meant as text. */
const STATEMENT_LINE =
  /(?:\r\n?|\n)[ \t]*(?:BO_ +\d+ +\S|SG_ [^"\r\n]*: *\d+\||CM_ +(?:"|[BSE][OUGV]_ )|BA_ +"|VAL_ +\d)/;

export function tokenizeDbc(text: string): DbcToken[] {
  const tokens: DbcToken[] = [];
  const pattern = new RegExp(TOKEN);
  let line = 1;
  let first = true;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (match[1] !== undefined) {
      line++;
      first = true;
      continue;
    }
    const kind = kindOf(match);
    if (kind === undefined) continue;
    let raw = match[0];
    const unclosed = kind === 'string' && isUnclosed(raw, text, pattern.lastIndex);
    if (unclosed) {
      raw = raw.slice(0, Math.max(1, raw.search(/[\r\n]/)));
      pattern.lastIndex = match.index + raw.length;
    }
    const token = { kind, text: kind === 'string' ? unquote(raw) : raw, line, first };
    tokens.push(unclosed ? { ...token, unclosed } : token);
    first = false;
    if (kind === 'string') line += countLineEnds(raw);
  }
  return tokens;
}

function kindOf(match: RegExpExecArray): DbcTokenKind | undefined {
  if (match[2] !== undefined) return 'string';
  if (match[3] !== undefined) return 'number';
  if (match[4] !== undefined) return 'word';
  return match[5] === undefined ? undefined : 'punct';
}

/**
 * A string that swallowed whole statements and is not followed by the end of one has lost its closing quote:
 * taken at its word it would turn all further text inside out.
 */
function isUnclosed(raw: string, text: string, end: number): boolean {
  const closed = raw.length > 1 && raw.endsWith('"');
  if (!closed) return /[\r\n]/.test(raw);
  return STATEMENT_LINE.test(raw) && !/^\s*(?:;|$)/.test(text.slice(end, end + 100));
}

function unquote(raw: string): string {
  const end = raw.length > 1 && raw.endsWith('"') ? -1 : undefined;
  return raw.slice(1, end).replace(/\\(["\\])/g, '$1');
}

function countLineEnds(text: string): number {
  return text.match(/\r\n?|\n/g)?.length ?? 0;
}
