/**
 * Values of one pack that cannot all be true, each of them possible by itself: the one address of these tests, for
 * readings (`markContradictions`) and for the scan, which weighs profiles by them.
 */
import { CellMetric, PACK_METRICS, PackMetric } from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';

/** Cells of one pack differ less than this, even the weak ones. */
export const MAX_CELL_SPREAD_V = 1.2;
/** Sum of the cells against the voltage of the pack, as a share of it: tolerances of two converters, and cables. */
const SUM_TOLERANCE = 0.04;
/** So much more is allowed while the voltage moves, as pack and cells are not reported at one moment. */
const MAX_SLACK = 0.08;
/** Beyond this share the message that reported the voltage is in doubt, and the current that comes with it. */
const GROSS = 0.2;
/** A device reports lowest and highest cell in one message; noise may turn them by this. */
const ORDER_TOLERANCE_V = 0.05;

/** Bits of `Contradictions.found`. */
export const Contradiction = { sum: 1, limits: 2, order: 4, zeros: 8, ones: 16 } as const;

/** Reused between readings; filled by `markContradictions`. */
export interface Contradictions {
  found: number;
  /** Values marked for it. */
  marked: number;
}

/** `slack_v`: how far the voltage has moved lately. NaN on either side proves nothing. */
export function contradictsCells(sum_v: number, pack_v: number, slack_v = 0): boolean {
  const size_v = Math.max(sum_v, pack_v);
  return Math.abs(sum_v - pack_v) > SUM_TOLERANCE * size_v + Math.min(MAX_SLACK * size_v, slack_v);
}

/** Devices that set no limit send 0. */
export function contradictsLimits(pack_v: number, empty_v: number, full_v: number): boolean {
  return (full_v > 0 && (pack_v >= 1.3 * full_v || pack_v <= 0.5 * full_v)) || pack_v <= 0.5 * empty_v;
}

export const sumSentence = (sum_v: number, pack_v: number) =>
  `cells add up to ${volts(sum_v)}, the pack says ${volts(pack_v)}`;
export const chargeLimitSentence = (pack_v: number, full_v: number) =>
  `voltage ${volts(pack_v)} does not fit a charge limit of ${volts(full_v)}`;
export const orderSentence = (low_v: number, high_v: number) =>
  `lowest cell ${low_v.toFixed(3)} V, highest ${high_v.toFixed(3)} V`;

const volts = (value: number) => `${value.toFixed(1)} V`;

const ZEROS = [
  PackMetric.voltage_v,
  PackMetric.current_a,
  PackMetric.temperature_c,
  PackMetric.soc_pct,
  PackMetric.soh_pct,
  PackMetric.charge_voltage_limit_v,
  PackMetric.charge_current_limit_a,
  PackMetric.discharge_current_limit_a,
  PackMetric.discharge_voltage_limit_v,
  PackMetric.capacity_full_ah,
  PackMetric.capacity_remaining_ah,
] as const;
/** Those of which one at least must be zero beside the voltage: none of them is known to be 0 V's companion else. */
const STATES = [PackMetric.soc_pct, PackMetric.soh_pct, PackMetric.temperature_c] as const;

/**
 * Marks good values of `reading` suspect that contradict others, in place; to be called after `markImplausible`.
 * `slack_v`: see `contradictsCells`.
 */
export function markContradictions(reading: PackReading, slack_v: number, into: Contradictions): void {
  into.found = 0;
  into.marked = 0;
  markZeros(reading, into);
  markSum(reading, slack_v, into);
  markLimits(reading, into);
  markOrder(reading, into);
  markOnes(reading, into);
}

