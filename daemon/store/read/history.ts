/** The past of a pack as columns: readings as they are, thinned evenly, or steps of time. */
import type { HistoryReply } from '../../../core/contract/http.ts';
import {
  CELL_METRICS,
  CellMetric,
  decimalsOf,
  type Metric,
  PACK_METRICS,
  PackMetric,
} from '../../../core/metrics.ts';
import {
  CELL_SERIES,
  cellSeries,
  factSeries,
  PACK_SERIES,
  type READING_FACTS,
} from '../../../core/reading/history-series.ts';
import type { Rollup } from '../format/rollup-block.ts';
import type { TimeSpan } from '../log/uncertain-spans.ts';
import type { HistoryRequest } from '../store.ts';

/** Of one quantity, a value for each moment, NaN where it is missing; reported with so many decimals. */
export interface HistoryColumn {
  readonly values: Float64Array;
  readonly decimals: number;
}

export interface HistoryColumns {
  readonly pack: Readonly<Record<(typeof PACK_SERIES)[number], HistoryColumn>>;
  readonly cells: Readonly<Record<(typeof CELL_SERIES)[number], readonly HistoryColumn[]>>;
}

/** What the contract's HistoryReply says, before it is written down. */
export interface History {
  readonly head: Omit<
    HistoryReply,
    't_ms' | keyof HistoryColumns | 'lowest' | 'highest' | (typeof READING_FACTS)[number]
  >;
  readonly t_ms: Float64Array;
  /** Of readings as they are; `is_repeated`: 1 or 0. */
  readonly facts?: Readonly<Record<(typeof READING_FACTS)[number], Float64Array>>;
  readonly series: HistoryColumns;
  readonly lowest?: HistoryColumns;
  readonly highest?: HistoryColumns;
}

/**
 * Keeps at most `max_points` rows of any number, evenly spaced: when full, every second one goes and from then on
 * only every second row is taken.
 */
export class ThinnedSeries {
  readonly #max_points: number;
  /** Grown as rows come; NaN where a series has no value. */
  readonly #columns = new Map<number, Float64Array>();
  #t_ms = new Float64Array(1024);
  #count = 0;
  #stride = 1;
  #seen = 0;

  constructor(max_points: number) {
    this.#max_points = Math.max(1, max_points);
  }

  get seen(): number {
    return this.#seen;
  }

  get times(): Float64Array {
    return this.#t_ms.subarray(0, this.#count);
  }

  get series(): Iterable<number> {
    return this.#columns.keys();
  }

  /** Values of one series, one for each of `times`; undefined: it has none. */
  column(series: number): Float64Array | undefined {
    return this.#columns.get(series)?.subarray(0, this.#count);
  }

  /** `value` gives that of a series, NaN where it is missing; it is asked for those of `series` when the row is kept. */
  add(t_ms: number, series: Iterable<number>, value: (series: number) => number): void {
    const row = this.#place(t_ms);
    if (row < 0) return;
    for (const one of series) this.#columnOf(one)[row] = value(one);
  }

  /** Many rows at once; `values` has a value per row for each series. Rows outside of the span are left out. */
  addRows(
    times: Float64Array,
    values: ReadonlyMap<number, Float64Array>,
    from_ms: number,
    to_ms: number,
  ): void {
    const rows: number[] = [];
    for (let row = 0; row < times.length; row++)
      if (times[row] >= from_ms && times[row] <= to_ms) rows.push(row);
    if (this.#stride > 1 || this.#count + rows.length > this.#max_points) {
      for (const row of rows)
        this.add(times[row], values.keys(), series => values.get(series)?.[row] ?? Number.NaN);
      return;
    }
    const start = this.#count;
    for (const row of rows) this.#place(times[row]);
    for (const [series, column] of values) {
      const kept = this.#columnOf(series);
      for (let i = 0; i < rows.length; i++) kept[start + i] = column[rows[i]];
    }
  }

