/** End to end on the virtual wires: simulation -> bytes -> the product's own drivers -> PackState. */
import { expect, test } from 'vitest';
import { ManualClock } from '../core/clock/manual-clock.ts';
import { silentLogger } from '../core/log.ts';
import { CellMetric, PACK_METRICS, PackMetric, type PackMetricName } from '../core/metrics.ts';
import { DeviceAlarmLevel, type PackReading } from '../core/reading/pack-reading.ts';
import { Quality } from '../core/reading/quality.ts';
import { makeWires } from '../drivers/transports.ts';
import { createSimulation, type Simulation } from './simulation.ts';
import { bench, bindingsOf, CELLS, FOX, INTERVAL_MS, JK, LV, SUN } from './testing/bench.ts';

/** Half a step of what each device family can say, by quantity. */
const STEPS: Readonly<Record<string, Partial<Record<PackMetricName, number>>>> = {
  'jk-can-v2': {
    voltage_v: 0.1,
    current_a: 0.1,
    temperature_c: 1,
    soc_pct: 1,
    soh_pct: 1,
    cell_voltage_min_v: 0.001,
    cell_voltage_max_v: 0.001,
    cell_temperature_min_c: 1,
    cell_temperature_max_c: 1,
    charge_voltage_limit_v: 0.1,
    charge_current_limit_a: 0.1,
    capacity_full_ah: 0.1,
    capacity_remaining_ah: 0.1,
    cycle_count: 0,
    charge_enabled: 0,
    discharge_enabled: 0,
  },
  'foxbms-2': {
    voltage_v: 0.1,
    current_a: 0.01,
    soc_pct: 0.1,
    soh_pct: 0.5,
    cell_voltage_min_v: 0.001,
    cell_voltage_max_v: 0.001,
    cell_temperature_min_c: 1,
    cell_temperature_max_c: 1,
    charge_voltage_limit_v: 4,
    charge_current_limit_a: 0.25,
    discharge_voltage_limit_v: 4,
    discharge_current_limit_a: 0.25,
  },
  'sunspec-battery': {
    voltage_v: 0.1,
    current_a: 0.1,
    temperature_c: 0.1,
    soc_pct: 0.1,
    soh_pct: 0.1,
    cell_voltage_min_v: 0.001,
    cell_voltage_max_v: 0.001,
    cell_temperature_min_c: 0.1,
    cell_temperature_max_c: 0.1,
    charge_voltage_limit_v: 0.1,
    charge_current_limit_a: 0.1,
    discharge_voltage_limit_v: 0.1,
    discharge_current_limit_a: 0.1,
    cycle_count: 0,
  },
};

/** Everything the family carries is there, good, and within half a step of what the BMS measured. */
function expectSame(seen: PackReading, simulation: Simulation, profile: string): void {
  const measured = simulation.measured(seen.pack);
  for (const [name, step] of Object.entries(STEPS[profile])) {
    const metric = PackMetric[name as PackMetricName];
    const where = `${profile} ${PACK_METRICS[metric].name}`;
    expect(seen.value_quality[metric], where).toBe(Quality.good);
    const apart = Math.abs(seen.values[metric] - measured.values[metric]);
    expect(apart, where).toBeLessThanOrEqual(step / 2 + 1e-6);
  }
  for (let cell = 0; cell < CELLS; cell++) {
    expect(seen.columnQuality(CellMetric.voltage_v)[cell]).toBe(Quality.good);
    const apart = seen.column(CellMetric.voltage_v)[cell] - measured.column(CellMetric.voltage_v)[cell];
    expect(Math.abs(apart)).toBeLessThanOrEqual(0.00051);
  }
  seen.sensors.forEach((value, s) => {
    expect(Math.abs(value - measured.sensors[s])).toBeLessThanOrEqual(0.501);
  });
  seen.device_alarm_level.forEach((level, i) => {
    expect(level, `${profile} ${seen.shape.device_alarms[i]}`).toBe(DeviceAlarmLevel.none);
  });
}

test.each(['solar', 'drive'] as const)(
  'what the drivers read is what each BMS measured, in every interval: %s',
  async load => {
    // The moments of the wall clock, at which all has just been read, are a little before the simulation's steps.
    const clock = new ManualClock(Date.UTC(2026, 0, 1) + 100);
    const b = bench([JK, FOX, SUN], { load }, INTERVAL_MS, clock);
    await b.start();
    await b.run(4 * INTERVAL_MS - 100);
    for (let k = 0; k < 5; k++) {
      for (const binding of b.bindings)
        expectSame(b.snapshot(binding.pack), b.simulation, binding.profile.id);
      await b.run(INTERVAL_MS);
    }
    for (const driver of b.drivers) expect(driver.health().state).toBe('up');
    await b.stop();
  },
);

