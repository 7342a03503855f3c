/** Ranges in the configuration: `rack-1-{01..10}` and `1..10` stand for many, written once. */

/** More than this from one range is a slip of the pen. */
export const MAX_RANGE = 4096;

export interface Expanded {
  readonly texts: readonly string[];
  /** The number of each text as it stands in it: `01`, `02`; undefined where there is no range. */
  readonly numbers: readonly string[] | undefined;
}

/** `a-{09..10}` -> a-09, a-10; text without braces stands for itself. A string says what is wrong. */
export function expandText(text: string): Expanded | string {
  const [range, second] = text.matchAll(/\{(\d+)\.\.(\d+)\}/g);
  if (!range) return /[{}]/.test(text) ? 'braces that hold no range' : { texts: [text], numbers: undefined };
  if (second) return 'two ranges';
  const [whole, first, last] = range;
  const numbers = numbersOf(first, last);
  if (typeof numbers === 'string') return numbers;
  const head = text.slice(0, range.index);
  const tail = text.slice(range.index + whole.length);
  return { texts: numbers.map(number => head + number + tail), numbers };
}

/** `1..10` -> 1 to 10; a number stands for itself. A string says what is wrong. */
export function expandAddress(address: number | string): number[] | string {
  if (typeof address === 'number') return [address];
  const [first, last] = address.split('..');
  const numbers = numbersOf(first, last);
  return typeof numbers === 'string' ? numbers : numbers.map(Number);
}

/** Padded with zeros to the width of the first: `01`, `10` -> 01 … 10. */
function numbersOf(first: string, last: string): string[] | string {
  const from = Number(first);
  const count = Number(last) - from + 1;
  if (count < 1) return 'a range that runs backwards';
  if (count > MAX_RANGE) return `a range of ${count}`;
  return Array.from({ length: count }, (_, i) => String(from + i).padStart(first.length, '0'));
}

/** Ids are checked again once expanded: the text with its range may have been longer or shorter. */
export const isId = (text: string) => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text);

export function wrongId(id: string): { found: string; expected: string } {
  return {
    found: JSON.stringify(id),
    expected: 'at most 63 letters, digits, "_", "." or "-", a letter or digit first',
  };
}
