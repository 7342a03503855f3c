/**
 * Rollups: least, mean and highest of the good values of one pack and its cells in steps of time, and how many there
 * were. A block holds sixty steps. Steps of several spans, and later those of several blocks, merge exactly but for
 * the rounding of means to the resolution of the quantity.
 *
 * Bytes of a block before compression: u8 version | u16 series | u8 steps | columns (packed-columns.ts): step within
 * the block, readings; then for each series count, mean, mean less least, highest less mean.
 */
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import {
  CELL_SERIES,
  PACK_SERIES,
  seriesQuality,
  seriesValue,
  wantedSeries,
} from '../../../core/reading/history-series.ts';
import type { PackReading } from '../../../core/reading/pack-reading.ts';
import { Quality } from '../../../core/reading/quality.ts';
import { CELL_FORMS, VALUE_PER_UNIT } from '../../../core/reading/reading-format.ts';
import { ColumnWriter, columnBytes, compress, decompress, readColumn } from './packed-columns.ts';

const VERSION = 1;
/**
 * Widths of steps, finest first; `bit` marks in `spans.rolled_up` that they hold a span. So many spans are added at a
 * time: each time blocks are rewritten, and what waits is read from the readings themselves.
 */
export const ROLLUP_LEVELS = [
  { step_ms: 60_000, bit: 1, spans: 4 },
  { step_ms: 900_000, bit: 2, spans: 8 },
] as const;
export const STEPS_PER_BLOCK = 60;
/** In `meta`, by width of steps: blocks that begin before this time may be gone, though their readings are there. */
export const stepsFrom = (step_ms: number) => `steps_from_ms_${step_ms}`;

function perUnit(series: number): number {
  if (series < PACK_SERIES.length) return VALUE_PER_UNIT[PackMetric[PACK_SERIES[series]]];
  const quantity = (series - PACK_SERIES.length) % CELL_SERIES.length;
  return CELL_FORMS[CellMetric[CELL_SERIES[quantity]]].per_unit;
}

/** What the good values of one series were, step by step. */
class Series {
  readonly count: Uint32Array;
  readonly sum: Float64Array;
  readonly lowest: Float64Array;
  readonly highest: Float64Array;

  constructor(step_count: number) {
    this.count = new Uint32Array(step_count);
    this.sum = new Float64Array(step_count);
    this.lowest = new Float64Array(step_count).fill(Number.POSITIVE_INFINITY);
    this.highest = new Float64Array(step_count).fill(Number.NEGATIVE_INFINITY);
  }

  add(step: number, count: number, sum: number, lowest: number, highest: number): void {
    this.count[step] += count;
    this.sum[step] += sum;
    if (lowest < this.lowest[step]) this.lowest[step] = lowest;
    if (highest > this.highest[step]) this.highest[step] = highest;
  }
}

/** Values gathered in steps of `step_ms` from `start_ms` on. */
export class Rollup {
  readonly start_ms: number;
  readonly step_ms: number;
  readonly step_count: number;
  readonly readings: Uint32Array;
  readonly series: Series[] = [];

  constructor(start_ms: number, step_ms: number, step_count: number) {
    this.start_ms = start_ms;
    this.step_ms = step_ms;
    this.step_count = step_count;
    this.readings = new Uint32Array(step_count);
  }

  /** Where this moment belongs; -1: outside. */
  step(t_ms: number): number {
    const step = Math.floor((t_ms - this.start_ms) / this.step_ms);
    return step < this.step_count ? step : -1;
  }

  addValue(series: number, step: number, value: number): void {
    this.#of(series).add(step, 1, value, value, value);
  }

  /** A reading outside of the steps is left out. */
  add(t_ms: number, reading: PackReading): void {
    const step = this.step(t_ms);
    if (step < 0) return;
    this.readings[step]++;
    for (const series of wantedSeries(reading.shape.cell_count, undefined))
      if (seriesQuality(reading, series) === Quality.good)
        this.addValue(series, step, seriesValue(reading, series));
  }

  /** Takes over what a stored block holds. Throws when it is damaged. */
  addBlock(block: Uint8Array, block_start_ms: number, block_step_ms: number): void {
    const bytes = decompress(block);
    if (bytes.readUInt8(0) !== VERSION)
      throw new RangeError(`rollup version ${bytes[0]}, expected ${VERSION}`);
    const series_count = bytes.readUInt16LE(1);
    const rows = bytes.readUInt8(3);
    let at = 4;
    const column = () => {
      const values = readColumn(bytes, at, rows);
      at += columnBytes(bytes, at, rows);
      return values;
    };
    const steps = column().map(step => this.step(block_start_ms + step * block_step_ms));
    const readings = column();
    steps.forEach((step, row) => {
      if (step >= 0) this.readings[step] += readings[row];
    });
    for (let series = 0; series < series_count; series++) {
      const [count, mean, below, above] = [column(), column(), column(), column()];
      const per_unit = perUnit(series);
      for (let row = 0; row < rows; row++) {
        if (count[row] === 0 || steps[row] < 0) continue;
        const lowest = (mean[row] - below[row]) / per_unit;
        const highest = (mean[row] + above[row]) / per_unit;
        this.#of(series).add(steps[row], count[row], (mean[row] / per_unit) * count[row], lowest, highest);
      }
    }
  }

  /** Of steps that have readings; undefined when none has. */
  encode(): Buffer | undefined {
    const steps = [...this.readings.keys()].filter(step => this.readings[step] > 0);
    if (steps.length === 0) return undefined;
    const out = new ColumnWriter(4096);
    out.u8(VERSION);
    out.u16(this.series.length);
    out.u8(steps.length);
    out.column(Int32Array.from(steps), true);
    out.column(
      Int32Array.from(steps, step => this.readings[step]),
      false,
    );
    for (let index = 0; index < this.series.length; index++) {
      const { count, sum, lowest, highest } = this.#of(index);
      const per_unit = perUnit(index);
      // Where there is no value the last one is repeated: it takes no room.
      let last = 0;
      const mean = Int32Array.from(steps, step => {
        if (count[step] > 0) last = Math.round((sum[step] / count[step]) * per_unit);
        return last;
      });
      const from = (edge: Float64Array, sign: number) =>
        Int32Array.from(steps, (step, row) =>
          count[step] > 0 ? sign * (Math.round(edge[step] * per_unit) - mean[row]) : 0,
        );
      out.column(
        Int32Array.from(steps, step => count[step]),
        false,
      );
      out.column(mean, false);
      out.column(from(lowest, -1), false);
      out.column(from(highest, 1), false);
    }
    return compress(out.done());
  }

  #of(series: number): Series {
    while (this.series.length <= series) this.series.push(new Series(this.step_count));
    return this.series[series];
  }
}

/** Where the block begins that holds this time. */
export function blockStart(t_ms: number, step_ms: number): number {
  const block_ms = step_ms * STEPS_PER_BLOCK;
  return Math.floor(t_ms / block_ms) * block_ms;
}

/** Blocks of one pack that are being gathered. */
export class RollupBlocks {
  readonly blocks: Rollup[] = [];
  readonly #step_ms: number;

  constructor(step_ms: number) {
    this.#step_ms = step_ms;
  }

  at(t_ms: number): Rollup {
    const start_ms = blockStart(t_ms, this.#step_ms);
    // The newest first: readings come in the order of time but for steps of the clock.
    let block = this.blocks.findLast(known => known.start_ms === start_ms);
    if (!block) {
      block = new Rollup(start_ms, this.#step_ms, STEPS_PER_BLOCK);
      this.blocks.push(block);
    }
    return block;
  }
}