/** For each contradiction one sentence a technician reads. The values are those of `reading`, also the suspect ones. */
export function contradictionSentences(reading: PackReading, found: number): string[] {
  const { values } = reading;
  const pack_v = values[PackMetric.voltage_v];
  const sentences: string[] = [];
  if (found & Contradiction.zeros) sentences.push('the device reports nothing but zeros');
  if (found & Contradiction.ones)
    sentences.push('the device sends bytes that are all ones, as one without data does');
  if (found & Contradiction.sum) {
    const sum_v = sumOfCells(reading, true);
    const [low_v, high_v] = reportedSpan(reading);
    sentences.push(
      Number.isNaN(sum_v)
        ? `${reading.shape.cell_count} cells of ${low_v.toFixed(3)} to ${high_v.toFixed(3)} V do not make the pack's ${volts(pack_v)}`
        : sumSentence(sum_v, pack_v),
    );
  }
  if (found & Contradiction.limits) {
    const full_v = values[PackMetric.charge_voltage_limit_v];
    sentences.push(
      full_v > 0
        ? chargeLimitSentence(pack_v, full_v)
        : `voltage ${volts(pack_v)} does not fit a discharge limit of ${volts(values[PackMetric.discharge_voltage_limit_v])}`,
    );
  }
  if (found & Contradiction.order) sentences.push(orderSentence(...reportedSpan(reading)));
  return sentences;
}

/** NaN unless every cell is good; `with_suspect`: or suspect. */
function sumOfCells(reading: PackReading, with_suspect = false): number {
  const { cells, cell_quality, shape } = reading;
  let sum_v = shape.cell_count > 0 ? 0 : Number.NaN;
  const first = CellMetric.voltage_v * shape.cell_count;
  for (let slot = first; slot < first + shape.cell_count; slot++) {
    const quality = cell_quality[slot];
    if (quality !== Quality.good && !(with_suspect && quality === Quality.suspect)) return Number.NaN;
    sum_v += cells[slot];
  }
  return sum_v;
}

const reportedSpan = ({ values }: PackReading): [low_v: number, high_v: number] => [
  values[PackMetric.cell_voltage_min_v],
  values[PackMetric.cell_voltage_max_v],
];

const isGood = (reading: PackReading, metric: number) => reading.value_quality[metric] === Quality.good;
const good = (reading: PackReading, metric: number) =>
  isGood(reading, metric) ? reading.values[metric] : Number.NaN;

function doubt({ value_quality }: PackReading, metric: number, into: Contradictions): void {
  if (value_quality[metric] !== Quality.good) return;
  value_quality[metric] = Quality.suspect;
  into.marked++;
}

function markZeros(reading: PackReading, into: Contradictions): void {
  if (good(reading, PackMetric.voltage_v) !== 0 || good(reading, PackMetric.soc_pct) !== 0) return;
  let zeros = 0;
  for (let i = 0; i < STATES.length; i++) {
    if (!isGood(reading, STATES[i])) continue;
    if (reading.values[STATES[i]] !== 0) return;
    zeros++;
  }
  if (zeros < 2) return;
  for (let i = 0; i < ZEROS.length; i++) if (reading.values[ZEROS[i]] === 0) doubt(reading, ZEROS[i], into);
  into.found |= Contradiction.zeros;
}

/**
 * The cells are many and bear each other out, so that the pack's voltage is doubted; where they lie far apart, they
 * are doubted too.
 */
function markSum(reading: PackReading, slack_v: number, into: Contradictions): void {
  const pack_v = good(reading, PackMetric.voltage_v);
  if (Number.isNaN(pack_v) || reading.shape.cell_count === 0) return;
  const sum_v = sumOfCells(reading);
  if (Number.isNaN(sum_v)) {
    markSpan(reading, pack_v, slack_v, into);
    return;
  }
  if (!contradictsCells(sum_v, pack_v, slack_v)) return;
  doubt(reading, PackMetric.voltage_v, into);
  if (Math.abs(sum_v - pack_v) > GROSS * sum_v) doubt(reading, PackMetric.current_a, into);
  const { cells, cell_quality, shape } = reading;
  const first = CellMetric.voltage_v * shape.cell_count;
  let low_v = Number.POSITIVE_INFINITY;
  let high_v = Number.NEGATIVE_INFINITY;
  for (let slot = first; slot < first + shape.cell_count; slot++) {
    if (cells[slot] < low_v) low_v = cells[slot];
    if (cells[slot] > high_v) high_v = cells[slot];
  }
  if (high_v - low_v > MAX_CELL_SPREAD_V) {
    cell_quality.fill(Quality.suspect, first, first + shape.cell_count);
    into.marked += shape.cell_count;
  }
  into.found |= Contradiction.sum;
}

