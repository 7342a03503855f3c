/** Slows guessing: counts logins per name and address and per address, asks to wait, and never locks for good. */
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { ServerLimits } from '../limits.ts';

const ENTRIES_MAX = 10_000;

interface Window {
  attempts: number;
  ends_mono_ms: number;
}

export class LoginGuard {
  readonly #clock: Clock;
  readonly #limits: ServerLimits;
  readonly #windows = new Map<string, Window>();
  /** Attempts refused since the start. */
  refused = 0;

  constructor(clock: Clock, limits: ServerLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Counts an attempt before the password is looked at; RATE_LIMITED says how long to wait. */
  begin(username: string, address: string): void {
    const by_address = this.#window(address);
    const by_name = this.#window(nameKey(username, address));
    const full =
      by_name.attempts >= this.#limits.login_failures_per_name
        ? by_name
        : by_address.attempts >= this.#limits.login_failures_per_address
          ? by_address
          : undefined;
    if (full) {
      this.refused++;
      throw new RateLimitError('Too many failed logins', full.ends_mono_ms - this.#clock.monoMs());
    }
    by_name.attempts++;
    by_address.attempts++;
  }

  /** A right password forgets the name's failures and does not count against the address. */
  succeeded(username: string, address: string): void {
    this.#windows.delete(nameKey(username, address));
    const by_address = this.#window(address);
    by_address.attempts = Math.max(0, by_address.attempts - 1);
  }

  #window(key: string): Window {
    const now = this.#clock.monoMs();
    const known = this.#windows.get(key);
    if (known && known.ends_mono_ms > now) return known;
    this.#windows.delete(key);
    if (this.#windows.size >= ENTRIES_MAX) this.#windows.delete(this.#windows.keys().next().value!);
    const window = { attempts: 0, ends_mono_ms: now + this.#limits.login_window_ms };
    this.#windows.set(key, window);
    return window;
  }
}

export class RateLimitError extends GatewayError {
  readonly retry_after_s: number;

  constructor(what: string, wait_ms: number) {
    const retry_after_s = Math.max(1, Math.ceil(wait_ms / 1000));
    super('RATE_LIMITED', `${what}; try again in ${retry_after_s} s`);
    this.retry_after_s = retry_after_s;
  }
}

const nameKey = (username: string, address: string) => `${address} ${username}`;
