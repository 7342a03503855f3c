/** What this device remembers of how the page looks: theme and sorting. */
import { effect, signal } from '@preact/signals';
import { remembered } from '../api/remembered.ts';

export type ThemeChoice = 'auto' | 'dark' | 'light';

export const themeChoice = remembered<ThemeChoice>('theme', ['auto', 'dark', 'light'], 'auto');
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
