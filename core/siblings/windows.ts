/** Means over windows of time of what belongs to several members (cells of a pack, packs of a battery): the newest of them. */
import { medianOf } from './median.ts';

export class Windows {
  readonly #kept: number;
  /** Window-major. */
  readonly means: Float32Array;
  /** Of the window under way, by member. */
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
  /** Windows kept so far, and where the next one goes. */
  filled = 0;
  next = 0;
  readings = 0;
  readonly #scratch: Float32Array;

  constructor(member_count: number, kept: number) {
    this.#kept = kept;
    this.means = new Float32Array(member_count * kept).fill(Number.NaN);
    this.sums = new Float64Array(member_count);
    this.counts = new Uint32Array(member_count);
    this.#scratch = new Float32Array(kept);
  }

  add(member: number, value: number): void {
    this.sums[member] += value;
    this.counts[member]++;
  }

  /** Keeps what was gathered, where it is enough, and begins the next one. */
  close(least_readings: number): boolean {
    const isEnough = this.readings >= least_readings;
    if (isEnough) {
      const at = this.next * this.sums.length;
      for (let member = 0; member < this.sums.length; member++)
        this.means[at + member] =
          this.counts[member] > 0 ? this.sums[member] / this.counts[member] : Number.NaN;
      this.next = (this.next + 1) % this.#kept;
      if (this.filled < this.#kept) this.filled++;
    }
    this.sums.fill(0);
    this.counts.fill(0);
    this.readings = 0;
    return isEnough;
  }

  /** Of each member the median over the windows; NaN with fewer than `enough`. */
  mediansInto(medians: Float32Array, enough: number): void {
    const members = this.sums.length;
    for (let member = 0; member < members; member++) {
      let count = 0;
      for (let window = 0; window < this.filled; window++) {
        const mean = this.means[window * members + member];
        if (!Number.isNaN(mean)) this.#scratch[count++] = mean;
      }
      medians[member] = count >= enough ? medianOf(this.#scratch, count) : Number.NaN;
    }
  }

  forget(): void {
    this.means.fill(Number.NaN);
    this.filled = this.next = 0;
  }
}
