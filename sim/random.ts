/**
 * Seeded random numbers: same seed and stream, same sequence on every machine.
 * Generator: xoshiro128** (D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators",
 * ACM TOMS 47-4, 2021); its state is filled by the 32-bit finalizer of MurmurHash3 (A. Appleby).
 */
export class Random {
  readonly #state = new Uint32Array(4);
  #spare = Number.NaN;

  /** `stream` separates what is drawn independently: the fleet, each battery's load, each pack's noise. */
  constructor(seed: number, stream: number) {
    for (let i = 0; i < 4; i++) this.#state[i] = scramble(seed ^ scramble(stream * 4 + i + 1));
    if (this.#state.every(word => word === 0)) this.#state[0] = 1;
  }

  /** Uniform in [0, 1). */
  next(): number {
    const s = this.#state;
    const result = Math.imul(rotl(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11);
    return result / 0x1_0000_0000;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Normal with mean 0 and deviation 1 (Box-Muller). */
  normal(): number {
    if (!Number.isNaN(this.#spare)) {
      const spare = this.#spare;
      this.#spare = Number.NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    const angle = 2 * Math.PI * this.next();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Normal around `mean`, cut off at three deviations: a spread of parts that passed inspection. */
  spread(mean: number, deviation: number): number {
    return mean + deviation * Math.max(-3, Math.min(3, this.normal()));
  }
}

function rotl(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function scramble(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
