/** One pack while it works: its estimates, what they rest on or why there are none, and what is kept of it. */
import { type HealthPoint, MAX_POINTS, POINT_EVERY_MS } from '../../core/estimate/health/trend.ts';
import type { CellModel } from '../../core/estimate/model/cell-model.ts';
import { ModelTables } from '../../core/estimate/model/tables.ts';
import { atAnyTemperature, ofAnyMake, scaledTo } from '../../core/estimate/model/variants.ts';
import { goodValue, hasTemperature } from '../../core/estimate/running/good-values.ts';
import { Odometer, type StoredOdometer } from '../../core/estimate/running/odometer.ts';
import { PackEstimator } from '../../core/estimate/running/pack-estimator.ts';
import { restoreState, stateBytes } from '../../core/estimate/running/state-bytes.ts';
import { Edges } from '../../core/lifetime/edges.ts';
import type { HarmLimits } from '../../core/lifetime/harms.ts';
import { Lifetime, type StoredLifetime } from '../../core/lifetime/lifetime.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import { Quality } from '../../core/reading/quality.ts';
import { ChargeDrift, type StoredDrift } from '../../core/siblings/charge-drift.ts';
import type { PackJudge } from '../../core/siblings/pack-judge.ts';
import type { EstimatePlan } from './plan.ts';

/** As it is stored: version 1. */
export interface StoredEstimates {
  readonly version: 1;
  /** Of this place, whatever pack stands in it; and of the pack that does now. */
  readonly odometers: { readonly place: StoredOdometer; readonly pack: StoredOdometer };
  /** [wall time, health in %, its deviation], a week apart. */
  readonly health: readonly (readonly [number, number, number])[];
  readonly model: string | null;
  readonly nominal_ah: number | null;
  /** state-bytes.ts, in base 64; null: nothing was learned. */
  readonly state: string | null;
  /** Absent: written by a program that did not look for leaks. */
  readonly drift?: StoredDrift;
  /** Absent: written by a program that kept none. */
  readonly lifetimes?: { readonly place: StoredLifetime; readonly pack: StoredLifetime };
}

/** A capacity by the device is taken once; another one, by so much, is another pack's. */
const OTHER_CAPACITY = 0.2;
const MINUTE_MS = 60_000;
/** Where the clock shows less than when the state was stored, nobody knows how long it was off. */
const UNKNOWN_GAP_MS = 6 * 3_600_000;
const CELL_COLUMNS = [
  ['estimated_soc_pct', 'soc_pct'],
  ['estimated_soc_sd_pct', 'soc_sd_pct'],
  ['estimated_soh_pct', 'soh_pct'],
  ['estimated_soh_sd_pct', 'soh_sd_pct'],
  ['estimated_resistance_mohm', 'resistance_mohm'],
] as const;
const PACK_VALUES = [
  ['estimated_soc_pct', 'soc_pct'],
  ['estimated_soc_sd_pct', 'soc_sd_pct'],
  ['estimated_soh_pct', 'soh_pct'],
  ['estimated_soh_sd_pct', 'soh_sd_pct'],
] as const;

/** Tables by model, shared by all packs that have it. */
export class SharedTables {
  readonly #tables = new Map<string, ModelTables>();

  of(model: CellModel, is_own: boolean, nominal_ah: number, has_temperature: boolean): ModelTables {
    const key = `${model.name} ${is_own} ${nominal_ah} ${has_temperature}`;
    let tables = this.#tables.get(key);
    if (!tables) {
      const scaled = scaledTo(is_own ? model : ofAnyMake(model), nominal_ah);
      tables = new ModelTables(has_temperature ? scaled : atAnyTemperature(scaled));
      this.#tables.set(key, tables);
    }
    return tables;
  }
}

