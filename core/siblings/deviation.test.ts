/** Weak cells: named after hours, never in a healthy pack, over restarts and swaps, and on measured cars. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../metrics.ts';
import { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import { runsOf } from '../testing/property-runs.ts';
import { SiblingDeviation, type WeakCell, weakCellText } from './deviation.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A pack whose cells stand where `offset_v` says, around a voltage that the load moves. */
class Bench {
  readonly reading: PackReading;
  readonly deviation: SiblingDeviation;
  t_ms = 0;
  readonly #cells: number;

  constructor(cells: number, deviation = new SiblingDeviation(cells)) {
    this.#cells = cells;
    this.reading = new PackReading(0, { cell_count: cells, sensor_count: 0, device_alarms: [] });
    this.deviation = deviation;
  }

  run(span_ms: number, offset_v: (cell: number, current_a: number) => number, current_a = () => 0): void {
    const voltages = this.reading.column(CellMetric.voltage_v);
    const quality = this.reading.columnQuality(CellMetric.voltage_v);
    this.reading.value_quality[PackMetric.current_a] = Quality.good;
    for (const end_ms = this.t_ms + span_ms; this.t_ms < end_ms; this.t_ms += MINUTE_MS) {
      this.reading.t_ms = this.t_ms;
      const now_a = current_a();
      this.reading.values[PackMetric.current_a] = now_a;
      for (let cell = 0; cell < this.#cells; cell++) {
        voltages[cell] = 3.3 + now_a / 1000 + offset_v(cell, now_a);
        quality[cell] = Quality.good;
      }
      this.deviation.learn(this.reading);
    }
  }
}

/** The usual differences of a healthy pack: up to 3 mV, the same all the time. */
const usual = (cell: number) => (((cell * 37) % 7) - 3) / 1000;
const weak = (which: number, by_v: number) => (cell: number) => usual(cell) - (cell === which ? by_v : 0);
const named = ({ weak: found }: SiblingDeviation) => found.map(({ cell }: WeakCell) => cell + 1);

test('a cell far below its siblings is named after two hours, not before, and no other', () => {
  const bench = new Bench(16);
  bench.run(HOUR_MS, weak(6, 0.038));
  expect(named(bench.deviation)).toEqual([]);
  bench.run(1.5 * HOUR_MS, weak(6, 0.038));
  expect(named(bench.deviation)).toEqual([7]);
  expect(weakCellText(bench.deviation.weak[0])).toMatch(
    /^Cell 7 stands 35 mV below its siblings at rest; they differ by \d\.\d mV$/,
  );
});

test('a cell that falls under load alone is named by the state in which it does', () => {
  const bench = new Bench(12);
  let n = 0;
  const load = () => (n++ % 120 < 60 ? -50 : 20);
  bench.run(
    10 * HOUR_MS,
    (cell, current_a) => usual(cell) + (cell === 3 ? Math.min(0, current_a) * 0.0009 : 0),
    load,
  );
  expect(bench.deviation.weak).toMatchObject([{ cell: 3, state: 'discharging' }]);
});

test('a group of cells that stands higher makes no other cell weak, and is not weak itself', () => {
  const bench = new Bench(24);
  bench.run(12 * HOUR_MS, cell => usual(cell) + (cell >= 18 ? 0.05 : 0));
  expect(named(bench.deviation)).toEqual([]);
});

test('cells that are read at different moments of a round under a changing load are not weak', () => {
  const bench = new Bench(20);
  let n = 0;
  const swing = () => Math.round(80 * Math.sin(n++ / 3));
  // Cell 5 is read when the load was another: its voltage is that of an earlier moment.
  const earlier: number[] = [];
  bench.run(
    24 * HOUR_MS,
    (cell, current_a) => {
      if (cell === 0) earlier.push(current_a);
      const then_a = cell % 3 === 0 ? (earlier.at(-3) ?? current_a) : current_a;
      return usual(cell) + (then_a - current_a) / 1000;
    },
    swing,
  );
  expect(named(bench.deviation)).toEqual([]);
});

test('how fast it grows is said in millivolts a day; the word survives a restart', () => {
  const bench = new Bench(10);
  bench.run(20 * DAY_MS, cell => usual(cell) - (cell === 2 ? 0.02 + (0.002 * bench.t_ms) / DAY_MS : 0));
  expect(bench.deviation.weak[0].per_day_v).toBeCloseTo(-0.002, 4);
  expect(weakCellText(bench.deviation.weak[0])).toMatch(
    /^Cell 3 stands 5\d mV below .*It grows by 2.0 mV a day$/,
  );
  const again = new SiblingDeviation(10);
  expect(again.restore(JSON.parse(JSON.stringify(bench.deviation)))).toBe(true);
  expect(again.weak).toMatchObject([{ cell: 2 }]);
  expect(again.weak[0].per_day_v).toBeCloseTo(-0.002, 4);
  expect(new SiblingDeviation(11).restore(JSON.parse(JSON.stringify(bench.deviation)))).toBe(false);
});

test('another pack in the same place is learnt from the beginning; the same one after a gap does not', () => {
  const bench = new Bench(16);
  bench.run(4 * HOUR_MS, weak(6, 0.04));
  bench.t_ms += DAY_MS;
  bench.run(HOUR_MS, weak(6, 0.04));
  expect(named(bench.deviation)).toEqual([7]);
  bench.t_ms += DAY_MS;
  bench.run(HOUR_MS, cell => (((cell * 53) % 11) - 5) / 1000);
  expect([named(bench.deviation), bench.deviation.hasEnough]).toEqual([[], false]);
});

test('a cell that recovers is no longer weak', () => {
  const bench = new Bench(16);
  bench.run(4 * HOUR_MS, weak(6, 0.04));
  bench.run(6 * HOUR_MS, usual);
  expect(named(bench.deviation)).toEqual([]);
});

test('of healthy packs of any size, noise and load none is ever called weak', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 40 }),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.double({ min: 0, max: 0.004, noNaN: true }),
      (cells, seed, noise_v) => {
        let state = seed;
        const random = () => {
          state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
          return state / 2_147_483_648 - 0.5;
        };
        const own = Array.from({ length: cells }, () => random() * 0.01);
        const bench = new Bench(cells);
        bench.run(
          12 * HOUR_MS,
          cell => own[cell] + random() * noise_v,
          () => random() * 100,
        );
        expect(named(bench.deviation)).toEqual([]);
      },
    ),
    { numRuns: runsOf(40) },
  );
});
