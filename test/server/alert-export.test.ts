/** Occurrences of alerts as CSV, read by Python's csv module. */
import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildApp } from '../../daemon/server/app.ts';
import type { App, ServerContext } from '../../daemon/server/options.ts';
import {
  addTestUsers,
  makeTestSite,
  type TestSite,
  testOptions,
  tokenOf,
} from '../../daemon/server/testing/test-site.ts';

const READ =
  'import csv, json, sys; print(json.dumps(list(csv.DictReader(open(0, newline="", encoding="utf-8"), strict=True))))';
const hasPython = spawnSync('python3', ['-c', 'import csv'], { timeout: 20_000 }).status === 0;

describe.skipIf(!hasPython && !process.env.CI)('alerts for other programs (needs python3)', () => {
  let site: TestSite;
  let app: App;
  let context: ServerContext;
  beforeEach(async () => {
    site = makeTestSite();
    await addTestUsers(site);
    ({ app, context } = await buildApp(site.services, testOptions()));
  });
  afterEach(() => app.close());

  async function exported(username: string, query = ''): Promise<Record<string, string>[]> {
    const headers = { authorization: `Bearer ${await tokenOf(context, username)}` };
    const now_ms = site.clock.wallMs();
    const url = `/api/export/alerts?from_ms=${now_ms - 86_400_000}&to_ms=${now_ms + 1}${query}`;
    const reply = await app.inject({ url, headers });
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([
      200,
      'text/csv; charset=utf-8; header=present',
    ]);
    return JSON.parse(execFileSync('python3', ['-c', READ], { input: reply.rawPayload, encoding: 'utf8' }));
  }

  /** Moves time on and gives every cell of the pack this voltage; returns the moment. */
  function cells(pack: number, voltage_v: number): string {
    site.clock.advance(60_000);
    site.setCells(pack, voltage_v);
    site.judge(pack);
    return new Date(site.clock.wallMs()).toISOString();
  }
  function acknowledge(id: string, note: string): string {
    site.clock.advance(5000);
    const at_ms = site.clock.wallMs();
    site.services.alerts.acknowledge(id, { by: 'mo "the" boss, Muñoz', at_ms }, note);
    return new Date(at_ms).toISOString();
  }

  test('a line for each time that a condition began, with what became of it', async () => {
    const first = cells(0, 3.8);
    const [{ id }] = site.services.alerts.open();
    const back = cells(0, 3.3);
    const again = cells(0, 3.9);
    const seen = acknowledge(id, 'line one\nline two');
    const over = cells(0, 3.3);
    const other = cells(2, 3.8);
    const rows = await exported('ada');
    expect(rows).toMatchObject([
      {
        alert_id: id,
        occurrence: '1',
        raised_at: first,
        acknowledged_at: '',
        returned_at: back,
        over_at: '',
      },
      {
        alert_id: id,
        occurrence: '2',
        raised_at: again,
        acknowledged_at: seen,
        acknowledged_by: 'mo "the" boss, Muñoz',
        returned_at: over,
        over_at: over,
        severity: 'critical',
        rule_id: 'cell_high',
        battery_id: 'north',
        pack_id: 'n1',
        cell_no: '1',
      },
      { occurrence: '1', raised_at: other, returned_at: '', over_at: '', battery_id: 'south', pack_id: 's1' },
    ]);
    expect(rows[1].message).toContain('cell voltage 3.9 V is above 3.65 V');
    for (const row of rows) expect(Object.keys(row)).toHaveLength(16);
  });

  test('an alert that ended before it was acknowledged is over with the acknowledgement', async () => {
    cells(0, 3.8);
    const [{ id }] = site.services.alerts.open();
    const back = cells(0, 3.3);
    const seen = acknowledge(id, 'seen');
    expect(await exported('ada')).toMatchObject([
      { acknowledged_at: seen, returned_at: back, over_at: seen },
    ]);
  });

  test('of the batteries in one’s care alone, and only of what was asked for', async () => {
    cells(0, 3.8);
    cells(1, 3.8);
    cells(2, 3.8);
    site.raiseGatewayAlert();
    const packs = async (username: string, query?: string) =>
      (await exported(username, query)).map(({ pack_id, battery_name }) => `${battery_name} ${pack_id}`);
    expect(await packs('ada')).toEqual(['North n1', 'North n2', 'South s1', ' ']);
    expect(await packs('una')).toEqual(['North n1', 'North n2']);
    expect(await packs('una', '&pack_id=n2')).toEqual(['North n2']);
    expect(await packs('ada', '&battery_id=south')).toEqual(['South s1']);
  });
});
