/**
 * How each pack of a battery stands against the others, learnt over days: in charge, in temperature, in how far its cells
 * are apart, in their resistance. A pack stands apart that differs from the others by far more than they differ among themselves, for days.
 *
 * The same steps as for cells (deviation.ts): deviations from the median of the packs at the same moment, means over
 * quarters of an hour, and of the last week the median of its days, so that neither a moment nor a day decides. Where a
 * pack always was (at the top of a warm rack) counts as well: the limits are wider than what places make of packs.
 */
import { CellMetric, PackMetric } from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import { DAYS_KEPT, DayMeans, dayOf, fromSteps, inSteps } from './day-means.ts';
import { medianOf, SD_PER_MAD } from './median.ts';
import { Windows } from './windows.ts';

/**
 * What is compared. `least`: less is not apart, whatever the others do. `isBoth`: less than the others is apart as well.
 * `isShare`: compared by its logarithm, and said in percent more than the others.
 */
export const FLEET_FIGURES = {
  charge: { unit: '%', decimals: 0, least: 12, least_sd: 0.5, isBoth: true },
  temperature: { unit: '°C', decimals: 1, least: 6, least_sd: 0.3, isBoth: false },
  cell_spread: { unit: 'mV', decimals: 0, least: 40, least_sd: 2, isBoth: false },
  /** Of the cells in the median, as it is estimated. */
  resistance: { unit: '%', decimals: 0, least: 30, least_sd: 1, isBoth: false, isShare: true },
} as const;
export type FleetFigure = keyof typeof FLEET_FIGURES;
const NAMES = Object.keys(FLEET_FIGURES) as FleetFigure[];

/** Fewer are no fleet: of three nobody can say which one is apart. */
export const LEAST_PACKS = 4;
/** Packs do not change from second to second. */
const SAMPLE_MS = 60_000;
const WINDOW_MS = 15 * 60_000;
const LEAST_SAMPLES = 5;
/** A day with fewer windows (six hours) is too short to judge a pack by. */
const LEAST_WINDOWS = 24;
const DAYS_JUDGED = 7;
const LEAST_DAYS = 5;
const APART_SD = 6;
/** It no longer is when less than this share of that is left. */
const WELL_SHARE = 0.7;
const STEPS_PER_UNIT = 1000;

/** What of a pack is apart from the others. */
export interface PackApart {
  readonly figure: FleetFigure;
  /** In the unit of the figure: above zero, more than the others. */
  readonly deviation: number;
  /** How much the others differ, one standard deviation. */
  readonly usual: number;
  readonly per_day: number | undefined;
  /** Packs it was compared with. */
  readonly others: number;
}

const NOTHING: readonly PackApart[] = [];

class FigureDeviation {
  readonly values: Float64Array;
  readonly windows: Windows;
  readonly days: DayMeans;
  readonly medians: Float32Array;
  readonly #scratch: Float32Array;

  constructor(pack_count: number) {
    this.values = new Float64Array(pack_count).fill(Number.NaN);
    this.windows = new Windows(pack_count, 1);
    this.days = new DayMeans(pack_count);
    this.medians = new Float32Array(pack_count).fill(Number.NaN);
    this.#scratch = new Float32Array(pack_count);
  }

