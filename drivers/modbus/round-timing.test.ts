/** Rounds end just before the moments at which readings are taken, whenever the line began to be read. */
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import type { ModbusConnection } from './connections.ts';
import { RoundTiming } from './round-timing.ts';
import { type Bench, startVirtual } from './testing/line.ts';
import { fourCells, honest } from './testing/odd-device.ts';

const INTERVAL_MS = 1000;
/** Four requests of a unit, each with its pause. */
const GAP_MS = 20;
const ROUND_MS = 4 * GAP_MS;
/** The bench moves time by so much. */
const STEP_MS = 10;

interface Seen {
  /** Of the oldest value at each moment, by unit. */
  readonly ages_ms: number[][];
  /** Moments at which a unit had reported nothing new. */
  repeated: number;
}

/** What a sampler would see at each of the next moments. */
async function sample(bench: Bench, moments: number): Promise<Seen> {
  const seen: Seen = { ages_ms: bench.driver.packs.map(() => []), repeated: 0 };
  const revisions = bench.driver.packs.map(({ revision }) => revision);
  for (let i = 0; i < moments; i++) {
    await bench.run(INTERVAL_MS - (bench.clock.wallMs() % INTERVAL_MS));
    bench.driver.packs.forEach((state, unit) => {
      const reading = bench.snapshot(unit);
      state.agesInto(reading, bench.clock.monoMs());
      seen.ages_ms[unit].push(reading.oldest_age_ms);
      if (state.revision === revisions[unit]) seen.repeated++;
      revisions[unit] = state.revision;
    });
  }
  return seen;
}

function startUnits(units: number, phase_ms: number, settings: Partial<ModbusConnection> = {}): Bench {
  const bindings = Array.from({ length: units }, (_, i) => fourCells(i, i + 1));
  const clock = new ManualClock(Date.UTC(2026, 0, 1) + phase_ms);
  const bench = startVirtual(bindings, { gap_ms: GAP_MS, interval_ms: INTERVAL_MS, clock, ...settings });
  for (const i of bindings.keys()) bench.hub.attach('link', i + 1, honest);
  return bench;
}

/** What the units read from then on take, the margin of the whole line, and what the steps of the bench add. */
const youngest_ms = (units: number, after = units) =>
  after * ROUND_MS + 0.1 * units * ROUND_MS + 20 + 3 * STEP_MS;

test.each([0, 130, 500, 870, 990])(
  'five units on one line, begun %i ms after a moment: at each moment all have just been read',
  async phase_ms => {
    const bench = startUnits(5, phase_ms);
    await sample(bench, 3);
    const { ages_ms, repeated } = await sample(bench, 20);
    expect(repeated).toBe(0);
    for (const [unit, ages] of ages_ms.entries()) {
      // Read in turn: the first unit has waited for the others.
      expect(Math.max(...ages)).toBeLessThanOrEqual(youngest_ms(5, 5 - unit));
    }
    await bench.driver.stop();
  },
);

test('a unit that says nothing does not keep its neighbours from being read in time', async () => {
  const bench = startUnits(4, 420, { timeout_ms: 400, retries: 1 });
  await sample(bench, 3);
  bench.hub.attach('link', 2, () => undefined);
  await sample(bench, 40);
  const { ages_ms, repeated } = await sample(bench, 90);
  const others = ages_ms.filter((_, unit) => unit !== 1);
  // Of the silent one alone.
  expect(repeated).toBe(90);
  for (const ages of others) expect(Math.max(...ages)).toBeLessThanOrEqual(youngest_ms(4));
  await bench.driver.stop();
});

test('the wall clock may step either way: the rounds follow its moments', async () => {
  const bench = startUnits(3, 0);
  await sample(bench, 3);
  for (const step_ms of [400, -250, 86_400_123, -40_000_777]) {
    bench.clock.stepWall(step_ms);
    await sample(bench, 3);
    const { ages_ms, repeated } = await sample(bench, 5);
    expect([step_ms, repeated]).toEqual([step_ms, 0]);
    for (const ages of ages_ms) expect(Math.max(...ages)).toBeLessThanOrEqual(youngest_ms(3));
  }
  await bench.driver.stop();
});

test('one round a moment at most, and a line that is too slow for the interval is never idle', async () => {
  const bench = startUnits(1, 0, { gap_ms: 320 });
  await sample(bench, 3);
  const before = bench.driver.health().counters.rounds;
  await bench.run(60_000);
  const rounds = bench.driver.health().counters.rounds - before;
  // 1.28 s each.
  expect(rounds).toBeGreaterThanOrEqual(45);
  expect(rounds).toBeLessThanOrEqual(47);
  await bench.driver.stop();
  const quick = startUnits(1, 0);
  await sample(quick, 3);
  const { requests } = quick.driver.health().counters;
  await quick.run(60_000);
  expect(quick.driver.health().counters.requests - requests).toBe(4 * 60);
  await quick.driver.stop();
});

/** The lead after some turns of the whole line that took so long. */
function leadAfter(taken_ms: readonly number[]): number {
  const clock = new ManualClock(0);
  const timing = new RoundTiming(clock, INTERVAL_MS);
  // A turn is known to be whole when the next one begins.
  for (const took_ms of [...taken_ms, 0]) {
    clock.advance(INTERVAL_MS);
    const start_ms = timing.nextStart(clock.monoMs());
    timing.onRound(start_ms, start_ms, start_ms + took_ms);
  }
  return timing.lead_ms;
}

const turns = (count: number, took_ms: (turn: number) => number) =>
  Array.from({ length: count }, (_, i) => took_ms(i));

test('the lead is what the line takes, and follows it', () => {
  expect(leadAfter([100])).toBeCloseTo(130);
  expect(leadAfter([...turns(10, () => 100), ...turns(10, () => 300)])).toBeCloseTo(350);
  expect(leadAfter([...turns(10, () => 300), ...turns(32, () => 100)])).toBeCloseTo(130);
});

test('what takes longer now and then is allowed for where values are younger by it on the whole', () => {
  expect(leadAfter(turns(64, turn => (turn % 4 === 0 ? 250 : 100)))).toBeCloseTo(250 * 1.1 + 20);
  expect(leadAfter(turns(64, turn => (turn % 31 === 0 ? 250 : 100)))).toBeCloseTo(100 * 1.1 + 20);
});
