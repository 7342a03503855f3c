/** The account of a pack's life: what harmed it is counted once, for as long as it lasted; extremes have when and where. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../metrics.ts';
import { PackReading } from '../reading/pack-reading.ts';
import { Quality } from '../reading/quality.ts';
import { runsOf } from '../testing/property-runs.ts';
import { Edges } from './edges.ts';
import type { HarmLimits } from './harms.ts';
import { Lifetime } from './lifetime.ts';

const CELLS = 3;
const STEP_MS = 2000;
const LIMITS: HarmLimits = {
  deep_discharge: { limit: 2.5, under_load: 2, hysteresis: 0.1 },
  over_charge: { limit: 3.75, hysteresis: 0.1 },
  high_temperature: { limit: 60, hysteresis: 5 },
  low_temperature: { limit: -20, hysteresis: 3 },
  cold_charge: { limit: 0, hysteresis: 2 },
  hot_charge: { limit: 55, hysteresis: 5 },
};

interface Moment {
  readonly volts?: readonly number[];
  readonly sensors?: readonly number[];
  readonly current_a?: number;
  readonly quality?: Quality;
}

class Pack {
  readonly lifetime = new Lifetime(LIMITS);
  readonly reading = new PackReading(0, { cell_count: CELLS, sensor_count: 2, device_alarms: [] });
  t_ms = 1_000_000;

  show({
    volts = [3.3, 3.31, 3.32],
    sensors = [20, 22],
    current_a = 0,
    quality = Quality.good,
  }: Moment): this {
    const { reading } = this;
    this.t_ms += STEP_MS;
    reading.t_ms = reading.mono_ms = this.t_ms;
    reading.column(CellMetric.voltage_v).set(volts);
    reading.columnQuality(CellMetric.voltage_v).fill(quality);
    reading.sensors.set(sensors);
    reading.sensor_quality.fill(quality);
    reading.values[PackMetric.current_a] = current_a;
    reading.value_quality[PackMetric.current_a] = quality;
    this.lifetime.take(reading, new Edges().take(reading));
    return this;
  }

  get harms() {
    return this.lifetime.toJSON().harms;
  }
}

test('a deep discharge is one until the cell is back by more than the hysteresis; worst, when and cell are kept', () => {
  const pack = new Pack();
  for (const low of [3, 2.45, 2.3, 2.55, 2.45, 2.7, 2.4]) pack.show({ volts: [3, low, 3.1] });
  expect(pack.harms.deep_discharge).toEqual({
    count: 2,
    seconds: 6,
    worst: 2.3,
    worst_ms: 1_000_000 + 3 * STEP_MS,
    worst_no: 2,
    is_on: true,
  });
});

test('a cell under load sags further without being empty', () => {
  const pack = new Pack();
  for (let i = 0; i < 5; i++) pack.show({ volts: [2.2, 3, 3], current_a: -50 });
  expect(pack.harms.deep_discharge.count).toBe(0);
  pack.show({ volts: [1.9, 3, 3], current_a: -50 });
  expect(pack.harms.deep_discharge).toMatchObject({ count: 1, worst: 1.9, worst_no: 1 });
});

test('heat and cold count always, and apart while charging; a rest ends these', () => {
  const pack = new Pack();
  for (let i = 0; i < 4; i++) pack.show({ sensors: [-5, 1], current_a: 20 });
  pack.show({ sensors: [-5, 1], current_a: 0 });
  for (let i = 0; i < 3; i++) pack.show({ sensors: [-6, 1], current_a: 20 });
  for (let i = 0; i < 3; i++) pack.show({ sensors: [61, 20], current_a: 20 });
  const { cold_charge, hot_charge, high_temperature, low_temperature } = pack.harms;
  expect(cold_charge).toMatchObject({ count: 2, seconds: 10, worst: -6, worst_no: 1, is_on: false });
  expect(hot_charge).toMatchObject({ count: 1, seconds: 4, worst: 61 });
  expect(high_temperature).toMatchObject({ count: 1, seconds: 4 });
  expect(low_temperature.count).toBe(0);
});

test('what cannot be trusted neither counts nor ends anything, and a gap lasts for nobody', () => {
  const pack = new Pack();
  pack.show({ volts: [2.3, 3, 3] });
  for (let i = 0; i < 5; i++) pack.show({ volts: [1, 9, 3], sensors: [99, -99], quality: Quality.suspect });
  expect(pack.harms.deep_discharge).toMatchObject({ count: 1, seconds: 0, worst: 2.3, is_on: true });
  pack.t_ms += 86_400_000;
  pack.show({ volts: [2.3, 3, 3] });
  expect(pack.harms.deep_discharge).toMatchObject({ count: 1, seconds: 0 });
  const { cell_voltage_v, temperature_c } = pack.lifetime.toJSON().extremes;
  expect([cell_voltage_v.highest?.value, temperature_c.highest?.value]).toEqual([3, 22]);
});

const volt = fc.constantFrom(1.9, 2.2, 2.45, 2.55, 2.7, 3, 3.3, 3.6, 3.7, 3.76, 3.9);
const moment: fc.Arbitrary<Moment> = fc.record({
  volts: fc.tuple(volt, volt, volt),
  sensors: fc.tuple(fc.integer({ min: -30, max: 70 }), fc.integer({ min: -30, max: 70 })),
  current_a: fc.constantFrom(-50, -0.1, 0, 0.1, 50),
  quality: fc.constantFrom(Quality.good, Quality.good, Quality.good, Quality.suspect),
});

test('extremes are those of the good values, whatever comes; a restart at any moment changes nothing', () => {
  fc.assert(
    fc.property(fc.array(moment, { minLength: 1, maxLength: 60 }), fc.nat(60), (moments, restart) => {
      const [through, restarted] = [new Pack(), new Pack()];
      let lifetime = restarted.lifetime;
      for (const [i, one] of moments.entries()) {
        through.show(one);
        restarted.t_ms = through.t_ms - STEP_MS;
        if (i === restart) {
          const again = new Pack();
          expect(again.lifetime.restore(JSON.parse(JSON.stringify(lifetime.toJSON())))).toBe(true);
          expect(again.lifetime.toJSON()).toEqual(lifetime.toJSON());
          Object.assign(restarted, { lifetime: again.lifetime });
          lifetime = again.lifetime;
        }
        restarted.show(one);
      }
      const [expected, found] = [through.lifetime.toJSON(), lifetime.toJSON()];
      expect(found.extremes).toEqual(expected.extremes);
      for (const name of Object.keys(expected.harms) as (keyof typeof expected.harms)[]) {
        // What passed while it was off is counted by nobody.
        expect(expected.harms[name].seconds - found.harms[name].seconds).toBeLessThanOrEqual(STEP_MS / 1000);
        expect({ ...found.harms[name], seconds: 0 }).toEqual({ ...expected.harms[name], seconds: 0 });
      }
      const good = moments.filter(({ quality }) => quality === Quality.good);
      const of = (values: number[]) =>
        values.length === 0 ? undefined : [Math.min(...values), Math.max(...values)];
      const { cell_voltage_v, temperature_c, current_a } = expected.extremes;
      const both = ({ lowest, highest }: typeof current_a) =>
        lowest && highest && [lowest.value, highest.value];
      expect(both(cell_voltage_v) ?? undefined).toEqual(of(good.flatMap(({ volts }) => [...(volts ?? [])])));
      expect(both(temperature_c) ?? undefined).toEqual(
        of(good.flatMap(({ sensors }) => [...(sensors ?? [])])),
      );
      expect(both(current_a) ?? undefined).toEqual(of(good.map(({ current_a = 0 }) => current_a)));
    }),
    { numRuns: runsOf(300) },
  );
});

test('a document of version 1 is read as it was written; what is damaged or later is refused', () => {
  const extreme = { value: 3.6512, t_ms: 1_770_000_000_000, no: 2 };
  const none = { lowest: null, highest: null };
  const harm = { count: 2, seconds: 90, worst: 2.31, worst_ms: 1_770_000_000_000, worst_no: 3, is_on: true };
  const no_harm = { count: 0, seconds: 0, worst: null, worst_ms: null, worst_no: null, is_on: false };
  const golden = {
    version: 1,
    since_ms: 1_760_000_000_000,
    extremes: {
      cell_voltage_v: { lowest: { ...extreme, value: 2.31, no: 3 }, highest: extreme },
      temperature_c: none,
      pack_voltage_v: none,
      current_a: { lowest: { ...extreme, value: -120.5, no: null }, highest: { ...extreme, no: null } },
      soc_pct: none,
      cell_spread_v: none,
    },
    harms: {
      deep_discharge: harm,
      over_charge: no_harm,
      high_temperature: no_harm,
      low_temperature: no_harm,
      cold_charge: no_harm,
      hot_charge: no_harm,
    },
  } as const;
  const lifetime = new Lifetime(LIMITS);
  expect(lifetime.restore(golden)).toBe(true);
  expect(lifetime.toJSON()).toEqual(golden);
  for (const damaged of [
    undefined,
    {},
    { ...golden, version: 2 },
    { ...golden, harms: {} },
    { ...golden, extremes: null },
  ])
    expect(new Lifetime(LIMITS).restore(damaged as unknown as typeof golden)).toBe(false);
  lifetime.start();
  expect(lifetime.toJSON()).toEqual(new Lifetime(LIMITS).toJSON());
});
