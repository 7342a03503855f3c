/** The driver over virtual units and time moved by hand: rounds, back-off, health, what units get wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { qualityLetters } from '../../core/reading/quality.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import type { PackBinding } from '../driver.ts';
import { createSunSpecImage } from './sunspec/sunspec-image.ts';
import { type Bench, bindingOf, startVirtual } from './testing/line.ts';
import type { UnitHandler } from './virtual-link.ts';

/** A unit whose cells all have the same voltage and whose pack has that many percent of charge. */
function unitOf(binding: PackBinding, soc_pct: number, cell_v = 3.3) {
  const { image, write } = createSunSpecImage(binding);
  const set = (soc: number) => {
    const reading = new PackReading(binding.pack, binding.shape);
    reading.values[PackMetric.soc_pct] = soc;
    reading.values[PackMetric.voltage_v] = 52.8;
    reading.column(CellMetric.voltage_v).fill(cell_v);
    write(reading);
  };
  set(soc_pct);
  return { image, set, answer: (pdu: Uint8Array) => image.answer(pdu) };
}

const soc = (bench: Bench, index = 0) => bench.snapshot(index).values[PackMetric.soc_pct];
const voltages = (bench: Bench) => qualityLetters(bench.snapshot(0).columnQuality(CellMetric.voltage_v));

/** Counts requests on their way to a unit. */
function counted(handler: UnitHandler): UnitHandler & { requests: number } {
  const count: UnitHandler & { requests: number } = Object.assign(
    (pdu: Uint8Array) => {
      count.requests++;
      return handler(pdu);
    },
    { requests: 0 },
  );
  return count;
}

test('each unit is read once per interval, and every round is one update', async () => {
  const bindings = [1, 2, 3].map(address => bindingOf({ pack: address - 1, cells: 8, address }));
  const bench = startVirtual(bindings);
  for (const [i, binding] of bindings.entries()) {
    bench.hub.attach('link', i + 1, unitOf(binding, 50 + i).answer);
  }
  await bench.run(500);
  const first = bench.updates.length;
  await bench.run(5000);
  expect(first).toBe(3);
  expect(bench.updates.length).toBe(first + 15);
  expect(bindings.map((_, i) => soc(bench, i))).toEqual([50, 51, 52]);
  expect(bench.driver.health()).toMatchObject({ state: 'up', counters: { rounds: 18, rounds_late: 0 } });
  await bench.driver.stop();
});

test('a dead unit costs its neighbours one time-out per back-off, and less and less often', async () => {
  const bindings = [1, 2].map(address => bindingOf({ pack: address - 1, cells: 8, address }));
  const bench = startVirtual(bindings, { timeout_ms: 500, retries: 1 });
  bench.hub.attach('link', 1, unitOf(bindings[0], 40).answer);
  const dead = counted(() => undefined);
  bench.hub.attach('link', 2, dead);
  await bench.run(120_000);
  // 1 s, 2 s, 4 s ... 32 s: seven periods within two minutes, and one repeat at the very first.
  expect(dead.requests).toBe(8);
  expect(bench.driver.health().counters).toMatchObject({ retries: 1, timeouts: 8 });
  expect(bench.updates.filter(pack => pack === 0).length).toBeGreaterThan(118);
  const [alive, silent] = bench.driver.health().packs;
  expect(alive.state).toBe('up');
  expect(silent.state).toBe('down');
  expect(silent.reason).toMatch(
    /^unit 2 at virtual link link: no reply within 500 ms for registers 40000 to 40001 \(FC03\)$/,
  );
  expect(bench.driver.health()).toMatchObject({ state: 'degraded' });
  await bench.driver.stop();
});

test('a unit that comes back is read again by itself', async () => {
  const binding = bindingOf({ cells: 8 });
  const bench = startVirtual([binding]);
  const unit = unitOf(binding, 60);
  let detach = bench.hub.attach('link', 1, unit.answer);
  await bench.run(1500);
  detach();
  await bench.run(30_000);
  expect(bench.driver.health().packs[0].state).toBe('down');
  expect(voltages(bench)).toBe('ssssssss');
  unit.set(61);
  detach = bench.hub.attach('link', 1, unit.answer);
  await bench.run(40_000);
  expect(bench.driver.health()).toMatchObject({ state: 'up', reason: undefined });
  expect(soc(bench)).toBe(61);
  expect(voltages(bench)).toBe('gggggggg');
  const states = bench.events.filter(({ pack }) => pack === 0).map(({ state }) => state);
  expect(states).toEqual(['up', 'down', 'up']);
  detach();
  await bench.driver.stop();
});

