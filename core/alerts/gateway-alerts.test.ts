/** Alerts of the gateway itself: what raises and clears each, what they say, and that none chatters. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../clock/manual-clock.ts';
import { runsOf } from '../testing/property-runs.ts';
import type { Alert } from './alert.ts';
import { GatewayAlerts } from './gateway-alerts.ts';
import { gatewayRules } from './gateway-rules.ts';
import { GatewayBench as Box, CHECK_MS } from './testing/gateway-bench.ts';
import { WELL_FROM_MS, well } from './testing/well-gateway.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const T0 = WELL_FROM_MS;

const unreachable = { state: 'down', reason: 'no route', code: 'UPSTREAM_UNREACHABLE' } as const;
const conflict = { state: 'down', reason: 'another one', code: 'UPSTREAM_IDENTITY_CONFLICT' } as const;
const up = { state: 'ok', reason: undefined, code: undefined } as const;
/** The same alert after a change. */
const after = (alert: Alert, fields: Partial<Alert>) => ({
  ...alert,
  ...fields,
  change: expect.any(String),
  changed_ms: expect.any(Number),
});
const brief = ({ rule_id, state, message }: Alert) => [rule_id, state, message];

test('a gateway that is well raises nothing, nor does one without a centre and without TLS', () => {
  const box = new Box();
  expect(box.pass(2 * HOUR_MS)).toEqual([]);
  box.parts = { ...well(), certificate: null };
  box.upstream({ state: 'off', counters: { batches: 0, last_seq: 0, lag_rows: 0 } });
  expect(box.pass(2 * HOUR_MS)).toEqual([]);
});

test('an alert is of no pack, has an id of its own, and ends under it', () => {
  const box = new Box();
  box.store({ fault: 'disk full' });
  const [raised] = box.pass(MINUTE_MS);
  expect(raised).toMatchObject({
    id: `storage_fault::${raised.raised_ms}`,
    rule_id: 'storage_fault',
    severity: 'critical',
    battery_id: null,
    pack_id: null,
    cell_no: null,
    value: null,
    threshold: null,
    unit: '',
    message: 'Readings are not stored: disk full',
    state: 'active',
    cleared_ms: null,
    raised_ms: T0 + 3 * CHECK_MS,
  });
  expect(box.active()).toEqual([raised]);
  box.store({ fault: undefined });
  const [cleared] = box.pass(2 * MINUTE_MS);
  const cleared_ms = expect.any(Number);
  expect(cleared).toEqual({
    ...raised,
    state: 'cleared',
    cleared_ms,
    change: 'cleared',
    changed_ms: cleared_ms,
  });
  expect(box.active()).toEqual([]);
});

test('what comes and goes within the delays is neither raised nor cleared', () => {
  const box = new Box();
  for (let i = 0; i < 40; i++) {
    box.store({ fault: i % 2 === 0 ? 'busy' : undefined });
    box.check();
  }
  expect(box.emitted).toEqual([]);
  box.store({ fault: 'busy' });
  expect(box.pass(MINUTE_MS)).toHaveLength(1);
  for (let i = 0; i < 40; i++) {
    box.store({ fault: i % 8 === 0 ? 'busy' : undefined });
    box.check();
  }
  expect(box.emitted).toHaveLength(1);
});

test('a conflict of identity raises an alert, and no second alert says that nothing is sent', () => {
  const box = new Box();
  box.upstream(conflict);
  const [raised, ...others] = box.pass(HOUR_MS);
  expect(raised).toMatchObject({ rule_id: 'upstream_identity_conflict', severity: 'critical' });
  expect(raised.message).toMatch(/^Nothing is sent: the centre knows another gateway/);
  expect(others).toEqual([]);
  box.upstream(unreachable);
  expect(box.pass(HOUR_MS)).toEqual([]);
  box.upstream(up);
  expect(box.pass(HOUR_MS)).toEqual([after(raised, { state: 'cleared', cleared_ms: expect.any(Number) })]);
});

