/** The languages of the page: a line each. All but English are loaded only where they are read. */
import { en, type Texts } from './en/index.ts';

export const LANGUAGES = {
  en: async () => en,
} as const satisfies Readonly<Record<string, () => Promise<Texts>>>;

export type Language = keyof typeof LANGUAGES;

export const LANGUAGE_CODES = Object.keys(LANGUAGES) as Language[];

/** The first language that a reader wants, as a browser lists them, and the page has. */
export function languageFor(wanted: readonly string[]): Language {
  const codes = wanted.map(tag => tag.toLowerCase().split('-', 1)[0]);
  return codes.flatMap(wantedCode => LANGUAGE_CODES.filter(code => code === wantedCode))[0] ?? 'en';
}

/** What the readers of a language call it. */
export function nameOfLanguage(code: Language): string {
  return new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code;
}
