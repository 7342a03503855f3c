/**
 * Whether a pack and its model belong together, as its values come: what trust.ts asks of a recording, in a few numbers
 * that are kept. Until enough has passed to tell, nobody knows.
 */
import { interpolate } from '../interpolate.ts';
import type { CellModel } from '../model/cell-model.ts';
import { GAP_S } from '../series/series.ts';
import { FLAT_SHARE, LEAST_PASSED, LEAST_STEPS, leastSpan, OUTSIDE_SHARE, OUTSIDE_V } from '../trust.ts';

/** Of a pack at one moment; NaN: not known. */
export interface FitSample {
  dt_s: number;
  current_a: number;
  /** Mean of the good cells. */
  voltage_v: number;
  /** Of these, which the model cannot have. */
  outside_share: number;
  /** Mean of the estimates, 0 to 1, and its deviation. */
  soc: number;
  soc_sd: number;
  /** The device's own, 0 to 1. */
  device_soc: number;
}

/** By its number, as it is stored. */
export const FIT_DOUBTS = ['none', 'outside', 'sign', 'flat', 'counted', 'capacity'] as const;
export type FitDoubt = (typeof FIT_DOUBTS)[number];

const OUTSIDE_MEMORY_S = 300;
const WINDOW_HOURS = 48;
/** The first minutes belong to the start. */
const SETTLE_HOURS = 1 / 6;
/** Steps of the current that are remembered. */
const STEPS_KEPT = 200;
const CLEAR_CORRELATION = 0.3;
/** So much must have been counted before the device's figure is compared; a jump of it is a correction of its own. */
const COMPARED_COUNTED = 0.2;
const JUMP = 0.025;
/** What the device's figure moves by, over what was counted. */
const MIN_RATIO = 0.6;
const MAX_RATIO = 1.6;
const FALLEN_V = 0.02;
/** So long without much current a voltage has settled, as far as this needs it. */
const REST_S = 60;
/** So far must the voltage have moved, and so near estimate and count lie, before the model is said to fit. */
const CLEAR_SHARE = 0.8;
const NEAR = 0.1;
const NEAR_SHARE = 0.15;
/** A cell that is not charged does not stand higher above the end of its curve. */
const ABOVE_CURVE_V = 0.06;

/** Places in `numbers`, which are stored: append only. */
const At = {
  doubt: 0,
  is_confirmed: 1,
  outside: 2,
  steps: 3,
  product: 4,
  square: 5,
  square_v: 6,
  hours: 7,
  counted_ah: 8,
  lowest_ah: 9,
  highest_ah: 10,
  voltage_at_lowest: 11,
  voltage_at_highest: 12,
  rest_lowest_v: 13,
  rest_highest_v: 14,
  all_lowest_v: 15,
  all_highest_v: 16,
  soc_at_lowest: 17,
  soc_at_highest: 18,
  start_sd: 19,
  change_a2: 20,
  device_soc: 21,
  device_ah: 22,
  device_moved: 23,
  rest_lowest_ah: 24,
  rest_highest_ah: 25,
} as const;
const COUNT = 26;

export class FitWatch {
  /** All it knows, for a restart. */
  readonly numbers = new Float64Array(COUNT);
  readonly #model: CellModel;
  readonly #nominal_ah: number;
  readonly #low_v: number;
  readonly #high_v: number;
  readonly #full_v: number;
  #last_a = Number.NaN;
  #last_v = Number.NaN;
  #rested = 0;

  constructor(model: CellModel, nominal_ah: number) {
    this.#model = model;
    this.#nominal_ah = nominal_ah;
    const { ocv } = model;
    const curve = ocv.middle_v[ocv.middle_v.length >> 1];
    this.#low_v = interpolate(ocv.soc, curve, 0.03);
    this.#high_v = interpolate(ocv.soc, curve, 0.97);
    this.#full_v = interpolate(ocv.soc, curve, 1);
    this.start();
  }

  /** Nothing is known any more. */
  start(): void {
    this.numbers.fill(0);
    this.numbers[At.outside] = Number.NaN;
    this.#startWindow();
  }

  /** Charge and voltage have moved together, as the model says. */
  get isConfirmed(): boolean {
    return this.numbers[At.is_confirmed] === 1;
  }

  get doubt(): FitDoubt {
    return FIT_DOUBTS[this.numbers[At.doubt]] ?? 'none';
  }

  /** What a cell of the model cannot have. */
  isOutside(voltage_v: number, current_a: number): boolean {
    const { min_v, max_v } = this.#model;
    if (voltage_v < min_v - OUTSIDE_V || voltage_v > max_v + OUTSIDE_V) return true;
    return current_a < this.#nominal_ah / 50 && voltage_v > this.#full_v + ABOVE_CURVE_V;
  }

