/** History of one pack out of the log: the rows of a time span, thinned evenly, as columns. */
import type { HistoryReply } from '../../core/contract/http.ts';
import {
  CELL_METRICS,
  CellMetric,
  type Metric,
  PACK_METRICS,
  PackMetric,
  roundTo,
} from '../../core/metrics.ts';
import { Part, ReadingDecoder } from '../../core/reading/codec.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import type { HistoryRequest } from './store.ts';

const HISTORY_PARTS = Part.values | (1 << CellMetric.voltage_v) | (1 << CellMetric.temperature_c);
const PACK_SERIES = ['voltage_v', 'current_a', 'soc_pct', 'temperature_c'] as const;
const CELL_SERIES = ['voltage_v', 'temperature_c'] as const;

export interface StoredReading {
  readonly t_ms: number;
  readonly body: Buffer;
}

/**
 * Keeps at most `max_points` rows of any number, evenly spaced: when full, every second one goes and from
 * then on only every second row is taken.
 */
export class ThinnedRows {
  readonly #max_points: number;
  #rows: StoredReading[] = [];
  #stride = 1;
  #seen = 0;

  constructor(max_points: number) {
    this.#max_points = Math.max(1, max_points);
  }

  get seen(): number {
    return this.#seen;
  }

  add(row: StoredReading): void {
    const index = this.#seen++;
    if (index % this.#stride !== 0) return;
    if (this.#rows.length === this.#max_points) {
      this.#rows = this.#rows.filter((_, i) => i % 2 === 0);
      this.#stride *= 2;
      if (index % this.#stride !== 0) return;
      // Only with max_points 1 is there still no room: the first row stays.
      if (this.#rows.length === this.#max_points) return;
    }
    this.#rows.push(row);
  }

  /** Ascending in time, also where the wall clock was set back. */
  sorted(): StoredReading[] {
    return this.#rows.sort((a, b) => a.t_ms - b.t_ms);
  }
}

/** The reply's columns. A row whose bytes cannot be decoded stands with nulls. */
export function historyReply(request: HistoryRequest, rows: ThinnedRows): HistoryReply {
  const sorted = rows.sorted();
  const reply: HistoryReply = {
    pack_id: request.pack_id,
    from_ms: request.from_ms,
    to_ms: request.to_ms,
    reading_count: rows.seen,
    t_ms: sorted.map(row => row.t_ms),
    pack: { voltage_v: [], current_a: [], soc_pct: [], temperature_c: [] },
    cells: { voltage_v: [], temperature_c: [] },
  };
  const decoder = new ReadingDecoder();
  sorted.forEach(({ body }, point) => {
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    const reading = decoder.decode(view, 0, body.length, HISTORY_PARTS);
    addPoint(reply, point, sorted.length, typeof reading === 'number' ? undefined : reading);
  });
  return reply;
}

function addPoint(
  reply: HistoryReply,
  point: number,
  point_count: number,
  reading: PackReading | undefined,
): void {
  for (const name of PACK_SERIES) {
    const metric = PackMetric[name];
    reply.pack[name].push(reading ? rounded(PACK_METRICS[metric], reading.values[metric]) : null);
  }
  if (!reading) return;
  for (const name of CELL_SERIES) {
    const metric = CellMetric[name];
    const column = reading.column(metric);
    const series = reply.cells[name];
    // A pack may have had fewer cells before; what was not there is null.
    while (series.length < column.length) series.push(new Array<number | null>(point_count).fill(null));
    column.forEach((value, cell) => {
      series[cell][point] = rounded(CELL_METRICS[metric], value);
    });
  }
}

function rounded(metric: Metric, value: number): number | null {
  return Number.isNaN(value) ? null : roundTo(metric, value);
}