test('a centre that took nothing for 15 minutes raises an alert, however often it answers', () => {
  const box = new Box();
  box.check();
  box.upstream({ ...unreachable, counters: { lag_rows: 7 } });
  expect(box.pass(14 * MINUTE_MS)).toEqual([]);
  box.upstream(up);
  box.check();
  box.upstream(unreachable);
  const message = 'Nothing was sent to the centre since 2026-01-01 12:00 UTC: no route';
  expect(box.pass(2 * MINUTE_MS).map(brief)).toEqual([['upstream_down', 'active', message]]);
  box.upstream({ ...up, counters: { batches: 11 } });
  expect(box.pass(MINUTE_MS).map(brief)).toEqual([['upstream_down', 'cleared', message]]);
});

test('a box without news for a connected centre is not one that sends nothing', () => {
  const box = new Box();
  box.check();
  expect(box.pass(HOUR_MS)).toEqual([]);
});

test('losses raise an alert with how many and since when, updated when they have doubled, and kept for an hour after the last', () => {
  const box = new Box();
  box.check();
  box.store({ readings_dropped: 10 });
  const [raised] = box.pass(2 * MINUTE_MS);
  const since = '2026-01-01 12:00 UTC';
  expect(raised).toMatchObject({
    rule_id: 'readings_lost',
    severity: 'critical',
    value: 10,
    message: `10 readings lost since ${since}: the disk did not take them`,
  });
  box.store({ readings_dropped: 15 });
  expect(box.pass(MINUTE_MS)).toEqual([]);
  box.store({ readings_dropped: 15, readings_removed_unsynced: 5 });
  const both = `20 readings lost since ${since}: the disk did not take them, and there was no room to keep them until the centre has them`;
  expect(box.pass(59 * MINUTE_MS)).toEqual([after(raised, { value: 20, message: both })]);
  expect(box.pass(2 * MINUTE_MS).map(brief)).toEqual([['readings_lost', 'cleared', both]]);
  box.store({ readings_dropped: 16 });
  expect(box.pass(2 * MINUTE_MS)[0]).toMatchObject({ value: 1, state: 'active' });
});

test('a full store raises an alert only where what is oldest would be lost', () => {
  const box = new Box();
  box.store({ used_bytes: 3.8e9 });
  expect(box.pass(HOUR_MS)).toEqual([]);
  box.store({ first_seq: 5001 });
  expect(box.pass(HOUR_MS)).toMatchObject([
    { rule_id: 'storage_nearly_full', severity: 'warning', value: 95, threshold: 90, unit: '%' },
  ]);
  box.store({ used_bytes: 3.5e9 });
  expect(box.pass(HOUR_MS)).toEqual([]);
  box.store({ used_bytes: 3.3e9 });
  expect(box.pass(HOUR_MS)).toMatchObject([{ rule_id: 'storage_nearly_full', state: 'cleared' }]);
});

test('a disk short of space raises an alert, whoever fills it, but not before it was measured', () => {
  const box = new Box();
  box.store({ used_bytes: 0, free_bytes: 0 });
  expect(box.pass(HOUR_MS)).toEqual([]);
  box.store({ used_bytes: 1e9, free_bytes: 70e6 });
  expect(box.pass(2 * MINUTE_MS)).toMatchObject([
    {
      message:
        'The disk is short of room: 70 MB are free; below 64 MB what is oldest in the store is removed',
      value: 70,
      threshold: 80,
      unit: 'MB',
    },
  ]);
});

test('databases in quarantine are named, and the alert is updated when there is another', () => {
  const box = new Box();
  box.store({ quarantined: ['a'] });
  const [raised] = box.pass(MINUTE_MS);
  expect(raised.message).toBe('A database that could not be read was quarantined: a');
  box.store({ quarantined: ['a', 'b'] });
  expect(box.pass(MINUTE_MS)).toEqual([
    after(raised, { message: '2 databases that could not be read were quarantined: a, b' }),
  ]);
  box.store({ quarantined: [] });
  expect(box.pass(2 * MINUTE_MS)).toMatchObject([{ state: 'cleared' }]);
});

test('damaged parts and rows that are gone raise the alert that a database in quarantine does', () => {
  const box = new Box();
  box.store({ parts_damaged: 1 });
  const [raised] = box.pass(MINUTE_MS);
  expect(raised).toMatchObject({ rule_id: 'storage_unreadable', severity: 'critical' });
  expect(raised.message).toBe('A part of the database cannot be read');
  box.store({ parts_damaged: 3 });
  expect(box.pass(MINUTE_MS)).toMatchObject([{ message: '3 parts of the database cannot be read' }]);
  box.store({ parts_damaged: 0 });
  expect(box.pass(2 * MINUTE_MS)).toMatchObject([{ state: 'cleared' }]);
  box.store({ lost: 'gateway.db is empty' });
  expect(box.pass(MINUTE_MS)).toMatchObject([
    { message: 'Stored readings are gone: gateway.db is empty', state: 'active' },
  ]);
});