test('cell temperatures of SunSpec modules arrive within a tenth of a degree', async () => {
  const b = bench([SUN]);
  await b.start();
  await b.run(2 * INTERVAL_MS - 100);
  const seen = b.snapshot(0).column(CellMetric.temperature_c);
  const measured = b.simulation.measured(0).column(CellMetric.temperature_c);
  seen.forEach((value, cell) => {
    expect(Math.abs(value - measured[cell])).toBeLessThan(0.051);
  });
  await b.stop();
});

async function framesOf(seed: number): Promise<string[]> {
  const b = bench([JK, FOX, SUN], { seed });
  const frames: string[] = [];
  for (const { connection } of [JK, FOX])
    b.wires.can.bus(connection.id).attach(({ id, data, length }) => {
      frames.push(
        `${b.clock.monoMs()} ${id.toString(16)}#${Buffer.from(data.subarray(0, length)).toString('hex')}`,
      );
    });
  await b.simulation.start();
  for (let k = 0; k < 5; k++) {
    b.clock.advance(INTERVAL_MS);
    for (const unit of SUN.addresses) {
      const reply = b.wires.modbus.answer('sun', unit!, Uint8Array.of(3, 40_100 >> 8, 40_100 & 0xff, 0, 100));
      frames.push(`${unit} ${Buffer.from(reply!).toString('hex')}`);
    }
  }
  await b.simulation.stop();
  return frames;
}

test('a device that reports no single cell is simulated with cells behind it', async () => {
  const { start, stop, run, snapshot } = bench([LV]);
  await start();
  await run(2 * INTERVAL_MS);
  const { values, value_quality, shape } = snapshot(0);
  expect(shape.cell_count).toBe(0);
  expect(value_quality[PackMetric.cell_voltage_max_v]).toBe(Quality.good);
  expect(values[PackMetric.voltage_v]).toBeGreaterThan(40);
  expect(values[PackMetric.cell_voltage_min_v]).toBeGreaterThan(2.5);
  await stop();
});

test('same seed, same bytes at the same moments; another seed, others', async () => {
  const frames = await framesOf(42);
  expect(frames.length).toBeGreaterThan(100);
  expect(frames.filter(frame => frame.startsWith('1 03c8'))).toHaveLength(5);
  expect(await framesOf(42)).toEqual(frames);
  expect(await framesOf(43)).not.toEqual(frames);
});

test('nodes broadcast one after the other through the interval, each once', async () => {
  const b = bench([{ ...JK, addresses: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }]);
  const moments = new Map<number, Set<number>>();
  b.wires.can.bus('jk').attach(({ id, extended }) => {
    if (extended || (id & 0xff0) !== 0x2f0) return;
    const received = moments.get(id) ?? new Set();
    moments.set(id, received.add(b.clock.monoMs()));
  });
  await b.simulation.start();
  b.clock.advance(INTERVAL_MS - 1);
  await b.simulation.stop();
  const received = [...moments.values()].map(set => [...set]);
  expect(received).toHaveLength(10);
  expect(received.every(times => times.length === 1)).toBe(true);
  expect(new Set(received.flat()).size).toBe(10);
  expect(Math.max(...received.flat())).toBeLessThan(0.9 * INTERVAL_MS);
});

test('however long the interval, devices speak often enough not to go stale', async () => {
  const b = bench([JK], {}, 60_000);
  await b.start();
  for (let k = 0; k < 30; k++) {
    await b.run(1500);
    if (k > 2) expect(b.snapshot(0).value_quality[PackMetric.voltage_v]).toBe(Quality.good);
  }
  await b.stop();
});

test('a dead unit falls silent, the others go on, and it speaks again when the fault is removed', async () => {
  const b = bench([JK, SUN]);
  await b.start();
  await b.run(2 * INTERVAL_MS);
  const ids = [
    b.simulation.control.addFault({ kind: 'dead_unit', pack: 'jk-1' }),
    b.simulation.control.addFault({ kind: 'dead_unit', pack: 'sun-2' }),
  ];
  expect(b.simulation.control.faults()).toMatchObject([
    { id: ids[0], kind: 'dead_unit', pack: 'jk-1', state: 'active' },
    { id: ids[1], kind: 'dead_unit', pack: 'sun-2', state: 'active' },
  ]);
  await b.run(20_000);
  const dead = [1, 4];
  for (const { pack } of b.bindings) {
    const health = b.drivers.flatMap(driver => driver.health().packs).find(link => link.pack === pack)!;
    const quality = b.snapshot(pack).value_quality[PackMetric.voltage_v];
    if (dead.includes(pack)) {
      expect(b.silent_ms(pack)).toBeGreaterThan(19_000);
      expect(health.state).not.toBe('up');
      expect(quality).toBe(Quality.stale);
    } else {
      expect(b.silent_ms(pack)).toBeLessThanOrEqual(2 * INTERVAL_MS);
      expect(health.state).toBe('up');
      expect(quality).toBe(Quality.good);
    }
  }
  for (const id of ids) expect(b.simulation.control.removeFault(id)).toBe(true);
  expect(b.simulation.control.faults()).toEqual([]);
  await b.run(60_000, 200);
  for (const { pack } of b.bindings)
    expect(b.snapshot(pack).value_quality[PackMetric.voltage_v]).toBe(Quality.good);
  await b.stop();
});

