/** Taking out of service over the API: who may, what it leaves, and what others see of it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AuditEntry } from '../../core/contract/access.ts';
import type { OutOfServiceView } from '../../core/contract/out-of-service.ts';
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

async function as(username: string, method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) {
  const headers = { authorization: `Bearer ${await tokenOf(context, username)}` };
  const { statusCode, body } = await app.inject({ method, url, headers, ...(payload && { payload }) });
  return { status: statusCode, body: body === '' ? undefined : JSON.parse(body) };
}
const listed = async (username: string) =>
  (await as(username, 'GET', '/api/out-of-service')).body.out_of_service as OutOfServiceView[];
const activeOf = async (username: string) => {
  const { body } = await as(username, 'GET', '/api/battery/north');
  return body.battery.alerts.critical as number;
};

function raise(pack: number): void {
  site.setCells(pack, 3.8);
  site.judge(pack);
}

test('a moderator takes an alert out of service; it is listed, counted no more, and audited', async () => {
  raise(0);
  expect(await activeOf('una')).toBe(1);
  const [alert] = (await as('mo', 'GET', '/api/alerts?state=open')).body.alerts;
  const body = { alert_id: alert.id, reason: 'sensor replaced', until_ms: site.clock.wallMs() + 60_000 };
  expect((await as('una', 'POST', '/api/out-of-service', body)).status).toBe(403);
  const taken = await as('mo', 'POST', '/api/out-of-service', body);
  expect(taken).toMatchObject({
    status: 201,
    body: { rule_id: 'cell_high', pack_id: 'n1', battery_name: 'North', by: 'mo', reason: 'sensor replaced' },
  });
  expect(await activeOf('una')).toBe(0);
  const [after] = (await as('una', 'GET', '/api/alerts?state=open')).body.alerts;
  expect(after).toMatchObject({
    lifecycle: 'out_of_service',
    state: 'active',
    out_of_service: { by: 'mo', reason: 'sensor replaced' },
  });
  const csv = await app.inject({
    url: '/api/alerts?format=csv',
    headers: { authorization: `Bearer ${await tokenOf(context, 'ada')}` },
  });
  expect(csv.body).toMatch(/out_of_service_reason\r\n.*mo,sensor replaced\r\n/);
  const back = `/api/out-of-service/${encodeURIComponent(taken.body.id)}`;
  expect((await as('una', 'DELETE', back)).status).toBe(403);
  expect((await as('mo', 'DELETE', back)).status).toBe(204);
  expect((await as('mo', 'DELETE', back)).status).toBe(404);
  expect([await listed('ada'), await activeOf('una')]).toEqual([[], 1]);
  const { entries } = (await as('ada', 'GET', '/api/admin/audit')).body;
  const ofService = entries.filter(
    ({ action, outcome }: AuditEntry) => /service/.test(action) && outcome === 'done',
  );
  expect(ofService).toMatchObject([
    { action: 'alert.in_service', actor: 'mo', old: { reason: 'sensor replaced' } },
    { action: 'alert.out_of_service', actor: 'mo', new: { reason: 'sensor replaced', pack_id: 'n1' } },
  ]);
});

test('a whole pack: what is raised later is out of service too; others see what is theirs alone', async () => {
  await as('ada', 'POST', '/api/out-of-service', { pack_id: 's1', reason: 'sold' });
  await as('mo', 'POST', '/api/out-of-service', { pack_id: 'n1', reason: 'rack rebuilt' });
  await as('mo', 'POST', '/api/out-of-service', { pack_id: 'n1', reason: 'rack rebuilt, until May' });
  expect(await listed('una')).toMatchObject([
    { pack_id: 'n1', pack_name: 'Pack n1', rule_id: null, until_ms: null, reason: 'rack rebuilt, until May' },
  ]);
  expect(await listed('ada')).toHaveLength(2);
  raise(0);
  raise(1);
  expect(await activeOf('una')).toBe(1);
  const [{ id }] = (await listed('ada')).filter(({ pack_id }) => pack_id === 's1');
  expect((await as('mo', 'DELETE', `/api/out-of-service/${encodeURIComponent(id)}`)).status).toBe(404);
});

test('an answer says what is wrong with what was asked', async () => {
  const detail = async (body: object) => (await as('mo', 'POST', '/api/out-of-service', body)).body.detail;
  const reason = 'repair';
  expect(await detail({ reason })).toContain('expected either alert_id, or pack_id');
  expect(await detail({ alert_id: 'a', pack_id: 'n1', reason })).toContain('expected either alert_id');
  expect(await detail({ pack_id: 'n1', rule_id: 'cell_hih', reason })).toBe(
    'rule_id: found "cell_hih", expected a rule that holds for pack n1',
  );
  expect(await detail({ pack_id: 'n1', reason, until_ms: 5 })).toContain(
    'until_ms: found 5, expected a time to come',
  );
  expect(await detail({ pack_id: 's1', reason })).toContain("There is no pack 's1'");
});
