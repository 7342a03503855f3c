/** Packs of a battery against each other: who stands apart after days, and who does not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../metrics.ts';
import { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import { runsOf } from '../testing/property-runs.ts';
import { FleetDeviation, packApartText, type StoredFleet } from './fleet-deviation.ts';

const T0 = Date.UTC(2026, 0, 5);
const DAY_MS = 86_400_000;
/** Coarser than the product samples, so that weeks are quick. */
const STEP_MS = 170_000;
const ids = (packs: number) => Array.from({ length: packs }, (_, pack) => `p${pack + 1}`);

/** Of one pack, beside what all have in common. */
interface Ways {
  readonly warmer_c?: number;
  readonly charge_pct?: number;
  readonly spread_v?: number;
  readonly resistance?: number;
}

/** Even, of mean 0: the same for the same moment and pack. */
const noise = (seed: number) => ((Math.sin(seed * 12.9898) * 43758.5453) % 1) / 2;

function play(
  fleet: FleetDeviation,
  packs: number,
  days: number,
  waysOf: (pack: number, t_ms: number) => Ways,
  from = T0,
) {
  const readings = Array.from(
    { length: packs },
    (_, pack) => new PackReading(pack, { cell_count: 8, sensor_count: 0, device_alarms: [] }),
  );
  for (const reading of readings) {
    reading.columnQuality(CellMetric.voltage_v).fill(Quality.good);
    reading.columnQuality(CellMetric.temperature_c).fill(Quality.good);
    reading.columnQuality(CellMetric.estimated_resistance_mohm).fill(Quality.good);
    reading.value_quality[PackMetric.soc_pct] = Quality.good;
  }
  for (let t_ms = from; t_ms < from + days * DAY_MS; t_ms += STEP_MS) {
    if (!fleet.isDue(t_ms)) continue;
    const hour = (t_ms / 3_600_000) % 24;
    for (const [pack, reading] of readings.entries()) {
      const { warmer_c = 0, charge_pct = 0, spread_v = 0, resistance = 1 } = waysOf(pack, t_ms);
      const swing = Math.sin((hour / 24) * 2 * Math.PI);
      reading.values[PackMetric.soc_pct] = 55 + 35 * swing + charge_pct + noise(t_ms / STEP_MS + pack);
      reading.column(CellMetric.temperature_c).fill(24 + 5 * swing + warmer_c + noise(t_ms / 977 + pack));
      reading
        .column(CellMetric.estimated_resistance_mohm)
        .fill(1.2 * resistance + 0.02 * noise(t_ms / 977 + pack));
      const cells = reading.column(CellMetric.voltage_v);
      for (let cell = 0; cell < cells.length; cell++)
        cells[cell] = 3.3 + 0.002 * noise(t_ms / STEP_MS + cell + 31 * pack);
      cells[0] += 0.008 + spread_v;
      fleet.take(pack, reading);
    }
    fleet.finish(t_ms);
  }
}

const named = (fleet: FleetDeviation, packs: number) =>
  Array.from({ length: packs }, (_, pack) =>
    (fleet.apart(pack) ?? []).map(({ figure }) => `${pack} ${figure}`),
  ).flat();

test('a pack that is warmer is named after days, with how much and against how many', () => {
  const fleet = new FleetDeviation(ids(8));
  const waysOf = (pack: number): Ways => (pack === 3 ? { warmer_c: 9 } : { warmer_c: (pack % 3) * 0.4 });
  play(fleet, 8, 4.9, waysOf);
  expect(ids(8).map((_, pack) => fleet.apart(pack))).toEqual(ids(8).map(() => undefined));
  play(fleet, 8, 2, waysOf, T0 + 4.9 * DAY_MS);
  expect(named(fleet, 8)).toEqual(['3 temperature']);
  const [apart] = fleet.apart(3) ?? [];
  expect(apart).toMatchObject({ figure: 'temperature', others: 7 });
  expect(packApartText(apart)).toMatch(
    /^is warmer than the 7 other packs of its battery by (8\.\d|9\.\d) °C, in the median of the last days; they differ by 0\.\d+ °C$/,
  );
  expect(fleet.apart(0)).toEqual([]);
});

