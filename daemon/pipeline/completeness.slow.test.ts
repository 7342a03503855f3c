/** The account of readings over a real store: whole hours, restarts, absences, losses and clocks that step. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sleep } from '../../core/clock/clock.ts';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { HOUR_MS } from '../../core/contract/completeness.ts';
import { silentLogger } from '../../core/log.ts';
import { createSqliteStore } from '../store/sqlite-store.ts';
import type { LogSource, Store } from '../store/store.ts';
import {
  numberedReading,
  smallTopology,
  storeOptions,
  temporaryDirectory,
} from '../store/testing/fixtures.ts';
import { CompletenessLedger } from './completeness.ts';
import { TestBox, TRUE_START_MS } from './testing/clock-box.ts';

const INTERVAL_MS = 60_000;
const topology = smallTopology(2);
const START_MS = Date.UTC(2026, 0, 1, 12);
const hour = (n: number) => START_MS + n * HOUR_MS;

let directory: ReturnType<typeof temporaryDirectory>;
let store: Store & LogSource;
let clock: ManualClock;
let ledger: CompletenessLedger;

async function open(keep_unsynced = false): Promise<void> {
  store = createSqliteStore(storeOptions(directory.path, { keep_unsynced }));
  await store.open(topology);
  ledger = new CompletenessLedger({ clock, log: silentLogger, topology, interval_ms: INTERVAL_MS, store });
  await ledger.start();
}

async function close(): Promise<void> {
  await ledger.stop();
  await store.close();
}

beforeEach(async () => {
  directory = temporaryDirectory();
  clock = new ManualClock(START_MS);
  await open();
});
afterEach(async () => {
  await close();
  directory.remove();
});

/** Moments pass; at each the packs of `speaking` are read. Readings of `lost` never reach the store. */
async function run(
  moments: number,
  speaking = [0, 1],
  lost: readonly number[] = [],
  isRepeated: (i: number) => boolean = () => false,
): Promise<void> {
  for (let i = 0; i < moments; i++) {
    const t_ms = Math.floor(clock.wallMs() / INTERVAL_MS) * INTERVAL_MS;
    for (const pack of speaking) {
      const reading = numberedReading(topology, pack, i, t_ms);
      reading.is_repeated = isRepeated(i);
      if (!lost.includes(pack)) store.append(reading);
      ledger.received(pack, t_ms);
    }
    clock.advance(INTERVAL_MS);
  }
  await settle();
}

/** Until the ledger, whose timers fire by the manual clock, has had its answers from the worker threads. */
async function settle(): Promise<void> {
  clock.advance(20_000);
  await ledger.settled();
}

const report = async (from = -1000, to = 1000) =>
  (await store.completeness({ from_ms: hour(from), to_ms: hour(to) })).map(
    ({ hour_ms, pack_id, expected, received, stored, synced }) =>
      `${(hour_ms - START_MS) / HOUR_MS} ${pack_id} ${expected} ${received} ${stored} ${synced}`,
  );

test('a whole hour, a silent pack, and readings lost on the way to the disk', async () => {
  await run(40);
  await run(10, [0]);
  await run(10, [0, 1], [0]);
  expect(await report()).toEqual(['0 p01 60 60 50 null', '0 p02 60 50 50 null']);
});

test('readings that only repeat the one before are counted apart, whatever reads them', async () => {
  await run(60, [0, 1], [1], i => i % 3 === 2);
  const [first, second] = await store.completeness({ from_ms: hour(-1), to_ms: hour(1) });
  expect(first).toMatchObject({ pack_id: 'p01', received: 60, stored: 60, repeated: 20 });
  expect(second).toMatchObject({ pack_id: 'p02', received: 60, stored: 0, repeated: 0 });
});

test('an hour that is not over is not reported', async () => {
  await run(30);
  expect(await report()).toEqual([]);
});

test('a restart within the hour and hours of absence are reported at the next start', async () => {
  await run(30);
  await close();
  clock.advance(3 * HOUR_MS);
  await open();
  await settle();
  expect(await report()).toEqual([
    ...['0 p01 60 30 30 null', '0 p02 60 30 30 null', '1 p01 60 0 0 null', '1 p02 60 0 0 null'],
    ...['2 p01 60 0 0 null', '2 p02 60 0 0 null'],
  ]);
});

test('the first hour of a pack begins when it was configured', async () => {
  await close();
  directory.remove();
  directory = temporaryDirectory();
  clock.advance(45 * INTERVAL_MS);
  await open();
  await run(15);
  expect(await report()).toEqual(['0 p01 15 15 15 null', '0 p02 15 15 15 null']);
});

test('a clock set back by hours has its hours reported again, the last account counts', async () => {
  await run(60);
  await run(60);
  clock.stepWall(-2 * HOUR_MS);
  await run(60, [0]);
  const reported = await report();
  expect(reported).toHaveLength(4);
  expect(reported.filter(line => line.startsWith('0 p01'))).toEqual([
    expect.stringMatching(/^0 p01 60 1\d\d 1\d\d/),
  ]);
});

test('what the centre has is reported for hours that are there wholly, partly, and not at all', async () => {
  await close();
  await open(true);
  await run(60);
  await run(60);
  const batch = await store.readBatch(0, 100_000, 1 << 30);
  const records = [...batch.seq].filter((_, i) => batch.kind[i] === 5);
  expect(records).toHaveLength(2);
  store.markSynced(records[0] + 20);
  const reported = await report();
  expect(reported.slice(0, 2)).toEqual(['0 p01 60 60 60 60', '0 p02 60 60 60 60']);
  const [first, second] = reported.slice(2).map(line => Number(line.split(' ')[5]));
  expect(first + second).toBeGreaterThan(0);
  expect(first + second).toBeLessThan(40);
});

test('hours of a boot that learned the time late are those it really was', async () => {
  const box = new TestBox();
  let own: CompletenessLedger | undefined;
  await box.boot(0, { onCorrected: corrections => own?.corrected(corrections) });
  const { watched, store: stored } = box;
  own = new CompletenessLedger({
    clock: watched,
    log: silentLogger,
    topology: box.topology,
    interval_ms: 2000,
    store: stored,
    isPlausible: () => box.keeper.isPlausible,
  });
  await own.start();
  const read = async (count: number) => {
    for (let i = 0; i < count; i += 100) {
      box.read(100, t_ms => own?.received(0, t_ms));
      await box.settle();
    }
  };
  await read(1700);
  const span = { from_ms: 0, to_ms: TRUE_START_MS + 100 * HOUR_MS };
  expect(await stored.completeness(span)).toEqual([]);
  box.synchronise();
  await read(500);
  const give_up_ms = systemClock.monoMs() + 20_000;
  while ((await stored.completeness(span)).length === 0 && systemClock.monoMs() < give_up_ms) {
    box.clock.advance(1000);
    await sleep(systemClock, 20);
  }
  await own.stop();
  expect(await stored.completeness(span)).toEqual([
    {
      hour_ms: TRUE_START_MS,
      pack_id: 'p01',
      synced: null,
      expected: 1800,
      received: 1800,
      stored: 1800,
      repeated: 0,
    },
  ]);
  await box.remove();
});
