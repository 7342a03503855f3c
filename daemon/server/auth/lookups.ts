/**
 * Looks things up by name: one look-up under way for each name, a few at once for all, and what was found is believed
 * for a while. However many ask in the same moment, the store is asked seldom.
 */
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';

const KEPT_MAX = 1000;
/** The store takes 256 calls at a time, from everybody. */
const AT_ONCE = 16;
const WAITING_MAX = 2000;

export class Lookups<T> {
  readonly #clock: Clock;
  readonly #keep_ms: number;
  readonly #read: (name: string) => Promise<T>;
  readonly #found = new Map<string, { readonly value: T; readonly until_mono_ms: number }>();
  readonly #under_way = new Map<string, Promise<T>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #generation = 0;

  constructor(clock: Clock, keep_ms: number, read: (name: string) => Promise<T>) {
    this.#clock = clock;
    this.#keep_ms = keep_ms;
    this.#read = read;
  }

  /** As of at most `keep_ms` ago, and not before the last `forget`. STORE_FAILED when too many wait already. */
  find(name: string): T | Promise<T> {
    const found = this.#found.get(name);
    if (found && found.until_mono_ms > this.#clock.monoMs()) return found.value;
    const known = this.#under_way.get(name);
    if (known) return known;
    const lookup = this.#lookUp(name).finally(() => {
      if (this.#under_way.get(name) === lookup) this.#under_way.delete(name);
    });
    this.#under_way.set(name, lookup);
    return lookup;
  }

  /** Something has changed: nothing found or looked for before counts any more. */
  forget(): void {
    this.#generation++;
    this.#found.clear();
    this.#under_way.clear();
  }

  async #lookUp(name: string): Promise<T> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= WAITING_MAX)
        throw new GatewayError('STORE_FAILED', `${WAITING_MAX} look-ups of users are waiting already`);
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      const generation = this.#generation;
      const value = await this.#read(name);
      if (generation === this.#generation) this.#keep(name, value);
      return value;
    } finally {
      // The place goes to the next in line, or is given back.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  #keep(name: string, value: T): void {
    const now_ms = this.#clock.monoMs();
    if (this.#found.size >= KEPT_MAX) this.#found.clear();
    this.#found.set(name, { value, until_mono_ms: now_ms + this.#keep_ms });
  }
}
