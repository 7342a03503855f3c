/**
 * A language for tests: English in letters with marks, so that it can be read, and whatever is left in plain letters did
 * not come from the catalogue. Numbers and dates are German ones.
 */
import { en, type Texts } from '../en/index.ts';

const PLAIN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const MARKED = 'ȧƀƈḓḗƒɠħīĵķŀḿƞǿƥɋřşŧŭṽẇẋẏẑȦƁƇḒḖƑƓĦĪĴĶĿḾȠǾƤɊŘŞŦŬṼẆẊẎẐ';
/** Private-use characters stand for what a text is given, which stays as it is. */
const FIRST_GIVEN = 0xe000;

const mark = (text: string) => text.replace(/[A-Za-z]/g, letter => MARKED[PLAIN.indexOf(letter)]);

function inPseudo(value: unknown): unknown {
  if (typeof value === 'string') return mark(value);
  if (typeof value === 'function') return (...given: unknown[]) => called(value as Text, given);
  return Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, inPseudo(one)]));
}

type Text = (...given: unknown[]) => unknown;

function called(text: Text, given: unknown[]): unknown {
  const hidden = given.map((one, at) => {
    if (typeof one === 'string') return String.fromCharCode(FIRST_GIVEN + at);
    return typeof one === 'function' ? (words: string) => (one as Text)(mark(words)) : one;
  });
  const shown = (part: unknown) =>
    typeof part === 'string'
      ? mark(part).replace(/[\ue000-\ue0ff]/g, one => String(given[one.charCodeAt(0) - FIRST_GIVEN]))
      : part;
  const made = text(...hidden);
  return Array.isArray(made) ? made.map(shown) : shown(made);
}

export const pseudo = { ...(inPseudo(en) as Texts), locale: 'de-DE' };
