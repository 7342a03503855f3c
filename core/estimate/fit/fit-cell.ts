/** A cell model from a site's own tests: low-rate, capacity, drive or load cycles. */
import type { CellModel, Chemistry } from '../model/cell-model.ts';
import { chargeOf, type Series } from '../series/series.ts';
import { type DriveRows, driveRows, hysteresisOf } from './drive-rows.ts';
import { curvesOf, placeHistory, scaledModel } from './history.ts';
import { type OcvTest, readOcvTest } from './low-rate.ts';
import { modelOfFit } from './model-of-fit.ts';
import { OcvBase } from './ocv-base.ts';
import { fitVoltage, type VoltageFit } from './voltage-fit.ts';

/** A recording, and at which temperature where it has no column of it. */
export interface TestFile {
  readonly series: Series;
  readonly temperature_c: number;
}

export interface FitCellInput {
  readonly name: string;
  readonly chemistry: Chemistry;
  readonly nominal_ah: number;
  readonly licence: string;
  readonly ocv: readonly TestFile[];
  readonly capacity: readonly TestFile[];
  readonly drive: readonly TestFile[];
  /** Operating data alone, where no test was made. */
  readonly history: readonly TestFile[];
  /** A model of the chemistry from elsewhere, to begin with where there is no low-rate test. */
  readonly borrowed?: CellModel | undefined;
}

export interface FitCellResult {
  readonly model: CellModel | undefined;
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly tests: readonly OcvTest[];
  readonly rows: readonly DriveRows[];
  /** Measured minus modelled of each drive. */
  readonly residuals: readonly Float64Array[];
}

const TIME_CONSTANTS_S = [10, 100, 1000];
/** The hysteresis of LFP is passed within a few percent of the capacity, that of others is small. */
const RATES: Readonly<Record<Chemistry, readonly number[]>> = {
  lfp: [10, 20, 40],
  nmc: [20],
  nca: [20],
  lco: [20],
  lmo: [20],
  lto: [20],
};
const SEARCH_EVERY = 7;
/** A cell that has aged, or whose capacity was measured at another rate, lies otherwise on the axis of the low-rate test. */
const STRETCH_SD = 0.01;
const STRETCH_COST = 8;

export function fitCell(input: FitCellInput): FitCellResult {
  const problems: string[] = [];
  const notes: string[] = [];
  const tests: OcvTest[] = [];
  for (const { series, temperature_c } of input.ocv) {
    const test = readOcvTest(series, input.nominal_ah, meanTemperature(series, temperature_c));
    if (typeof test === 'string') problems.push(test);
    else {
      tests.push(test);
      notes.push(...test.notes);
    }
  }
  const nothing = { model: undefined, problems, notes, tests, rows: [], residuals: [] };
  if (problems.length > 0) return nothing;
  if (tests.length > 0) return fitTests(input, tests, capacityOf(input, tests), notes);
  const { borrowed } = input;
  if (!borrowed || input.history.length + input.drive.length === 0) {
    problems.push(
      'found neither a low-rate test (--ocv) nor operating data (--history), expected one of them',
    );
    return nothing;
  }
  return fitHistory(input, borrowed, notes);
}

/** Without a low-rate test: by a curve of the chemistry, which is bent towards what the history shows. */
function fitHistory(input: FitCellInput, borrowed: CellModel, notes: string[]): FitCellResult {
  const { nominal_ah, history, drive } = input;
  notes.push(
    `no low-rate test: the curve begins as that of "${borrowed.name}"; where the history never stood it stays so`,
  );
  let model = scaledModel(borrowed, nominal_ah);
  let result: FitCellResult | undefined;
  for (let round = 0; round < 2; round++) {
    let found_ah = Number.NaN;
    const placed = [...history, ...drive].map(({ series, temperature_c }) => {
      const { soc, capacity_ah } = placeHistory(model, series);
      if (Number.isNaN(found_ah)) found_ah = capacity_ah;
      return { series: { ...series, soc_ref: soc }, temperature_c };
    });
    const known = capacityTest(input);
    const ah = Number.isNaN(known) ? found_ah : known;
    if (round === 1 && Number.isNaN(ah))
      notes.push(
        'capacity: not learned, the history has no charge or discharge wide enough; the nominal one is taken',
      );
    const capacity = {
      temperature_c: [25],
      ah: [Number((Number.isNaN(ah) ? nominal_ah : ah).toPrecision(5))],
    };
    const lent = { ...input, drive: placed, isLent: true };
    result = fitTests(lent, curvesOf(borrowed), capacity, notes);
    if (result.model) model = result.model;
  }
  if (!result) throw new Error('no round');
  return result;
}