  /** Returns whether the answer has changed. */
  take(sample: FitSample): boolean {
    const { numbers } = this;
    const before = numbers[At.doubt];
    this.#takeOutside(sample);
    this.#takeStep(sample);
    this.#takeCharge(sample);
    if (numbers[At.outside] > OUTSIDE_SHARE) this.#doubt('outside');
    else if (before === FIT_DOUBTS.indexOf('outside')) this.#doubt('none');
    this.#last_a = sample.current_a;
    this.#last_v = sample.voltage_v;
    return numbers[At.doubt] !== before;
  }

  /** For a person to read; of no doubt undefined. */
  sentence(): string | undefined {
    const { numbers } = this;
    const { name, chemistry, min_v, max_v } = this.#model;
    const model = `the model "${name}"`;
    const passed_pct = (100 * (numbers[At.highest_ah] - numbers[At.lowest_ah])) / this.#nominal_ah;
    const counted = `${passed_pct.toFixed(0)} % of ${this.#nominal_ah} Ah was counted`;
    const wrong = `the capacity is wrong, or the cells are not ${chemistry} as in ${model}`;
    switch (this.doubt) {
      case 'outside':
        return `cell voltages lie outside ${min_v} to ${max_v} V, what cells of ${model} (${chemistry}) have`;
      case 'sign':
        return 'the voltage falls while the current charges: current is positive while charging; is its sign reversed?';
      case 'flat':
        return `${counted} while the voltages hardly moved: ${wrong}`;
      case 'counted':
        return `${counted}, but not by the voltages: ${wrong}`;
      case 'capacity':
        return `the device's state of charge does not move as ${this.#nominal_ah} Ah would: the capacity is wrong, or the current`;
      default:
        return undefined;
    }
  }

