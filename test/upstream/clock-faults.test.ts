/** Records of the clock over a connection that breaks at COMMIT, to a real PostgreSQL: each counts once. */
import { expect, test } from 'vitest';
import { HOUR_MS } from '../../core/contract/completeness.ts';
import { TestBox, TRUE_START_MS } from '../../daemon/pipeline/testing/clock-box.ts';
import { someAlert } from '../../daemon/store/testing/fixtures.ts';
import { caughtUp, hastyClock, until, useCentre } from './harness.ts';
import { type CutAtCommit, startWireProxy } from './wire-proxy.ts';

const centre = useCentre();

test.each<CutAtCommit>(['before', 'after'])(
  'the connection breaks again and again %s COMMIT is done',
  async how => {
    const proxy = await startWireProxy(centre.postgres.port);
    centre.after(() => proxy.close());
    const box = new TestBox({ keep_unsynced: true, span_rows: 25 });
    centre.after(() => box.remove());
    await box.boot(0);
    box.read(20);
    box.store.appendAlert(someAlert('early', 20_000));
    await box.store.flush();
    const database_url = centre.url.replace(String(centre.postgres.port), String(proxy.port));
    const upstream = centre.follow(box.store, { database_url, batch_rows: 6, clock: hastyClock });
    await caughtUp(upstream, box.store);
    const query = <R extends object>(sql: string) => centre.query<R & Record<string, unknown>>(sql);
    expect(await query('SELECT first_seq::int, last_seq FROM clock_uncertain')).toEqual([
      { first_seq: 2, last_seq: null },
    ]);

    // Each era of this boot is corrected by another amount, and each in a transaction of its own.
    const wall_ms: number[] = Array.from({ length: 20 }, () => 0);
    for (const step_ms of [5 * HOUR_MS, -2 * HOUR_MS, 30 * HOUR_MS]) {
      box.clock.stepWall(step_ms);
      wall_ms.push(...Array.from({ length: 10 }, () => box.clock.wallMs() - box.clock.monoMs()));
      box.read(10);
    }
    if (how === 'before') {
      await box.store.flush();
      await caughtUp(upstream, box.store);
      proxy.cutCommits(how, 5);
    }
    box.synchronise();
    box.read(10);
    await box.settle();
    await box.store.flush();
    // Of every connection that comes about the first COMMIT breaks, until all is there.
    let connects = 0;
    await until(() => {
      const { counters, state } = upstream.status();
      if (how === 'after' && counters.connects !== connects) proxy.cutCommits(how, 1);
      connects = counters.connects;
      return state === 'ok' && counters.last_seq === box.store.durableSeq();
    });
    expect(proxy.cuts).toBeGreaterThanOrEqual(5);

    const found = await query(
      `SELECT round(p.voltage_v * 100)::int AS n, (extract(epoch FROM r.ts) * 1000)::float8 AS true_ms,
       r.time_certain, r.time_corrected_ms::float8
     FROM readings r JOIN pack_readings p ON p.gateway_id = r.gateway_id AND p.ts = r.ts
     WHERE r.cell_id = 'p01/c01' ORDER BY p.seq`,
    );
    expect(found).toEqual(
      box.taken.map(({ n, true_ms }) => ({
        n,
        true_ms,
        time_certain: true,
        time_corrected_ms: TRUE_START_MS - (wall_ms[n] ?? TRUE_START_MS),
      })),
    );
    expect(await query('SELECT * FROM clock_uncertain')).toEqual([]);
    expect(await query('SELECT readings::int FROM clock_corrections ORDER BY seq')).toEqual(
      [20, 10, 10, 10].map(readings => ({ readings })),
    );
    expect(await query('SELECT at FROM alert_events')).toEqual([{ at: new Date(TRUE_START_MS + 20_000) }]);
  },
);
