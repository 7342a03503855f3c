/** Rules over what is stored: what the engine raised when the readings came, wherever they stand now. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Alert } from '../../../core/alerts/alert.ts';
import { AlertEngine } from '../../../core/alerts/engine.ts';
import type { ThresholdRule } from '../../../core/alerts/rule.ts';
import { MAX_LISTED, RuleReplay } from '../../../core/alerts/rule-replay.ts';
import { makeRule } from '../../../core/alerts/testing/make-rule.ts';
import { CellMetric } from '../../../core/metrics.ts';
import type { PackReading } from '../../../core/reading/pack-reading.ts';
import { createSqliteStore, STORE_FILE } from '../sqlite-store.ts';
import type { LogSource, RuleReplayRequest, Store } from '../store.ts';
import { numberedReading, smallTopology, storeOptions, temporaryDirectory } from '../testing/fixtures.ts';

const T0 = Date.UTC(2026, 0, 7);
const SILENT_MS = 15_000;
const topology = smallTopology(2, 4);
const at = (critical: number, fields: Partial<ThresholdRule> = {}) => [
  makeRule({ limits: [{ critical, hysteresis: 0.05, from: 'default' }], ...fields }),
];

function readingAt(pack: number, second: number, highest_v: number): PackReading {
  const reading = numberedReading(topology, pack, second, T0 + second * 1000);
  reading.column(CellMetric.voltage_v)[2] = highest_v;
  return reading;
}

let directory: ReturnType<typeof temporaryDirectory>;
let store: Store & LogSource;
beforeEach(async () => {
  directory = temporaryDirectory();
  store = createSqliteStore({ ...storeOptions(directory.path), span_rows: 400 });
  await store.open(topology);
});
afterEach(async () => {
  await store.close();
  directory.remove();
});

const request = (fields: Partial<RuleReplayRequest> = {}): RuleReplayRequest => ({
  topology,
  before: at(3.65),
  after: at(3.5),
  packs: [0, 1],
  silent_after_ms: SILENT_MS,
  from_ms: T0,
  to_ms: T0 + 1e7,
  limit_ms: 10_000,
  ...fields,
});
const replay = (fields: Partial<RuleReplayRequest> = {}, signal = new AbortController().signal) =>
  store.replayRules(request(fields), signal);

/** So that both ways are tried. */
function archivedChunks(): number {
  const db = new Database(join(directory.path, STORE_FILE), { readonly: true });
  const count = db.prepare<[], number>('SELECT count(*) FROM chunks').pluck().get() ?? 0;
  db.close();
  return count;
}

/** One hump of each pack: to 3.6 V after 500 s for 100 s, and to 3.7 V of the first after 1500 s. */
async function fill(seconds = 2000): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    for (const pack of [0, 1]) {
      const isHigh = second >= 1500 && second < 1600 && pack === 0;
      const isRaised = second >= 500 && second < 600;
      store.append(readingAt(pack, second, isHigh ? 3.7 : isRaised ? 3.6 : 3.3));
    }
    if (second % 200 === 0) await store.flush();
  }
  await store.flush();
}

test('both sets of rules judge the same readings, from the archive and from the log', async () => {
  await fill();
  const found = await replay();
  expect(archivedChunks()).toBeGreaterThan(5);
  expect(found).toMatchObject({
    is_whole: true,
    readings: 4000,
    undecodable: 0,
    first_ms: T0,
    last_ms: T0 + 1999_000,
  });
  const spans = ({ alerts }: typeof found.before) =>
    alerts
      .map(({ pack_id, raised_ms, cleared_ms }) => `${pack_id} ${raised_ms - T0} ${(cleared_ms ?? 0) - T0}`)
      .sort();
  expect(spans(found.before)).toEqual(['p01 1500000 1600000']);
  expect(spans(found.after)).toEqual(['p01 1500000 1600000', 'p01 500000 600000', 'p02 500000 600000']);
  expect(found.after.alerts[0]).toMatchObject({
    cell_no: 3,
    severity: 'critical',
    message: 'Cell 3: cell voltage 3.7 V is above 3.5 V',
  });
});