test('less charge, more charge and cells further apart are named; a pack that is back is not, after days', () => {
  const fleet = new FleetDeviation(ids(9));
  const of = [{}, { charge_pct: -20 }, {}, {}, { charge_pct: 18, spread_v: 0.2 }];
  const waysOf = (pack: number): Ways => of[pack] ?? {};
  play(fleet, 9, 8, waysOf);
  expect(named(fleet, 9)).toEqual(['1 charge', '4 cell_spread', '4 charge']);
  expect((fleet.apart(1) ?? []).map(packApartText)[0]).toMatch(
    /^holds less charge than the 8 other packs .* by 20 %/,
  );
  expect((fleet.apart(4) ?? []).map(packApartText)[1]).toMatch(/^holds more charge than /);
  play(fleet, 9, 9, () => ({}), T0 + 8 * DAY_MS);
  expect(named(fleet, 9)).toEqual([]);
});

test('more resistance is named by its share, less is none of anybody’s concern', () => {
  const fleet = new FleetDeviation(ids(8));
  play(fleet, 8, 7, pack => ({ resistance: [1, 1.5, 0.5][pack] ?? 1 }));
  expect(named(fleet, 8)).toEqual(['1 resistance']);
  expect((fleet.apart(1) ?? []).map(packApartText)[0]).toMatch(
    /^has more resistance than the 7 other packs .* by (49|5\d) %/,
  );
});

test('what grows says by how much a week', () => {
  const fleet = new FleetDeviation(ids(6));
  play(fleet, 6, 21, (pack, t_ms) => (pack === 2 ? { warmer_c: ((t_ms - T0) / DAY_MS) * 0.6 } : {}));
  const [apart] = fleet.apart(2) ?? [];
  expect(packApartText(apart)).toMatch(/It grows by 4\.\d °C a week$/);
});

test('of healthy packs in a month, at whatever places in the rack, none is named', () => {
  const place = fc.record({
    warmer_c: fc.double({ min: -2, max: 2, noNaN: true }),
    charge_pct: fc.double({ min: -4, max: 4, noNaN: true }),
    spread_v: fc.double({ min: 0, max: 0.015, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(place, { minLength: 4, maxLength: 12 }), places => {
      const fleet = new FleetDeviation(ids(places.length));
      for (let week = 0; week < 4; week++) {
        play(fleet, places.length, 7, pack => places[pack], T0 + week * 7 * DAY_MS);
        expect(named(fleet, places.length)).toEqual([]);
      }
    }),
    { numRuns: runsOf(6) },
  );
});

test('where half of the packs differ nobody is named; fewer than four are never compared', () => {
  const half = new FleetDeviation(ids(8));
  play(half, 8, 8, pack => (pack < 4 ? { warmer_c: 12 } : {}));
  expect(named(half, 8)).toEqual([]);
  const few = new FleetDeviation(ids(3));
  play(few, 3, 8, pack => (pack === 0 ? { warmer_c: 20 } : {}));
  expect(few.apart(0)).toBeUndefined();
});

test('what was learnt survives a restart, for packs that are still there, wherever they are listed', () => {
  const before = new FleetDeviation(ids(6));
  const waysOf = (pack: number): Ways => (pack === 1 ? { warmer_c: 10 } : {});
  play(before, 6, 7, waysOf);
  const stored = JSON.parse(JSON.stringify(before)) as StoredFleet;
  const order = ['p6', 'p2', 'p4', 'p3', 'p5', 'new'];
  const after = new FleetDeviation(order);
  expect(after.restore(stored)).toBe(true);
  play(after, 6, 0.1, pack => (order[pack] === 'p2' ? { warmer_c: 10 } : {}), T0 + 7 * DAY_MS);
  expect(named(after, 6)).toEqual(['1 temperature']);
  expect(after.apart(5)).toBeUndefined();
  for (const wrong of [
    { ...stored, version: 2 },
    { ...stored, figures: {} },
    { ...stored, pack_ids: ['p1'] },
  ])
    expect(new FleetDeviation(order).restore(wrong as StoredFleet)).toBe(false);
});
