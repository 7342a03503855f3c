/**
 * The estimates of one pack while it works: a filter and a health per cell, fed with each reading that was judged. Good
 * values alone are taken, each at the moment at which it was reported. A step allocates nothing.
 */
import { CellMetric, PackMetric } from '../../metrics.ts';
import type { PackReading } from '../../reading/pack-reading.ts';
import { Quality } from '../../reading/quality.ts';
import { HealthCells } from '../health/health-cells.ts';
import { setCapacity } from '../kalman/capacity.ts';
import { KalmanCells } from '../kalman/kalman-cells.ts';
import { KALMAN_SETTINGS } from '../kalman/settings.ts';
import { type ModelTables, STRIDE } from '../model/tables.ts';
import { isCut, MAX_SD, MAX_SURPRISE, UNKNOWN_CAPACITY_SD, UNKNOWN_SD } from '../start-and-end.ts';
import { FitWatch } from './fit-watch.ts';
import { goodValue, packTemperature, secondsBetween, temperatureOf } from './good-values.ts';
import { deviationShown, steadily, threeFigures } from './shown.ts';
import { ohmAtRoom, StepResistance, shortOhm } from './step-resistance.ts';

/** When the values of a reading were reported, monotonic ms. */
export interface ReportedAt {
  /** Of each cell's voltage. */
  readonly voltages_ms: Float64Array;
  current_ms: number;
}

/** What is shown is renewed so often. */
const SHOWN_EVERY_MS = 10_000;
/** A capacity that is known as well as this is taken for the filter, once it differs by so much. */
const SURE_CAPACITY_SD = 0.03;
const OTHER_CAPACITY = 0.005;
/** Until charge and voltage have shown that the model fits, the device's own figure must be near. */
const DEVICE_SD = 0.05;
const SD_OF_BAND = 2;

