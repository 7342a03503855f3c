/** A pack of the simulator, its estimates, and the truth of both: hours in seconds. */
import { readFileSync } from 'node:fs';
import type { CellModel } from '../../core/estimate/model/cell-model.ts';
import { readModel } from '../../core/estimate/model/model-file.ts';
import { ModelTables } from '../../core/estimate/model/tables.ts';
import { ofAnyMake, scaledTo } from '../../core/estimate/model/variants.ts';
import { PackEstimator } from '../../core/estimate/running/pack-estimator.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { PackState } from '../../core/reading/pack-state.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { Quality } from '../../core/reading/quality.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { Fleet } from '../../sim/fleet.ts';
import type { SimulatedChemistry } from '../../sim/physics/chemistry.ts';

export const CELLS = 10;
const CAPACITY_AH = 100;
/** Readings; and the steps of the physics between two of them. */
const INTERVAL_S = 6;
const PHYSICS_S = 3;
const HOUR_S = 3600;

export function shipped(name: string): CellModel {
  const { model } = readModel(
    name,
    readFileSync(new URL(`../../core/estimate/models/${name}.yaml`, import.meta.url), 'utf8'),
  );
  if (!model) throw new Error(`no model ${name}`);
  return model;
}

export interface SimulatedPackOptions {
  readonly chemistry?: SimulatedChemistry;
  readonly model?: CellModel;
  readonly nominal_ah?: number;
  readonly load?: 'solar' | 'drive';
  readonly seed?: number;
  readonly start_hour?: number;
  /** What the device reports instead of what is so. */
  readonly change?: (reading: PackReading, hour: number) => void;
}

export interface Moment {
  readonly hour: number;
  readonly estimator: PackEstimator;
  readonly truth: PackReading;
  readonly reading: PackReading;
}

export class EstimatedPack {
  readonly fleet: Fleet;
  readonly estimator: PackEstimator;
  readonly #judge: PackJudge;
  readonly #state: PackState;
  readonly #reading: PackReading;
  readonly #change: SimulatedPackOptions['change'];
  #s = 0;

  constructor(options: SimulatedPackOptions = {}) {
    const { chemistry = 'lfp', nominal_ah = CAPACITY_AH, load = 'solar', seed = 1, start_hour = 8 } = options;
    const model = options.model ?? ofAnyMake(shipped(chemistry));
    const shape = { cell_count: CELLS, sensor_count: 0, device_alarms: [] };
    this.fleet = new Fleet([{ pack: 0, shape, battery: 0, chemistry, sensor_of_cell: undefined }], {
      seed,
      load,
      start_hour,
      capacity_ah: CAPACITY_AH,
    });
    this.#state = new PackState(0, shape, 15_000);
    this.#judge = new PackJudge(this.#state, plausibleLimits());
    this.#reading = new PackReading(0, shape);
    this.#change = options.change;
    this.estimator = new PackEstimator(new ModelTables(scaledTo(model, nominal_ah)), CELLS);
  }

  get hour(): number {
    return this.#s / HOUR_S;
  }

  /** `look` is called every five minutes. */
  run(hours: number, look: (moment: Moment) => void = () => undefined): void {
    const end_s = this.#s + hours * HOUR_S;
    while (this.#s < end_s) {
      for (let s = 0; s < INTERVAL_S; s += PHYSICS_S) this.fleet.step(PHYSICS_S);
      this.#s += INTERVAL_S;
      const mono_ms = this.#s * 1000;
      this.fleet.measure(mono_ms, mono_ms);
      this.#report(mono_ms);
      if (this.#s % 300 < INTERVAL_S)
        look({
          hour: this.hour,
          estimator: this.estimator,
          truth: this.fleet.packs[0].truth,
          reading: this.#reading,
        });
    }
  }

  /** The device is off, the battery is used on. */
  skip(hours: number): void {
    this.fleet.step(hours * HOUR_S);
    this.#s += hours * HOUR_S;
  }

  #report(mono_ms: number): void {
    const [{ measured }] = this.fleet.packs;
    this.#change?.(measured, this.hour);
    const state = this.#state;
    for (const metric of [PackMetric.voltage_v, PackMetric.current_a, PackMetric.soc_pct])
      state.setValue(metric, measured.values[metric], mono_ms);
    for (const metric of [CellMetric.voltage_v, CellMetric.temperature_c])
      for (let cell = 0; cell < CELLS; cell++)
        if (measured.columnQuality(metric)[cell] === Quality.good)
          state.setCell(metric, cell, measured.column(metric)[cell], mono_ms);
    const reading = this.#reading;
    state.snapshotInto(reading, mono_ms, mono_ms);
    this.#judge.judge(reading);
    this.estimator.take(reading, {
      voltages_ms: state.cellsUpdatedMonoMs(CellMetric.voltage_v),
      current_ms: mono_ms,
    });
  }
}