test('fewer cells than configured: those are missing, and the reason names both numbers', async () => {
  const bench = startVirtual([bindingOf({ cells: 10 })]);
  bench.hub.attach('link', 1, unitOf(bindingOf({ cells: 8 }), 50).answer);
  await bench.run(500);
  expect(voltages(bench)).toBe('ggggggggmm');
  expect(bench.driver.health().packs[0]).toMatchObject({
    state: 'degraded',
    reason: 'unit 1 at virtual link link: 8 cells in model 805, 10 configured',
  });
  await bench.driver.stop();
});

test('more cells than configured: the rest is counted and left out', async () => {
  const bench = startVirtual([bindingOf({ cells: 6 })]);
  bench.hub.attach('link', 1, unitOf(bindingOf({ cells: 8 }), 50).answer);
  await bench.run(500);
  expect(voltages(bench)).toBe('gggggg');
  expect(bench.driver.health()).toMatchObject({ state: 'degraded', counters: { cells_ignored: 2 } });
  await bench.driver.stop();
});

test('a unit exchanged for one with fewer cells is discovered again, and old cells do not linger', async () => {
  const bench = startVirtual([bindingOf({ cells: 8 })]);
  bench.hub.attach('link', 1, unitOf(bindingOf({ cells: 8 }), 50).answer);
  await bench.run(1500);
  bench.hub.attach('link', 1, unitOf(bindingOf({ cells: 5 }), 51).answer);
  await bench.run(5000);
  expect(voltages(bench)).toBe('gggggmmm');
  expect(soc(bench)).toBe(51);
  expect(bench.driver.health().counters).toMatchObject({ discoveries: 2 });
  await bench.driver.stop();
});

test('many cells are read in several requests, and a scale factor that moves meanwhile spoils nothing', async () => {
  const binding = bindingOf({ cells: 100 });
  const bench = startVirtual([binding]);
  const low = unitOf(binding, 50, 3.3);
  // 8 V needs a coarser scale factor, as a device may choose at run time.
  const high = unitOf(binding, 50, 8);
  let requests = 0;
  const seen = new Set<number>();
  bench.hub.attach('link', 1, pdu => {
    requests++;
    return (requests % 7 < 3 ? low : high).answer(pdu);
  });
  for (let i = 0; i < 40; i++) {
    await bench.run(500);
    for (const value of bench.snapshot(0).column(CellMetric.voltage_v)) {
      if (!Number.isNaN(value)) seen.add(Math.round(value * 10) / 10);
    }
  }
  for (const value of seen) expect([3.3, 8]).toContain(value);
  expect(bench.driver.health().counters.retries).toBeGreaterThan(0);
  await bench.driver.stop();
});

test('a refused model costs its own values only', async () => {
  const binding = bindingOf({ cells: 8 });
  const bench = startVirtual([binding]);
  const unit = unitOf(binding, 50);
  let refused = false;
  bench.hub.attach('link', 1, pdu => {
    const address = (pdu[1] << 8) | pdu[2];
    return refused && address === 40_134 ? Uint8Array.of(0x83, 4) : unit.answer(pdu);
  });
  await bench.run(500);
  refused = true;
  unit.set(49);
  await bench.run(1000);
  expect(soc(bench)).toBe(49);
  expect(bench.driver.health().packs[0]).toMatchObject({
    state: 'degraded',
    reason: expect.stringMatching(
      /^unit 1 at virtual link link: model 803 refused by the unit: exception 04 \(device failure\) for registers 40134 to \d+ \(FC03\)$/,
    ),
  });
  await bench.driver.stop();
});