  /** The values of a moment, against their median; nothing where fewer than half of the packs have one. */
  sample(): void {
    let count = 0;
    for (const value of this.values) if (!Number.isNaN(value)) this.#scratch[count++] = value;
    if (count >= LEAST_PACKS && count >= this.values.length / 2) {
      const median = medianOf(this.#scratch, count);
      this.windows.readings++;
      for (let pack = 0; pack < this.values.length; pack++)
        if (!Number.isNaN(this.values[pack])) this.windows.add(pack, this.values[pack] - median);
    }
    this.values.fill(Number.NaN);
  }

  closeWindow(t_ms: number): void {
    const { windows } = this;
    if (windows.readings >= LEAST_SAMPLES) this.days.add(t_ms, windows.sums, windows.counts);
    windows.close(LEAST_SAMPLES);
  }

  /** How many packs are known, and how much they usually differ. */
  judge(day: number, least_sd: number): { known: number; usual: number } {
    this.days.mediansInto(this.medians, day, DAYS_JUDGED, LEAST_DAYS, LEAST_WINDOWS);
    let known = 0;
    for (const deviation of this.medians)
      if (!Number.isNaN(deviation)) this.#scratch[known++] = Math.abs(deviation);
    return { known, usual: Math.max(least_sd, SD_PER_MAD * medianOf(this.#scratch, known) || 0) };
  }
}

export class FleetDeviation {
  readonly #pack_ids: readonly string[];
  readonly #figures: Readonly<Record<FleetFigure, FigureDeviation>>;
  #apart: readonly (readonly PackApart[] | undefined)[];
  #cells = new Float32Array(0);
  #sampled_ms = Number.NaN;
  #window_from_ms = Number.NaN;
  #day = Number.NaN;

  /** In the order in which they are spoken of below. */
  constructor(pack_ids: readonly string[]) {
    this.#pack_ids = pack_ids;
    this.#figures = {
      charge: new FigureDeviation(pack_ids.length),
      temperature: new FigureDeviation(pack_ids.length),
      cell_spread: new FigureDeviation(pack_ids.length),
      resistance: new FigureDeviation(pack_ids.length),
    };
    this.#apart = pack_ids.map(() => undefined);
  }

  /** What of a pack is apart, the most telling first; undefined: too little is known. The same array until a day changes it. */
  apart(pack: number): readonly PackApart[] | undefined {
    return this.#apart[pack];
  }

  get hasAny(): boolean {
    return NAMES.some(name => this.#figures[name].days.numbers.some(day => !Number.isNaN(day)));
  }

  /** Whether the readings of this moment are wanted; `take` each of them then, and `finish`. */
  isDue(t_ms: number): boolean {
    // A clock that was set back begins again.
    return !(t_ms - this.#sampled_ms >= 0 && t_ms - this.#sampled_ms < SAMPLE_MS);
  }

  take(pack: number, reading: PackReading): void {
    const { charge, temperature, cell_spread, resistance } = this.#figures;
    const { values, value_quality } = reading;
    const good = (metric: number) => (value_quality[metric] === Quality.good ? values[metric] : Number.NaN);
    charge.values[pack] = good(PackMetric.soc_pct);
    const cells_c = this.#cellsOf(reading, CellMetric.temperature_c);
    temperature.values[pack] = cells_c > 0 ? medianOf(this.#cells, cells_c) : good(PackMetric.temperature_c);
    const cells_mohm = this.#cellsOf(reading, CellMetric.estimated_resistance_mohm);
    if (cells_mohm > 0) resistance.values[pack] = 100 * Math.log(medianOf(this.#cells, cells_mohm));
    const cells_v = this.#cellsOf(reading, CellMetric.voltage_v);
    if (cells_v > 1) {
      let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let i = 0; i < cells_v; i++) {
        if (this.#cells[i] < lowest) lowest = this.#cells[i];
        if (this.#cells[i] > highest) highest = this.#cells[i];
      }
      cell_spread.values[pack] = (highest - lowest) * 1000;
    }
  }

  finish(t_ms: number): void {
    this.#sampled_ms = t_ms;
    const isNewWindow = !(t_ms - this.#window_from_ms >= 0 && t_ms - this.#window_from_ms < WINDOW_MS);
    if (isNewWindow) {
      // What was gathered belongs to the time before this moment.
      const of_ms = Number.isNaN(this.#window_from_ms) ? t_ms : this.#window_from_ms;
      for (const name of NAMES) this.#figures[name].closeWindow(of_ms);
      this.#window_from_ms = t_ms;
    }
    for (const name of NAMES) this.#figures[name].sample();
    const day = dayOf(t_ms);
    if (day !== this.#day) this.#judge(day);
  }

  #cellsOf(reading: PackReading, metric: number): number {
    const column = reading.column(metric);
    const quality = reading.columnQuality(metric);
    if (this.#cells.length !== column.length) this.#cells = new Float32Array(column.length);
    let count = 0;
    for (let cell = 0; cell < column.length; cell++)
      if (quality[cell] === Quality.good) this.#cells[count++] = column[cell];
    return count;
  }

  #judge(day: number): void {
    this.#day = day;
    const found = this.#pack_ids.map((): PackApart[] => []);
    const isKnown = this.#pack_ids.map(() => false);
    for (const name of NAMES) {
      const { least_sd, isBoth } = FLEET_FIGURES[name];
      const least = leastOf(name);
      const figure = this.#figures[name];
      const { known, usual } = figure.judge(day, least_sd);
      if (known < LEAST_PACKS) continue;
      const apart: [number, PackApart][] = [];
      for (let pack = 0; pack < found.length; pack++) {
        const deviation = figure.medians[pack];
        if (Number.isNaN(deviation)) continue;
        isKnown[pack] = true;
        const wasApart = this.#apart[pack]?.some(one => one.figure === name) ?? false;
        const limit = Math.max(least, APART_SD * usual) * (wasApart ? WELL_SHARE : 1);
        if (!((isBoth ? Math.abs(deviation) : deviation) > limit)) continue;
        const per_day = figure.days.perDay(pack);
        const said = { deviation: saidOf(name, deviation), usual: saidOf(name, usual) };
        apart.push([pack, { figure: name, ...said, per_day, others: known - 1 }]);
      }
      // Where many are apart, something else is the matter.
      if (apart.length <= known / 4) for (const [pack, one] of apart) found[pack].push(one);
    }
    const weight = ({ figure, deviation }: PackApart) => Math.abs(deviation) / FLEET_FIGURES[figure].least;
    this.#apart = found.map((apart, pack) => {
      if (!isKnown[pack]) return undefined;
      return apart.length === 0 ? NOTHING : apart.sort((a, b) => weight(b) - weight(a));
    });
  }

  /** What a restart needs. */
  toJSON(): StoredFleet {
    return {
      version: 1,
      pack_ids: this.#pack_ids,
      figures: Object.fromEntries(
        NAMES.map(name => {
          const { numbers, counts, means } = this.#figures[name].days;
          return [
            name,
            {
              days: [...numbers].map(day => (Number.isNaN(day) ? null : day)),
              windows: [...counts],
              means: inSteps(means, STEPS_PER_UNIT),
            },
          ];
        }),
      ),
    };
  }

  /** Of packs that are gone, or were not there, nothing is taken over. False: it is of a later version, or not whole. */
  restore({ version, pack_ids, figures }: StoredFleet): boolean {
    const isWhole =
      version === 1 &&
      NAMES.every(name => {
        const { days, windows, means } = figures[name] ?? { days: [], windows: [], means: [] };
        return (
          days.length === DAYS_KEPT &&
          windows.length === DAYS_KEPT &&
          means.length === DAYS_KEPT * pack_ids.length
        );
      });
    if (!isWhole) return false;
    const places = this.#pack_ids.map(id => pack_ids.indexOf(id));
    for (const name of NAMES) {
      const { days: into } = this.#figures[name];
      const { days, windows, means } = figures[name] as StoredFigure;
      const stored = new Float32Array(means.length);
      fromSteps(means, stored, STEPS_PER_UNIT);
      for (let at = 0; at < DAYS_KEPT; at++) {
        into.numbers[at] = days[at] ?? Number.NaN;
        into.counts[at] = windows[at];
        places.forEach((place, pack) => {
          const mean = place < 0 ? Number.NaN : stored[at * pack_ids.length + place];
          into.means[at * places.length + pack] = mean;
        });
      }
    }
    return true;
  }
}

const isShare = (name: FleetFigure) => 'isShare' in FLEET_FIGURES[name];

/** As it is compared. */
function leastOf(name: FleetFigure): number {
  const { least } = FLEET_FIGURES[name];
  return isShare(name) ? 100 * Math.log1p(least / 100) : least;
}

function saidOf(name: FleetFigure, compared: number): number {
  return isShare(name) ? 100 * Math.expm1(compared / 100) : compared;
}

interface StoredFigure {
  readonly days: readonly (number | null)[];
  readonly windows: readonly number[];
  readonly means: readonly (number | null)[];
}

/** As it is stored: version 1. Means in thousandths of the figure's unit, day-major, null where nothing is known. */
export interface StoredFleet {
  readonly version: 1;
  readonly pack_ids: readonly string[];
  readonly figures: Readonly<Record<string, StoredFigure>>;
}

const WORDS: Readonly<Record<FleetFigure, (isMore: boolean) => string>> = {
  charge: isMore => (isMore ? 'holds more charge than' : 'holds less charge than'),
  temperature: () => 'is warmer than',
  cell_spread: () => 'has its cells further apart than',
  resistance: () => 'has more resistance than',
};

/** "is warmer than the 11 other packs of its battery by 7.2 °C, in the median of the last days; they differ by 0.8 °C". */
export function packApartText({ figure, deviation, usual, per_day, others }: PackApart): string {
  const { unit, decimals } = FLEET_FIGURES[figure];
  const amount = (value: number, digits: number = decimals) => `${Math.abs(value).toFixed(digits)} ${unit}`;
  const text =
    `${WORDS[figure](deviation > 0)} the ${others} other packs of its battery by ${amount(deviation)}, in the median of the ` +
    `last days; they differ by ${amount(usual, decimals + (usual < 1 ? 1 : 0))}`;
  const per_week = (per_day ?? 0) * 7 * Math.sign(deviation);
  return per_week * 4 > FLEET_FIGURES[figure].least
    ? `${text}. It grows by ${amount(per_week)} a week`
    : text;
}