test('a span, packs and rules that are the same bound what is looked at', async () => {
  await fill(600);
  const part = await replay({ from_ms: T0 + 100_000, to_ms: T0 + 200_000, packs: [1] });
  expect(part).toMatchObject({ readings: 100, first_ms: T0 + 100_000, last_ms: T0 + 199_000 });
  expect((await replay({ after: at(3.65) })).after.count).toBe(0);
  const none = await replay({ from_ms: T0 - 5000, to_ms: T0 });
  expect(none).toMatchObject({ readings: 0, first_ms: null, last_ms: null, is_whole: true });
});

test('it ends when its time is over, when nobody waits any more, and when another one begins', async () => {
  await fill();
  const late = await replay({ limit_ms: 0 });
  expect(late).toMatchObject({ is_whole: false });
  expect(late.readings).toBeLessThan(4000);
  const gone = new AbortController();
  gone.abort();
  expect((await replay({}, gone.signal)).is_whole).toBe(false);
  const [first, second] = await Promise.all([replay(), replay()]);
  expect([first.is_whole, second.is_whole]).toEqual([false, true]);
});

test('others are answered while it goes on', async () => {
  await fill();
  const order: string[] = [];
  const replaying = replay().then(() => order.push('replay'));
  await store.documents.list('any').then(() => order.push('list'));
  await replaying;
  expect(order).toEqual(['list', 'replay']);
});

test('a replay raises what the engine raised when the readings came', () => {
  const level = fc.constantFrom(3.3, 3.48, 3.55, 3.62, 3.7);
  const run = fc.record({
    level,
    seconds: fc.integer({ min: 1, max: 40 }),
    gap_s: fc.constantFrom(0, 0, 4, 60),
  });
  const times = fc.record({ raise: fc.constantFrom(0, 5000, 20_000), clear: fc.constantFrom(0, 8000) });
  const latch = fc.boolean();
  fc.assert(
    fc.property(fc.array(run, { maxLength: 30 }), times, latch, (runs, { raise, clear }, isLatched) => {
      const rules = at(3.6, { critical_after_ms: raise, clear_after_ms: clear, latch: isLatched });
      const replayed = new RuleReplay(topology, rules, SILENT_MS);
      const engine = new AlertEngine(topology, rules, {
        silent_after_ms: SILENT_MS,
        deviceAlarmLabel: () => '',
      });
      const raised: number[] = [];
      const emit = ({ change, rule_id, occurred_ms }: Alert) => {
        const isBegun = change === 'raised' || change === 'recurred';
        if (isBegun && rule_id === 'cell_voltage_high') raised.push(occurred_ms);
      };
      let second = 0;
      for (const { level: highest_v, seconds, gap_s } of runs) {
        for (let i = 1; i <= gap_s; i++, second++) {
          const t_ms = T0 + second * 1000;
          engine.evaluate(0, { silent_ms: i * 1000 }, t_ms, t_ms, emit);
        }
        for (let i = 0; i < seconds; i++, second++) {
          const reading = readingAt(0, second, highest_v);
          reading.mono_ms = reading.t_ms;
          engine.evaluate(0, { reading }, reading.t_ms, reading.t_ms, emit);
          replayed.take(0, reading, reading.t_ms);
        }
      }
      const { count, alerts } = replayed.result();
      expect(alerts.map(({ raised_ms }) => raised_ms).reverse()).toEqual(raised);
      expect(count).toBe(raised.length);
    }),
  );
});

test('of very many the newest are listed, and all are counted', () => {
  const replayed = new RuleReplay(topology, at(3.6), SILENT_MS);
  const changes = 2 * (MAX_LISTED + 50);
  for (let n = 0; n < changes; n++) {
    const reading = readingAt(0, n, n % 2 === 0 ? 3.7 : 3.3);
    replayed.take(0, reading, reading.t_ms);
  }
  const { count, alerts } = replayed.result();
  expect([count, alerts.length]).toEqual([changes / 2, MAX_LISTED]);
  expect(alerts[0]).toMatchObject({
    raised_ms: T0 + (changes - 2) * 1000,
    cleared_ms: T0 + (changes - 1) * 1000,
  });
  expect(alerts.every(({ cleared_ms }) => cleared_ms !== null)).toBe(true);
});