  /** Where the row goes; -1: it is left out. */
  #place(t_ms: number): number {
    const index = this.#seen++;
    if (index % this.#stride !== 0) return -1;
    if (this.#count === this.#max_points) {
      this.#halve();
      if (index % this.#stride !== 0) return -1;
      // Only with max_points 1 is there still no room: the first row stays.
      if (this.#count === this.#max_points) return -1;
    }
    if (this.#count === this.#t_ms.length) this.#grow();
    this.#t_ms[this.#count] = t_ms;
    return this.#count++;
  }

  #columnOf(series: number): Float64Array {
    let column = this.#columns.get(series);
    if (!column) {
      column = new Float64Array(this.#t_ms.length).fill(Number.NaN);
      this.#columns.set(series, column);
    }
    return column;
  }

  #grow(): void {
    const grown = (old: Float64Array) => {
      const column = new Float64Array(2 * old.length).fill(Number.NaN);
      column.set(old);
      return column;
    };
    this.#t_ms = grown(this.#t_ms);
    for (const [series, column] of this.#columns) this.#columns.set(series, grown(column));
  }

  #halve(): void {
    const kept = (this.#count + 1) >> 1;
    for (const column of [this.#t_ms, ...this.#columns.values()]) {
      for (let i = 0; i < kept; i++) column[i] = column[2 * i];
      column.fill(Number.NaN, kept);
    }
    this.#count = kept;
    this.#stride *= 2;
  }
}

/** Readings as they are, ascending in time also where the wall clock was set back. */
export function historyOfReadings(
  request: HistoryRequest,
  rows: ThinnedSeries,
  uncertain: TimeSpan[] = [],
): History {
  const order = inOrder(rows.times);
  const ordered = (values: Float64Array) => (order ? Float64Array.from(order, row => values[row]) : values);
  const none = new Float64Array(rows.times.length).fill(Number.NaN);
  const column = (series: number) => ordered(rows.column(series) ?? none);
  return {
    head: headOf(request, rows.seen, 0, uncertain),
    t_ms: ordered(rows.times),
    facts: {
      newest_age_ms: column(factSeries('newest_age_ms')),
      oldest_age_ms: column(factSeries('oldest_age_ms')),
      is_repeated: column(factSeries('is_repeated')),
    },
    series: columnsOf(request, rows.series, column),
  };
}

/** Rows by time; undefined where they stand so already. */
function inOrder(times: Float64Array): Uint32Array | undefined {
  let is_sorted = true;
  for (let i = 1; i < times.length && is_sorted; i++) is_sorted = times[i - 1] <= times[i];
  if (is_sorted) return undefined;
  return Uint32Array.from(times, (_, row) => row).sort((a, b) => times[a] - times[b]);
}

/** Means, lowest and highest of the steps that hold readings; `t_ms` is where a step begins. */
export function historyOfSteps(request: HistoryRequest, rollup: Rollup, uncertain: TimeSpan[] = []): History {
  const { readings, start_ms, step_ms, series: all } = rollup;
  const steps = [...readings.keys()].filter(step => readings[step] > 0);
  const reading_count = readings.reduce((sum, count) => sum + count, 0);
  const held = [...all.keys()];
  const of = (pick: (series: (typeof all)[number], step: number) => number) =>
    columnsOf(request, held, index => {
      const series = all[index];
      const values = new Float64Array(steps.length).fill(Number.NaN);
      if (series)
        for (let i = 0; i < steps.length; i++)
          if (series.count[steps[i]] > 0) values[i] = pick(series, steps[i]);
      return values;
    });
  return {
    head: headOf(request, reading_count, step_ms, uncertain),
    t_ms: Float64Array.from(steps, step => start_ms + step * step_ms),
    series: of(({ sum, count }, step) => sum[step] / count[step]),
    lowest: of(({ lowest }, step) => lowest[step]),
    highest: of(({ highest }, step) => highest[step]),
  };
}

function headOf(
  { pack_id, from_ms, to_ms, cell_no }: HistoryRequest,
  reading_count: number,
  resolution_ms: number,
  uncertain: TimeSpan[] = [],
): History['head'] {
  return {
    pack_id,
    ...(cell_no === undefined ? {} : { cell_no }),
    from_ms,
    to_ms,
    reading_count,
    resolution_ms,
    uncertain,
  };
}

/** Those of all cells that any reading had, or of the one asked for. */
function columnsOf(
  { cell_no }: HistoryRequest,
  held: Iterable<number>,
  values: (series: number) => Float64Array,
): HistoryColumns {
  const per_cell = CELL_SERIES.length;
  let cell_count = 0;
  for (const series of held)
    cell_count = Math.max(cell_count, Math.floor((series - PACK_SERIES.length) / per_cell) + 1);
  const cells = cell_no === undefined ? [...Array(cell_count).keys()] : [cell_no - 1];
  const column = (series: number, metric: Metric): HistoryColumn => ({
    values: values(series),
    decimals: decimalsOf(metric),
  });
  return {
    pack: byName(PACK_SERIES, (name, series) => column(series, PACK_METRICS[PackMetric[name]])),
    cells: byName(CELL_SERIES, (name, quantity) =>
      cells.map(cell => column(cellSeries(cell, quantity), CELL_METRICS[CellMetric[name]])),
    ),
  };
}

function byName<N extends string, T>(names: readonly N[], make: (name: N, place: number) => T): Record<N, T> {
  return Object.fromEntries(names.map((name, place) => [name, make(name, place)])) as Record<N, T>;
}
