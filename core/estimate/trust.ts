/**
 * Whether a recording and a model belong together: sign of the current, range and unit of the voltage, chemistry,
 * capacity. Each sentence names the place, what was found and what was expected.
 */
import { interpolate } from './interpolate.ts';
import type { CellModel } from './model/cell-model.ts';
import { chargeOf, GAP_S, pickRows, type Series } from './series/series.ts';

export interface Doubt {
  /** Nothing of the estimate is to be trusted. */
  readonly problem?: string;
  readonly note?: string;
}

/** Outside what the model knows, by so much (V), counts. */
export const OUTSIDE_V = 0.08;
export const OUTSIDE_SHARE = 0.2;
/** Steps of the current that show the sign. */
export const LEAST_STEPS = 8;
/** So much of the capacity must have passed for counting and voltage to be compared. */
export const LEAST_PASSED = 0.25;
/** A voltage that moves by less than this share of the least the model can: another kind of cell. */
export const FLAT_SHARE = 0.4;

/** Before anything is estimated. */
export function checkRecording(model: CellModel, series: Series, capacity_ah: number): Doubt[] {
  const doubts: Doubt[] = [];
  const { name, length, voltage_v, current_a, temperature_c } = series;
  const seen = voltage_v.filter(Number.isFinite);
  const flowing = current_a.filter(Number.isFinite);
  if (seen.length < length / 20)
    doubts.push({
      problem: `${name} voltage: found ${seen.length} values in ${length} rows, expected one in most`,
    });
  if (flowing.length < length / 20)
    doubts.push({
      problem: `${name} current: found ${flowing.length} values in ${length} rows, expected one in most`,
    });
  if (doubts.length > 0) return doubts;
  const outside = seen.filter(v => v < model.min_v - OUTSIDE_V || v > model.max_v + OUTSIDE_V);
  if (outside.length > OUTSIDE_SHARE * seen.length) {
    const middle = median(seen);
    const unit = middle > 1000 ? ' (millivolts?)' : middle > 6 ? ' (a whole pack?)' : '';
    doubts.push({
      problem:
        `${name} voltage: found ${middle.toFixed(3)} V in the middle${unit}, ` +
        `expected ${model.min_v} to ${model.max_v} V of a cell of the model "${model.name}" (${model.chemistry})`,
    });
  }
  const ratio = capacity_ah / model.nominal_ah;
  if (!(ratio > 0.3 && ratio < 1.5))
    doubts.push({
      problem: `capacity: found ${capacity_ah} Ah, expected about the ${model.nominal_ah} Ah of the model "${model.name}"`,
    });
  const most = flowing.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  if (most > 60 * capacity_ah)
    doubts.push({
      problem: `${name} current: found up to ${most.toFixed(0)} A, expected at most ${(60 * capacity_ah).toFixed(0)} A of a cell of ${capacity_ah} Ah (milliamperes, or a whole pack?)`,
    });
  const known = temperature_c.filter(Number.isFinite);
  const cold = known.filter(c => c < -45 || c > 85).length;
  if (cold > known.length / 10)
    doubts.push({
      problem: `${name} temperature: found ${median(known).toFixed(1)} in the middle, expected -45 to 85 °C`,
    });
  if (known.length === 0) doubts.push({ note: `${name} temperature: found none, 25 °C is taken` });
  doubts.push(...checkSign(model, series, capacity_ah));
  return doubts;
}

/** The voltage rises with a current that charges: over the resistance at once, and with the charge over hours. */
function checkSign({ ocv }: CellModel, series: Series, capacity_ah: number): Doubt[] {
  const { name, length, time_s, current_a, voltage_v } = series;
  // Beyond the ends of the curve a charger or an inverter regulates: there the current follows the voltage.
  const curve = ocv.middle_v[ocv.middle_v.length >> 1];
  const isInside = (v: number) =>
    v > interpolate(ocv.soc, curve, 0.03) && v < interpolate(ocv.soc, curve, 0.97);
  let steps = 0;
  let product = 0;
  let square = 0;
  let square_v = 0;
  for (let i = 1; i < length; i++) {
    const a = current_a[i] - current_a[i - 1];
    const v = voltage_v[i] - voltage_v[i - 1];
    if (!isInside(voltage_v[i]) || !isInside(voltage_v[i - 1])) continue;
    if (!(Math.abs(a) > capacity_ah / 20) || !Number.isFinite(v) || time_s[i] - time_s[i - 1] > GAP_S)
      continue;
    steps++;
    product += a * v;
    square += a * a;
    square_v += v * v;
  }
  const expected = 'expected that it rises: current is positive while charging; is the sign reversed?';
  if (steps >= LEAST_STEPS && product < -0.3 * Math.sqrt(square * square_v)) {
    const milliohm = ((1000 * product) / square).toFixed(1);
    return [
      {
        problem: `${name} current: found that the voltage falls when the current rises (${milliohm} mΩ), ${expected}`,
      },
    ];
  }
  if (steps >= LEAST_STEPS) return [];
  const ah = chargeOf({ ...series, counter_ah: undefined });
  const last = length - 1;
  const passed = ah[last] / capacity_ah;
  const risen_v = voltage_v[last] - voltage_v[0];
  if (Math.abs(passed) > LEAST_PASSED && risen_v * passed < 0 && Math.abs(risen_v) > 0.1)
    return [
      {
        problem: `${name} current: found ${(passed * 100).toFixed(0)} % charged while the voltage went by ${risen_v.toFixed(2)} V, ${expected}`,
      },
    ];
  return [];
}