  #doubt(doubt: FitDoubt): void {
    this.numbers[At.doubt] = FIT_DOUBTS.indexOf(doubt);
    if (doubt !== 'none') this.numbers[At.is_confirmed] = 0;
  }

  #takeOutside({ dt_s, outside_share }: FitSample): void {
    if (Number.isNaN(outside_share)) return;
    const { numbers } = this;
    const weight = Number.isNaN(numbers[At.outside]) ? 1 : 1 - Math.exp(-dt_s / OUTSIDE_MEMORY_S);
    if (weight === 1) numbers[At.outside] = outside_share;
    else numbers[At.outside] += weight * (outside_share - numbers[At.outside]);
  }

  /** A current that rises lifts the voltage at once. */
  #takeStep({ dt_s, current_a, voltage_v }: FitSample): void {
    const step_a = current_a - this.#last_a;
    const step_v = voltage_v - this.#last_v;
    if (!(Math.abs(step_a) > this.#nominal_ah / 20) || Number.isNaN(step_v) || dt_s > GAP_S) return;
    // Beyond the ends of the curve a charger or an inverter regulates: there the current follows the voltage.
    if (!this.#isInside(voltage_v) || !this.#isInside(this.#last_v)) return;
    const { numbers } = this;
    const keep = numbers[At.steps] >= STEPS_KEPT ? 1 - 1 / STEPS_KEPT : 1;
    numbers[At.steps] = keep * numbers[At.steps] + 1;
    numbers[At.product] = keep * numbers[At.product] + step_a * step_v;
    numbers[At.square] = keep * numbers[At.square] + step_a * step_a;
    numbers[At.square_v] = keep * numbers[At.square_v] + step_v * step_v;
    const sign = this.#signOfSteps();
    if (sign < 0) this.#doubt('sign');
    else if (this.doubt === 'sign' && sign > 0) this.#startAgain();
  }

  /** 0: too few steps to tell. */
  #signOfSteps(): number {
    const { numbers } = this;
    if (numbers[At.steps] < LEAST_STEPS) return 0;
    const clear = CLEAR_CORRELATION * Math.sqrt(numbers[At.square] * numbers[At.square_v]);
    return Math.abs(numbers[At.product]) > clear ? Math.sign(numbers[At.product]) : 0;
  }

  /** What was counted against what the voltage, and the estimate by it, moved by. */
  #takeCharge({ dt_s, current_a, voltage_v, soc, soc_sd, device_soc }: FitSample): void {
    const { numbers } = this;
    if (Number.isNaN(current_a) || Number.isNaN(voltage_v) || Number.isNaN(soc)) return;
    if (dt_s > GAP_S || numbers[At.hours] > WINDOW_HOURS) {
      this.#startWindow();
      return;
    }
    const mean_a = Number.isNaN(this.#last_a) ? current_a : (this.#last_a + current_a) / 2;
    numbers[At.hours] += dt_s / 3600;
    numbers[At.counted_ah] += (mean_a * dt_s) / 3600;
    if (numbers[At.hours] < SETTLE_HOURS) return;
    if (Number.isNaN(numbers[At.start_sd])) numbers[At.start_sd] = soc_sd;
    const change_a = current_a - this.#last_a;
    if (!Number.isNaN(change_a)) numbers[At.change_a2] += change_a * change_a * dt_s;
    this.#widen(At.all_lowest_v, At.all_highest_v, voltage_v);
    this.#rested = Math.abs(current_a) <= this.#nominal_ah / 10 ? this.#rested + dt_s : 0;
    if (this.#rested > REST_S) {
      this.#widen(At.rest_lowest_v, At.rest_highest_v, voltage_v);
      this.#widen(At.rest_lowest_ah, At.rest_highest_ah, numbers[At.counted_ah]);
    }
    const ah = numbers[At.counted_ah];
    if (!(ah >= numbers[At.lowest_ah])) {
      numbers[At.lowest_ah] = ah;
      numbers[At.voltage_at_lowest] = voltage_v;
      numbers[At.soc_at_lowest] = soc;
    }
    if (!(ah <= numbers[At.highest_ah])) {
      numbers[At.highest_ah] = ah;
      numbers[At.voltage_at_highest] = voltage_v;
      numbers[At.soc_at_highest] = soc;
    }
    this.#takeDevice(ah, device_soc);
    this.#judgeCharge();
  }

  #takeDevice(ah: number, device_soc: number): void {
    const { numbers } = this;
    if (Number.isNaN(device_soc)) return;
    const step = device_soc - numbers[At.device_soc];
    numbers[At.device_soc] = device_soc;
    if (!(Math.abs(step) < JUMP)) {
      numbers[At.device_ah] = ah;
      numbers[At.device_moved] = 0;
      return;
    }
    numbers[At.device_moved] += step;
    const counted = (ah - numbers[At.device_ah]) / this.#nominal_ah;
    if (Math.abs(counted) < COMPARED_COUNTED && Math.abs(numbers[At.device_moved]) < COMPARED_COUNTED) return;
    const ratio = numbers[At.device_moved] / counted;
    if (ratio < 0 && this.#signOfSteps() <= 0) this.#doubt('sign');
    // Once the voltages have confirmed the count, it is the device that is wrong.
    else if ((ratio < MIN_RATIO || ratio > MAX_RATIO) && !this.isConfirmed) this.#doubt('capacity');
    numbers[At.device_ah] = ah;
    numbers[At.device_moved] = 0;
  }

  #judgeCharge(): void {
    const { numbers } = this;
    const passed = (numbers[At.highest_ah] - numbers[At.lowest_ah]) / this.#nominal_ah;
    if (passed < LEAST_PASSED) return;
    const rest = (numbers[At.rest_highest_ah] - numbers[At.rest_lowest_ah]) / this.#nominal_ah;
    // Where it hardly rests, with what flows: the voltage then moves for that alone.
    const isRest = rest > LEAST_PASSED;
    const moved_v = isRest
      ? numbers[At.rest_highest_v] - numbers[At.rest_lowest_v]
      : (numbers[At.all_highest_v] - numbers[At.all_lowest_v]) / 2;
    const needed_v = leastSpan(this.#model, Math.min(0.9, isRest ? rest : passed));
    const hours = numbers[At.hours];
    // What a sensor that is off, samples too far apart for the load, and a start that was not sure, may make of it.
    const change_a = Math.sqrt(numbers[At.change_a2] / (hours * 3600));
    const allowed =
      ((this.#nominal_ah / 30 + 0.04 * change_a) * hours) / this.#nominal_ah + 2 * numbers[At.start_sd];
    const seen = numbers[At.soc_at_highest] - numbers[At.soc_at_lowest];
    const risen_v = numbers[At.voltage_at_highest] - numbers[At.voltage_at_lowest];
    if (risen_v < -FALLEN_V && this.#signOfSteps() <= 0) this.#doubt('sign');
    else if (moved_v < FLAT_SHARE * needed_v) this.#doubt('flat');
    else if (Math.abs(seen - passed) > allowed + 0.3 * passed) this.#doubt('counted');
    else if (moved_v > CLEAR_SHARE * needed_v && Math.abs(seen - passed) < NEAR + NEAR_SHARE * passed)
      this.#confirm();
    if (passed > 1) this.#startWindow();
  }

  #confirm(): void {
    const { doubt } = this;
    if (doubt === 'none') this.numbers[At.is_confirmed] = 1;
    // Steps and voltages themselves take these back.
    else if (doubt !== 'outside' && doubt !== 'sign') this.#startAgain();
  }

  /** The doubt is gone: somebody has mended it. */
  #startAgain(): void {
    const outside = this.numbers[At.outside];
    this.start();
    this.numbers[At.outside] = outside;
  }

  #startWindow(): void {
    this.numbers.fill(Number.NaN, At.lowest_ah, COUNT);
    this.numbers[At.hours] = 0;
    this.numbers[At.counted_ah] = 0;
    this.numbers[At.change_a2] = 0;
    this.#rested = 0;
  }

  #widen(low: number, high: number, value: number): void {
    if (!(value >= this.numbers[low])) this.numbers[low] = value;
    if (!(value <= this.numbers[high])) this.numbers[high] = value;
  }

  #isInside(voltage_v: number): boolean {
    return voltage_v > this.#low_v && voltage_v < this.#high_v;
  }
}