export class EstimatedPack {
  readonly plan: EstimatePlan;
  readonly place = new Odometer();
  readonly pack = new Odometer();
  readonly drift: ChargeDrift;
  readonly lifetimes: { readonly place: Lifetime; readonly pack: Lifetime };
  points: HealthPoint[] = [];
  estimator: PackEstimator | undefined;
  readonly #edges = new Edges();
  readonly #state: PackState;
  readonly #judge: PackJudge;
  readonly #tables: SharedTables;
  readonly #stale_ms: number;
  readonly #reported: { readonly voltages_ms: Float64Array; current_ms: number };
  #reason: string | undefined;
  #stored: StoredEstimates | undefined;
  #swaps: number;
  #minute = Number.NaN;

  /** `stale_ms`: what was estimated before is old news. */
  constructor(
    plan: EstimatePlan,
    state: PackState,
    judge: PackJudge,
    tables: SharedTables,
    stale_ms: number,
    limits: HarmLimits,
  ) {
    this.plan = plan;
    this.#state = state;
    this.#judge = judge;
    this.#tables = tables;
    this.#stale_ms = stale_ms;
    this.#swaps = judge.deviation.swaps;
    this.lifetimes = { place: new Lifetime(limits), pack: new Lifetime(limits) };
    this.drift = new ChargeDrift(state.shape.cell_count);
    this.#reported = { voltages_ms: state.cellsUpdatedMonoMs(CellMetric.voltage_v), current_ms: Number.NaN };
    this.#reason = plan.reason ?? 'no good values of current and cell voltages yet';
  }

  /** Why there are no estimates of the pack; undefined: there are. */
  get reason(): string | undefined {
    return this.estimator ? this.estimator.reason : this.#reason;
  }

  get hasAny(): boolean {
    return this.place.hours > 0;
  }

