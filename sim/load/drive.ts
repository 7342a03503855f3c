/** A vehicle: stop, accelerate, cruise, brake with regeneration; when low it goes home and charges. */
import type { Random } from '../random.ts';
import type { Load } from './load.ts';

type Phase = 'stop' | 'accelerate' | 'cruise' | 'brake' | 'charge';

/** [shortest s, longest s, lowest C-rate, highest C-rate] of each phase. */
const PHASES: Readonly<Record<Phase, readonly [number, number, number, number]>> = {
  stop: [8, 40, -0.02, -0.01],
  accelerate: [5, 14, -0.5, -0.3],
  cruise: [15, 120, -0.25, -0.1],
  brake: [4, 10, 0.15, 0.4],
  charge: [60, 60, 0.35, 0.4],
};
const AFTER: Readonly<Record<Phase, Phase>> = {
  stop: 'accelerate',
  accelerate: 'cruise',
  cruise: 'brake',
  brake: 'stop',
  charge: 'charge',
};
const CHARGE_BELOW_SOC = 0.25;
const CHARGE_UNTIL_SOC = 0.9;

export class DriveLoad implements Load {
  readonly #random: Random;
  #phase: Phase = 'stop';
  #left_s = 0;
  #rate_c = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#enter((['stop', 'accelerate', 'cruise', 'brake'] as const)[Math.floor(random.between(0, 4))]);
    this.#left_s *= random.next();
  }

  next(dt_s: number, soc: number): number {
    let charge_cs = 0;
    let todo_s = dt_s;
    while (todo_s > 0) {
      if (this.#left_s <= 0) this.#enter(this.#following(soc));
      const now_s = Math.min(todo_s, this.#left_s);
      charge_cs += this.#rate_c * now_s;
      this.#left_s -= now_s;
      todo_s -= now_s;
    }
    return charge_cs / dt_s;
  }

  #following(soc: number): Phase {
    if (this.#phase === 'charge') return soc < CHARGE_UNTIL_SOC ? 'charge' : 'stop';
    return this.#phase === 'stop' && soc < CHARGE_BELOW_SOC ? 'charge' : AFTER[this.#phase];
  }

  #enter(phase: Phase): void {
    const [shortest_s, longest_s, lowest_c, highest_c] = PHASES[phase];
    this.#phase = phase;
    this.#left_s = this.#random.between(shortest_s, longest_s);
    this.#rate_c = this.#random.between(lowest_c, highest_c);
  }
}
