/**
 * Cells that stand apart from their neighbours while hardly a current flows, held against how far the others spread: a
 * pack whose sensors or cells scatter widely is not a pack of weak cells. At rest, since readings that a device takes one
 * after the other differ under load. Typed arrays; an observation allocates nothing.
 */

/** So much rest must have been seen. */
const LEAST_REST_S = 3600;
/** What was seen long ago fades. */
const MEMORY_S = 3 * 86_400;
/** So many times the usual spread below the middle, and so far (V). */
const APART = 8;
const LEAST_V = 0.008;
const MIN_CELLS = 6;
/** Of a normal distribution, over the median distance from its middle. */
const SPREAD_OF_MEDIAN = 1.4826;
const LEAST_SPREAD_V = 0.001;
const MAX_STEP_S = 60;

export interface WeakCell {
  /** From 0. */
  readonly cell: number;
  readonly below_v: number;
  /** In terms of the spread of the others. */
  readonly times: number;
  readonly reason: string;
}

export class WeakCells {
  readonly #rest_a: number;
  readonly #apart_v: Float64Array;
  readonly #seen_s: Float64Array;
  readonly #sorted: Float64Array;

  /** `rest_a`: at less than this the cells rest; a twentieth of the capacity in Ah will do. */
  constructor(cell_count: number, rest_a: number) {
    this.#rest_a = rest_a;
    this.#apart_v = new Float64Array(cell_count);
    this.#seen_s = new Float64Array(cell_count);
    this.#sorted = new Float64Array(cell_count);
  }

  /** The cell voltages of one moment; NaN: not known or not good. */
  observe(dt_s: number, current_a: number, voltages_v: ArrayLike<number>): void {
    if (!(Math.abs(current_a) < this.#rest_a) || !(dt_s > 0)) return;
    const median = this.#median(voltages_v);
    if (Number.isNaN(median)) return;
    const span_s = Math.min(dt_s, MAX_STEP_S);
    for (let i = 0; i < this.#apart_v.length; i++) {
      if (Number.isNaN(voltages_v[i])) continue;
      this.#seen_s[i] = Math.min(MEMORY_S, this.#seen_s[i] + span_s);
      this.#apart_v[i] += (span_s / this.#seen_s[i]) * (voltages_v[i] - median - this.#apart_v[i]);
    }
  }

  /** The weakest first; none while too little is known. */
  found(): WeakCell[] {
    const known = (i: number) => this.#seen_s[i] >= LEAST_REST_S;
    const masked = this.#apart_v.map((v, i) => (known(i) ? v : Number.NaN));
    const middle = this.#median(masked);
    const spread = SPREAD_OF_MEDIAN * this.#median(masked.map(v => Math.abs(v - middle)));
    if (Number.isNaN(spread)) return [];
    const weak: WeakCell[] = [];
    for (const [cell, v] of masked.entries()) {
      const below_v = middle - v;
      const times = below_v / Math.max(spread, LEAST_SPREAD_V);
      if (!(below_v > LEAST_V && times > APART)) continue;
      const reason = `stands ${(1000 * below_v).toFixed(0)} mV below its neighbours at rest, ${times.toFixed(0)} times their spread`;
      weak.push({ cell, below_v, times, reason });
    }
    return weak.sort((a, b) => b.times - a.times);
  }

  /** NaN while too few are known. */
  #median(values: ArrayLike<number>): number {
    let count = 0;
    for (let i = 0; i < values.length; i++) {
      const isKnown = !Number.isNaN(values[i]);
      this.#sorted[i] = isKnown ? values[i] : Number.POSITIVE_INFINITY;
      if (isKnown) count++;
    }
    if (count < MIN_CELLS) return Number.NaN;
    this.#sorted.sort();
    return this.#sorted[(count - 1) >> 1];
  }
}