export class PackEstimator {
  readonly cells: KalmanCells;
  readonly health: HealthCells;
  readonly fit: FitWatch;
  readonly steps: StepResistance;
  readonly nominal_ah: number;
  /** As shown, in %; NaN where there is none. */
  readonly soc_pct: Float32Array;
  readonly soc_sd_pct: Float32Array;
  readonly soh_pct: Float32Array;
  readonly soh_sd_pct: Float32Array;
  readonly resistance_mohm: Float32Array;
  /** Of the pack: as its weakest cells let it be used. */
  readonly pack = {
    soc_pct: Number.NaN,
    soc_sd_pct: Number.NaN,
    soh_pct: Number.NaN,
    soh_sd_pct: Number.NaN,
  };
  /** Why nothing is shown of the pack; undefined: it is. */
  reason: string | undefined = 'no good values of current and cell voltages yet';
  /** Monotonic time of the newest reading taken. */
  taken_ms = Number.NaN;
  readonly #tables: ModelTables;
  /** Up to when each cell was stepped, and since when without a voltage; monotonic ms. */
  readonly #stepped_ms: Float64Array;
  readonly #measured_ms: Float64Array;
  readonly #measured_a: Float64Array;
  readonly #is_known: Uint8Array;
  readonly #is_apart: Uint8Array;
  readonly #new_current = { a: Number.NaN, ms: Number.NaN };
  readonly #old_current = { a: Number.NaN, ms: Number.NaN };
  #shown_ms = Number.NEGATIVE_INFINITY;
  #device_soc = Number.NaN;
  #is_doubted = false;
  readonly #sample = {
    dt_s: 0,
    current_a: Number.NaN,
    voltage_v: Number.NaN,
    outside_share: Number.NaN,
    soc: Number.NaN,
    soc_sd: Number.NaN,
    device_soc: Number.NaN,
  };
  readonly #model_ohm: number;
  readonly #read: Float64Array;

  /** `tables`: of a model whose capacity is `nominal_ah`. */
  constructor(tables: ModelTables, cell_count: number) {
    const { nominal_ah } = tables.model;
    const column = () => new Float32Array(cell_count).fill(Number.NaN);
    const moments = () => new Float64Array(cell_count).fill(Number.NaN);
    this.#tables = tables;
    this.nominal_ah = nominal_ah;
    this.cells = new KalmanCells(tables, cell_count, nominal_ah);
    this.health = new HealthCells(this.cells);
    this.fit = new FitWatch(tables.model, nominal_ah);
    this.steps = new StepResistance(cell_count);
    this.soc_pct = column();
    this.soc_sd_pct = column();
    this.soh_pct = column();
    this.soh_sd_pct = column();
    this.resistance_mohm = column();
    this.#stepped_ms = moments();
    this.#measured_ms = moments();
    this.#measured_a = moments();
    this.#is_known = new Uint8Array(cell_count);
    this.#is_apart = new Uint8Array(cell_count);
    this.#read = new Float64Array(STRIDE);
    this.#model_ohm = ohmAtRoom(tables);
  }

  /** Another pack, or another truth: everything starts over. */
  start(): void {
    for (let cell = 0; cell < this.cells.count; cell++) this.health.start(cell);
    this.cells.capacity_ah.fill(this.nominal_ah);
    this.#stepped_ms.fill(Number.NaN);
    this.#measured_ms.fill(Number.NaN);
    this.#measured_a.fill(Number.NaN);
    this.#is_known.fill(0);
    this.#is_apart.fill(0);
    this.fit.start();
    this.steps.start();
    this.#hide();
  }

  /**
   * After the columns were restored: `before_ms` was written so long ago, monotonic ms; what ran since then is unknown.
   */
  resume(before_ms: number): void {
    for (let cell = 0; cell < this.cells.count; cell++) {
      if (!this.cells.isStarted(cell)) continue;
      this.#is_known[cell] = 1;
      this.#stepped_ms[cell] = before_ms;
      this.#measured_ms[cell] = before_ms;
    }
    this.#is_doubted = this.fit.doubt !== 'none';
  }

  /** A fresh reading, judged. */
  take(reading: PackReading, { voltages_ms, current_ms }: ReportedAt): void {
    this.#takeCurrent(reading, current_ms);
    this.#device_soc = goodValue(reading, PackMetric.soc_pct) / 100;
    const quality = reading.columnQuality(CellMetric.voltage_v);
    const voltages = reading.column(CellMetric.voltage_v);
    const pack_c = packTemperature(reading);
    let good = 0;
    let outside = 0;
    let sum_v = 0;
    for (let cell = 0; cell < quality.length; cell++) {
      const isGood = quality[cell] === Quality.good;
      if (isGood) {
        good++;
        sum_v += voltages[cell];
        if (this.fit.isOutside(voltages[cell], this.#new_current.a)) outside++;
      }
      if (isGood && !(voltages_ms[cell] <= this.#stepped_ms[cell]))
        this.#measure(cell, voltages_ms[cell], voltages[cell], temperatureOf(reading, cell, pack_c));
      else this.#count(cell, temperatureOf(reading, cell, pack_c));
    }
    this.#watch(reading.mono_ms, good > 0 ? sum_v / good : Number.NaN, outside / good);
    this.taken_ms = reading.mono_ms;
    if (reading.mono_ms - this.#shown_ms >= SHOWN_EVERY_MS) this.#renew(reading.mono_ms);
  }

  #takeCurrent(reading: PackReading, current_ms: number): void {
    const a = goodValue(reading, PackMetric.current_a);
    if (current_ms <= this.#new_current.ms && !Number.isNaN(a)) return;
    this.#old_current.a = this.#new_current.a;
    this.#old_current.ms = this.#new_current.ms;
    this.#new_current.a = a;
    this.#new_current.ms = current_ms;
  }

  /** Between the two newest, as the cells of a pack are not all reported at once. */
  #currentAt(ms: number): number {
    const { a: new_a, ms: new_ms } = this.#new_current;
    const { a: old_a, ms: old_ms } = this.#old_current;
    if (ms >= new_ms || Number.isNaN(old_a) || Number.isNaN(new_a)) return new_a;
    if (ms <= old_ms) return old_a;
    return old_a + ((new_a - old_a) * (ms - old_ms)) / (new_ms - old_ms);
  }

  #measure(cell: number, ms: number, voltage_v: number, temperature_c: number): void {
    const { cells, health } = this;
    const current_a = this.#currentAt(ms);
    if (this.#is_known[cell] === 0) this.#begin(cell);
    const dt_s = secondsBetween(this.#stepped_ms[cell], ms);
    cells.step(cell, dt_s, current_a, voltage_v, temperature_c);
    this.#stepped_ms[cell] = ms;
    if (Number.isNaN(current_a)) return;
    const since_s = secondsBetween(this.#measured_ms[cell], ms);
    const last_a = this.#measured_a[cell];
    health.step(cell, since_s, current_a, voltage_v, isCut(since_s, last_a, current_a, this.nominal_ah));
    this.#measured_ms[cell] = ms;
    this.#measured_a[cell] = current_a;
    if (this.steps.isStep(cell, since_s, current_a, this.nominal_ah)) {
      this.#tables.read(cells.soc(cell), this.#read, 0);
      this.steps.learn(cell, current_a, voltage_v, shortOhm(this.#read, this.#tables), this.nominal_ah);
    }
    this.steps.keep(cell, current_a, voltage_v);
  }

  /** Without a voltage of its own the charge is counted on. */
  #count(cell: number, temperature_c: number): void {
    const { a, ms } = this.#new_current;
    const stepped_ms = this.#stepped_ms[cell];
    if (Number.isNaN(stepped_ms) || Number.isNaN(a) || !(ms > stepped_ms)) return;
    this.cells.step(cell, (ms - stepped_ms) / 1000, a, Number.NaN, temperature_c);
    this.#stepped_ms[cell] = ms;
  }

  #begin(cell: number): void {
    this.#is_known[cell] = 1;
    const isGuess = Number.isNaN(this.#device_soc);
    const sd = isGuess ? UNKNOWN_SD : KALMAN_SETTINGS.initial_soc_sd;
    this.cells.start(cell, isGuess ? 0.5 : this.#device_soc, sd, UNKNOWN_CAPACITY_SD);
  }

  #watch(mono_ms: number, voltage_v: number, outside_share: number): void {
    const { cells } = this;
    const sample = this.#sample;
    let sum = 0;
    let started = 0;
    for (let cell = 0; cell < cells.count; cell++) {
      if (!cells.isStarted(cell)) continue;
      sum += cells.soc(cell);
      started++;
    }
    sample.dt_s = secondsBetween(this.taken_ms, mono_ms);
    sample.current_a = this.#new_current.a;
    sample.voltage_v = voltage_v;
    sample.outside_share = outside_share;
    sample.soc = started > 0 ? sum / started : Number.NaN;
    sample.soc_sd = started > 0 ? cells.socSd(0) : Number.NaN;
    sample.device_soc = this.#device_soc;
    if (!this.fit.take(sample)) return;
    const isMended = this.#is_doubted && this.fit.doubt === 'none';
    this.#is_doubted = this.fit.doubt !== 'none';
    // What was learned by a wrong sign or model is of no use.
    if (isMended) this.start();
    this.#shown_ms = Number.NEGATIVE_INFINITY;
  }

  #renew(mono_ms: number): void {
    this.#shown_ms = mono_ms;
    this.reason = this.fit.sentence();
    if (this.reason !== undefined) {
      this.#hide();
      return;
    }
    const { cells } = this;
    const usual = this.steps.usual();
    let first_hidden = -1;
    for (let cell = 0; cell < cells.count; cell++) {
      this.#renewApart(cell, usual);
      this.#renewHealth(cell);
      if (!this.#renewCharge(cell) && first_hidden < 0) first_hidden = cell;
    }
    this.#renewPack(first_hidden);
    if (this.reason === undefined && !this.fit.isConfirmed) this.#holdAgainstDevice();
  }

  #renewApart(cell: number, usual: number): void {
    const was = this.#is_apart[cell];
    this.#is_apart[cell] = this.steps.isApart(cell, usual) ? 1 : 0;
    if (was === this.#is_apart[cell]) return;
    // What was learned of a cell that the model did not describe is of no use.
    this.#is_known[cell] = 0;
    this.health.start(cell);
    this.cells.capacity_ah[cell] = this.nominal_ah;
  }

  #renewCharge(cell: number): boolean {
    const { cells } = this;
    const isKnown = cells.isStarted(cell) && this.#is_known[cell] === 1 && this.#is_apart[cell] === 0;
    const sd = isKnown ? cells.socSd(cell) : Number.NaN;
    if (!(sd <= MAX_SD) || cells.surprise[cell] > MAX_SURPRISE) {
      this.soc_pct[cell] = Number.NaN;
      this.soc_sd_pct[cell] = Number.NaN;
      return false;
    }
    const soc_pct = 100 * Math.min(1, Math.max(0, cells.soc(cell)));
    this.soc_pct[cell] = steadily(this.soc_pct[cell], soc_pct, 0.1);
    this.soc_sd_pct[cell] = deviationShown(this.soc_sd_pct[cell], 100 * sd);
    return true;
  }

  #renewHealth(cell: number): void {
    const { health, nominal_ah } = this;
    const ah = health.capacity_ah[cell];
    if (Number.isNaN(ah) || this.#is_apart[cell] === 1) {
      this.soh_pct[cell] = Number.NaN;
      this.soh_sd_pct[cell] = Number.NaN;
    } else {
      const sd_ah = health.capacity_sd_ah[cell];
      this.soh_pct[cell] = steadily(this.soh_pct[cell], (100 * ah) / nominal_ah, 0.1);
      this.soh_sd_pct[cell] = deviationShown(this.soh_sd_pct[cell], (100 * sd_ah) / nominal_ah);
      const held_ah = this.cells.capacity_ah[cell];
      if (sd_ah < SURE_CAPACITY_SD * ah && Math.abs(ah / held_ah - 1) > OTHER_CAPACITY)
        setCapacity(this.cells, cell, ah);
    }
    this.resistance_mohm[cell] = threeFigures(1000 * this.steps.ratio(cell) * this.#model_ohm);
  }

  /** The emptiest cell ends the discharge, the fullest the charge. */
  #renewPack(first_hidden: number): void {
    const { cells, pack } = this;
    pack.soc_pct = pack.soc_sd_pct = pack.soh_pct = pack.soh_sd_pct = Number.NaN;
    for (let cell = 0; cell < cells.count; cell++)
      if (!(this.soh_pct[cell] >= pack.soh_pct)) {
        pack.soh_pct = this.soh_pct[cell];
        pack.soh_sd_pct = this.soh_sd_pct[cell];
        if (Number.isNaN(pack.soh_pct)) break;
      }
    if (first_hidden >= 0) {
      this.reason = `${this.#whyHidden(first_hidden)} (cell ${first_hidden + 1})`;
      return;
    }
    let left_cell = 0;
    let room_cell = 0;
    let left_ah = Number.POSITIVE_INFINITY;
    let room_ah = Number.POSITIVE_INFINITY;
    for (let cell = 0; cell < cells.count; cell++) {
      const soc = this.soc_pct[cell] / 100;
      const ah = cells.capacity_ah[cell];
      if (soc * ah < left_ah) {
        left_ah = soc * ah;
        left_cell = cell;
      }
      if ((1 - soc) * ah < room_ah) {
        room_ah = (1 - soc) * ah;
        room_cell = cell;
      }
    }
    pack.soc_pct = Math.round((1000 * left_ah) / (left_ah + room_ah)) / 10;
    pack.soc_sd_pct = Math.max(this.soc_sd_pct[left_cell], this.soc_sd_pct[room_cell]);
  }

  #whyHidden(cell: number): string {
    const { cells } = this;
    if (this.#is_apart[cell] === 1)
      return `its resistance is ${(this.steps.ratio(cell) / this.steps.usual()).toFixed(1)} times that of its siblings`;
    if (!cells.isStarted(cell) || this.#is_known[cell] === 0)
      return 'no good values of current and cell voltage yet';
    if (cells.surprise[cell] > MAX_SURPRISE)
      return `the voltage is not what the model "${this.#tables.model.name}" says, for minutes`;
    return 'the voltage says too little of the state of charge yet';
  }

  #holdAgainstDevice(): void {
    const { pack } = this;
    const device_pct = 100 * this.#device_soc;
    const apart = Math.abs(device_pct - pack.soc_pct);
    if (apart <= SD_OF_BAND * Math.hypot(pack.soc_sd_pct, 100 * DEVICE_SD)) return;
    const found = Number.isNaN(device_pct)
      ? 'the device reports no state of charge to compare with'
      : `the device says ${device_pct.toFixed(0)} %, the voltages ${pack.soc_pct.toFixed(0)} %`;
    this.reason = `not yet confirmed: ${found}; it is shown once a quarter of the charge has passed as the model says`;
    this.#hide();
  }

  #hide(): void {
    const { pack } = this;
    for (const column of [this.soc_pct, this.soc_sd_pct, this.soh_pct, this.soh_sd_pct, this.resistance_mohm])
      column.fill(Number.NaN);
    pack.soc_pct = pack.soc_sd_pct = pack.soh_pct = pack.soh_sd_pct = Number.NaN;
  }
}
