/**
 * How many times the model's a cell's resistance is, by the line through its steps: what the voltage jumps by over what
 * the current does. The steps of a pack are those of all its cells, so that a cell that stands apart is found early.
 */
import { medianOf } from '../../siblings/median.ts';
import { MAX_BRANCHES, type ModelTables, STRIDE } from '../model/tables.ts';

/** Smaller steps are noise, in C; later ones follow the charge as well. */
const LEAST_STEP_C = 1 / 200;
const MAX_STEP_S = 10;
/** Sum of squares of steps, in C², that is enough; and at which the older half is forgotten. */
const ENOUGH_C2 = 0.06;
const FORGET_C2 = 0.4;
/** So many times its siblings' and at the same time the model's, it is another kind of cell. */
const APART = 2.5;

export class StepResistance {
  /** By cell: sum of voltage times model's drop, sum of the squares of that drop, sum of squares of steps in C. */
  readonly #product: Float64Array;
  readonly #square: Float64Array;
  readonly #steps_c2: Float64Array;
  readonly #last_a: Float64Array;
  readonly #last_v: Float64Array;
  readonly #scratch: Float32Array;

  constructor(cell_count: number) {
    this.#product = new Float64Array(cell_count);
    this.#square = new Float64Array(cell_count);
    this.#steps_c2 = new Float64Array(cell_count);
    this.#last_a = new Float64Array(cell_count).fill(Number.NaN);
    this.#last_v = new Float64Array(cell_count).fill(Number.NaN);
    this.#scratch = new Float32Array(cell_count);
  }

  get columns(): readonly Float64Array[] {
    return [this.#product, this.#square, this.#steps_c2];
  }

  start(): void {
    for (const column of this.columns) column.fill(0);
    this.#last_a.fill(Number.NaN);
  }

  /** Whether the sample is a step that says something; then `learn` is called with the model's resistance. */
  isStep(cell: number, dt_s: number, current_a: number, nominal_ah: number): boolean {
    return (
      dt_s > 0 &&
      dt_s <= MAX_STEP_S &&
      Math.abs(current_a - this.#last_a[cell]) > LEAST_STEP_C * nominal_ah &&
      !Number.isNaN(this.#last_v[cell])
    );
  }

  learn(cell: number, current_a: number, voltage_v: number, model_ohm: number, nominal_ah: number): void {
    const step_a = current_a - this.#last_a[cell];
    const model_v = step_a * model_ohm;
    if (this.#steps_c2[cell] > FORGET_C2) for (const column of this.columns) column[cell] /= 2;
    this.#product[cell] += (voltage_v - this.#last_v[cell]) * model_v;
    this.#square[cell] += model_v * model_v;
    this.#steps_c2[cell] += (step_a / nominal_ah) ** 2;
  }

  keep(cell: number, current_a: number, voltage_v: number): void {
    this.#last_a[cell] = current_a;
    this.#last_v[cell] = voltage_v;
  }

  /** Over the model's; NaN: too little is known. */
  ratio(cell: number): number {
    return this.#steps_c2[cell] < ENOUGH_C2 ? Number.NaN : this.#product[cell] / this.#square[cell];
  }

  /** The usual one among the cells; NaN: too little is known. */
  usual(): number {
    let known = 0;
    for (let cell = 0; cell < this.#scratch.length; cell++) {
      const ratio = this.ratio(cell);
      if (ratio > 0) this.#scratch[known++] = ratio;
    }
    return known < 3 ? Number.NaN : medianOf(this.#scratch, known);
  }

  isApart(cell: number, usual: number): boolean {
    const ratio = this.ratio(cell);
    return ratio > APART * usual && ratio > APART;
  }
}

/** At 25 °C and half charge: what resistances learned are a multiple of. */
export function ohmAtRoom(tables: ModelTables): number {
  const read = new Float64Array(STRIDE);
  tables.seek(25);
  tables.read(0.5, read, 0);
  return shortOhm(read, tables);
}

/** Of a step of some seconds. */
export function shortOhm(read: Float64Array, tables: ModelTables): number {
  let ohm = read[2];
  for (let b = 0; b < MAX_BRANCHES; b++) ohm += read[3 + b] * (1 - Math.exp(-1 / tables.time_constants_s[b]));
  return ohm;
}
