/**
 * What the first voltage says of the state of charge, before anything is known of the current's past: the drop over
 * the resistances lies between nothing (the load has just begun) and more than a steady current makes, and it has the
 * sign of the current. Against a prior, on a grid: a flat or bent curve leaves what it leaves.
 */
import { MAX_BRANCHES, type ModelTables, STRIDE } from '../model/tables.ts';

const STEPS = 101;
/** The device's figure may be anything: so likely is it that it is of no use. */
const UNIFORM = 0.1;
/** The model's own error. */
const REST_V = 0.015;
const STEADY_FACTOR = 1.5;

const weights = new Float64Array(STEPS);
const read = new Float64Array(STRIDE);
/** Of the last call: mean, standard deviation, and how far the state of charge moves by each volt that is not the curve's. */
export const firstSoc = { mean: 0, sd: 0, per_v: 0 };

/** `tables` must have been sought for the temperature. Sets `firstSoc`. */
export function readFirstSample(
  tables: ModelTables,
  current_a: number,
  voltage_v: number,
  soc: number,
  soc_sd: number,
  unknown_a: number,
): void {
  let total = 0;
  let mean = 0;
  let mean_v = 0;
  for (let i = 0; i < STEPS; i++) {
    const s = i / (STEPS - 1);
    tables.read(s, read, 0);
    let ohm = read[2];
    for (let b = 0; b < MAX_BRANCHES; b++) ohm += read[3 + b];
    const full_v = STEADY_FACTOR * ohm * current_a;
    // What is left of a load before the first sample: each slower branch may hold more.
    let left_v = 0;
    for (let b = 1; b < MAX_BRANCHES; b++) left_v = Math.hypot(left_v, read[3 + b] * b * unknown_a);
    const sd_v = Math.hypot(REST_V, read[1], left_v);
    const y = voltage_v - read[0];
    const low = Math.min(0, full_v);
    const high = Math.max(0, full_v);
    const likely =
      (normal((high - y) / sd_v) - normal((low - y) / sd_v) + 1e-3 * bell(y / sd_v)) / (high - low + sd_v);
    const flat = high - low < sd_v / 4 ? bell(y / sd_v) / sd_v : likely;
    weights[i] = (flat + 1e-12) * (UNIFORM * soc_sd * 2.5 + bell((s - soc) / soc_sd));
    total += weights[i];
    mean += weights[i] * s;
    mean_v += weights[i] * sd_v;
  }
  mean /= total;
  let variance = 0;
  for (let i = 0; i < STEPS; i++) variance += (weights[i] / total) * (i / (STEPS - 1) - mean) ** 2;
  firstSoc.mean = mean;
  firstSoc.sd = Math.sqrt(variance + 1e-5);
  firstSoc.per_v = (firstSoc.sd * total) / mean_v;
}

const bell = (x: number) => Math.exp(-0.5 * x * x);

/** The normal distribution (Abramowitz and Stegun 7.1.26, off by less than 2e-7). */
function normal(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const tail =
    (((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) *
      t *
      Math.exp(-z * z)) /
    2;
  return x > 0 ? 1 - tail : tail;
}
