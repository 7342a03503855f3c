/** Cuts DBC text into tokens. Never throws: what fits nowhere becomes a punctuation token the parser will refuse. */

export type DbcTokenKind = 'word' | 'number' | 'string' | 'punct';

export interface DbcToken {
  readonly kind: DbcTokenKind;
  readonly text: string;
  readonly line: number;
  /** First token of its line: where the parser may find its feet again after an error. */
  readonly first: boolean;
}

// A name may begin with a digit in real files; a number directly followed by a letter is such a name.
const TOKEN =
  /[ \t\r\f\v\u00a0\ufeff]+|\/\/[^\n]*|(\n)|("(?:\\[\s\S]|[^"\\])*"?)|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z_0-9.]))|([A-Za-z_0-9][A-Za-z_0-9.-]*)|([\s\S])/g;

export function tokenizeDbc(text: string): DbcToken[] {
  const tokens: DbcToken[] = [];
  let line = 1;
  let first = true;
  for (const match of text.matchAll(TOKEN)) {
    if (match[1] !== undefined) {
      line++;
      first = true;
      continue;
    }
    const kind = match[2]
      ? 'string'
      : match[3]
        ? 'number'
        : match[4]
          ? 'word'
          : match[5]
            ? 'punct'
            : undefined;
    if (kind === undefined) continue;
    const raw = match[0];
    tokens.push({ kind, text: kind === 'string' ? unquote(raw) : raw, line, first });
    first = false;
    if (kind === 'string') line += countNewlines(raw);
  }
  return tokens;
}

function unquote(raw: string): string {
  const end = raw.length > 1 && raw.endsWith('"') ? -1 : undefined;
  return raw.slice(1, end).replace(/\\(["\\])/g, '$1');
}

function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
