/** Acknowledging, noting and shelving alerts over the API: who may, what it leaves, and what others see of it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AlertView } from '../../core/contract/model.ts';
import { buildApp } from './app.ts';
import type { App, ServerContext } from './options.ts';
import { addTestUsers, makeTestSite, type TestSite, testOptions, tokenOf } from './testing/test-site.ts';

let site: TestSite;
let app: App;
let context: ServerContext;
beforeEach(async () => {
  site = makeTestSite();
  await addTestUsers(site);
  ({ app, context } = await buildApp(site.services, testOptions()));
});
afterEach(() => app.close());

async function as(username: string, method: 'GET' | 'POST', url: string, payload?: object) {
  const headers = { authorization: `Bearer ${await tokenOf(context, username)}` };
  const { statusCode, body } = await app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: statusCode, body: JSON.parse(body) };
}

const open = async (username = 'ada') =>
  (await as(username, 'GET', '/api/alerts?state=open')).body.alerts as AlertView[];

function raise(pack: number): void {
  site.setCells(pack, 3.8);
  site.judge(pack);
}
function clear(pack: number): void {
  site.setCells(pack, 3.3);
  site.judge(pack);
}
const path = ({ id }: AlertView, step: string) => `/api/alerts/${encodeURIComponent(id)}/${step}`;

test('an alert that has cleared stays open until a moderator acknowledges it, with a note', async () => {
  raise(0);
  clear(0);
  const [alert] = await open('una');
  expect(alert).toMatchObject({
    state: 'cleared',
    lifecycle: 'returned_unacknowledged',
    battery_id: 'north',
    occurrences: 1,
    page_path: expect.stringMatching(/^\/pack\/n1\?cell=\d+&from=\d+&to=\d+$/),
  });
  expect((await as('una', 'POST', path(alert, 'acknowledge'), {})).status).toBe(403);
  const { status, body } = await as('mo', 'POST', path(alert, 'acknowledge'), { note: 'cable replaced' });
  expect([status, body]).toMatchObject([
    200,
    {
      lifecycle: 'normal',
      is_open: false,
      acknowledged: { by: 'mo', note: 'cable replaced', at_ms: site.clock.wallMs() },
    },
  ]);
  expect(await open()).toEqual([]);
  expect((await as('mo', 'POST', path(alert, 'acknowledge'), {})).status).toBe(404);
});

test('a moderator handles alerts of the own batteries alone', async () => {
  raise(2);
  const [alert] = await open();
  expect(alert.battery_id).toBe('south');
  for (const step of ['acknowledge', 'note', 'shelve', 'unshelve']) {
    const body = { acknowledge: {}, note: { text: 'x' }, shelve: { reason: 'x', duration_ms: 60_000 } }[step];
    expect([step, (await as('mo', 'POST', path(alert, step), body)).status]).toEqual([step, 404]);
  }
  expect((await as('ada', 'POST', path(alert, 'note'), { text: 'mine' })).body.notes).toMatchObject([
    { by: 'ada', text: 'mine' },
  ]);
});

test('a shelved alert is listed but not counted, and the audit log says who shelved it and why', async () => {
  raise(0);
  const [alert] = await open();
  const counted = async () => (await as('ada', 'GET', '/api/packs/n1')).body.summary.alerts;
  expect(await counted()).toMatchObject({ critical: 1 });
  const shelve = { reason: 'balancing run', duration_ms: 3_600_000 };
  expect((await as('mo', 'POST', path(alert, 'shelve'), shelve)).body).toMatchObject({
    lifecycle: 'shelved',
    shelved: { by: 'mo', reason: 'balancing run', until_ms: site.clock.wallMs() + 3_600_000 },
  });
  expect(await counted()).toMatchObject({ critical: 0 });
  const { entries } = (await as('ada', 'GET', '/api/admin/audit?action=alert.shelve')).body;
  expect(entries).toMatchObject([{ actor: 'mo', action: 'alert.shelve', target: alert.id, new: shelve }]);
  expect((await as('mo', 'POST', path(alert, 'unshelve'))).body.lifecycle).toBe('active_unacknowledged');
  expect(await counted()).toMatchObject({ critical: 1 });
});

test('alerts of the gateway itself are handled by moderators, and every alert says what to check', async () => {
  site.raiseGatewayAlert();
  const [alert] = await open('mo');
  expect(alert).toMatchObject({
    rule_id: 'storage_fault',
    next_check: expect.stringMatching(/disk is full/),
  });
  expect((await as('mo', 'POST', path(alert, 'acknowledge'), {})).body.lifecycle).toBe('active_acknowledged');
});

test('the list as CSV has the lifecycle in documented columns', async () => {
  raise(0);
  const [alert] = await open();
  await as('mo', 'POST', path(alert, 'acknowledge'), { note: 'seen' });
  const headers = { authorization: `Bearer ${await tokenOf(context, 'ada')}` };
  const { body } = await app.inject({ url: '/api/alerts?state=open&format=csv', headers });
  const [names, values] = body
    .trim()
    .split('\r\n')
    .map(line => line.split(','));
  const row = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  expect(row).toMatchObject({
    lifecycle: 'active_acknowledged',
    occurrences: '1',
    acknowledged_by: 'mo',
    acknowledged_note: 'seen',
    shelved_until: '',
  });
});

test('the report counts what called somebody, of the batteries in one’s care', async () => {
  raise(0);
  const [alert] = await open();
  site.clock.advance(60_000);
  await as('mo', 'POST', path(alert, 'acknowledge'), {});
  raise(2);
  expect((await as('mo', 'GET', '/api/reports/alerts')).body).toMatchObject({
    count: 1,
    acknowledged: 1,
    to_acknowledge_median_ms: 60_000,
    most_frequent: [
      { rule_label: 'Cell voltage high', pack_id: 'n1', pack_name: 'Pack n1', count: 1, share_pct: 100 },
    ],
  });
  expect((await as('ada', 'GET', '/api/reports/alerts')).body).toMatchObject({ count: 2, acknowledged: 1 });
});
