/** What this device remembers of how the page looks: theme, language and sorting. */
import { effect, signal } from '@preact/signals';
import { remembered } from '../api/remembered.ts';
import { LANGUAGE_CODES, type Language, languageFor } from '../texts/languages.ts';
import { showLanguage } from '../texts/texts.ts';

export type ThemeChoice = 'auto' | 'dark' | 'light';

export const themeChoice = remembered<ThemeChoice>('theme', ['auto', 'dark', 'light'], 'auto');
export const languageChoice = remembered<Language | 'auto'>('language', ['auto', ...LANGUAGE_CODES], 'auto');
export const sortOrder = remembered<'worst' | 'name'>('sort', ['worst', 'name'], 'worst');

const prefersLight = matchMedia('(prefers-color-scheme: light)');
const systemTheme = signal<'dark' | 'light'>(prefersLight.matches ? 'light' : 'dark');
prefersLight.addEventListener('change', () => {
  systemTheme.value = prefersLight.matches ? 'light' : 'dark';
});

/** The theme on screen; canvases redraw when it changes. */
export const theme = signal<'dark' | 'light'>(systemTheme.value);
effect(() => {
  const shown = themeChoice.value === 'auto' ? systemTheme.value : themeChoice.value;
  document.documentElement.dataset.theme = shown;
  theme.value = shown;
});

/** Resolves once the texts are in the language last chosen: a page that begins waits for it. */
export let languageShown = Promise.resolve();
effect(() => {
  const { value } = languageChoice;
  const language = value === 'auto' ? languageFor(navigator.languages) : value;
  document.documentElement.lang = language;
  languageShown = showLanguage(language);
});
