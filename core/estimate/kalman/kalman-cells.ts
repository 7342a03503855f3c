/**
 * State of charge of many cells of one model by a Kalman filter, in columns of typed arrays; a step allocates nothing.
 *
 * States of a cell: state of charge; the currents behind the model's three branches; offset of the current sensor;
 * scale (gain of the sensor over capacity); slow error of the model's voltage; error of its resistances, as a share;
 * error of sampling. The voltage is linearised over the whole spread of the state of charge, not at one point: on a
 * flat or bent curve the slope at a point lies.
 */
import { MAX_BRANCHES, type ModelTables, STRIDE } from '../model/tables.ts';
import { firstSoc, readFirstSample } from './first-sample.ts';
import { KALMAN_SETTINGS, type KalmanSettings } from './settings.ts';
import { BRANCH, BRANCHES, N, OFFSET, PACKED, SAMPLING, SCALE, SERIES, SLOW, SOC } from './states.ts';

/** The current's usual step follows the last few minutes. */
const STEP_MEMORY_S = 300;
/** A slow error beyond that of models that were measured, and how much of it does not average out. */
const MEASURED_SLOW_V = 0.014;
const LASTING_PART = 0.5;
/** So far apart a drive cycle's samples miss what it does. */
const SPARSE_S = 5;
const GAP_S = 90;
const CARRIED_S = 300;
const LONG_GAP_S = 900;
/** Of #isFirst: a load ran before. */
const AFTER_GAP = 2;
/** So long a small current must stand still. */
const STILL_S = 240;
const ROOT_3 = Math.sqrt(3);

export class KalmanCells {
  readonly count: number;
  readonly tables: ModelTables;
  readonly settings: KalmanSettings;
  readonly capacity_ah: Float64Array;
  /** All that a later run needs to go on; stored, see states.ts. */
  readonly columns: (Float64Array | Uint8Array)[] = [];
  readonly #x: Float64Array;
  readonly #p: Float64Array;
  readonly #hysteresis: Float64Array;
  readonly #last_a: Float64Array;
  readonly #step_a2: Float64Array;
  readonly #temperature_c: Float64Array;
  /** Of each cell: square of the innovation over its expected square, over the last minutes. */
  readonly surprise: Float64Array;
  readonly #idle: Uint8Array;
  readonly #isFirst: Uint8Array;
  readonly #still_s: Float64Array;
  // Scratch of one step, shared by all cells.
  readonly #cov = new Float64Array(N * N);
  readonly #h = new Float64Array(N);
  readonly #ph = new Float64Array(N);
  readonly #noise = new Float64Array(N);
  readonly #read = new Float64Array(3 * STRIDE);
  readonly #keep = new Float64Array(MAX_BRANCHES);
  #decays_dt_s = Number.NaN;
  #learn = 0;
  #keep_slow = 1;
  #keep_share = 1;

  constructor(tables: ModelTables, count: number, capacity_ah: number, settings = KALMAN_SETTINGS) {
    this.tables = tables;
    this.count = count;
    this.settings = settings;
    const keep = <T extends Float64Array | Uint8Array>(column: T): T => {
      this.columns.push(column);
      return column;
    };
    this.capacity_ah = keep(new Float64Array(count).fill(capacity_ah));
    this.#x = keep(new Float64Array(count * N));
    this.#p = keep(new Float64Array(count * PACKED));
    this.#hysteresis = keep(new Float64Array(count));
    this.#last_a = keep(new Float64Array(count).fill(Number.NaN));
    this.#step_a2 = keep(new Float64Array(count));
    this.#temperature_c = keep(new Float64Array(count).fill(25));
    this.surprise = keep(new Float64Array(count).fill(1));
    this.#idle = keep(new Uint8Array(count));
    this.#isFirst = keep(new Uint8Array(count).fill(1));
    this.#still_s = keep(new Float64Array(count));
  }

