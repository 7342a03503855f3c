/** Where a pack's temperature sensors sit. */
import type { PackShape } from '../../core/reading/pack-reading.ts';

export class SensorPlacement {
  /** True where the configuration says which sensor each cell has: then a cell's temperature is its sensor's. */
  readonly is_configured: boolean;
  /** The sensor (counting from 0) of each cell; -1: none. */
  readonly sensor_of_cell: Int16Array;
  /** Cells per sensor. */
  readonly #cells: Uint16Array;
  /** The cell next to each sensor, for sensors that have no cell of their own. */
  readonly #nearest_cell: Uint16Array;

  /** `configured` as the installer wrote it down, counting from 0; undefined: sensors sit evenly along the string. */
  constructor({ cell_count, sensor_count }: PackShape, configured: readonly number[] | undefined) {
    this.is_configured = configured !== undefined;
    this.sensor_of_cell = new Int16Array(cell_count).fill(-1);
    this.#cells = new Uint16Array(sensor_count);
    this.#nearest_cell = new Uint16Array(sensor_count);
    for (let s = 0; s < sensor_count; s++)
      this.#nearest_cell[s] = Math.floor(((s + 0.5) * cell_count) / sensor_count);
    for (let c = 0; c < cell_count; c++) {
      const sensor = configured ? (configured[c] ?? -1) : Math.floor((c * sensor_count) / cell_count);
      if (sensor < 0 || sensor >= sensor_count) continue;
      this.sensor_of_cell[c] = sensor;
      this.#cells[sensor]++;
    }
  }

  /** What each sensor feels: the mean of the cells it sits between. */
  feel(cell_temperature: Float32Array, sensors: Float32Array): void {
    sensors.fill(0);
    for (let c = 0; c < cell_temperature.length; c++) {
      const sensor = this.sensor_of_cell[c];
      if (sensor >= 0) sensors[sensor] += cell_temperature[c] / this.#cells[sensor];
    }
    for (let s = 0; s < sensors.length; s++)
      if (this.#cells[s] === 0) sensors[s] = cell_temperature[this.#nearest_cell[s]];
  }
}
