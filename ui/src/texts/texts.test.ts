/** Languages: who gets which, how they count, and that the compiler misses no text. */
import { afterEach, describe, expect, test } from 'vitest';
import { formatNumber } from '../format/numbers.ts';
import { byName } from '../format/rank.ts';
import { formatAgo, formatDay, formatSpan } from '../format/time.ts';
import { en, type Texts } from './en/index.ts';
import { LANGUAGE_CODES, LANGUAGES, languageFor, nameOfLanguage } from './languages.ts';
import { countingIn } from './numerals.ts';
import { pseudo } from './testing/pseudo.ts';
import { showLanguage, t } from './texts.ts';

test('a reader gets the first wanted language that there is, else English', () => {
  expect(languageFor(['en-US', 'fr'])).toBe('en');
  expect(languageFor(['fr-CA', 'EN-gb'])).toBe('en');
  expect(languageFor(['fr', 'toString'])).toBe('en');
  expect(languageFor([])).toBe('en');
});

test('each language calls itself by a name, and has a locale of itself', async () => {
  expect(nameOfLanguage('en')).toBe('English');
  for (const code of LANGUAGE_CODES) {
    const { locale } = await LANGUAGES[code]();
    expect(new Intl.Locale(locale).language).toBe(code);
    expect(Intl.NumberFormat.supportedLocalesOf(locale)).toEqual([locale]);
  }
});

test('nouns have the forms that their language wants', () => {
  const forms = { one: 'cell', other: 'cells' };
  expect([0, 1, 2, 12_345].map(n => countingIn('en-GB').count(n, forms))).toEqual([
    ...['0 cells', '1 cell', '2 cells', '12\u202f345 cells'],
  ]);
  const polish = { one: 'ogniwo', few: 'ogniwa', many: 'ogniw', other: 'ogniwa' };
  expect([1, 2, 5, 22].map(n => countingIn('pl').form(n, polish))).toEqual([
    ...['ogniwo', 'ogniwa', 'ogniw', 'ogniwa'],
  ]);
  // A form that was not given.
  expect(countingIn('pl').form(5, forms)).toBe('cells');
});

test('a text that is missing or too many does not compile', () => {
  const { title: _, ...lacking } = en.alerts;
  // @ts-expect-error: a text is missing.
  const missing: Texts['alerts'] = lacking;
  // @ts-expect-error: a text is too many.
  const surplus: Texts['alerts'] = { ...en.alerts, another: '' };
  // @ts-expect-error: takes something else than English does.
  const wrong: Texts['alerts']['lasted'] = (span: number) => String(span);
  expect([missing, surplus, wrong]).toHaveLength(3);
});

describe('another language', () => {
  const languages = LANGUAGES as Record<string, () => Promise<Texts>>;
  const show = showLanguage as (language: string) => Promise<void>;
  afterEach(async () => {
    await show('en');
    delete languages.eo;
    delete languages.gone;
  });

  test('numbers, dates, spans and order follow it at once', async () => {
    languages.eo = async () => pseudo;
    const before = [formatNumber(-12_345.678, 2), formatDay(Date.UTC(2026, 4, 9, 12))];
    expect(before).toEqual(['\u221212\u202f345.68', '9 May 2026']);
    await show('eo');
    expect(formatNumber(-12_345.678, 2)).toBe('\u221212\u202f345,68');
    expect(formatDay(Date.UTC(2026, 4, 9, 12))).toBe('9. Mai 2026');
    expect(formatSpan(50 * 3_600_000)).toBe('2 ḓȧẏş');
    expect(formatAgo(0, 61_000)).toBe('1 ḿīƞ ȧɠǿ');
    expect(byName({ name: 'Rack 2' }, { name: 'Rack 10' })).toBeLessThan(0);
    await show('en');
    expect([formatNumber(-12_345.678, 2), formatDay(Date.UTC(2026, 4, 9, 12))]).toEqual(before);
  });

  test('the one wanted last is shown, however long each takes to load', async () => {
    const { promise, resolve } = Promise.withResolvers<Texts>();
    languages.eo = () => promise;
    const slow = show('eo');
    await show('en');
    resolve(pseudo);
    await slow;
    expect(t()).toBe(en);
  });

  test('one that cannot be loaded leaves the texts as they are', async () => {
    languages.gone = () => Promise.reject(new Error('offline'));
    await show('gone');
    expect(t()).toBe(en);
  });
});

test('the pseudo-language marks all but what a text is given', () => {
  expect(pseudo.alerts.placeOfCell('Battery 1', 'Rack 2', 7)).toBe('Battery 1 › Rack 2, ƈḗŀŀ 7');
  expect(pseudo.counts.cells(1)).toBe('1 ƈḗŀŀ');
  expect(pseudo.users.ownPassword(words => `<${words}>`)).toEqual([
    ...['Ẏǿŭř ƥȧşşẇǿřḓ īş ƈħȧƞɠḗḓ ŭƞḓḗř ', '<ẏǿŭř ȧƈƈǿŭƞŧ>', '.'],
  ]);
  expect(JSON.stringify(pseudo)).not.toMatch(/:"[^"]*[A-Za-z]{2}[^"]*"(?<!"de-DE")/);
});