  /** A reading of a moment, judged. True: another pack stands here. */
  take(reading: PackReading): boolean {
    const isSwapped = this.#judge.deviation.swaps !== this.#swaps;
    if (isSwapped) this.#swap();
    if (reading.is_repeated) return isSwapped;
    if (!this.estimator) this.#begin(reading);
    this.#reported.current_ms = this.#state.valueUpdatedMonoMs(PackMetric.current_a);
    const { estimator } = this;
    if (estimator) {
      estimator.take(reading, this.#reported);
      this.drift.learn(reading.t_ms, estimator.nominal_ah, estimator.soc_pct, estimator.soc_sd_pct);
    }
    const own_pct = this.estimator?.pack.soc_pct ?? Number.NaN;
    const soc_pct = Number.isNaN(own_pct) ? goodValue(reading, PackMetric.soc_pct) : own_pct;
    this.place.take(reading, soc_pct);
    this.pack.take(reading, soc_pct);
    const edges = this.#edges.take(reading);
    this.lifetimes.place.take(reading, edges);
    this.lifetimes.pack.take(reading, edges);
    this.#keepPoint(reading.t_ms);
    return isSwapped;
  }

  /** Whether a reading carries the estimates into the log: the first of each minute, as they change slowly. */
  isDue({ t_ms }: PackReading): boolean {
    const minute = Math.floor(t_ms / MINUTE_MS);
    const isDue = minute !== this.#minute;
    this.#minute = minute;
    return isDue;
  }

  /** Puts the estimates into a reading of this pack. */
  show(reading: PackReading): void {
    const { estimator } = this;
    if (!estimator || Number.isNaN(estimator.taken_ms)) return;
    const isOld = reading.mono_ms - estimator.taken_ms > this.#stale_ms;
    const quality = isOld ? Quality.stale : Quality.good;
    for (const [metric, name] of CELL_COLUMNS) {
      const shown = estimator[name];
      reading.column(CellMetric[metric]).set(shown);
      const qualities = reading.columnQuality(CellMetric[metric]);
      for (let cell = 0; cell < qualities.length; cell++)
        qualities[cell] = Number.isNaN(shown[cell]) ? Quality.missing : quality;
    }
    for (const [metric, name] of PACK_VALUES) {
      const value = estimator.pack[name];
      reading.values[PackMetric[metric]] = value;
      reading.value_quality[PackMetric[metric]] = Number.isNaN(value) ? Quality.missing : quality;
    }
  }

  toJSON(t_ms: number): StoredEstimates {
    const { estimator, place, pack, points, lifetimes } = this;
    return {
      version: 1,
      odometers: { place: place.toJSON(), pack: pack.toJSON() },
      health: points.map(point => [point.t_ms, point.soh_pct, point.sd_pct] as const),
      model: this.plan.model?.name ?? null,
      nominal_ah: estimator?.nominal_ah ?? this.#stored?.nominal_ah ?? null,
      state: estimator
        ? Buffer.from(stateBytes(estimator, t_ms)).toString('base64')
        : (this.#stored?.state ?? null),
      ...(lifetimes.place.has_any && {
        lifetimes: { place: lifetimes.place.toJSON(), pack: lifetimes.pack.toJSON() },
      }),
      ...(this.drift.hasAny && { drift: this.drift.toJSON() }),
    };
  }

  /** False: it is no such document. What was learned of the cells is taken over once their capacity is known. */
  restore(stored: StoredEstimates): boolean {
    const { version, odometers, health } = stored;
    if (version !== 1 || !Array.isArray(health)) return false;
    const isWhole = this.place.restore(odometers?.place) && this.pack.restore(odometers?.pack);
    this.points = health.map(([t_ms, soh_pct, sd_pct]) => ({ t_ms, soh_pct, sd_pct }));
    this.#stored = stored;
    // What cannot be read is learnt again, in a fortnight.
    const hasDrift = stored.drift === undefined || this.drift.restore(stored.drift);
    return this.#restoreLifetimes(stored.lifetimes) && hasDrift && isWhole;
  }

  #restoreLifetimes(stored: StoredEstimates['lifetimes']): boolean {
    if (stored === undefined) return true;
    const hasPlace = this.lifetimes.place.restore(stored.place);
    return this.lifetimes.pack.restore(stored.pack) && hasPlace;
  }

  #begin(reading: PackReading): void {
    const { model, is_own } = this.plan;
    if (!model || !hasCurrentAndVoltages(reading)) return;
    const nominal_ah = this.plan.nominal_ah ?? this.#deviceCapacity(reading);
    if (nominal_ah === undefined) {
      this.#reason =
        'the capacity of its cells is unknown: the device reports none, and "nominal_ah" is not configured';
      return;
    }
    const tables = this.#tables.of(model, is_own, nominal_ah, hasTemperature(reading));
    this.estimator = new PackEstimator(tables, reading.shape.cell_count);
    const stored = this.#stored;
    this.#stored = undefined;
    if (!stored?.state || stored.model !== model.name) return;
    const restored = restoreState(this.estimator, Buffer.from(stored.state, 'base64'));
    if (!restored) return;
    const gap_ms = reading.t_ms - restored.t_ms;
    this.estimator.resume(reading.mono_ms - (gap_ms >= 0 ? gap_ms : UNKNOWN_GAP_MS));
  }

  /** What it was before, as long as the device does not say something clearly different. */
  #deviceCapacity(reading: PackReading): number | undefined {
    const reported = goodValue(reading, PackMetric.capacity_full_ah);
    const before = this.#stored?.nominal_ah ?? undefined;
    if (!(reported > 0)) return before;
    return before !== undefined && Math.abs(reported / before - 1) < OTHER_CAPACITY ? before : reported;
  }

  #swap(): void {
    this.#swaps = this.#judge.deviation.swaps;
    this.estimator = undefined;
    this.#stored = undefined;
    this.points = [];
    this.drift.forget();
    this.lifetimes.pack.start();
    this.pack.start();
  }

  #keepPoint(t_ms: number): void {
    const { estimator, points } = this;
    if (!estimator || Number.isNaN(estimator.pack.soh_pct)) return;
    const last = points.at(-1);
    if (last && t_ms - last.t_ms < POINT_EVERY_MS) return;
    points.push({ t_ms, soh_pct: estimator.pack.soh_pct, sd_pct: estimator.pack.soh_sd_pct });
    if (points.length > MAX_POINTS) points.shift();
  }
}

function hasCurrentAndVoltages(reading: PackReading): boolean {
  return (
    reading.value_quality[PackMetric.current_a] === Quality.good &&
    reading.columnQuality(CellMetric.voltage_v).includes(Quality.good)
  );
}
