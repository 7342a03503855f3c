/** Attempts within a time, by key; of bounded size. What has run out goes first, then what counts least. */
import type { Clock } from '../../../core/clock/clock.ts';

const ENTRIES_MAX = 10_000;

export interface Window {
  readonly attempts: number;
  readonly ends_mono_ms: number;
}

export class Windows {
  readonly #clock: Clock;
  readonly #window_ms: number;
  readonly #most: number;
  /** In the order of their beginning. */
  readonly #windows = new Map<string, { attempts: number; readonly ends_mono_ms: number }>();

  constructor(clock: Clock, window_ms: number, most = ENTRIES_MAX) {
    this.#clock = clock;
    this.#window_ms = window_ms;
    this.#most = most;
  }

  get size(): number {
    return this.#windows.size;
  }

  /** Undefined when nothing was counted within the window. */
  find(key: string): Window | undefined {
    const window = this.#windows.get(key);
    return window && window.ends_mono_ms > this.#clock.monoMs() ? window : undefined;
  }

  count(key: string): void {
    const known = this.#windows.get(key);
    if (known && known.ends_mono_ms > this.#clock.monoMs()) {
      known.attempts++;
      return;
    }
    this.#windows.delete(key);
    if (this.#windows.size >= this.#most) this.#makeRoom();
    this.#windows.set(key, { attempts: 1, ends_mono_ms: this.#clock.monoMs() + this.#window_ms });
  }

  takeBack(key: string): void {
    const window = this.#windows.get(key);
    if (window && window.attempts > 0) window.attempts--;
  }

  forget(key: string): void {
    this.#windows.delete(key);
  }

  #makeRoom(): void {
    const now_ms = this.#clock.monoMs();
    for (const [key, { ends_mono_ms }] of this.#windows) {
      if (ends_mono_ms > now_ms) break;
      this.#windows.delete(key);
    }
    if (this.#windows.size < this.#most) return;
    let least: string | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [key, { attempts }] of this.#windows) if (attempts < fewest) [least, fewest] = [key, attempts];
    if (least !== undefined) this.#windows.delete(least);
  }
}
