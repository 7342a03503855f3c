/**
 * Capacity and resistance of many cells, learned while they work, in columns of typed arrays.
 *
 * Capacity: where the voltage alone says the state of charge (at rest, or where the curve is steep), it is an anchor;
 * what was counted between two anchors, over what the state of charge moved by, is the capacity. Of neighbouring
 * anchors the surest counts, once. Resistance: what the voltage jumps by when the current does, over what the model says.
 * Both are corrected slowly: each finding counts as much as it is surer than what was known.
 */
import type { KalmanCells } from '../kalman/kalman-cells.ts';
import { MAX_BRANCHES, SOC_BEGIN, SOC_COUNT, SOC_STEP, STRIDE } from '../model/tables.ts';

/** An anchor less sure than this is none. */
const ANCHOR_SD = 0.05;
/** A charge that tapers at the top of the curve has filled the cell. */
const FULL_RATE = 1 / 8;
/** A discharge that comes to the least voltage, not only by its drop, has emptied it. */
const EMPTY_V = 0.02;
const EMPTY_SOC = 0.08;
/** No curve is placed better than this on the axis. */
const CURVE_SD = 0.008;
const END_SD = 0.003;
/** Two anchors nearer than this do not show the capacity. */
const LEAST_APART = 0.3;
/** Of what was counted: gain of the sensor; its offset, as a share of the current that fills the cell in an hour. */
const COUNT_SHARE = 0.003;
const COUNT_OFFSET = 1 / 1000;
/** The drop over the resistances is not known better than this. */
const DROP_SHARE = 0.12;
/** What a capacity may change by in a full cycle, and over a gap of which nothing is known. */
const CYCLE_SD = 0.0008;
const GAP_SD = 0.015;
/** Looked at so often. */
const EVERY_S = 60;
/** Of the variance of a finding, what is another one the next time. */
const RANDOM_PART = 0.1;
const MAX_RELATIVE_SD = 0.08;
const FULL_STEP = Math.round((1 - SOC_BEGIN) / SOC_STEP);

export class HealthCells {
  readonly #cells: KalmanCells;
  /** Ah; NaN: nothing learned yet. */
  readonly capacity_ah: Float64Array;
  readonly capacity_sd_ah: Float64Array;
  /** Over that of the model; NaN: nothing learned yet. */
  readonly resistance: Float64Array;
  readonly resistance_sd: Float64Array;
  readonly #counted_ah: Float64Array;
  readonly #through_ah: Float64Array;
  readonly #hours: Float64Array;
  readonly #wait_s: Float64Array;
  readonly #last_a: Float64Array;
  readonly #last_v: Float64Array;
  /** Of each cell: state of charge, its variance, counted Ah, hours at the anchor; then the same of the best since. */
  readonly #anchor: Float64Array;
  readonly #best: Float64Array;
  readonly #known_ah: Float64Array;
  readonly #known_var: Float64Array;
  #fused_var = 0;
  readonly #read = new Float64Array(STRIDE);

  constructor(cells: KalmanCells) {
    const { count } = cells;
    const none = () => new Float64Array(count).fill(Number.NaN);
    this.#cells = cells;
    this.capacity_ah = none();
    this.capacity_sd_ah = none();
    this.resistance = none();
    this.resistance_sd = none();
    this.#counted_ah = new Float64Array(count);
    this.#through_ah = new Float64Array(count);
    this.#hours = new Float64Array(count);
    this.#wait_s = new Float64Array(count);
    this.#last_a = none();
    this.#last_v = none();
    this.#anchor = new Float64Array(count * 4).fill(Number.NaN);
    this.#best = new Float64Array(count * 6).fill(Number.NaN);
    this.#known_ah = none();
    this.#known_var = none();
  }

  /** As `KalmanCells.columns`. */
  get columns(): readonly Float64Array[] {
    return [
      this.capacity_ah,
      this.capacity_sd_ah,
      this.resistance,
      this.resistance_sd,
      this.#counted_ah,
      this.#through_ah,
      this.#hours,
      this.#last_a,
      this.#last_v,
      this.#anchor,
      this.#best,
      this.#known_ah,
      this.#known_var,
    ];
  }