  /** `scale_sd`: how well the capacity is known. */
  start(cell: number, soc: number, soc_sd: number, scale_sd = this.settings.scale_sd): void {
    const q = this.capacity_ah[cell];
    const { offset_share, sampling_share } = this.settings;
    const at = cell * N;
    this.#x.fill(0, at, at + N);
    this.#x[at + SOC] = soc;
    this.#cov.fill(0);
    const variance = (i: number, sd: number) => {
      this.#cov[i * N + i] = sd * sd;
    };
    variance(SOC, soc_sd);
    for (let b = 0; b < MAX_BRANCHES; b++) variance(BRANCH + b, q / 20);
    variance(OFFSET, offset_share * q);
    variance(SCALE, scale_sd);
    variance(SLOW, 0.01);
    variance(SAMPLING, sampling_share);
    this.#pack(cell);
    this.#hysteresis[cell] = 0;
    this.#last_a[cell] = Number.NaN;
    this.#step_a2[cell] = 0;
    this.surprise[cell] = 1;
    this.#idle[cell] = 0;
    this.#isFirst[cell] = 1;
    this.#still_s[cell] = 0;
  }

  soc(cell: number): number {
    return this.#x[cell * N + SOC];
  }

  /** With what no averaging takes away: where a model was not measured, it is off in one direction for long. */
  socSd(cell: number): number {
    const { tables } = this;
    tables.seek(this.#temperature_c[cell]);
    const lasting_v = LASTING_PART * (tables.errorAt(tables.slow_v) - MEASURED_SLOW_V);
    const own = this.settings.stated_part * Math.sqrt(this.#p[cell * PACKED]);
    if (lasting_v <= 0) return own;
    const slope = Math.max(0.05, tables.slopeAt(this.#x[cell * N + SOC]));
    return Math.hypot(own, lasting_v / slope);
  }

  /** False until the first sample with current and voltage. */
  isStarted(cell: number): boolean {
    return this.#isFirst[cell] === 0;
  }

  halfGapV(cell: number): number {
    this.tables.read(this.#x[cell * N + SOC], this.#read, 0);
    return this.#read[1];
  }

  /** What the voltage would come to if the cell were left alone. The tables stand at the temperature of the last step. */
  restV(cell: number, current_a: number, voltage_v: number): number {
    const through_a = current_a - this.#x[cell * N + OFFSET];
    const model_v = this.#modelV(cell, this.#x[cell * N + SOC], through_a, 0);
    return voltage_v - model_v + this.#read[0];
  }

  /** One sample, `dt_s` after the one before; NaN: not known at this moment. */
  step(cell: number, dt_s: number, current_a: number, voltage_v: number, temperature_c: number): void {
    if (!Number.isNaN(temperature_c)) this.#temperature_c[cell] = temperature_c;
    this.tables.seek(this.#temperature_c[cell]);
    this.#unpack(cell);
    const now_a = !Number.isNaN(current_a) ? current_a : this.#last_a[cell];
    const known_a = !Number.isNaN(now_a) ? now_a : 0;
    if (dt_s > 0 && !Number.isNaN(this.#last_a[cell]))
      this.#predict(cell, dt_s, this.#last_a[cell], known_a, Number.isNaN(current_a));
    // What a long gap leaves open, the first voltage after it says as at the start.
    if (dt_s > LONG_GAP_S) this.#isFirst[cell] = AFTER_GAP;
    if (!Number.isNaN(voltage_v) && !Number.isNaN(current_a))
      if (this.#isFirst[cell]) this.#begin(cell, known_a, voltage_v);
      else this.#update(cell, dt_s, known_a, voltage_v);
    this.#learnIdle(cell, dt_s, known_a);
    if (!Number.isNaN(now_a)) this.#last_a[cell] = now_a;
    this.#pack(cell);
  }

  #begin(cell: number, current_a: number, voltage_v: number): void {
    const cov = this.#cov;
    const { tables, settings } = this;
    const times = this.#isFirst[cell] === AFTER_GAP ? 3 : 1;
    const unknown_a = times * settings.unknown_rate * this.capacity_ah[cell];
    readFirstSample(tables, current_a, voltage_v, this.#x[cell * N + SOC], Math.sqrt(cov[SOC]), unknown_a);
    this.#x[cell * N + SOC] = firstSoc.mean;
    for (let i = 0; i < N; i++) {
      cov[i] = 0;
      cov[i * N] = 0;
    }
    cov[SOC] = firstSoc.sd ** 2;
    const share = tables.errorAt(tables.share);
    cov[SERIES * (N + 1)] = (settings.series_factor * share) ** 2;
    cov[BRANCHES * (N + 1)] = (settings.branches_factor * share) ** 2;
    tables.read(firstSoc.mean, this.#read, 0);
    for (let b = 0; b < MAX_BRANCHES; b++) {
      const left_a2 = (b * unknown_a) ** 2;
      cov[(BRANCH + b) * (N + 1)] += (0.3 * current_a) ** 2 + left_a2;
      // What the branch still holds has moved the reading.
      const shared = -this.#read[3 + b] * left_a2 * firstSoc.per_v;
      cov[BRANCH + b] = shared;
      cov[(BRANCH + b) * N] = shared;
    }
    this.#isFirst[cell] = 0;
  }

  #predict(cell: number, dt_s: number, a0: number, a1: number, isMissing: boolean): void {
    const { settings, tables } = this;
    const q = this.capacity_ah[cell];
    const at = cell * N;
    const x = this.#x;
    const cov = this.#cov;
    // What ran between the samples.
    const step_a2 = (a1 - a0) * (a1 - a0);
    if (dt_s !== this.#decays_dt_s) this.#setDecays(dt_s);
    const keep = this.#keep;
    this.#step_a2[cell] += this.#learn * (step_a2 - this.#step_a2[cell]);
    // What samples miss of a load grows with the time between them.
    const usual_a = Math.sqrt(this.#step_a2[cell]) * Math.min(4, dt_s / SPARSE_S);
    let between_a2 = settings.between_share * (0.3 * step_a2 + 0.7 * this.#step_a2[cell]);
    if (isMissing) between_a2 += 0.25 * a0 * a0 + (q / 50) ** 2;
    let mean_a = (a0 + a1) / 2;
    if (dt_s > GAP_S) {
      // A load may have gone on for minutes; beyond that it may have stopped, or not.
      mean_a *= Math.min(1, CARRIED_S / dt_s);
      const most_a = Math.max(Math.abs(a0), Math.abs(a1));
      between_a2 += most_a < q / 50 ? (q / 300) ** 2 : (0.6 * most_a + q / 20) ** 2;
    }
    const wrong_a = x[at + OFFSET] + x[at + SAMPLING] * usual_a;
    const c = dt_s / 3600 / q;
    const true_a = mean_a - wrong_a;
    const moved = c * true_a * (1 + x[at + SCALE]);
    x[at + SOC] = Math.min(1.03, Math.max(-0.03, x[at + SOC] + moved));
    for (let b = 0; b < MAX_BRANCHES; b++) {
      const tau_s = tables.time_constants_s[b];
      const k = keep[b];
      const f = x[at + BRANCH + b];
      x[at + BRANCH + b] = k * f + (1 - k) * (a0 - wrong_a) + (a1 - a0) * (1 - (tau_s / dt_s) * (1 - k));
    }
    const passed = Math.abs(moved);
    const keep_h = Math.exp(-tables.model.hysteresis_rate * passed);
    this.#hysteresis[cell] = keep_h * this.#hysteresis[cell] + (1 - keep_h) * Math.sign(true_a);
    const keep_slow = this.#keep_slow * Math.exp(-passed / settings.slow_soc);
    const keep_share = this.#keep_share;
    x[at + SLOW] *= keep_slow;
    x[at + SERIES] *= keep_share;
    x[at + BRANCHES] *= keep_share;

    // Rows, then columns of the covariance.
    const by_scale = c * true_a;
    for (let half = 0; half < 2; half++) {
      const di = half === 0 ? 1 : N;
      const dj = half === 0 ? N : 1;
      for (let j = 0; j < N; j++) {
        const o = j * di;
        const offset = cov[o + OFFSET * dj] + usual_a * cov[o + SAMPLING * dj];
        cov[o] += by_scale * cov[o + SCALE * dj] - c * offset;
        for (let b = 0; b < MAX_BRANCHES; b++) {
          const i = o + (BRANCH + b) * dj;
          cov[i] = keep[b] * cov[i] - (1 - keep[b]) * offset;
        }
        cov[o + SLOW * dj] *= keep_slow;
        cov[o + SERIES * dj] *= keep_share;
        cov[o + BRANCHES * dj] *= keep_share;
      }
    }
    const noise = this.#noise;
    noise[0] = c;
    for (let b = 0; b < MAX_BRANCHES; b++) noise[BRANCH + b] = 1 - keep[b];
    for (let i = 0; i <= MAX_BRANCHES; i++)
      for (let j = 0; j <= MAX_BRANCHES; j++) cov[i * N + j] += between_a2 * noise[i] * noise[j];
    for (let b = 0; b < MAX_BRANCHES; b++)
      cov[(BRANCH + b) * (N + 1)] += settings.branch_noise * (step_a2 + between_a2) * (1 - keep[b]) ** 2;
    const slow_v = settings.slow_factor * tables.errorAt(tables.slow_v);
    const slope = tables.slopeAt(x[at + SOC]);
    const slow_v2 = slow_v * slow_v + (settings.axis_sd * slope) ** 2;
    cov[SLOW * (N + 1)] += slow_v2 * (1 - keep_slow * keep_slow);
    const lost = 1 - keep_share * keep_share;
    const share = tables.errorAt(tables.share);
    cov[SERIES * (N + 1)] += (settings.series_factor * share) ** 2 * lost;
    cov[BRANCHES * (N + 1)] += (settings.branches_factor * share) ** 2 * lost;
    cov[OFFSET * (N + 1)] += (q / 50) ** 2 * 1e-6 * dt_s;
    cov[SOC] += 1e-12 * dt_s;
    // A sensor and a capacity are not the same for ever.
    cov[SCALE * (N + 1)] += settings.scale_sd ** 2 * 1e-7 * dt_s;
    cov[SAMPLING * (N + 1)] += settings.sampling_share ** 2 * 1e-6 * dt_s;
  }

  /** What is left after a step of this length; mostly they all are as long. */
  #setDecays(dt_s: number): void {
    const { settings, tables } = this;
    for (let b = 0; b < MAX_BRANCHES; b++) this.#keep[b] = Math.exp(-dt_s / tables.time_constants_s[b]);
    this.#learn = 1 - Math.exp(-dt_s / STEP_MEMORY_S);
    this.#keep_slow = Math.exp(-dt_s / settings.slow_s);
    this.#keep_share = Math.exp(-dt_s / settings.resistance_s);
    this.#decays_dt_s = dt_s;
  }

  #update(cell: number, dt_s: number, current_a: number, voltage_v: number): void {
    const { tables, settings } = this;
    const cov = this.#cov;
    const x = this.#x;
    const at = cell * N;
    const read = this.#read;
    const sd = Math.max(1e-4, Math.sqrt(cov[0]));
    const through_a = current_a - x[at + OFFSET];
    const m = this.#modelV(cell, x[at + SOC], through_a, 0);
    const low = this.#modelV(cell, x[at + SOC] - ROOT_3 * sd, through_a, STRIDE);
    const high = this.#modelV(cell, x[at + SOC] + ROOT_3 * sd, through_a, 2 * STRIDE);
    const mean = (4 * m + low + high) / 6;
    const slope = (high - low) / (2 * ROOT_3 * sd);
    const bent_v2 = Math.max(
      0,
      (4 * (m - mean) ** 2 + (low - mean) ** 2 + (high - mean) ** 2) / 6 - slope * slope * sd * sd,
    );
    const h = this.#h;
    h[SOC] = slope;
    let drop_v = 0;
    for (let b = 0; b < MAX_BRANCHES; b++) {
      h[BRANCH + b] = (1 + x[at + BRANCHES]) * read[3 + b];
      drop_v += read[3 + b] * x[at + BRANCH + b];
    }
    h[SERIES] = read[2] * through_a;
    h[BRANCHES] = drop_v;
    h[OFFSET] = -(1 + x[at + SERIES]) * read[2];
    h[SLOW] = 1;
    drop_v += h[SERIES];
    const fast_v = settings.fast_factor * tables.errorAt(tables.fast_v);
    const repeated = 1 + settings.fast_s / Math.max(0.1, dt_s);
    let noise_v2 = (fast_v * fast_v + (settings.drop_share * drop_v) ** 2) * repeated + bent_v2;
    const ph = this.#ph;
    let expected_v2 = noise_v2;
    for (let i = 0; i < N; i++) {
      let sum = 0;
      // The voltage does not depend on scale and sampling.
      for (let j = 0; j < SCALE; j++) sum += cov[i * N + j] * h[j];
      sum += cov[i * N + SLOW];
      for (let j = SERIES; j < SAMPLING; j++) sum += cov[i * N + j] * h[j];
      ph[i] = sum;
      expected_v2 += h[i] * sum;
    }
    const off_v = voltage_v - mean - x[at + SLOW];
    const square = (off_v * off_v) / expected_v2;
    this.surprise[cell] +=
      Math.min(0.2, Math.max(0.1, dt_s) / 300) * (Math.min(square, 100) - this.surprise[cell]);
    // Far off what can be: taken, but with less weight.
    if (square > 9) {
      const extra = expected_v2 * (square / 9 - 1);
      noise_v2 += extra;
      expected_v2 += extra;
    }
    for (let i = 0; i < N; i++) x[at + i] += (ph[i] / expected_v2) * off_v;
    x[at + SOC] = Math.min(1.03, Math.max(-0.03, x[at + SOC]));
    this.#learnFrom(expected_v2);
  }

  /** Takes from the covariance what a measurement has added, in the half that is kept. */
  #learnFrom(expected: number): void {
    const cov = this.#cov;
    const ph = this.#ph;
    for (let i = 0; i < N; i++) {
      const gain = ph[i] / expected;
      for (let j = i; j < N; j++) cov[i * N + j] -= gain * ph[j];
    }
  }

  #modelV(cell: number, soc: number, through_a: number, into: number): number {
    const read = this.#read;
    const at = cell * N + BRANCH;
    this.tables.read(soc, read, into);
    let drop_v = 0;
    for (let b = 0; b < MAX_BRANCHES; b++) drop_v += read[into + 3 + b] * this.#x[at + b];
    drop_v =
      (1 + this.#x[cell * N + BRANCHES]) * drop_v +
      (1 + this.#x[cell * N + SERIES]) * read[into + 2] * through_a;
    return read[into] + read[into + 1] * this.#hysteresis[cell] + drop_v;
  }

  /**
   * A small current that stands still for minutes after a load is taken for the zero of the sensor, once each time:
   * what stands still for seconds between two loads is often a real load, such as that of the vehicle itself.
   */
  #learnIdle(cell: number, dt_s: number, current_a: number): void {
    const q = this.capacity_ah[cell];
    const isStill = Math.abs(current_a) < q / 35 && Math.abs(current_a - this.#last_a[cell]) < q / 500;
    if (Math.abs(current_a) > q / 5) this.#idle[cell] = 1;
    if (!isStill || dt_s > 90) {
      this.#still_s[cell] = 0;
      return;
    }
    this.#still_s[cell] += dt_s;
    if (this.#idle[cell] === 0 || this.#still_s[cell] < STILL_S) return;
    this.#idle[cell] = 0;
    const cov = this.#cov;
    const ph = this.#ph;
    const at = cell * N;
    for (let i = 0; i < N; i++) ph[i] = i < OFFSET ? cov[i * N + OFFSET] : cov[OFFSET * N + i];
    const expected = ph[OFFSET] + (this.settings.idle_share * q) ** 2;
    const off_a = current_a - this.#x[at + OFFSET];
    for (let i = 0; i < N; i++) this.#x[at + i] += (ph[i] / expected) * off_a;
    this.#learnFrom(expected);
  }

  #unpack(cell: number): void {
    let k = cell * PACKED;
    for (let i = 0; i < N; i++)
      for (let j = i; j < N; j++, k++) {
        this.#cov[i * N + j] = this.#p[k];
        this.#cov[j * N + i] = this.#p[k];
      }
  }

  #pack(cell: number): void {
    let k = cell * PACKED;
    for (let i = 0; i < N; i++) {
      if (!(this.#cov[i * (N + 1)] > 1e-14)) this.#cov[i * (N + 1)] = 1e-14;
      for (let j = i; j < N; j++, k++) this.#p[k] = this.#cov[i * N + j];
    }
  }
}