test('a busy unit is asked again soon; one behind a gateway that cannot reach it is left alone', async () => {
  const binding = bindingOf({ cells: 8 });
  const unit = unitOf(binding, 50);
  const busy = startVirtual([binding]);
  let asked = 0;
  busy.hub.attach('link', 1, pdu => (asked++ === 0 ? Uint8Array.of(0x83, 6) : unit.answer(pdu)));
  await busy.run(300);
  expect(busy.driver.health()).toMatchObject({ state: 'up', counters: { retries: 1, exceptions: 1 } });
  await busy.driver.stop();

  const offline = startVirtual([binding]);
  const gateway = counted(() => Uint8Array.of(0x83, 0x0b));
  offline.hub.attach('link', 1, gateway);
  await offline.run(6500);
  expect(gateway.requests).toBe(3);
  expect(offline.driver.health().packs[0].reason).toBe(
    'unit 1 at virtual link link: exception 0B (gateway target did not respond) for registers 40000 to 40001 (FC03)',
  );
  await offline.driver.stop();
});

test('a link too slow for its units drops rounds, counts them and does not pile up', async () => {
  const bindings = [1, 2, 3, 4].map(address => bindingOf({ pack: address - 1, cells: 8, address }));
  const bench = startVirtual(bindings, { gap_ms: 200, interval_ms: 1000 });
  for (const [i, binding] of bindings.entries()) {
    bench.hub.attach('link', i + 1, unitOf(binding, 50).answer);
  }
  await bench.run(60_000);
  const { counters } = bench.driver.health();
  // Three requests a round, 200 ms each: four units need 2.4 s.
  expect(counters.rounds).toBeGreaterThan(60);
  expect(counters.rounds).toBeLessThan(100);
  expect(counters.rounds_late).toBeGreaterThan(90);
  expect(counters.jobs_refused).toBe(0);
  for (const pack of bench.driver.health().packs) expect(pack.state).toBe('up');
  await bench.driver.stop();
});

test('stop is safe at any moment, also twice and before start', async () => {
  for (const ms of [0, 5, 20, 300, 1200]) {
    const binding = bindingOf({ cells: 8 });
    const bench = startVirtual([binding]);
    if (ms !== 300) bench.hub.attach('link', 1, unitOf(binding, 50).answer);
    await bench.run(ms);
    await Promise.all([bench.driver.stop(), bench.driver.stop()]);
    await bench.driver.stop();
    expect(bench.driver.health()).toMatchObject({ state: 'stopped', packs: [{ state: 'stopped' }] });
    expect(bench.clock.pendingTimers).toBe(0);
    const updates = bench.updates.length;
    await bench.run(5000);
    expect(bench.updates.length).toBe(updates);
  }
});

test('a profile without a SunSpec section is refused at start, by name', async () => {
  const binding = bindingOf({ cells: 8 });
  const bench = startVirtual([{ ...binding, profile: { ...binding.profile, sunspec: undefined } }]);
  await expect(bench.run(0)).rejects.toMatchObject({ code: 'PROFILE_INVALID' });
  await bench.driver.stop();
});

test('whatever a unit answers, the driver goes on, and shows nothing that is not finite', async () => {
  const binding = bindingOf({ cells: 8 });
  const unit = unitOf(binding, 50);
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.constant('good' as const),
          fc.constant('silence' as const),
          fc.uint8Array({ minLength: 0, maxLength: 254 }),
          fc.tuple(fc.nat(250), fc.nat(255)),
        ),
        { minLength: 5, maxLength: 80 },
      ),
      async script => {
        const bench = startVirtual([binding], { timeout_ms: 100, interval_ms: 100 });
        let step = 0;
        bench.hub.attach('link', 1, pdu => {
          const action = script[step++] ?? 'good';
          const good = unit.answer(pdu);
          if (action === 'good') return good;
          if (action === 'silence') return undefined;
          if (action instanceof Uint8Array) return action;
          good[action[0] % good.length] = action[1];
          return good;
        });
        await bench.run(3000);
        for (const reading of [bench.snapshot(0)]) {
          for (const [m, value] of reading.values.entries()) {
            expect(Number.isNaN(value)).toBe(reading.value_quality[m] === 0);
          }
        }
        await bench.driver.stop();
        expect(bench.clock.pendingTimers).toBe(0);
      },
    ),
    { numRuns: runsOf(40) },
  );
});
