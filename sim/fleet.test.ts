/** The fleet: repeatable, alive, plausible at any pace; faults do what they say and go away. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../core/metrics.ts';
import { DeviceAlarmLevel, type PackReading } from '../core/reading/pack-reading.ts';
import { markImplausible, plausibleLimits } from '../core/reading/plausibility.ts';
import { runsOf } from '../core/testing/property-runs.ts';
import { Fleet, type FleetOptions, type PackPlan } from './fleet.ts';

const ALARMS = ['cell_over_voltage', 'cell_under_voltage', 'temperature_high', 'cell_difference', 'soc_low'];

function fleetOf(packs: number, options: Partial<FleetOptions> = {}): Fleet {
  const plans = Array.from(
    { length: packs },
    (_, pack): PackPlan => ({
      pack,
      shape: { cell_count: 10, sensor_count: 2, device_alarms: ALARMS },
      battery: Math.floor(pack / 5),
      chemistry: pack % 10 < 5 ? 'lfp' : 'nmc',
      sensor_of_cell: undefined,
    }),
  );
  return new Fleet(plans, { seed: 1, load: 'solar', start_hour: 12, capacity_ah: 100, ...options });
}

function run(fleet: Fleet, steps: number, dt_s: number): void {
  for (let k = 0; k < steps; k++) {
    fleet.step(dt_s);
    fleet.measure(k, k);
  }
}

const everything = (fleet: Fleet) =>
  fleet.packs.map(({ measured }) => [...measured.values, ...measured.cells, ...measured.sensors]);

test('same seed, same fleet; another seed, another', () => {
  const fleets = [fleetOf(10), fleetOf(10), fleetOf(10, { seed: 2 })];
  for (const fleet of fleets) run(fleet, 20, 2);
  expect(everything(fleets[0])).toEqual(everything(fleets[1]));
  expect(everything(fleets[0])).not.toEqual(everything(fleets[2]));
});

test('a fresh fleet is spread over 30 to 90 % of charge at room temperatures, without a single alarm', () => {
  const fleet = fleetOf(100);
  run(fleet, 1, 2);
  const socs = fleet.packs.map(({ truth }) => truth.values[PackMetric.soc_pct]);
  expect(Math.min(...socs)).toBeGreaterThan(30);
  expect(Math.min(...socs)).toBeLessThan(36);
  expect(Math.max(...socs)).toBeLessThan(90);
  expect(Math.max(...socs)).toBeGreaterThan(84);
  for (const { measured } of fleet.packs) {
    expect(measured.values[PackMetric.cell_temperature_min_c]).toBeGreaterThan(14);
    expect(measured.values[PackMetric.cell_temperature_max_c]).toBeLessThan(35);
    expect([...measured.device_alarm_level]).toEqual(ALARMS.map(() => DeviceAlarmLevel.none));
  }
});

test('every pack changes in every interval, by day and by night, in the house and on the road', () => {
  for (const load of ['solar', 'drive'] as const)
    for (const start_hour of [3, 12]) {
      const fleet = fleetOf(10, { load, start_hour });
      run(fleet, 1, 2);
      for (let k = 0; k < 20; k++) {
        const before = everything(fleet);
        run(fleet, 1, 2);
        everything(fleet).forEach((values, pack) => {
          expect(values).not.toEqual(before[pack]);
        });
      }
    }
});

test('any pace of time stays plausible, finite and within the limits of current', () => {
  const limits = plausibleLimits();
  fc.assert(
    fc.property(
      fc.constantFrom('solar' as const, 'drive' as const),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.double({ min: 0.01, max: 7200, noNaN: true }),
      fc.double({ min: 0, max: 23.9, noNaN: true }),
      (load, seed, dt_s, start_hour) => {
        const fleet = fleetOf(10, { load, seed, start_hour });
        run(fleet, 24, dt_s);
        for (const { measured, truth } of fleet.packs) {
          expect(markImplausible(measured, limits) + markImplausible(truth, limits)).toBe(0);
          expect(Math.abs(truth.values[PackMetric.current_a])).toBeLessThanOrEqual(50);
          expect(measured.values[PackMetric.cell_temperature_max_c]).toBeLessThan(40);
          expect([...measured.device_alarm_level].every(level => level === DeviceAlarmLevel.none)).toBe(true);
        }
      },
    ),
    { numRuns: runsOf(25) },
  );
});

test('a solar day fills the battery at noon and empties it in the evening', () => {
  const mean_current_a = (start_hour: number) => {
    const fleet = fleetOf(40, { start_hour, seed: 5 });
    run(fleet, 60, 10);
    const currents = fleet.packs.map(({ truth }) => truth.values[PackMetric.current_a]);
    return currents.reduce((sum, a) => sum + a) / currents.length;
  };
  expect(mean_current_a(11)).toBeGreaterThan(3);
  expect(mean_current_a(20)).toBeLessThan(-3);
});

test('measured values lie within noise and converter steps of the truth, the estimate within two percent', () => {
  const fleet = fleetOf(10);
  run(fleet, 500, 2);
  for (const { measured, truth } of fleet.packs) {
    compare(measured, truth, CellMetric.voltage_v, 0.004);
    compare(measured, truth, CellMetric.temperature_c, 0.4);
    const apart = measured.values[PackMetric.soc_pct] - truth.values[PackMetric.soc_pct];
    expect(Math.abs(apart)).toBeLessThan(2);
  }
});

function compare(one: PackReading, other: PackReading, metric: number, within: number): void {
  one.column(metric).forEach((value, c) => {
    expect(Math.abs(value - other.column(metric)[c])).toBeLessThan(within);
  });
}

test('near the top the higher cells are bled, and the pack comes to rest full, below every threshold', () => {
  const fleet = fleetOf(5, { start_hour: 10, seed: 3 });
  let bled = 0;
  let fullest = 0;
  for (let k = 0; k < 5 * 360; k++) {
    run(fleet, 1, 10);
    for (const { truth, measured } of fleet.packs) {
      bled += truth.column(CellMetric.balancing).reduce((sum, on) => sum + on, 0);
      fullest = Math.max(fullest, truth.values[PackMetric.soc_pct]);
      expect(measured.values[PackMetric.cell_voltage_max_v]).toBeLessThan(3.5);
    }
  }
  expect(bled).toBeGreaterThan(0);
  expect(fullest).toBeGreaterThan(97);
});

test('packs of one battery carry its current together, the weaker one less', () => {
  const fleet = fleetOf(5, { start_hour: 21 });
  for (let cell = 0; cell < 10; cell++) fleet.setFault('weak_cell', 0, cell);
  run(fleet, 5, 2);
  const currents = fleet.packs.map(pack => Math.abs(pack.current_a));
  expect(currents[0]).toBeLessThan(Math.min(...currents.slice(1)) / 3);
});

test('a weak cell sags below and rises above its neighbours under load, and recovers', () => {
  const fleet = fleetOf(5, { load: 'drive' });
  const apart_v = () => {
    const voltage = fleet.packs[2].truth.column(CellMetric.voltage_v);
    return voltage[4] - voltage[5];
  };
  const extremes = (steps: number) => {
    let [low, high] = [0, 0];
    for (let k = 0; k < steps; k++) {
      run(fleet, 1, 2);
      low = Math.min(low, apart_v());
      high = Math.max(high, apart_v());
    }
    return { low, high };
  };
  const sound = extremes(200);
  fleet.setFault('weak_cell', 2, 4);
  const weak = extremes(200);
  fleet.clearFaults();
  run(fleet, 200, 2);
  const again = extremes(200);
  expect(sound.low).toBeGreaterThan(-0.03);
  expect(weak.low).toBeLessThan(-0.15);
  expect(weak.high).toBeGreaterThan(0.1);
  expect(again.low).toBeGreaterThan(-0.05);
  expect(fleet.packs[2].truth.column(CellMetric.soh_pct)[4]).toBeGreaterThan(90);
});

test('an overheating cell alarms, opens the contactor, warms its neighbours, and cools down again', () => {
  const fleet = fleetOf(5);
  const pack = fleet.packs[1];
  const hottest_c = () => pack.truth.values[PackMetric.cell_temperature_max_c];
  fleet.setFault('overheating', 1, 3);
  run(fleet, 100, 2);
  expect(hottest_c()).toBeGreaterThan(50);
  run(fleet, 600, 2);
  const temperature = pack.truth.column(CellMetric.temperature_c);
  expect(temperature[3]).toBe(Math.max(...temperature));
  expect(temperature[3]).toBeLessThan(80);
  expect(temperature[4]).toBeGreaterThan(temperature[8] + 3);
  expect(pack.contactor_closed).toBe(false);
  expect(pack.current_a).toBe(0);
  expect(pack.measured.device_alarm_level[ALARMS.indexOf('temperature_high')]).toBe(DeviceAlarmLevel.alarm);
  fleet.clearFaults();
  run(fleet, 1500, 2);
  expect(hottest_c()).toBeLessThan(40);
  expect(pack.contactor_closed).toBe(true);
  expect(pack.measured.device_alarm_level[ALARMS.indexOf('temperature_high')]).toBe(DeviceAlarmLevel.none);
});

test('a stuck sensor freezes what is measured while the truth goes on, and comes back', () => {
  const fleet = fleetOf(5, { load: 'drive' });
  run(fleet, 10, 2);
  const { measured, truth } = fleet.packs[0];
  const frozen_v = measured.column(CellMetric.voltage_v)[6];
  const true_v = truth.column(CellMetric.voltage_v)[6];
  fleet.setFault('stuck_sensor', 0, 6);
  for (let k = 0; k < 100; k++) {
    run(fleet, 1, 2);
    expect(measured.column(CellMetric.voltage_v)[6]).toBe(frozen_v);
  }
  expect(truth.column(CellMetric.voltage_v)[6]).not.toBe(true_v);
  fleet.clearFaults();
  run(fleet, 1, 2);
  expect(measured.column(CellMetric.voltage_v)[6]).toBeCloseTo(truth.column(CellMetric.voltage_v)[6], 2);
});

test('a sensor between two cells feels both, and each cell shows its sensor', () => {
  const installed = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4];
  const shape = { cell_count: 10, sensor_count: 5, device_alarms: [] };
  const plan: PackPlan = { pack: 0, shape, battery: 0, chemistry: 'lfp', sensor_of_cell: installed };
  const fleet = new Fleet([plan], { seed: 1, load: 'drive', start_hour: 0, capacity_ah: 100 });
  const { measured, truth } = fleet.packs[0];
  fleet.setFault('overheating', 0, 3);
  run(fleet, 200, 2);
  const temperature = measured.column(CellMetric.temperature_c);
  const really = truth.column(CellMetric.temperature_c);
  installed.forEach((sensor, cell) => {
    expect(temperature[cell]).toBe(measured.sensors[sensor]);
    const felt_c = installed.flatMap((other, c) => (other === sensor ? [really[c]] : []));
    const mean_c = felt_c.reduce((sum, c) => sum + c) / felt_c.length;
    expect(Math.abs(measured.sensors[sensor] - mean_c)).toBeLessThan(0.4);
  });
  fleet.setFault('stuck_sensor', 0, 2);
  const frozen_c = measured.sensors[1];
  fleet.bank.hot.fill(0);
  run(fleet, 600, 2);
  expect(measured.sensors[1]).toBe(frozen_c);
  expect(temperature[3]).toBe(frozen_c);
  expect(truth.sensors[1]).toBeLessThan(frozen_c - 10);
});