/** Once all is estimated: what was counted against what the voltage shows and what became of both. */
export function checkResult(
  model: CellModel,
  whole: Series,
  all_soc: Float64Array,
  capacity_ah: number,
): Doubt[] {
  // What runs in a gap is counted by nobody.
  const [from, to] = longestPart(whole);
  const series = pickRows({ ...whole, counter_ah: undefined }, rowsBetween(from, to));
  const soc = all_soc.slice(from, to);
  const { name, time_s, length, current_a } = series;
  const ah = chargeOf({ ...series, counter_ah: undefined });
  let begin = 0;
  // The first minutes belong to the start.
  while (begin < length && time_s[begin] - time_s[0] < 600) begin++;
  if (begin >= length - 10) return [];
  const passed = spanOf(ah, begin) / capacity_ah;
  if (passed < LEAST_PASSED) return [];
  const counted = `${name}: found ${(passed * 100).toFixed(0)} % of ${capacity_ah} Ah counted`;
  const wrong = `the capacity is wrong, or the cell is not ${model.chemistry} ("${model.name}")`;
  const needed_v = leastSpan(model, Math.min(0.9, passed));
  const shown_v = restSpan(series, begin, capacity_ah);
  if (shown_v < FLAT_SHARE * needed_v)
    return [
      {
        problem: `${counted} while the voltage moved by ${(shown_v * 1000).toFixed(0)} mV, expected ${(needed_v * 1000).toFixed(0)} mV at least: ${wrong}`,
      },
    ];
  // What a sensor that is off, and samples too far apart for the load, may have counted wrongly.
  let square = 0;
  for (let i = begin; i < length; i++)
    if (Number.isFinite(current_a[i] - current_a[i - 1])) square += (current_a[i] - current_a[i - 1]) ** 2;
  const hours = (time_s[length - 1] - time_s[begin]) / 3600;
  const wrong_a = capacity_ah / 30 + 0.04 * Math.sqrt(square / (length - begin));
  const allowed = (wrong_a * hours) / capacity_ah;
  const seen = spanOf(soc, begin);
  if (passed < 1.2 + allowed && Math.abs(seen - passed) < allowed + 0.3 * passed) return [];
  return [
    {
      problem: `${counted} and ${(seen * 100).toFixed(0)} % by the voltage, expected about the same: ${wrong}`,
    },
  ];
}

function longestPart({ time_s, length }: Series): [number, number] {
  let best: [number, number] = [0, 0];
  let from = 0;
  for (let i = 1; i <= length; i++) {
    if (i < length && time_s[i] - time_s[i - 1] <= GAP_S) continue;
    if (i - from > best[1] - best[0]) best = [from, i];
    from = i;
  }
  return best;
}

const rowsBetween = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);

function spanOf(values: Float64Array, begin: number): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = begin; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return high - low;
}

/** How far the curve moves at least over a part of the state of charge. */
export function leastSpan({ ocv }: CellModel, width: number): number {
  const curve = ocv.middle_v[ocv.middle_v.length >> 1];
  let least = Number.POSITIVE_INFINITY;
  for (let s = 0; s + width <= 1; s += 0.02)
    least = Math.min(least, interpolate(ocv.soc, curve, s + width) - interpolate(ocv.soc, curve, s));
  return least;
}

/** How far the voltage moves while hardly a current flows; where one always does, with it. */
function restSpan({ voltage_v, current_a }: Series, begin: number, capacity_ah: number): number {
  const at = (most_a: number) =>
    voltage_v.filter((v, i) => i >= begin && Number.isFinite(v) && Math.abs(current_a[i]) <= most_a);
  const resting = at(capacity_ah / 10);
  const used = (resting.length > 50 ? resting : at(Number.POSITIVE_INFINITY)).toSorted();
  return used[Math.floor(used.length * 0.98)] - used[Math.floor(used.length * 0.02)];
}

function median(values: Float64Array): number {
  const sorted = values.toSorted();
  return sorted[sorted.length >> 1];
}