function fitTests(
  input: FitCellInput & { readonly isLent?: boolean },
  tests: readonly OcvTest[],
  capacity: CellModel['capacity'],
  notes: readonly string[],
): FitCellResult {
  const rows = input.drive.map(({ series, temperature_c }) =>
    driveRows(series, socOf(series, capacity.ah[0]), temperature_c),
  );
  const usual_ohm = 0.06 / input.nominal_ah;
  const search = new Search(input, tests, rows, usual_ohm);
  const { fit, base, rate, hysteresis } = search.best();
  const model = modelOfFit({
    name: input.name,
    chemistry: input.chemistry,
    origin: [...input.ocv, ...input.capacity, ...input.drive].map(({ series }) => series.name),
    licence: input.licence,
    nominal_ah: input.nominal_ah,
    ...voltageRange(input),
    capacity,
    base,
    fit,
    hysteresis_rate: rate,
    rows,
    hysteresis,
    isLent: input.isLent ?? false,
  });
  const residuals = rows.map((drive, d) => fit.residuals(drive, hysteresis[d]));
  return { model, problems: [], notes, tests: input.isLent ? [] : tests, rows, residuals };
}

interface Found {
  readonly fit: VoltageFit;
  readonly base: OcvBase;
  readonly rate: number;
  readonly hysteresis: readonly Float64Array[];
}

/** Over what the fit is not linear in: how the axes of test and drive lie on each other, the rate of the hysteresis. */
class Search {
  readonly #input: FitCellInput & { readonly isLent?: boolean };
  readonly #tests: readonly OcvTest[];
  readonly #rows: readonly DriveRows[];
  readonly #usual_ohm: number;

  constructor(
    input: FitCellInput & { readonly isLent?: boolean },
    tests: readonly OcvTest[],
    rows: readonly DriveRows[],
    usual_ohm: number,
  ) {
    this.#input = input;
    this.#tests = tests;
    this.#rows = rows;
    this.#usual_ohm = usual_ohm;
  }

