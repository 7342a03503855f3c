/** The account of a pack's life, beside its odometer: extremes, and what harmed it. */
import type { PackReading } from '../reading/pack-reading.ts';
import type { Edges } from './edges.ts';
import { Extremes, type StoredExtremes } from './extremes.ts';
import { type HarmLimits, Harms, type StoredHarms } from './harms.ts';

/** As it is stored: version 1. */
export interface StoredLifetime {
  readonly version: 1;
  readonly since_ms: number;
  readonly extremes: StoredExtremes;
  readonly harms: StoredHarms;
}

export class Lifetime {
  /** Wall time of the first reading; NaN: none yet. */
  since_ms = Number.NaN;
  readonly extremes = new Extremes();
  readonly harms: Harms;

  constructor(limits: HarmLimits) {
    this.harms = new Harms(limits);
  }

  get has_any(): boolean {
    return !Number.isNaN(this.since_ms);
  }

  /** `edges`: of this reading. */
  take(reading: PackReading, edges: Edges): void {
    if (Number.isNaN(this.since_ms)) this.since_ms = reading.t_ms;
    this.extremes.take(reading, edges);
    this.harms.take(reading, edges);
  }

  toJSON(): StoredLifetime {
    const since_ms = Number.isNaN(this.since_ms) ? 0 : this.since_ms;
    return { version: 1, since_ms, extremes: this.extremes.toJSON(), harms: this.harms.toJSON() };
  }

  /** False: it is not one, or of a later version; what can be read of it is taken over. */
  restore(stored: StoredLifetime | undefined): boolean {
    if (stored?.version !== 1 || !(stored.since_ms >= 0)) return false;
    this.since_ms = stored.since_ms > 0 ? stored.since_ms : Number.NaN;
    const hasExtremes = this.extremes.restore(stored.extremes);
    return this.harms.restore(stored.harms) && hasExtremes;
  }

  /** Another pack. */
  start(): void {
    this.since_ms = Number.NaN;
    this.extremes.start();
    this.harms.start();
  }
}
