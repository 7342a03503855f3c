/** Pages of alerts: SQLite answers as a list in memory does, and pages together are the whole. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Alert } from '../../../core/alerts/alert.ts';
import { systemClock } from '../../../core/clock/system-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { createSqliteStore } from '../sqlite-store.ts';
import type { AlertRequest, Store } from '../store.ts';
import { smallTopology, someAlert } from '../testing/fixtures.ts';
import { alertPage } from './alert-page.ts';

const T0 = 1_700_000_000_000;
/** Null: of the gateway itself. */
const BATTERIES = ['b1', 'b2', 'b3', null];
const SEVERITIES = ['critical', 'warning', 'info'] as const;

/** Several at the same moment, as a wire that breaks brings them. */
const ALERTS: Alert[] = Array.from({ length: 60 }, (_, i) => ({
  ...someAlert(`alert-${String((i * 37) % 60).padStart(2, '0')}`, T0 + Math.floor(i / 7) * 1000),
  battery_id: BATTERIES[i % 4]!,
  pack_id: i % 4 === 3 ? null : `p${i % 5}`,
  severity: SEVERITIES[i % 2]!,
  ...(i % 5 === 0 && { state: 'cleared' as const, cleared_ms: T0 + 99_000 }),
}));

let directory: string;
let store: Store;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alerts-'));
  store = createSqliteStore({
    directory,
    commit_interval_ms: 1000,
    retention_days: 30,
    clock: systemClock,
    log: silentLogger,
  });
  await store.open(smallTopology(1));
  for (const alert of ALERTS) store.appendAlert(alert);
  await store.flush();
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const optional = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined });
const moment = fc.integer({ min: T0 - 1000, max: T0 + 10_000 });
const request: fc.Arbitrary<AlertRequest> = fc.record({
  state: fc.constantFrom('active', 'cleared', 'all'),
  limit: fc.integer({ min: 1, max: 20 }),
  battery_ids: optional(fc.subarray([...BATTERIES, 'none'])),
  pack_id: optional(fc.constantFrom('p0', 'p3', 'none')),
  severity: optional(fc.constantFrom(...SEVERITIES)),
  from_ms: optional(moment),
  to_ms: optional(moment),
  after: optional(fc.constantFrom(...ALERTS, { raised_ms: T0 + 2500, id: 'between' })),
});

test('any request is answered as from a list in memory', async () => {
  await fc.assert(
    fc.asyncProperty(request, async asked => {
      expect(await store.alerts(asked)).toEqual(alertPage(ALERTS, asked));
    }),
    { numRuns: runsOf(60) },
  );
});

test('page after page gives every alert once, newest first', async () => {
  const seen: Alert[] = [];
  for (let after: Alert | undefined; ; after = seen.at(-1)) {
    const page = await store.alerts({ state: 'all', limit: 7, after });
    seen.push(...page);
    if (page.length < 7) break;
  }
  expect(seen).toEqual(alertPage(ALERTS, { state: 'all', limit: 1000 }));
  expect(seen).toHaveLength(ALERTS.length);
});
