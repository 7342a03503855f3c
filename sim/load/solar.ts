/** A house or business with panels: charges around noon, lives from the battery in the evening and at night. */
import type { Random } from '../random.ts';
import { type Load, WanderingNoise } from './load.ts';

const SUNRISE_H = 6;
const SUNSET_H = 19;
const PANEL_PEAK_C = 0.26;
const BASE_C = 0.015;
const MORNING_C = 0.06;
const EVENING_C = 0.11;
const APPLIANCE_C = 0.08;
const APPLIANCE_PAUSE_S = 900;
const APPLIANCE_RUN_S = 180;

export class SolarLoad implements Load {
  readonly #random: Random;
  readonly #clouds: WanderingNoise;
  readonly #people: WanderingNoise;
  readonly #size: number;
  #hour: number;
  #appliance_on = false;

  /** `hour`: local time of day at the start, 0..24. */
  constructor(hour: number, random: Random) {
    this.#random = random;
    this.#hour = hour + random.between(-0.3, 0.3);
    this.#size = random.between(0.85, 1.15);
    this.#clouds = new WanderingNoise(240, random);
    this.#people = new WanderingNoise(40, random);
  }

  next(dt_s: number): number {
    const hour = (((this.#hour + dt_s / 7200) % 24) + 24) % 24;
    this.#hour = (this.#hour + dt_s / 3600) % 24;
    return this.#size * (this.#panels(hour, dt_s) - this.#consumption(hour, dt_s));
  }

  #panels(hour: number, dt_s: number): number {
    const clear = Math.max(0.15, Math.min(1, 0.8 + 0.3 * this.#clouds.next(dt_s)));
    const day = (hour - SUNRISE_H) / (SUNSET_H - SUNRISE_H);
    return day > 0 && day < 1 ? PANEL_PEAK_C * clear * Math.sin(Math.PI * day) ** 1.5 : 0;
  }

  #consumption(hour: number, dt_s: number): number {
    const mean_wait_s = this.#appliance_on ? APPLIANCE_RUN_S : APPLIANCE_PAUSE_S;
    if (this.#random.next() < 1 - Math.exp(-dt_s / mean_wait_s)) this.#appliance_on = !this.#appliance_on;
    const habits = BASE_C + MORNING_C * bell(hour, 7.5, 1.2) + EVENING_C * bell(hour, 19.5, 2);
    const moods = Math.max(0.4, 1 + 0.15 * this.#people.next(dt_s));
    return habits * moods + (this.#appliance_on ? APPLIANCE_C : 0);
  }
}

function bell(hour: number, middle_h: number, width_h: number): number {
  const apart = Math.abs(hour - middle_h);
  const around = Math.min(apart, 24 - apart) / width_h;
  return Math.exp(-0.5 * around * around);
}
