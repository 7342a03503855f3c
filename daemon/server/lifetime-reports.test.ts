/** Lifetime and Annex VII over the API: as JSON and as a table, and who read the report of a battery is audited. */
import { afterEach, expect, test } from 'vitest';
import type { AnnexReport } from '../../core/contract/lifetime.ts';
import { buildApp } from './app.ts';
import type { App } from './options.ts';
import { addTestUsers, makeTestSite, testOptions, tokenOf } from './testing/test-site.ts';

const apps: App[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function open() {
  const site = makeTestSite();
  await addTestUsers(site);
  const { app, context } = await buildApp(site.services, testOptions());
  apps.push(app);
  const get = async (url: string, username = 'ada') =>
    app.inject({ url, headers: { authorization: `Bearer ${await tokenOf(context, username)}` } });
  return { site, get };
}

test('a pack of which nothing was counted yet has an account without numbers', async () => {
  const { get } = await open();
  const reply = await get('/api/reports/lifetime/n1');
  expect(reply.json()).toMatchObject({
    pack_id: 'n1',
    pack: {
      since_ms: null,
      extremes: { cell_voltage_v: { lowest: null, highest: null } },
      harms: { deep_discharge: { count: 0, worst: null } },
    },
  });
});

test('the report of a battery has each parameter of each of its packs, as JSON and as a table; it is audited', async () => {
  const { get } = await open();
  const { parameters, battery_id } = (await get('/api/reports/annex-vii/north')).json<AnnexReport>();
  expect(battery_id).toBe('north');
  expect(new Set(parameters.map(({ pack_id }) => pack_id))).toEqual(new Set(['n1', 'n2']));
  expect(
    parameters.every(({ value, not_determinable }) => (value === null) !== (not_determinable === null)),
  ).toBe(true);
  const table = await get('/api/reports/annex-vii/north?format=csv', 'una');
  expect(table.headers['content-disposition']).toBe('attachment; filename="annex-vii-north.csv"');
  const [header, ...lines] = table.body.trim().split('\r\n');
  expect(header).toBe(
    'part,no,name,pack_id,value,unit,sd,method,source,completeness_pct,not_determinable,from,to',
  );
  expect(lines).toHaveLength(parameters.length);
  const { entries } = (await get('/api/admin/audit?action=report.annex_vii')).json();
  expect(entries).toMatchObject([
    { actor: 'una', action: 'report.annex_vii', target: 'north' },
    { actor: 'ada', action: 'report.annex_vii', target: 'north' },
  ]);
});