test('a fault of the configuration begins and ends by the clock, whatever the pace of the site', async () => {
  const b = bench([JK], {
    time_scale: 60,
    faults: [{ kind: 'dead_unit', pack: 'jk-0', after_s: 10, for_s: 20 }],
  });
  await b.start();
  await b.run(8_000);
  expect(b.silent_ms(0)).toBeLessThan(3000);
  await b.run(20_000);
  expect(b.silent_ms(0)).toBeGreaterThan(15_000);
  await b.run(8_000);
  expect(b.silent_ms(0)).toBeLessThan(3000);
  await b.stop();
});

test('an overheating cell reaches the gateway as temperatures and as the device’s own alarm', async () => {
  const b = bench([JK], { faults: [{ kind: 'overheating', pack: 'jk-0', cell: 3 }], time_scale: 10 });
  await b.start();
  await b.run(40_000);
  const seen = b.snapshot(0);
  expect(seen.values[PackMetric.cell_temperature_max_c]).toBeGreaterThan(60);
  expect(seen.device_alarm_level[seen.shape.device_alarms.indexOf('temperature_high')]).toBe(
    DeviceAlarmLevel.alarm,
  );
  expect(seen.values[PackMetric.charge_enabled]).toBe(0);
  expect(b.snapshot(1).values[PackMetric.cell_temperature_max_c]).toBeLessThan(40);
  await b.stop();
});

test('faults that name what is not there stop the configuration, and only that request at run time', async () => {
  expect(() => bench([JK], { faults: [{ kind: 'dead_unit', pack: 'jk-7' }] })).toThrow(
    /simulation\.faults\[0\]\.pack: found "jk-7"/,
  );
  const b = bench([JK]);
  expect(() => b.simulation.control.addFault({ kind: 'weak_cell', pack: 'jk-1', cell: 11 })).toThrow(
    /fault\.cell: found 11, expected a cell number from 1 to 10/,
  );
  expect(b.simulation.control.faults()).toEqual([]);
  expect(b.simulation.control.removeFault('fault-9')).toBe(false);
});

test('two packs on one virtual unit are refused', () => {
  expect(() => bench([{ ...SUN, addresses: [3, 3] }])).toThrow(
    /sun-3 and sun-3: found both at unit 3 on sun/,
  );
});

test('stop is safe before start, twice, and leaves neither timers nor frames behind', async () => {
  const b = bench([JK, SUN]);
  await b.simulation.stop();
  await Promise.all([b.simulation.start(), b.simulation.start()]);
  expect(b.clock.pendingTimers).toBe(1);
  await b.simulation.stop();
  await b.simulation.stop();
  expect(b.clock.pendingTimers).toBe(0);
  expect(b.wires.modbus.answer('sun', 1, Uint8Array.of(3, 0x9c, 0x40, 0, 2))).toBeUndefined();
  let received = 0;
  b.wires.can.bus('jk').attach(() => received++);
  b.clock.advance(10_000);
  expect(received).toBe(0);
});

test('a pack whose profile is broken stops the start, and nothing stays on the wires', async () => {
  const clock = new ManualClock();
  const wires = makeWires();
  const [sun, jk] = bindingsOf([SUN, JK]);
  const { can, ...rest } = jk.bindings[0].profile;
  const profile = { ...rest, can: { ...can!, dbc: 'no-such.dbc' } };
  const connections = [sun, { ...jk, bindings: [{ ...jk.bindings[0], profile }] }];
  const simulation = createSimulation({
    config: {},
    connections,
    wires,
    clock,
    log: silentLogger,
    interval_ms: INTERVAL_MS,
  });
  await expect(simulation.start()).rejects.toThrow(/no-such\.dbc/);
  await simulation.stop();
  expect(clock.pendingTimers).toBe(0);
  expect(wires.modbus.answer('sun', 1, Uint8Array.of(3, 0x9c, 0x40, 0, 2))).toBeUndefined();
});

test('a pause of the process is not caught up in a burst', async () => {
  class PausedClock extends ManualClock {
    paused_ms = 0;
    override monoMs(): number {
      return super.monoMs() + this.paused_ms;
    }
  }
  const clock = new PausedClock();
  const b = bench([JK], {}, INTERVAL_MS, clock);
  await b.simulation.start();
  let received = 0;
  b.wires.can.bus('jk').attach(() => received++);
  clock.advance(INTERVAL_MS);
  const usual = received;
  clock.paused_ms = 60_000;
  clock.advance(INTERVAL_MS);
  expect(usual).toBeGreaterThan(0);
  expect(received).toBeLessThanOrEqual(3 * usual);
  await b.simulation.stop();
});
