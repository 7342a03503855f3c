/** The judge on real bytes: simulated hardware over virtual wires, the product's drivers, the sampler. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PACK_METRICS } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { Quality } from '../../core/reading/quality.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import { createCanDriver } from '../../drivers/can/can-driver.ts';
import { VirtualCanHub } from '../../drivers/can/virtual-bus.ts';
import type { SimulationConfig } from '../../sim/simulation-config.ts';
import { type Bus, bench, bindingsOf, FOX, INTERVAL_MS, JK, LV, SUN } from '../../sim/testing/bench.ts';
import { Sampler } from './sampler.ts';

const HOURS = 1;
const RUNS = 3;

async function sampled(buses: readonly Bus[], config: SimulationConfig, ms: number) {
  const site = bench(buses, config);
  const states = site.drivers.flatMap(driver => driver.packs);
  const packs = states.map((state, pack) => ({
    state,
    judge: new PackJudge(state, plausibleLimits(site.bindings[pack].profile.plausible)),
  }));
  const doubted = new Set<string>();
  const sampler = new Sampler({
    clock: site.clock,
    interval_ms: INTERVAL_MS,
    packs,
    onReading: reading => {
      for (const why of packs[reading.pack].judge.reasons(reading)) doubted.add(`${reading.pack}: ${why}`);
      const suspect = reading.columnQuality(CellMetric.voltage_v).indexOf(Quality.suspect);
      if (suspect >= 0) doubted.add(`pack ${reading.pack} cell ${suspect + 1}`);
    },
    onMoment: () => {},
  });
  await site.start();
  sampler.start();
  await site.run(ms, 250);
  sampler.stop();
  await site.stop();
  return { ...site, packs, doubted: [...doubted], counters: sampler.counters };
}

test('a sensor that hangs is found on the wire within some minutes, with cell and time, in both views', async () => {
  const fault = { kind: 'stuck_sensor', pack: 'jk-1', cell: 3, after_s: 60 } as const;
  const { packs, doubted, clock } = await sampled([JK], { load: 'solar', faults: [fault] }, 14 * 60_000);
  expect(
    doubted.some(why =>
      /^1: cell 3 voltage has not moved since .* UTC, though its neighbours have$/.test(why),
    ),
    doubted.join(),
  ).toBe(true);
  expect(
    doubted.every(why => /^(1: cell 3 |pack 1 cell 3$)/.test(why)),
    doubted.join(),
  ).toBe(true);
  const live = new PackReading(1, packs[1].state.shape);
  packs[1].state.snapshotInto(live, clock.wallMs(), clock.monoMs());
  packs[1].judge.mark(live);
  const quality = [...live.columnQuality(CellMetric.voltage_v)];
  expect(quality.indexOf(Quality.suspect)).toBe(2);
  expect(quality.lastIndexOf(Quality.suspect)).toBe(2);
});

test('healthy hardware of every kind stays good for hours of its time, whatever the seed, the load and the time of day', async () => {
  const setting = fc.record({
    seed: fc.nat(0xffff),
    load: fc.constantFrom('solar' as const, 'drive' as const),
    start_hour: fc.integer({ min: 0, max: 23 }),
  });
  await fc.assert(
    fc.asyncProperty(setting, async config => {
      const { doubted, counters } = await sampled([JK, FOX, LV, SUN], config, HOURS * 3_600_000);
      expect(doubted).toEqual([]);
      expect(counters.values_suspect).toBe(0);
      expect(counters.readings).toBeGreaterThan(HOURS * 7 * 1700);
    }),
    { numRuns: runsOf(RUNS) },
  );
}, 120_000);

/** Frames of the low-voltage family, sent every second for a while; what the sampler made of the last of them. */
async function sampledFrames(
  frames: (second: number) => readonly (readonly [id: number, hex: string])[],
  seconds = 30,
) {
  const clock = new ManualClock(1_700_000_000_000);
  const hub = new VirtualCanHub();
  const [{ connection, bindings }] = bindingsOf([LV]);
  const context = { clock, log: silentLogger, interval_ms: INTERVAL_MS, onUpdate() {}, onLink() {} };
  const driver = createCanDriver({ id: connection.id, type: 'virtual-can' }, bindings, context, hub);
  const node = hub.bus(connection.id).attach();
  const [state] = driver.packs;
  const judge = new PackJudge(state, plausibleLimits(bindings[0].profile.plausible));
  const reading = new PackReading(0, state.shape);
  const sampler = new Sampler({
    clock,
    interval_ms: INTERVAL_MS,
    packs: [{ state, judge }],
    onReading: taken => reading.copyFrom(taken),
    onMoment: () => {},
  });
  await driver.start();
  sampler.start();
  for (let second = 0; second < seconds; second++) {
    for (const [id, hex] of frames(second)) {
      const data = Uint8Array.from(Buffer.from(hex, 'hex'));
      node.send({ id, extended: false, data, length: data.length });
    }
    clock.advance(1000);
  }
  sampler.stop();
  await driver.stop();
  const goodOnes = PACK_METRICS.filter((_, m) => reading.value_quality[m] === Quality.good);
  return { good: goodOnes.map(({ name }) => name), why: judge.reasons(reading), two: judge.twoDevices() };
}

const LIMITS = [0x351, '4002f401f401c001'] as const; // 57.6 V, 50 A, 50 A, 44.8 V
const STATE_80 = [0x355, '50006300'] as const;
const MEASURED = [0x356, 'b4144600d200'] as const; // 53.00 V, 7.0 A, 21.0 C

test('frames of a healthy pack are good, to the last value', async () => {
  const { good, why } = await sampledFrames(() => [LIMITS, STATE_80, MEASURED]);
  expect(why).toEqual([]);
  expect(good).toEqual(
    expect.arrayContaining(['voltage_v', 'current_a', 'temperature_c', 'soc_pct', 'soh_pct']),
  );
});

test.each([
  [
    'zeros',
    [
      [0x351, '0000000000000000'],
      [0x355, '00000000'],
      [0x356, '000000000000'],
    ],
    'nothing but zeros',
  ],
  [
    'ones',
    [
      [0x351, 'ffffffffffffffff'],
      [0x355, '50006300'],
      [0x356, 'ffffffffffff'],
    ],
    'all ones',
  ],
  [
    '7FFF',
    [
      [0x355, '50006300'],
      [0x356, 'ff7fff7fff7f'],
    ],
    'all ones',
  ],
  [
    'a tenth of the voltage',
    [[0x351, '4010f401f401400c'], STATE_80, [0x356, 'b40f4600d200']],
    'charge limit of 416.0 V',
  ],
] as const)('%s: suspect, with the reason', async (name, frames, reason) => {
  const { good, why } = await sampledFrames(() => frames);
  expect(why.join()).toContain(reason);
  const doubted = name.startsWith('a tenth')
    ? /^(voltage|charge_voltage|discharge_voltage)/
    : /^(voltage|current|temperature|charge_voltage)/;
  expect(good.filter(metric => doubted.test(metric))).toEqual([]);
});

test('two masters with the same ids are found though the sampler hears the same one last each time', async () => {
  const { good, two } = await sampledFrames(() => [[0x355, '1a006300'], MEASURED, STATE_80, MEASURED]);
  expect(two).toBe('two devices answer in turn: state of charge 26 % and 80 %');
  expect(good).toEqual([]);
});
