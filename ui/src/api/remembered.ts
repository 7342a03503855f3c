/** What this device remembers over reloads. Storage may be switched off; then it holds until the page is closed. */
import { effect, type Signal, signal } from '@preact/signals';

export function remembered<V extends string>(key: string, allowed: readonly V[], fallback: V): Signal<V> {
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
    // Private browsing.
  }
}