  /** Another cell stands in this place. */
  start(cell: number): void {
    const { count } = this.#cells;
    for (const column of this.columns) {
      const per_cell = column.length / count;
      column.fill(Number.NaN, cell * per_cell, (cell + 1) * per_cell);
    }
    for (const counter of [this.#counted_ah, this.#through_ah, this.#hours, this.#wait_s]) counter[cell] = 0;
  }

  /** After the step of the filter, with the same sample. `isCut`: what ran since the sample before is not known. */
  step(cell: number, dt_s: number, current_a: number, voltage_v: number, isCut: boolean): void {
    if (Number.isNaN(current_a) || Number.isNaN(voltage_v)) return;
    const last_a = this.#last_a[cell];
    if (isCut) this.#cut(cell);
    else if (!Number.isNaN(last_a) && dt_s > 0) {
      const ah = (((last_a + current_a) / 2) * dt_s) / 3600;
      this.#counted_ah[cell] += ah;
      this.#through_ah[cell] += Math.abs(ah);
      this.#hours[cell] += dt_s / 3600;
      this.#learnResistance(cell, dt_s, current_a, voltage_v);
    }
    this.#last_a[cell] = current_a;
    this.#last_v[cell] = voltage_v;
    this.#wait_s[cell] -= dt_s;
    // The end of a discharge lasts for one sample.
    if (this.#wait_s[cell] > 0 && voltage_v > this.#cells.tables.model.min_v + EMPTY_V) return;
    this.#wait_s[cell] = EVERY_S;
    this.#anchorAt(cell, current_a, voltage_v);
  }

  /** Nothing is counted across. What was found before stands. */
  #cut(cell: number): void {
    this.#commit(cell);
    this.#anchor[cell * 4 + 1] = Number.NaN;
    this.#counted_ah[cell] = 0;
    this.#hours[cell] = 0;
    this.#wait_s[cell] = 0;
    const known = this.#known_ah[cell];
    if (!Number.isNaN(known)) this.#known_var[cell] += (GAP_SD * known) ** 2;
  }

  #anchorAt(cell: number, current_a: number, voltage_v: number): void {
    const cells = this.#cells;
    const { tables } = cells;
    const rest = cells.restV(cell, current_a, voltage_v);
    const sd_v = Math.hypot(
      1.5 * tables.errorAt(tables.slow_v),
      Math.max(DROP_SHARE, 1.2 * tables.errorAt(tables.share)) * (voltage_v - rest),
      // Where the cell stands between the branches is known by half.
      0.3 * cells.halfGapV(cell),
    );
    const isFull =
      current_a > 0 &&
      current_a < FULL_RATE * cells.capacity_ah[cell] &&
      voltage_v >= tables.middleV(FULL_STEP);
    const byCurve = this.#socAt(rest);
    const isEmpty = current_a < 0 && voltage_v <= tables.model.min_v + EMPTY_V && byCurve < EMPTY_SOC;
    const soc = isFull ? 1 : isEmpty ? 0 : Math.min(1, Math.max(0, byCurve));
    const sd =
      isFull || isEmpty ? END_SD : (this.#socAt(rest + sd_v) - this.#socAt(rest - sd_v)) / 2 + CURVE_SD;
    if (sd > ANCHOR_SD) {
      this.#commit(cell);
      return;
    }
    const at = cell * 4;
    const anchor = this.#anchor;
    const apart = soc - anchor[at];
    if (Number.isNaN(anchor[at + 1]))
      this.#setAnchor(cell, soc, sd * sd, this.#counted_ah[cell], this.#hours[cell]);
    else if (Math.abs(apart) < LEAST_APART) {
      this.#commit(cell);
      // The same place once more: the surer one stays. As cells age and sensors drift, an old one is worth less.
      const aged = anchor[at + 1] + (0.004 * (this.#hours[cell] - anchor[at + 3])) ** 2;
      if (sd * sd <= aged) this.#setAnchor(cell, soc, sd * sd, this.#counted_ah[cell], this.#hours[cell]);
    } else this.#consider(cell, soc, sd * sd);
  }

  #setAnchor(cell: number, soc: number, variance: number, ah: number, hours: number): void {
    const at = cell * 4;
    this.#anchor[at] = soc;
    this.#anchor[at + 1] = variance;
    this.#anchor[at + 2] = ah;
    this.#anchor[at + 3] = hours;
  }

  /** A capacity by the anchor and this moment; kept when it is the surest so far. */
  #consider(cell: number, soc: number, variance: number): void {
    const at = cell * 4;
    const [soc_0, variance_0, ah_0, hours_0] = [
      this.#anchor[at],
      this.#anchor[at + 1],
      this.#anchor[at + 2],
      this.#anchor[at + 3],
    ];
    const ah = this.#counted_ah[cell] - ah_0;
    const apart = soc - soc_0;
    const capacity_ah = ah / apart;
    const nominal_ah = this.#cells.tables.model.nominal_ah;
    if (!(capacity_ah > 0.1 * nominal_ah && capacity_ah < 1.5 * nominal_ah)) return;
    const offset = (COUNT_OFFSET * nominal_ah * (this.#hours[cell] - hours_0)) / ah;
    const relative2 = (variance_0 + variance) / (apart * apart) + COUNT_SHARE ** 2 + offset * offset;
    const best = cell * 6;
    if (relative2 > MAX_RELATIVE_SD ** 2 || relative2 > this.#best[best + 1]) return;
    this.#best[best] = capacity_ah;
    this.#best[best + 1] = relative2;
    this.#best[best + 2] = soc;
    this.#best[best + 3] = variance;
    this.#best[best + 4] = this.#counted_ah[cell];
    this.#best[best + 5] = this.#hours[cell];
    this.#fuse(cell);
  }

  /** Takes the best finding since the anchor, whose end is the next anchor. */
  #commit(cell: number): void {
    const best = cell * 6;
    if (Number.isNaN(this.#best[best + 1])) return;
    this.#fuse(cell);
    this.#known_ah[cell] = this.capacity_ah[cell];
    this.#known_var[cell] = this.#fused_var;
    this.#setAnchor(
      cell,
      this.#best[best + 2],
      this.#best[best + 3],
      this.#best[best + 4],
      this.#best[best + 5],
    );
    this.#best[best + 1] = Number.NaN;
    this.#through_ah[cell] = 0;
  }

  /**
   * What was known and the best finding since, weighted. Most of a finding's error is that of the curve and of the
   * resistance, the same each time: it does not shrink by repetition, and is no reason to follow a change slowly.
   */
  #fuse(cell: number): void {
    const best = cell * 6;
    const found_ah = this.#best[best];
    const relative2 = this.#best[best + 1];
    const random = RANDOM_PART * relative2 * found_ah * found_ah;
    const known = this.#known_ah[cell];
    let weight = 1;
    if (!Number.isNaN(known)) {
      const cycles = this.#through_ah[cell] / (2 * known);
      const prior = this.#known_var[cell] + (CYCLE_SD * known) ** 2 * Math.max(1, cycles);
      weight = prior / (prior + random);
    }
    this.#fused_var = weight * random;
    this.capacity_ah[cell] = weight === 1 ? found_ah : known + weight * (found_ah - known);
    this.capacity_sd_ah[cell] = Math.sqrt(
      this.#fused_var + (1 - RANDOM_PART) * relative2 * found_ah * found_ah,
    );
  }

  /** Where the curve has this voltage, by halving. */
  #socAt(voltage_v: number): number {
    const { tables } = this.#cells;
    let low = 0;
    let high = SOC_COUNT - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (tables.middleV(middle) <= voltage_v) low = middle;
      else high = middle;
    }
    const v0 = tables.middleV(low);
    const v1 = tables.middleV(high);
    const share = v1 > v0 ? Math.min(1, Math.max(0, (voltage_v - v0) / (v1 - v0))) : 0;
    return SOC_BEGIN + (low + share) * SOC_STEP;
  }

  #learnResistance(cell: number, dt_s: number, current_a: number, voltage_v: number): void {
    const cells = this.#cells;
    const step_a = current_a - this.#last_a[cell];
    if (dt_s > 10 || Math.abs(step_a) < cells.capacity_ah[cell] / 5) return;
    cells.tables.read(cells.soc(cell), this.#read, 0);
    let ohm = this.#read[2];
    for (let b = 0; b < MAX_BRANCHES; b++)
      ohm += this.#read[3 + b] * (1 - Math.exp(-dt_s / 2 / cells.tables.time_constants_s[b]));
    const found = (voltage_v - this.#last_v[cell]) / step_a / ohm;
    if (!(found > 0.2 && found < 5)) return;
    // One step says little: the voltage moves for other reasons, too.
    const variance = 0.3 ** 2;
    const known = this.resistance[cell];
    if (Number.isNaN(known)) {
      this.resistance[cell] = found;
      this.resistance_sd[cell] = 0.3;
      return;
    }
    const prior = this.resistance_sd[cell] ** 2 + 1e-6;
    const weight = prior / (prior + variance);
    this.resistance[cell] = known + weight * (found - known);
    this.resistance_sd[cell] = Math.sqrt((1 - weight) * prior);
  }
}
