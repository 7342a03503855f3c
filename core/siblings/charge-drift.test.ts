/** Cells that lose charge faster than their siblings are named with the current that would do it, and no others. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../testing/property-runs.ts';
import { ChargeDrift, leakText } from './charge-drift.ts';

const CELLS = 16;
const NOMINAL_AH = 100;
const DAY_MS = 86_400_000;
const SAMPLE_MS = 5 * 60_000;
const START_MS = Date.UTC(2026, 4, 6);

interface Pack {
  readonly seed: number;
  /** Lost in a day, by cell, in %. */
  readonly lost?: Readonly<Record<number, number>>;
  /** Capacity over that of the others, by cell. */
  readonly share?: Readonly<Record<number, number>>;
  readonly sd_pct?: number;
}

/** Days of a solar battery, some of them cloudy; estimates are off by up to a percent, and wander by less. */
function live(
  drift: ChargeDrift,
  days: number,
  pack: Pack,
  from_day = 0,
  onDay: () => void = () => {},
): void {
  let state = pack.seed + 1;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648 - 0.5;
  };
  const off = Array.from({ length: CELLS }, () => 2 * random());
  const soc = new Float32Array(CELLS);
  const sd = new Float32Array(CELLS).fill(pack.sd_pct ?? 1);
  for (let day = 0; day < from_day + days; day++) {
    const swing = 20 + 60 * (random() + 0.5);
    for (let t_ms = 0; t_ms < DAY_MS; t_ms += SAMPLE_MS) {
      const hour = t_ms / 3_600_000;
      const used = swing * Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI));
      for (let cell = 0; cell < CELLS; cell++) {
        const lost = (pack.lost?.[cell] ?? 0) * (day + hour / 24);
        soc[cell] = 95 - used / (pack.share?.[cell] ?? 1) - lost + off[cell] + 0.3 * random();
      }
      if (day >= from_day) drift.learn(START_MS + day * DAY_MS + t_ms, NOMINAL_AH, soc, sd);
    }
    onDay();
  }
}

test('a cell that loses 0.3 % a day is named after eight days, with the current that does it', () => {
  const drift = new ChargeDrift(CELLS);
  live(drift, 8, { seed: 1, lost: { 6: 0.3 } });
  expect([drift.hasEnough, drift.leaking]).toEqual([true, []]);
  live(drift, 1, { seed: 1, lost: { 6: 0.3 } }, 8);
  expect(drift.leaking).toHaveLength(1);
  const [found] = drift.leaking;
  expect(found.cell).toBe(6);
  expect(found.lost_pct_per_day).toBeCloseTo(0.3, 1);
  expect(found.leak_ma).toBeGreaterThan(10);
  expect(found.leak_ma).toBeLessThan(15);
  expect(leakText(found)).toMatch(
    /^Cell 7 loses 0\.(29|30|31) % of its charge a day more than its siblings, as a leak of 1[23] mA would; they differ by 0\.0[0-3] %$/,
  );
});

test('of cells that only differ in capacity, start and estimate none is named, whatever the weather', () => {
  const cell = fc.nat({ max: CELLS - 1 });
  fc.assert(
    fc.property(
      fc.nat(0xffff),
      fc.dictionary(cell.map(String), fc.double({ min: 0.7, max: 1.1, noNaN: true }), { maxKeys: 3 }),
      (seed, share) => {
        const drift = new ChargeDrift(CELLS);
        live(drift, 20, { seed, share }, 0, () => expect(drift.leaking).toEqual([]));
      },
    ),
    { numRuns: runsOf(30) },
  );
});

test('no cell is named from uncertain estimates, nor where many cells of a pack lose charge', () => {
  const unsure = new ChargeDrift(CELLS);
  live(unsure, 12, { seed: 3, lost: { 6: 1 }, sd_pct: 8 });
  expect([unsure.hasEnough, unsure.leaking]).toEqual([false, []]);
  const many = new ChargeDrift(CELLS);
  live(many, 12, { seed: 3, lost: { 1: 0.5, 2: 0.5, 3: 0.5, 4: 0.5, 5: 0.5, 6: 0.5 } });
  expect(many.leaking).toEqual([]);
});

test('it goes on over a restart, ends once the cell holds again, and starts over with another pack', () => {
  const before = new ChargeDrift(CELLS);
  live(before, 12, { seed: 4, lost: { 2: 0.4 } });
  const drift = new ChargeDrift(CELLS);
  expect(drift.restore(JSON.parse(JSON.stringify(before.toJSON())))).toBe(true);
  expect(drift.leaking).toHaveLength(1);
  expect(drift.leaking[0].cell).toBe(2);
  expect(drift.leaking[0].leak_ma).toBeCloseTo(before.leaking[0].leak_ma, 1);
  expect(drift.toJSON()).toEqual(before.toJSON());
  live(drift, 16, { seed: 4 }, 12);
  expect(drift.leaking).toEqual([]);
  live(drift, 16, { seed: 4, lost: { 2: 0.4 } }, 28);
  expect(drift.leaking).toHaveLength(1);
  drift.forget();
  expect([drift.leaking, drift.hasAny, drift.hasEnough]).toEqual([[], false, false]);
});

test('what is stored is read as it was written; what is damaged or of other cells is refused', () => {
  const before = new ChargeDrift(2);
  const golden = {
    version: 1,
    day_numbers: [20_000, 20_001, ...Array(40).fill(null)],
    day_samples: [288, 30, ...Array(40).fill(0)],
    days: [-125, 125, 61_250, -150, null, 60_000, ...Array(120).fill(null)],
    leaking: [],
    nominal_ah: 100,
  } as const;
  expect(before.restore(golden)).toBe(true);
  expect(before.toJSON()).toEqual(golden);
  const drift = new ChargeDrift(CELLS);
  for (const damaged of [golden, {}, { ...golden, version: 2 }, { ...golden, days: null }])
    expect(drift.restore(damaged as unknown as typeof golden)).toBe(false);
});

test('a clock that is set back or ahead by years names no cell', () => {
  const drift = new ChargeDrift(CELLS);
  const soc = new Float32Array(CELLS).fill(50);
  const sd = new Float32Array(CELLS).fill(1);
  for (const t_ms of [START_MS, START_MS - 3 * 365 * DAY_MS, START_MS + 10 * 365 * DAY_MS, 0, START_MS])
    drift.learn(t_ms, NOMINAL_AH, soc, sd);
  expect(drift.leaking).toEqual([]);
});
