/**
 * Slows guessing: counts failed logins per name and address, per address, and per name from all addresses together;
 * asks to wait, and never locks for good. Failures of others from elsewhere never refuse a right password: while a
 * name is guessed from many addresses, one where it never logged in has fewer guesses of its own, not none.
 */
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import { network } from '../addresses.ts';
import type { ServerLimits } from '../limits.ts';
import { type Window, Windows } from './windows.ts';

const HOMES_MAX = 10_000;
/** Stands for a name where the set-up code is guessed; no user can have it. The code is too long to be guessed. */
export const SETUP_NAME = ':setup';

interface LoginCounters {
  logins_failed: number;
  logins_delayed: number;
}

/** A place where attempts are counted. */
interface Count {
  readonly windows: Windows;
  readonly key: string;
  readonly most: number;
}

export class LoginGuard {
  readonly #clock: Clock;
  readonly #limits: ServerLimits;
  readonly #of_name_here: Windows;
  readonly #of_name_here_long: Windows;
  readonly #of_address: Windows;
  readonly #of_name: Windows;
  /** Where each name has logged in before: others who guess it from elsewhere do not slow it there. */
  readonly #at_home = new Set<string>();
  readonly #counters: LoginCounters;

  /** `homes`: where somebody is known to have logged in already. */
  constructor(
    clock: Clock,
    limits: ServerLimits,
    counters: LoginCounters,
    homes: Iterable<{ readonly username: string; readonly address: string }> = [],
  ) {
    const { login_window_ms, login_attack_window_ms } = limits;
    this.#clock = clock;
    this.#limits = limits;
    this.#of_name_here = new Windows(clock, login_window_ms);
    this.#of_name_here_long = new Windows(clock, login_attack_window_ms);
    this.#of_address = new Windows(clock, login_window_ms);
    this.#of_name = new Windows(clock, login_window_ms);
    this.#counters = counters;
    for (const { username, address } of homes) this.#isHome(nameKey(username, address));
  }

  /** Counts an attempt before the password is checked; RATE_LIMITED says how long to wait, and counts nothing. */
  begin(username: string, address: string): void {
    const counted = this.#counted(username, address);
    const full = counted.flatMap(({ windows, key, most }): Window[] => {
      const window = windows.find(key);
      return window && window.attempts >= most ? [window] : [];
    });
    if (full.length > 0) {
      this.#counters.logins_delayed++;
      const ends_mono_ms = Math.max(...full.map(window => window.ends_mono_ms));
      throw new RateLimitError('Too many failed logins', ends_mono_ms - this.#clock.monoMs());
    }
    // Taken back where it succeeds.
    this.#counters.logins_failed++;
    for (const { windows, key } of counted) windows.count(key);
  }

  /** A right password forgets the name's failures here and does not count elsewhere. */
  succeeded(username: string, address: string): void {
    this.#counters.logins_failed--;
    for (const { windows, key } of this.#counted(username, address)) windows.takeBack(key);
    const here = nameKey(username, address);
    this.#of_name_here.forget(here);
    this.#of_name_here_long.forget(here);
    this.#isHome(here);
  }

  #counted(username: string, address: string): Count[] {
    const limits = this.#limits;
    const here = nameKey(username, address);
    const counted = [
      { windows: this.#of_name_here, key: here, most: limits.login_failures_per_name },
      { windows: this.#of_address, key: network(address), most: limits.login_failures_per_address },
    ];
    if (this.#at_home.has(here) || username === SETUP_NAME) return counted;
    const everywhere = this.#of_name.find(username)?.attempts ?? 0;
    const is_attacked = everywhere >= limits.login_failures_per_name_everywhere;
    const most = is_attacked ? limits.login_failures_per_stranger : Number.POSITIVE_INFINITY;
    return [
      ...counted,
      { windows: this.#of_name_here_long, key: here, most },
      { windows: this.#of_name, key: username, most: Number.POSITIVE_INFINITY },
    ];
  }

  #isHome(here: string): void {
    this.#at_home.delete(here);
    if (this.#at_home.size >= HOMES_MAX) this.#at_home.delete(this.#at_home.values().next().value!);
    this.#at_home.add(here);
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
