/**
 * What a chemistry decides: the open-circuit curve, internal resistance, and the limits a BMS keeps.
 * The curves are our own sketches of textbook shapes (flat LFP plateaus, sloping NMC), strictly rising;
 * they describe no particular product.
 */
export type SimulatedChemistry = 'lfp' | 'nmc';

export interface CellLimits {
  /** Constant-voltage phase of charging holds the highest cell here. */
  readonly charge_v: number;
  /** Discharging tapers so that the lowest cell stays above. */
  readonly discharge_v: number;
  /** [warning, alarm, contactor opens]. */
  readonly over_v: readonly [number, number, number];
  readonly under_v: readonly [number, number, number];
  /** Passive balancing works above this cell voltage. */
  readonly balance_above_v: number;
}

export interface ChemistryModel {
  readonly ocv: OcvCurve;
  readonly limits: CellLimits;
  /** Series resistance of a cell of 100 Ah at 25 °C and half charge; larger cells have less. */
  readonly r0_100ah_ohm: number;
  /** Resistance of the RC pair (diffusion), same scaling. */
  readonly r1_100ah_ohm: number;
}

const STEPS = 2000;
/** Beyond empty and full the curve goes on at this slope: voltage runs away, it never stops rising. */
const OUTSIDE_V_PER_SOC = 40;

/** Open-circuit voltage over state of charge (0..1), tabulated, strictly rising everywhere. */
export class OcvCurve {
  readonly #table: Float64Array;

  /** Anchors `[soc, volt]` from soc 0 to 1, strictly rising in both. */
  constructor(anchors: readonly (readonly [number, number])[]) {
    this.#table = new Float64Array(STEPS + 1);
    const slopes = monotoneSlopes(anchors);
    let k = 0;
    for (let i = 0; i <= STEPS; i++) {
      const soc = i / STEPS;
      while (k < anchors.length - 2 && soc > anchors[k + 1][0]) k++;
      this.#table[i] = hermite(soc, anchors[k], anchors[k + 1], slopes[k], slopes[k + 1]);
    }
  }

  /** V at `soc` (1 is full); defined also beyond 0..1. */
  volt(soc: number): number {
    const table = this.#table;
    if (soc <= 0) return table[0] + OUTSIDE_V_PER_SOC * soc;
    if (soc >= 1) return table[STEPS] + OUTSIDE_V_PER_SOC * (soc - 1);
    const at = soc * STEPS;
    const i = at | 0;
    return table[i] + (at - i) * (table[i + 1] - table[i]);
  }

  /** Slope in V per unit of state of charge. */
  slope(soc: number): number {
    if (soc <= 0 || soc >= 1) return OUTSIDE_V_PER_SOC;
    const i = (soc * STEPS) | 0;
    return (this.#table[i + 1] - this.#table[i]) * STEPS;
  }
}

/** Tangents that keep the interpolant monotone (F. Fritsch, J. Butland, SIAM J. Sci. Stat. Comput. 5-2, 1984). */
function monotoneSlopes(anchors: readonly (readonly [number, number])[]): Float64Array {
  const last = anchors.length - 1;
  const secant = (k: number) => (anchors[k + 1][1] - anchors[k][1]) / (anchors[k + 1][0] - anchors[k][0]);
  const slopes = new Float64Array(anchors.length);
  slopes[0] = secant(0);
  slopes[last] = secant(last - 1);
  for (let k = 1; k < last; k++) {
    const [before, after] = [secant(k - 1), secant(k)];
    slopes[k] = (2 * before * after) / (before + after);
  }
  return slopes;
}

function hermite(
  x: number,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  slope0: number,
  slope1: number,
): number {
  const width = x1 - x0;
  const t = (x - x0) / width;
  const u = 1 - t;
  return y0 * u * u * (1 + 2 * t) + y1 * t * t * (3 - 2 * t) + width * t * u * (slope0 * u - slope1 * t);
}

const lfp: ChemistryModel = {
  ocv: new OcvCurve([
    [0, 2.6],
    [0.02, 2.95],
    [0.05, 3.12],
    [0.1, 3.2],
    [0.2, 3.25],
    [0.3, 3.278],
    [0.45, 3.293],
    [0.6, 3.305],
    [0.68, 3.325],
    [0.8, 3.333],
    [0.93, 3.338],
    [0.97, 3.355],
    [0.99, 3.42],
    [1, 3.55],
  ]),
  limits: {
    charge_v: 3.45,
    discharge_v: 2.95,
    over_v: [3.6, 3.65, 3.75],
    under_v: [2.8, 2.6, 2.4],
    balance_above_v: 3.38,
  },
  r0_100ah_ohm: 0.0007,
  r1_100ah_ohm: 0.0005,
};

const nmc: ChemistryModel = {
  ocv: new OcvCurve([
    [0, 2.95],
    [0.02, 3.25],
    [0.05, 3.4],
    [0.1, 3.5],
    [0.2, 3.58],
    [0.35, 3.65],
    [0.5, 3.73],
    [0.65, 3.87],
    [0.8, 4.01],
    [0.92, 4.12],
    [1, 4.21],
  ]),
  limits: {
    charge_v: 4.15,
    discharge_v: 3.3,
    over_v: [4.2, 4.25, 4.3],
    under_v: [3.1, 2.9, 2.7],
    balance_above_v: 4.05,
  },
  r0_100ah_ohm: 0.0008,
  r1_100ah_ohm: 0.0006,
};

export const CHEMISTRIES: Readonly<Record<SimulatedChemistry, ChemistryModel>> = { lfp, nmc };
