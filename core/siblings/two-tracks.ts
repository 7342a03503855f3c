/**
 * Two devices that answer in turn under one address: a quantity that cannot jump jumps to and fro between two values
 * that hardly move by themselves. Fed with every value as it is reported, for the moments at which readings are taken may
 * fall on one of the two again and again.
 */
import { PackMetric } from '../metrics.ts';

interface Quantity {
  readonly metric: number;
  readonly name: string;
  readonly unit: string;
  readonly decimals: number;
  /** Two tracks lie at least so far apart: `far`, or `far_share` of their size. */
  readonly far: number;
  readonly far_share: number;
}

/** What no load, charger or cell moves there and back in minutes; further apart than one coarse step of a device. */
const SLOW: readonly Quantity[] = [
  { metric: PackMetric.soc_pct, name: 'state of charge', unit: ' %', decimals: 0, far: 6, far_share: 0 },
  { metric: PackMetric.soh_pct, name: 'state of health', unit: ' %', decimals: 0, far: 3, far_share: 0 },
  { metric: PackMetric.cycle_count, name: 'cycles', unit: '', decimals: 0, far: 1, far_share: 0 },
  {
    metric: PackMetric.capacity_full_ah,
    name: 'full capacity',
    unit: ' Ah',
    decimals: 0,
    far: 1,
    far_share: 0.03,
  },
];
/** A voltage jumps with the current: it counts only where the current stays. */
const VOLTAGE: Quantity = {
  metric: PackMetric.voltage_v,
  name: 'voltage',
  unit: ' V',
  decimals: 1,
  far: 0.5,
  far_share: 0.04,
};
const STEADY_CURRENT_A = 1;
/** More than twice apart, two voltages are not of two packs of a kind: a contactor, or a value that comes and goes. */
const MAX_RATIO = 2;
/** A track moves by less than this share of what lies between the two. */
const WITHIN = 1 / 4;
/** Changes from one track to the other before it is reported. */
const SWITCHES = 6;
/** So many values of one track in a row, over so long: it is over. */
const CALM_VALUES = 20;
const CALM_MS = 60_000;

class Track {
  here = Number.NaN;
  there = Number.NaN;
  switches = 0;
  calm = 0;
  switched_ms = Number.NEGATIVE_INFINITY;
}

/** Of the quantity, for a metric index; -1: not watched. */
const INDEX_OF = new Int8Array(Math.max(...Object.values(PackMetric)) + 1).fill(-1);
SLOW.forEach(({ metric }, i) => {
  INDEX_OF[metric] = i;
});

export class TwoTracks {
  readonly #tracks: readonly Track[] = [...SLOW, VOLTAGE].map(() => new Track());
  #current_a = Number.NaN;
  /** Index of the quantity that shows two tracks; -1: none does. */
  #found = -1;

  get isFound(): boolean {
    return this.#found >= 0;
  }

  /** Takes a value as it is reported, whatever the quantity. */
  take(metric: number, value: number, mono_ms: number): void {
    const i = INDEX_OF[metric];
    if (i >= 0) this.#take(i, SLOW[i], value, mono_ms);
  }

  /** Takes voltage and current of one moment; NaN where they are not known. */
  observe(voltage_v: number, current_a: number, mono_ms: number): void {
    const isSteady = Math.abs(current_a - this.#current_a) < STEADY_CURRENT_A;
    this.#current_a = current_a;
    const track = this.#tracks[SLOW.length];
    // What a load explains, or nobody knows of, is where the next comparison begins.
    if (isSteady) this.#take(SLOW.length, VOLTAGE, voltage_v, mono_ms);
    else if (track.switches < SWITCHES) {
      track.here = voltage_v;
      track.there = Number.NaN;
      track.switches = 0;
    }
  }

  /** "two devices answer in turn: state of charge 26 % and 80 %"; only while `isFound`. */
  sentence(): string {
    const { name, unit, decimals } = this.#quantity(this.#found);
    const { here, there } = this.#tracks[this.#found];
    const [low, high] = [Math.min(here, there), Math.max(here, there)];
    return `two devices answer in turn: ${name} ${low.toFixed(decimals)}${unit} and ${high.toFixed(decimals)}${unit}`;
  }

  #take(i: number, quantity: Quantity, value: number, mono_ms: number): void {
    const track = this.#tracks[i];
    // Zero is what is not known yet, or not there.
    if (!(value > 0)) return;
    const { here, there } = track;
    if (quantity === VOLTAGE && Math.max(here, value) > MAX_RATIO * Math.min(here, value)) return;
    const apart = Math.abs(here - there);
    if (Number.isNaN(here)) track.here = value;
    else if (!this.#isFar(quantity, here, value)) {
      // A track may drift, but not walk over to the other one.
      track.here = value;
      this.#calm(i, track, mono_ms);
    } else if (Math.abs(there - value) <= WITHIN * apart) {
      track.here = value;
      track.there = here;
      track.switches++;
      track.calm = 0;
      track.switched_ms = mono_ms;
      if (track.switches >= SWITCHES && this.#found < 0) this.#found = i;
    } else {
      track.there = here;
      track.here = value;
      this.#forget(i, track, mono_ms);
    }
  }

  /** Between the two thresholds a value belongs to its own track still. */
  #isFar({ far, far_share }: Quantity, a: number, b: number): boolean {
    const size = Math.max(Math.abs(a), Math.abs(b));
    return Math.abs(a - b) >= Math.max(far, far_share * size);
  }

  #calm(i: number, track: Track, mono_ms: number): void {
    track.calm++;
    if (track.calm < CALM_VALUES || mono_ms - track.switched_ms < CALM_MS) return;
    this.#forget(i, track, mono_ms);
  }

  #forget(i: number, track: Track, mono_ms: number): void {
    const isOver = mono_ms - track.switched_ms >= CALM_MS;
    // A third value among many of two tracks proves nothing.
    if (track.switches >= SWITCHES && !isOver) return;
    track.switches = 0;
    if (this.#found === i) this.#found = -1;
  }

  #quantity(i: number): Quantity {
    return i < SLOW.length ? SLOW[i] : VOLTAGE;
  }
}
