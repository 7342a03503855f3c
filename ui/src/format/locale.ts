/** What Intl makes for the language on screen: made once, and again for another language. */
import { t } from '../texts/texts.ts';

export function perLocale<T>(make: (locale: string) => T): () => T {
  let made: { readonly locale: string; readonly value: T } | undefined;
  return () => {
    const { locale } = t();
    if (made?.locale !== locale) made = { locale, value: make(locale) };
    return made.value;
  };
}