test('a time that nobody vouches for raises an alert when it stays so', () => {
  const box = new Box();
  box.parts.clock = { state: 'degraded', reason: 'times are uncertain: not synchronised' };
  expect(box.pass(MINUTE_MS)).toEqual([]);
  expect(box.pass(2 * MINUTE_MS).map(brief)).toEqual([
    ['time_uncertain', 'active', 'Times are uncertain: not synchronised'],
  ]);
  box.parts.clock = { state: 'ok', reason: null };
  expect(box.pass(2 * MINUTE_MS)).toMatchObject([{ rule_id: 'time_uncertain', state: 'cleared' }]);
});

test('a certificate raises an alert two weeks before its end, updated at its end', () => {
  const box = new Box();
  const valid_until_ms = T0 + 14 * DAY_MS + HOUR_MS;
  box.parts = { ...well(), certificate: { valid_until_ms } };
  expect(box.pass(HOUR_MS - MINUTE_MS)).toEqual([]);
  const [raised] = box.pass(10 * MINUTE_MS);
  expect(raised).toMatchObject({
    rule_id: 'certificate_expiring',
    severity: 'warning',
    message: 'The certificate expires in 13 days, at 2026-01-15 13:00 UTC',
  });
  box.clock.advance(14 * DAY_MS);
  expect(box.pass(MINUTE_MS)).toEqual([
    after(raised, {
      message: 'The certificate expired at 2026-01-15 13:00 UTC: browsers refuse the page',
    }),
  ]);
  box.parts = well();
  expect(box.pass(2 * MINUTE_MS)).toMatchObject([{ id: raised.id, state: 'cleared' }]);
});

test('what was active goes on after a restart, and ends by its own rule', () => {
  const box = new Box();
  box.check();
  box.store({ readings_dropped: 10, fault: 'full' });
  box.upstream({ ...unreachable, counters: { lag_rows: 7 } });
  const raised = box.pass(20 * MINUTE_MS);
  expect(raised.map(alert => alert.rule_id).sort()).toEqual([
    'readings_lost',
    'storage_fault',
    'upstream_down',
  ]);
  expect(box.restart()).toEqual([]);
  // Counters begin at zero, and the centre is not yet asked.
  box.store({ readings_dropped: 0 });
  box.upstream({
    state: 'down',
    reason: 'connecting',
    code: undefined,
    counters: { batches: 0, last_seq: 0 },
  });
  expect(box.pass(59 * MINUTE_MS)).toEqual([]);
  box.store({ fault: undefined });
  box.upstream({ ...up, counters: { batches: 1, lag_rows: 0, last_seq: 5000 } });
  const ended = box.pass(2 * MINUTE_MS);
  expect(ended.map(({ id, state }) => `${id} ${state}`).sort()).toEqual(
    raised.map(({ id }) => `${id} cleared`).sort(),
  );
});

test('an alert that no rule answers for any more, or a second one of a rule, is unknown after a restart', () => {
  const box = new Box();
  box.store({ fault: 'full' });
  const [raised] = box.pass(MINUTE_MS);
  const alerts = new GatewayAlerts();
  const gone = { ...raised, id: 'x', rule_id: 'of_an_older_program' };
  const twice = { ...raised, id: 'y' };
  const changed: Alert[] = [];
  alerts.adopt([raised, gone, twice], 9, alert => changed.push(alert));
  const unknown = { state: 'active', unknown_since_ms: 9, change: 'unknown' };
  expect(changed).toMatchObject([
    { id: 'x', ...unknown },
    { id: 'y', ...unknown },
  ]);
  expect(alerts.book.all()).toHaveLength(3);
});

