/** A line with more units than the interval has time for: what the account counts as fresh is what the wire said, to the row. */
import { afterEach, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { HOUR_MS } from '../../core/contract/completeness.ts';
import { silentLogger } from '../../core/log.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { createModbusDriver } from '../../drivers/modbus/modbus-driver.ts';
import { addressOf, fourCells, honest } from '../../drivers/modbus/testing/odd-device.ts';
import { VirtualModbusHub } from '../../drivers/modbus/virtual-link.ts';
import { createSqliteStore } from '../store/sqlite-store.ts';
import { smallTopology, storeOptions, temporaryDirectory } from '../store/testing/fixtures.ts';
import { CompletenessLedger } from './completeness.ts';
import { Sampler } from './sampler.ts';

const INTERVAL_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1, 12);
const STEP_MS = 500;
/** The block that a unit is asked for last in a round. */
const LAST_ADDRESS = 300;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An hour of so many units, each of whose four requests takes so long. */
async function hourOf(units: number, gap_ms: number) {
  const clock = new ManualClock(START_MS);
  const bindings = Array.from({ length: units }, (_, i) => ({
    ...fourCells(i, i + 1),
    pack_id: `p${String(i + 1).padStart(2, '0')}`,
  }));
  const small = smallTopology(units);
  const topology = { ...small, packs: small.packs.map((pack, i) => ({ ...pack, shape: bindings[i].shape })) };
  const hub = new VirtualModbusHub();
  /** By pack: the moments for which the wire had a whole round since the moment before. */
  const reported = bindings.map(() => new Set<number>());
  for (const i of bindings.keys())
    hub.attach('line', i + 1, pdu => {
      if (addressOf(pdu) === LAST_ADDRESS)
        reported[i].add(Math.floor(clock.wallMs() / INTERVAL_MS + 1) * INTERVAL_MS);
      return honest(pdu);
    });
  const directory = temporaryDirectory();
  cleanups.push(() => directory.remove());
  const store = createSqliteStore(storeOptions(directory.path));
  cleanups.push(() => store.close());
  await store.open(topology);
  const ledger = new CompletenessLedger({
    clock,
    log: silentLogger,
    topology,
    interval_ms: INTERVAL_MS,
    store,
  });
  await ledger.start();
  cleanups.push(() => ledger.stop());
  const driver = createModbusDriver(
    { id: 'line', type: 'virtual-modbus', gap_ms },
    bindings,
    { clock, log: silentLogger, interval_ms: INTERVAL_MS, onUpdate: () => {}, onLink: () => {} },
    hub,
  );
  const sampler = new Sampler({
    clock,
    interval_ms: INTERVAL_MS,
    packs: driver.packs.map(state => ({ state, judge: new PackJudge(state, plausibleLimits()) })),
    onReading: reading => {
      store.append(reading);
      ledger.received(reading.pack, reading.t_ms);
    },
    onMoment: () => {},
  });
  sampler.start();
  await driver.start();
  while (clock.wallMs() < START_MS + HOUR_MS + 20_000) {
    for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve));
    clock.advance(STEP_MS);
  }
  sampler.stop();
  await driver.stop();
  await ledger.settled();
  await store.flush();
  const span = { from_ms: START_MS, to_ms: START_MS + HOUR_MS };
  return { reported, account: await store.completeness(span), rows: await rowsOf(store, bindings, span) };
}

/** Of the hour, by pack: moments of the rows that are fresh and of those that are not, as they are stored. */
async function rowsOf(
  store: ReturnType<typeof createSqliteStore>,
  bindings: readonly { pack_id: string }[],
  span: { from_ms: number; to_ms: number },
): Promise<{ fresh: number[]; repeated: number[] }[]> {
  const rows = bindings.map(() => ({ fresh: [] as number[], repeated: [] as number[] }));
  const pack_ids = bindings.map(({ pack_id }) => pack_id);
  for (let after_seq: number | null = 0; after_seq !== null; ) {
    const form = { rows: 'pack', format: 'ndjson' } as const;
    const chunk = await store.exportChunk({ ...span, pack_ids, form, after_seq });
    for (const line of Buffer.from(chunk.text).toString().split('\n').filter(Boolean)) {
      const { t_ms, pack_id, is_repeated } = JSON.parse(line);
      const of_pack = rows[pack_ids.indexOf(pack_id)];
      (is_repeated ? of_pack.repeated : of_pack.fresh).push(t_ms);
    }
    after_seq = chunk.next_seq;
  }
  return rows;
}

test.each([
  ['a third more than there is time for', 4, 5000],
  ['two and a half times as much', 5, 7500],
  ['as much as just fits', 2, 7000],
])('%s', async (_, units, gap_ms) => {
  const { reported, account, rows } = await hourOf(units, gap_ms);
  expect(account).toHaveLength(units);
  for (const [i, { received, stored, repeated }] of account.entries()) {
    const { fresh, repeated: again } = rows[i];
    // Each row that is said to be fresh has a round of the wire of its own, each other one none.
    const first_ms = Math.min(...fresh, ...again);
    const on_the_wire = [...reported[i]].filter(t_ms => t_ms >= first_ms && t_ms < START_MS + HOUR_MS);
    expect(fresh).toEqual(on_the_wire);
    expect({ received, stored, repeated }).toEqual({
      received: fresh.length + again.length,
      stored: fresh.length + again.length,
      repeated: again.length,
    });
    const turn_ms = units * 4 * gap_ms;
    const wanted = turn_ms < INTERVAL_MS ? 0 : (fresh.length + again.length) * (1 - INTERVAL_MS / turn_ms);
    expect(Math.abs(again.length - wanted)).toBeLessThanOrEqual(3);
  }
});
