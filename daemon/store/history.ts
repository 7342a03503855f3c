/** Replies to questions about the past of a pack, as columns: readings as they are, thinned evenly, or steps of time. */
import type { HistoryReply } from '../../core/contract/http.ts';
import {
  CELL_METRICS,
  CellMetric,
  type Metric,
  PACK_METRICS,
  PackMetric,
  roundTo,
} from '../../core/metrics.ts';
import { CELL_SERIES, cellSeries, PACK_SERIES, type Rollup } from './rollup.ts';
import type { HistoryRequest } from './store.ts';

type Values = (number | null)[];

/**
 * Keeps at most `max_points` rows of any number, evenly spaced: when full, every second one goes and from then on
 * only every second row is taken.
 */
export class ThinnedSeries {
  readonly #max_points: number;
  readonly #columns = new Map<number, number[]>();
  #t_ms: number[] = [];
  #stride = 1;
  #seen = 0;

  constructor(max_points: number) {
    this.#max_points = Math.max(1, max_points);
  }

  get seen(): number {
    return this.#seen;
  }

  get times(): readonly number[] {
    return this.#t_ms;
  }

  /** `value` tells that of a series, NaN where it is missing; it is asked for those of `series` when the row is kept. */
  add(t_ms: number, series: Iterable<number>, value: (series: number) => number): void {
    const index = this.#seen++;
    if (index % this.#stride !== 0) return;
    if (this.#t_ms.length === this.#max_points) {
      this.#halve();
      if (index % this.#stride !== 0) return;
      // Only with max_points 1 is there still no room: the first row stays.
      if (this.#t_ms.length === this.#max_points) return;
    }
    const row = this.#t_ms.length;
    this.#t_ms.push(t_ms);
    for (const one of series) this.#column(one)[row] = value(one);
  }

  /** Values of one series, one for each of `times`; undefined: it has none. */
  column(series: number): readonly (number | undefined)[] | undefined {
    return this.#columns.get(series);
  }

  get series(): Iterable<number> {
    return this.#columns.keys();
  }

  #column(series: number): number[] {
    let column = this.#columns.get(series);
    if (!column) {
      column = [];
      this.#columns.set(series, column);
    }
    return column;
  }

  #halve(): void {
    const even = <T>(list: readonly T[]) => list.filter((_, i) => i % 2 === 0);
    this.#t_ms = even(this.#t_ms);
    // By index, as a column may have holes.
    for (const column of this.#columns.values()) {
      for (let i = 0; i < this.#t_ms.length; i++) column[i] = column[2 * i];
      column.length = Math.min(column.length, this.#t_ms.length);
    }
    this.#stride *= 2;
  }
}

/** Readings as they are, ascending in time also where the wall clock was set back. */
export function readingsReply(request: HistoryRequest, rows: ThinnedSeries): HistoryReply {
  const { times } = rows;
  const order = [...times.keys()];
  const is_sorted = times.every((t_ms, i) => i === 0 || times[i - 1] <= t_ms);
  if (!is_sorted) order.sort((a, b) => times[a] - times[b]);
  return {
    ...headOf(request, rows.seen, 0),
    t_ms: order.map(row => times[row]),
    ...seriesOf(request, rows.series, (series, metric) => {
      const column = rows.column(series);
      return order.map(row => rounded(metric, column?.[row]));
    }),
  };
}

/** Means, lowest and highest of the steps that hold readings; `t_ms` is where a step begins. */
export function stepsReply(request: HistoryRequest, rollup: Rollup): HistoryReply {
  const { readings, start_ms, step_ms, series: all } = rollup;
  const steps = [...readings.keys()].filter(step => readings[step] > 0);
  const reading_count = readings.reduce((sum, count) => sum + count, 0);
  const known = all.keys();
  const held = [...known];
  const of = (pick: (series: (typeof all)[number], step: number) => number) =>
    seriesOf(request, held, (index, metric) => {
      const series = all[index];
      return steps.map(step => (series?.count[step] ? rounded(metric, pick(series, step)) : null));
    });
  return {
    ...headOf(request, reading_count, step_ms),
    t_ms: steps.map(step => start_ms + step * step_ms),
    ...of(({ sum, count }, step) => sum[step] / count[step]),
    lowest: of(({ lowest }, step) => lowest[step]),
    highest: of(({ highest }, step) => highest[step]),
  };
}

function headOf(
  { pack_id, from_ms, to_ms, cell_no }: HistoryRequest,
  reading_count: number,
  resolution_ms: number,
) {
  return {
    pack_id,
    ...(cell_no === undefined ? {} : { cell_no }),
    from_ms,
    to_ms,
    reading_count,
    resolution_ms,
  };
}

/** The columns of a reply: those of all cells that any reading had, or of the one asked for. */
function seriesOf(
  { cell_no }: HistoryRequest,
  held: Iterable<number>,
  column: (series: number, metric: Metric) => Values,
): Pick<HistoryReply, 'pack' | 'cells'> {
  const per_cell = CELL_SERIES.length;
  let cell_count = 0;
  for (const series of held)
    cell_count = Math.max(cell_count, Math.floor((series - PACK_SERIES.length) / per_cell) + 1);
  const cells = cell_no === undefined ? [...Array(cell_count).keys()] : [cell_no - 1];
  const ofPack = (name: (typeof PACK_SERIES)[number]) =>
    column(PACK_SERIES.indexOf(name), PACK_METRICS[PackMetric[name]]);
  const ofCells = (name: (typeof CELL_SERIES)[number]) =>
    cells.map(cell => column(cellSeries(cell, CELL_SERIES.indexOf(name)), CELL_METRICS[CellMetric[name]]));
  return {
    pack: {
      voltage_v: ofPack('voltage_v'),
      current_a: ofPack('current_a'),
      soc_pct: ofPack('soc_pct'),
      temperature_c: ofPack('temperature_c'),
    },
    cells: { voltage_v: ofCells('voltage_v'), temperature_c: ofCells('temperature_c') },
  };
}

function rounded(metric: Metric, value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : roundTo(metric, value);
}