const weather = fc.array(
  fc.record({
    checks: fc.nat({ max: 300 }),
    fault: fc.option(fc.constantFrom('full', 'broken'), { nil: undefined }),
    quarantined: fc.subarray(['a', 'b']),
    lost: fc.constantFrom(undefined, undefined, 'it is empty'),
    parts_damaged: fc.constantFrom(0, 0, 1, 40),
    wal_held: fc.constantFrom(undefined, undefined, 'is read'),
    dropped: fc.constantFrom(0, 0, 0, 1, 1000),
    removed: fc.constantFrom(0, 0, 0, 1, 1000),
    used_bytes: fc.constantFrom(0, 1e9, 3.45e9, 3.7e9, 4e9),
    free_bytes: fc.constantFrom(1e6, 70e6, 90e6, 1e9),
    first_seq: fc.constantFrom(1000, 9000),
    centre: fc.constantFrom(unreachable, conflict, up, { ...up, state: 'degraded' as const }),
    sent: fc.nat({ max: 1 }),
    lag_rows: fc.constantFrom(0, 0, 50),
    is_certain: fc.boolean(),
    left_ms: fc.constantFrom(-1, DAY_MS, 13 * DAY_MS, 20 * DAY_MS),
    restart: fc.constantFrom(false, false, false, true),
  }),
  { maxLength: 25 },
);

test('whatever happens, each rule raises and clears in turn, ids are unique, and the list is what was emitted', () => {
  fc.assert(
    fc.property(weather, steps => {
      const box = new Box();
      for (const step of steps) {
        const { fault, quarantined, used_bytes, free_bytes, first_seq, centre, lag_rows, left_ms } = step;
        if (step.restart) {
          expect(box.restart()).toEqual([]);
          box.store({ readings_dropped: 0, readings_removed_unsynced: 0 });
        }
        const { readings_dropped, readings_removed_unsynced } = box.parts.store;
        box.store({
          fault,
          quarantined,
          used_bytes,
          free_bytes,
          first_seq,
          lost: step.lost,
          parts_damaged: step.parts_damaged,
          wal_held: step.wal_held,
          readings_dropped: readings_dropped + step.dropped,
          readings_removed_unsynced: readings_removed_unsynced + step.removed,
        });
        const batches = box.parts.upstream.counters.batches + step.sent;
        box.upstream({ ...centre, counters: { batches, lag_rows } });
        box.parts.clock = { state: step.is_certain ? 'ok' : 'degraded', reason: null };
        box.parts = { ...box.parts, certificate: { valid_until_ms: box.clock.wallMs() + left_ms } };
        box.pass(step.checks * CHECK_MS);
      }
      const newest = new Map<string, Alert>();
      for (const alert of box.emitted) {
        const before = newest.get(alert.rule_id);
        if (!before) expect(alert).toMatchObject({ state: 'active', change: 'raised', occurrences: 1 });
        else {
          // Nobody acknowledges here: it stays one alert, that comes and goes.
          expect(alert).toMatchObject({ id: before.id, raised_ms: before.raised_ms });
          const isAgain = before.state === 'cleared';
          expect(alert.change === 'recurred').toBe(isAgain);
          expect(alert.occurrences).toBe(before.occurrences + (isAgain ? 1 : 0));
        }
        newest.set(alert.rule_id, alert);
      }
      const active = [...newest.values()].filter(({ state }) => state === 'active');
      const ids = (alerts: Iterable<Alert>) => [...alerts].map(alert => alert.id).sort();
      expect(ids(box.active())).toEqual(ids(active));
    }),
    { numRuns: runsOf(200) },
  );
});

/** Neither quicker than its delays, whatever the input does at every check. */
test('no rule raises twice within the time that it takes to raise and to clear', () => {
  for (const { id, raise_after_ms, clear_after_ms, severity } of gatewayRules()) {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), found => {
        const clock = new ManualClock(T0);
        let i = 0;
        const find = () => (found[i] ? { message: 'x' } : undefined);
        const alerts = new GatewayAlerts([{ id, severity, raise_after_ms, clear_after_ms, find }]);
        const raised: number[] = [];
        for (; i < found.length; i++) {
          clock.advance(CHECK_MS);
          alerts.evaluate(well(), clock.wallMs(), clock.monoMs(), alert => {
            if (alert.state === 'active') raised.push(clock.monoMs());
          });
        }
        for (const [n, mono_ms] of raised.entries())
          if (n > 0) expect(mono_ms - raised[n - 1]).toBeGreaterThanOrEqual(raise_after_ms + clear_after_ms);
      }),
      { numRuns: runsOf(50) },
    );
  }
});