/** Where a device reports no single cell, but how many there are is known. */
function markSpan(reading: PackReading, pack_v: number, slack_v: number, into: Contradictions): void {
  const { cell_quality, shape } = reading;
  const { cell_count } = shape;
  const first = CellMetric.voltage_v * cell_count;
  for (let slot = first; slot < first + cell_count; slot++)
    if (cell_quality[slot] !== Quality.missing) return;
  const lowest_v = good(reading, PackMetric.cell_voltage_min_v) * cell_count;
  const highest_v = good(reading, PackMetric.cell_voltage_max_v) * cell_count;
  const nearest_v = Math.min(Math.max(pack_v, lowest_v), highest_v);
  if (Number.isNaN(nearest_v) || !contradictsCells(nearest_v, pack_v, slack_v)) return;
  doubt(reading, PackMetric.voltage_v, into);
  into.found |= Contradiction.sum;
}

/** Either may be wrong, so that both are doubted. */
function markLimits(reading: PackReading, into: Contradictions): void {
  const pack_v = good(reading, PackMetric.voltage_v);
  const empty_v = good(reading, PackMetric.discharge_voltage_limit_v);
  const full_v = good(reading, PackMetric.charge_voltage_limit_v);
  if (!contradictsLimits(pack_v, empty_v, full_v)) return;
  doubt(reading, PackMetric.voltage_v, into);
  doubt(reading, PackMetric.charge_voltage_limit_v, into);
  doubt(reading, PackMetric.discharge_voltage_limit_v, into);
  into.found |= Contradiction.limits;
}

function markOrder(reading: PackReading, into: Contradictions): void {
  const low_v = good(reading, PackMetric.cell_voltage_min_v);
  const high_v = good(reading, PackMetric.cell_voltage_max_v);
  if (!(low_v > high_v + ORDER_TOLERANCE_V)) return;
  doubt(reading, PackMetric.cell_voltage_min_v, into);
  doubt(reading, PackMetric.cell_voltage_max_v, into);
  into.found |= Contradiction.order;
}

/** What a device that has no data fills with ones: FFFF, or 7FFF where a sign goes before, at any step. */
function markOnes(reading: PackReading, into: Contradictions): void {
  const { values, value_quality } = reading;
  let full = 0;
  for (let m = 0; m < PACK_METRICS.length; m++)
    if (value_quality[m] !== Quality.missing && isAllOnes(values[m])) full++;
  const isVoltageFull = isAllOnes(values[PackMetric.voltage_v]);
  // A pack of 327.67 V may exist; one of 327.67 V and 3276.7 °C does not.
  if (full > (isVoltageFull ? 1 : 0) && isVoltageFull) {
    for (let m = 0; m < PACK_METRICS.length; m++) if (isAllOnes(values[m])) doubt(reading, m, into);
  } else if (!hasOnesForVoltage(reading)) return;
  for (let i = 0; i < ONE_STEP.length; i++)
    if (isMinusOneStep(values[ONE_STEP[i]])) doubt(reading, ONE_STEP[i], into);
  into.found |= Contradiction.ones;
}

/** Where FFFF with a sign is one step below zero; a limit is reported without its sign. */
const ONE_STEP = [
  PackMetric.current_a,
  PackMetric.temperature_c,
  PackMetric.charge_current_limit_a,
  PackMetric.discharge_current_limit_a,
] as const;

function hasOnesForVoltage(reading: PackReading): boolean {
  return (
    isDoubtedOnes(reading, PackMetric.voltage_v) || isDoubtedOnes(reading, PackMetric.charge_voltage_limit_v)
  );
}

function isDoubtedOnes({ values, value_quality }: PackReading, metric: number): boolean {
  const value = values[metric];
  return (
    value_quality[metric] === Quality.suspect && (isAllOnes(value) || (value < 0 && isMinusOneStep(value)))
  );
}

function isAllOnes(value: number): boolean {
  for (let steps = 1; steps <= 1000; steps *= 10) {
    const raw = value * steps;
    if (Math.abs(raw - 65535) < 1e-3 || Math.abs(raw - 32767) < 1e-3) return true;
  }
  return false;
}

function isMinusOneStep(value: number): boolean {
  const size = Math.abs(value);
  return Math.abs(size - 0.1) < 1e-9 || Math.abs(size - 0.01) < 1e-9 || Math.abs(size - 0.001) < 1e-9;
}