  best(): Found {
    let ohm = (_c: number, _soc: number) => this.#usual_ohm;
    let stretch = 1;
    let rate = RATES[this.#input.chemistry][0];
    for (let round = 0; round < 2; round++) {
      const base = new OcvBase(this.#tests, this.#input.chemistry, ohm);
      if (this.#rows.length > 0 && !this.#input.isLent) {
        stretch = this.#bestStretch(base, rate, stretch, round === 0 ? 0.01 : 0.003);
        rate = this.#bestRate(base, stretch);
      }
      const { fit } = this.#fit(base, rate, stretch, SEARCH_EVERY);
      const elements = fit.time_constants_s.length + 1;
      ohm = (c, soc) => {
        let sum = 0;
        for (let element = 0; element < elements; element++) sum += fit.ohm(element, c, soc);
        return sum;
      };
    }
    const base = new OcvBase(this.#tests, this.#input.chemistry, ohm);
    return this.#fit(base, rate, stretch, 1);
  }

  #bestStretch(base: OcvBase, rate: number, middle: number, width: number): number {
    let best = { stretch: middle, cost: Number.POSITIVE_INFINITY };
    for (let step = -3; step <= 3; step++) {
      const stretch = middle + step * width;
      const { cost } = this.#fit(base, rate, stretch, SEARCH_EVERY).fit;
      const unlikely = STRETCH_COST * ((stretch - 1) / STRETCH_SD) ** 2;
      if (cost + unlikely < best.cost) best = { stretch, cost: cost + unlikely };
    }
    return best.stretch;
  }

  #bestRate(base: OcvBase, stretch: number): number {
    const rates = RATES[this.#input.chemistry];
    let best = { rate: rates[0], cost: Number.POSITIVE_INFINITY };
    if (rates.length === 1) return best.rate;
    for (const rate of rates) {
      const { cost } = this.#fit(base, rate, stretch, SEARCH_EVERY).fit;
      if (cost < best.cost) best = { rate, cost };
    }
    return best.rate;
  }

  #fit(base: OcvBase, rate: number, stretch: number, every: number): Found {
    const { nominal_ah, chemistry } = this.#input;
    const hysteresis = this.#rows.map(drive =>
      hysteresisOf(drive, rate, nominal_ah, drive.soc[0] > 0.9 ? 1 : 0),
    );
    const fit = fitVoltage({
      rows: this.#rows,
      hysteresis,
      base,
      usual_ohm: this.#usual_ohm,
      time_constants_s: TIME_CONSTANTS_S,
      stretch,
      every,
      gap_sd: chemistry === 'lfp' ? 0.3 : 0.05,
      // A borrowed curve may be far off.
      correction_factor: this.#input.isLent ? 5 : 1,
    });
    return { fit, base, rate, hysteresis };
  }
}

function meanTemperature({ temperature_c }: Series, otherwise: number): number {
  const known = temperature_c.filter(Number.isFinite).sort();
  return known.length > 0 ? known[known.length >> 1] : otherwise;
}

/** The reference where the file has one; else counted from a full cell. */
function socOf(series: Series, capacity_ah: number): Float64Array {
  if (series.soc_ref?.some(Number.isFinite)) return series.soc_ref;
  return chargeOf(series).map(ah => 1 + ah / capacity_ah);
}

function voltageRange({ ocv, drive, history }: FitCellInput): { min_v: number; max_v: number } {
  let min_v = Number.POSITIVE_INFINITY;
  let max_v = Number.NEGATIVE_INFINITY;
  for (const { series } of [...ocv, ...drive, ...history])
    for (const v of series.voltage_v) {
      if (v < min_v) min_v = v;
      if (v > max_v) max_v = v;
    }
  return { min_v: Number(min_v.toFixed(3)), max_v: Number(max_v.toFixed(3)) };
}

/** By the references of the drives where they have one, else by the capacity tests, else by the low-rate tests. */
function capacityOf(input: FitCellInput, tests: readonly OcvTest[]): CellModel['capacity'] {
  const found: number[] = [];
  for (const { series } of input.drive) {
    const { soc_ref } = series;
    if (!soc_ref) continue;
    const ah = chargeOf(series);
    const last = series.length - 1;
    const span = soc_ref[last] - soc_ref[0];
    if (Math.abs(span) > 0.3) found.push(ah[last] / span);
  }
  const tested = capacityTest(input);
  if (found.length === 0 && !Number.isNaN(tested)) found.push(tested);
  if (found.length === 0) found.push(...tests.map(({ capacity_ah }) => capacity_ah));
  const mean = found.reduce((sum, ah) => sum + ah, 0) / found.length;
  return { temperature_c: [25], ah: [Number(mean.toPrecision(5))] };
}

/** The mean of what the capacity tests gave from full to empty; NaN without one. */
function capacityTest({ capacity, nominal_ah }: FitCellInput): number {
  let sum = 0;
  let count = 0;
  for (const { series } of capacity) {
    const ah = chargeOf(series);
    let top = ah[0];
    let deepest = 0;
    for (const value of ah) {
      top = Math.max(top, value);
      deepest = Math.max(deepest, top - value);
    }
    if (deepest < 0.3 * nominal_ah) continue;
    sum += deepest;
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}
