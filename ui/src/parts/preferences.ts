/** What this device remembers: theme and sorting. Storage may be switched off; then nothing is remembered. */
import { effect, type Signal, signal } from '@preact/signals';

export type ThemeChoice = 'auto' | 'dark' | 'light';

function remembered<V extends string>(key: string, allowed: readonly V[], fallback: V): Signal<V> {
  const kept = read(key);
  const state = signal<V>(allowed.find(value => value === kept) ?? fallback);
  effect(() => write(key, state.value));
  return state;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Private browsing: the choice holds until the page is closed.
  }
}

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
