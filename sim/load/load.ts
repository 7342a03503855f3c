/** What a site asks of its batteries. */
import type { Random } from '../random.ts';

export interface Load {
  /**
   * Moves on by `dt_s` and returns the mean wanted current in that time as a fraction of the capacity per
   * hour (C-rate), positive while charging. `soc` (0..1) is what the battery says of itself.
   */
  next(dt_s: number, soc: number): number;
}

/** Noise with a memory of `tau_s`, mean 0, deviation 1 (Ornstein-Uhlenbeck, exact for any step). */
export class WanderingNoise {
  readonly #tau_s: number;
  readonly #random: Random;
  #value: number;

  constructor(tau_s: number, random: Random) {
    this.#tau_s = tau_s;
    this.#random = random;
    this.#value = random.normal();
  }

  next(dt_s: number): number {
    const keep = Math.exp(-dt_s / this.#tau_s);
    this.#value = this.#value * keep + Math.sqrt(1 - keep * keep) * this.#random.normal();
    return this.#value;
  }
}
