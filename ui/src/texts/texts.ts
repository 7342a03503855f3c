/** The texts on screen: all of them come from here, in the language that the reader has chosen. */
import { signal } from '@preact/signals';
import { en, type Texts } from './en/index.ts';
import { LANGUAGES, type Language } from './languages.ts';

const shown = signal<Texts>(en);
let wanted: Language = 'en';

/**
 * Asked for while rendering or formatting, never while a module loads: a component that asks is rendered again when the
 * language changes, a constant would keep the first one.
 */
export function t(): Texts {
  return shown.value;
}

/** Resolves once it is on screen. Where it cannot be loaded, the language before it stays. */
export async function showLanguage(language: Language): Promise<void> {
  wanted = language;
  const texts = await LANGUAGES[language]().catch(() => shown.peek());
  // Another one may have been wanted meanwhile.
  if (wanted === language) shown.value = texts;
}
