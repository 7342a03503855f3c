/** Where the lowest and highest good values of a reading stand: found once, for all accounts of the pack. */
import { CellMetric } from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';

export class Edges {
  /** Indices of cells, by voltage, and of sensors; -1: there is no good one. */
  lowest_cell = -1;
  highest_cell = -1;
  coldest_sensor = -1;
  hottest_sensor = -1;

  /** Allocates nothing. */
  take(reading: PackReading): this {
    const voltages = reading.column(CellMetric.voltage_v);
    const quality = reading.columnQuality(CellMetric.voltage_v);
    this.lowest_cell = edgeOf(voltages, quality, -1);
    this.highest_cell = edgeOf(voltages, quality, 1);
    this.coldest_sensor = edgeOf(reading.sensors, reading.sensor_quality, -1);
    this.hottest_sensor = edgeOf(reading.sensors, reading.sensor_quality, 1);
    return this;
  }
}

function edgeOf(values: ArrayLike<number>, quality: ArrayLike<number>, sign: number): number {
  let found = -1;
  for (let i = 0; i < values.length; i++)
    if (quality[i] === Quality.good && (found < 0 || sign * values[i] > sign * values[found])) found = i;
  return found;
}
