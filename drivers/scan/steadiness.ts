/** Whether values change as a battery's do: slowly. Bytes that mean something else jump. */
import { PACK_METRICS, PackMetric } from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { ReadingFacts } from './reading-facts.ts';

/** Metrics that never jump, with the share of their size and the least step that count as one. */
const SLOW: readonly (readonly [metric: number, share: number, step: number])[] = [
  [PackMetric.voltage_v, 0.3, 1],
  [PackMetric.soc_pct, 0.3, 15],
  [PackMetric.soh_pct, 0.2, 10],
  [PackMetric.cell_voltage_min_v, 0.25, 0.4],
  [PackMetric.cell_voltage_max_v, 0.25, 0.4],
  [PackMetric.temperature_c, 0.3, 15],
  [PackMetric.capacity_full_ah, 0.3, 5],
  [PackMetric.charge_voltage_limit_v, 0.4, 5],
];
/** A pack that is switched on may jump once. */
const JUMPS_ALLOWED = 1;

export class Steadiness {
  readonly #last = new Float64Array(SLOW.length).fill(Number.NaN);
  readonly #jumps = new Uint32Array(SLOW.length);
  readonly #changes = new Uint32Array(SLOW.length);

  check({ values }: PackReading): void {
    SLOW.forEach(([metric, share, step], i) => {
      const [before, now] = [this.#last[i], values[metric]];
      if (Number.isNaN(now)) return;
      this.#last[i] = now;
      if (Number.isNaN(before) || now === before) return;
      this.#changes[i]++;
      const size = Math.max(Math.abs(before), Math.abs(now));
      if (Math.abs(now - before) > Math.max(step, share * size)) this.#jumps[i]++;
    });
  }

  /** Names of the metrics of which at least half of the changes were jumps. */
  jumps(): string[] {
    return SLOW.filter(
      (_, i) => this.#jumps[i] > JUMPS_ALLOWED && 2 * this.#jumps[i] >= this.#changes[i],
    ).map(([metric]) => PACK_METRICS[metric].label.toLowerCase());
  }
}

export function withJumps(facts: ReadingFacts, jumps: readonly string[]): ReadingFacts {
  const disagreements = [...facts.disagreements, ...jumps.map(name => `${name} jumps`)];
  return { ...facts, disagreements };
}
