/**
 * How many rows the next transaction takes: many where the centre is near, since each costs it a write to disk;
 * few over a slow network, where a large one would never end within its time-out.
 */
const FIRST_ROWS = 2000;
const MIN_ROWS = 50;
const QUICK_MS = 1000;
const SLOW_MS = 10_000;

export class BatchSize {
  readonly #most_rows: number;
  #rows: number;

  constructor(most_rows: number) {
    this.#most_rows = most_rows;
    this.#rows = Math.min(FIRST_ROWS, most_rows);
  }

  get rows(): number {
    return this.#rows;
  }

  took(rows: number, took_ms: number): void {
    if (took_ms > SLOW_MS) this.failed();
    else if (took_ms < QUICK_MS && rows >= this.#rows) this.#rows = Math.min(2 * this.#rows, this.#most_rows);
  }

  failed(): void {
    this.#rows = Math.max(Math.min(MIN_ROWS, this.#most_rows), Math.floor(this.#rows / 2));
  }
}
