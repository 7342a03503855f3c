/** A problem in a file a person wrote: where it stands, what was found, what was expected, in one line. */

/** Keys and list indices from the root of a document. */
export type Path = readonly (string | number)[];

export interface Problem {
  readonly file: string;
  /** Counting from 1; 0 where a problem has no place in a text (an environment variable, an absent file). */
  readonly line: number;
  readonly column: number;
  /** Where in the document: `batteries[0].packs[1].cells`; empty for the document itself. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  /** The sentence after the path: `found "ten", expected a whole number from 1 to 4096`. */
  readonly message: string;
}

/** What a check says about a place; the document adds file, line and column. */
export interface Finding {
  readonly path: Path;
  readonly found: string;
  readonly expected: string;
  /** The sentence, where "found …, expected …" is not the best one. */
  readonly message?: string | undefined;
  /** Point at the key rather than at its value. */
  readonly at_key?: boolean | undefined;
}

export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text ? `.${step}` : step;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** `config.yaml:12:5 batteries[0].packs[1].cells: found "ten", expected a whole number from 1 to 4096`. */
export function formatProblem({ file, line, column, path, message }: Problem): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return path ? `${place} ${path}: ${message}` : `${place}: ${message}`;
}

/** One line each, at most `most` of them, then how many more there are. */
export function formatProblems(problems: readonly Problem[], most = 50): string[] {
  const lines = problems.slice(0, most).map(formatProblem);
  if (problems.length > most) lines.push(`and ${problems.length - most} more`);
  return lines;
}

/** In file order. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** `; did you mean "cells"?` when one of the known names is close to what was written, else empty. */
export function didYouMean(written: string, known: Iterable<string>): string {
  let best = '';
  let fewest = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const name of known) {
    const edits = editDistance(written.toLowerCase(), name.toLowerCase(), fewest);
    if (edits < fewest) [best, fewest] = [name, edits];
  }
  return best ? `; did you mean "${best}"?` : '';
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, or `limit` if no fewer. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 100) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(row[j - 1] + 1, last[j] + 1, last[j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    [beforeLast, last] = [last, row];
  }
  return Math.min(last[b.length], limit);
}

/** `one of a, b, c` and the like; long lists are cut. */
export function listOf(names: readonly string[], most = 20): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown}, … (${names.length} in all)` : shown;
}
