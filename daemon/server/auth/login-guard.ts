/**
 * Slows guessing: counts failed logins per name and address, per address, and per name from all addresses together;
 * asks to wait, and never locks for good.
 */
import { isIPv6 } from 'node:net';
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { ServerLimits } from '../limits.ts';

const ENTRIES_MAX = 10_000;

interface LoginCounters {
  logins_failed: number;
  logins_delayed: number;
}

interface Window {
  attempts: number;
  ends_mono_ms: number;
}

export class LoginGuard {
  readonly #clock: Clock;
  readonly #limits: ServerLimits;
  readonly #windows = new Map<string, Window>();
  /** Where each name has logged in before: others who guess it from elsewhere do not slow it there. */
  readonly #at_home = new Set<string>();
  readonly #counters: LoginCounters;

  constructor(clock: Clock, limits: ServerLimits, counters: LoginCounters) {
    this.#clock = clock;
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Counts an attempt before the password is looked at; RATE_LIMITED says how long to wait. */
  begin(username: string, address: string): void {
    const counted = this.#counted(username, address);
    const full = counted.find(({ window, most }) => window.attempts >= most);
    if (full) {
      this.#counters.logins_delayed++;
      throw new RateLimitError('Too many failed logins', full.window.ends_mono_ms - this.#clock.monoMs());
    }
    // Taken back where it succeeds.
    this.#counters.logins_failed++;
    for (const { window } of counted) window.attempts++;
  }

  /** A right password forgets the name's failures here and does not count elsewhere. */
  succeeded(username: string, address: string): void {
    this.#counters.logins_failed--;
    for (const { window } of this.#counted(username, address))
      window.attempts = Math.max(0, window.attempts - 1);
    const here = nameKey(username, address);
    this.#windows.delete(here);
    if (this.#at_home.size >= ENTRIES_MAX) this.#at_home.clear();
    this.#at_home.add(here);
  }

  #counted(username: string, address: string): { window: Window; most: number }[] {
    const limits = this.#limits;
    const here = nameKey(username, address);
    const counted = [
      { window: this.#window(here), most: limits.login_failures_per_name },
      { window: this.#window(network(address)), most: limits.login_failures_per_address },
    ];
    if (!this.#at_home.has(here))
      counted.push({ window: this.#window(` ${username}`), most: limits.login_failures_per_name_everywhere });
    return counted;
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

const nameKey = (username: string, address: string) => `${network(address)} ${username}`;

/** One host commands a whole /64 of IPv6 addresses (RFC 6177): they count as one. */
export function network(address: string): string {
  if (!isIPv6(address) || address.toLowerCase().startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ? tail.split(':') : [])];
  return all.slice(0, 4).join(':');
}
