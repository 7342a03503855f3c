/** Every route against everybody who may knock. A route without a line here fails the test. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertView } from '../../core/contract/model.ts';
import type { Role } from '../../core/contract/roles.ts';
import { buildApp } from './app.ts';
import type { App, ServerContext } from './options.ts';
import { addProvisional, badTokens, forged, keysByRole, PROVISIONAL, ROLES } from './testing/access.ts';
import { type Line, TABLE } from './testing/access-table.ts';
import {
  addTestUsers,
  JWT_SECRET,
  makeTestSite,
  PASSWORD,
  testOptions,
  tokenOf,
} from './testing/test-site.ts';

const site = makeTestSite();
let app: App;
let context: ServerContext;
let bad: Record<string, string>;
let keys: Record<Role, string>;

beforeAll(async () => {
  await addTestUsers(site);
  const limits = {
    login_failures_per_name: 1e6,
    login_failures_per_address: 1e6,
    login_failures_per_name_everywhere: 1e6,
  };
  ({ app, context } = await buildApp(site.services, testOptions({ limits })));
  bad = await badTokens(context, site);
  keys = await keysByRole(context);
  await addProvisional(context);
});
afterAll(() => app.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('every registered route has a line in the table, and every line a route', () => {
  const registered = context.routes.flatMap(({ url, methods }) => methods.map(method => `${method} ${url}`));
  expect(registered.filter(route => !route.startsWith('HEAD ')).sort()).toEqual(Object.keys(TABLE).sort());
  for (const head of registered.filter(route => route.startsWith('HEAD ')))
    expect(registered).toContain(head.replace('HEAD', 'GET'));
});

test('a token made as ours is taken, so that what follows is refused for its one fault', async () => {
  const reply = await app.inject({ url: '/api/auth/me', headers: bearer(await forged(context, site)) });
  expect(reply.json()).toEqual({ user: { username: 'ada', role: 'admin' } });
});

for (const [route, lines] of Object.entries(TABLE))
  for (const line of lines) {
    const method = route.split(' ')[0]!;
    // What was made or ended once cannot be again: the key of an administrator is not tried there.
    const isOnce = line.user === 403 && ['POST', 'DELETE'].includes(method);
    test(`${method} ${line.url}${line.body ? ` ${JSON.stringify(line.body)}` : ''}`, async () => {
      const got: Record<string, number> = { 'no token': await knock(line, method, {}) };
      const expected: Record<string, number> = { 'no token': line.anyone ?? 401 };
      for (const [name, token] of Object.entries(bad)) {
        got[name] = await knock(line, method, bearer(token));
        expected[name] = line.anyone ?? 401;
      }
      got.provisional = await knock(line, method, bearer(await tokenOf(context, PROVISIONAL)));
      expected.provisional = line.provisional ?? line.anyone ?? 403;
      for (const [role, username] of Object.entries(ROLES) as [Role, string][]) {
        const headers = bearer(await tokenOf(context, username));
        got[role] = await knock(line, method, headers);
        expected[role] = line[role];
        if (method === 'GET') {
          got[`${role} HEAD`] = await knock(line, 'HEAD', headers);
          expected[`${role} HEAD`] = line[role];
        }
        if (isOnce && role === 'admin') continue;
        got[`key of ${role}`] = await knock(line, method, bearer(keys[role]));
        expected[`key of ${role}`] = line.key ?? line[role];
      }
      expect(got).toEqual(expected);
    });
  }

/** The status of the reply; what is refused is refused by a problem document that says the same. */
async function knock({ url, body }: Line, method: string, headers: Record<string, string>): Promise<number> {
  const remoteAddress = '192.0.2.7';
  const payload = body && { payload: body };
  const reply = await app.inject({ method: method as 'GET', url, headers, remoteAddress, ...payload });
  const isPage = String(reply.headers['content-type']).startsWith('text/html');
  if (reply.statusCode >= 400 && method !== 'HEAD' && !isPage) {
    expect(reply.headers['content-type']).toBe('application/problem+json');
    const code = expect.stringMatching(/^[A-Z_]+$/);
    expect(reply.json()).toMatchObject({ status: reply.statusCode, code });
  }
  return reply.statusCode;
}

test('lists show only what is assigned', async () => {
  site.setCells(0, 3.9);
  site.setCells(2, 3.9);
  site.judge(0);
  site.judge(2);
  const see = async (username: string, url: string) =>
    (await app.inject({ url, headers: bearer(await tokenOf(context, username)) })).json();
  for (const username of ['una', 'mo', 'ada']) {
    const batteries = username === 'ada' ? ['north', 'south'] : ['north'];
    const ids = (list: { id: string }[]) => list.map(battery => battery.id);
    expect(ids((await see(username, '/api/batteries')).batteries)).toEqual(batteries);
    for (const url of ['/api/alerts', '/api/alerts?state=active']) {
      const { alerts } = await see(username, url);
      expect(alerts.map((alert: { battery_id: string }) => alert.battery_id).sort()).toEqual(batteries);
    }
    if (username === 'una') continue;
    const report = await see(username, '/api/reports/fleet');
    expect(ids(report.batteries)).toEqual(batteries);
    expect(report.totals).toMatchObject({ batteries: batteries.length, alerts_active: batteries.length });
  }
});

test('alerts of the gateway itself are for moderators and administrators, in lists, filters and CSV', async () => {
  site.raiseGatewayAlert();
  const ask = async (username: string, url: string) =>
    app.inject({ url, headers: bearer(await tokenOf(context, username)) });
  const rulesSeen = async (username: string, url: string) => {
    const { alerts } = (await ask(username, url)).json();
    return alerts.map((alert: AlertView) => `${alert.rule_id} of ${alert.battery_id}`).sort();
  };
  const of_gateway = ['storage_fault of null'];
  const of_batteries = {
    una: ['cell_high of north'],
    mo: ['cell_high of north'],
    ada: ['cell_high of north', 'cell_high of south'],
  };
  for (const username of ['una', 'mo', 'ada'] as const) {
    const seen = username === 'una' ? [] : of_gateway;
    for (const state of ['active', 'all']) {
      const url = `/api/alerts?state=${state}`;
      expect(await rulesSeen(username, url), `${username}, ${state}`).toEqual([
        ...of_batteries[username],
        ...seen,
      ]);
      expect(await rulesSeen(username, `${url}&battery_id=north`)).toEqual(['cell_high of north']);
      expect(await rulesSeen(username, `${url}&pack_id=n1`)).toEqual(['cell_high of north']);
      const { body } = await ask(username, `${url}&format=csv`);
      expect(body.includes('storage_fault'), `${username}, CSV`).toBe(username !== 'una');
      if (username === 'una') continue;
      expect(await rulesSeen(username, `${url}&about=gateway`)).toEqual(of_gateway);
      expect(await rulesSeen(username, `${url}&about=gateway&battery_id=north`)).toEqual([]);
    }
  }
  const { alerts } = (await ask('ada', '/api/alerts?about=gateway')).json();
  expect(alerts).toMatchObject([
    { battery_id: null, battery_name: null, pack_id: null, pack_name: null, cell_no: null },
  ]);
});

test('metrics are open to this machine itself, but not through a proxy on it', async () => {
  const status = async (headers: Record<string, string>, remoteAddress = '127.0.0.1') =>
    (await app.inject({ url: '/metrics', headers, remoteAddress })).statusCode;
  expect(await status({})).toBe(200);
  expect(await status({}, '::ffff:127.0.0.1')).toBe(200);
  expect(await status({ 'x-forwarded-for': '192.0.2.7' })).toBe(401);
  expect(await status({}, '192.0.2.7')).toBe(401);
});

test('a new role, a new password and deletion take effect on tokens already given', async () => {
  await context.users.create({ username: 'eve', password: PASSWORD, role: 'admin' });
  const headers = bearer(await tokenOf(context, 'eve'));
  const status = async (url: string) => (await app.inject({ url, headers })).statusCode;
  expect(await status('/api/admin/users')).toBe(200);
  await context.users.change('eve', { role: 'user' });
  expect(await status('/api/admin/users')).toBe(403);
  await context.users.change('eve', { password: 'another password' });
  expect(await status('/api/auth/me')).toBe(401);
  const renewed = bearer(await tokenOf(context, 'eve'));
  await context.users.delete('eve');
  expect((await app.inject({ url: '/api/auth/me', headers: renewed })).statusCode).toBe(401);
});

test('a fault is shown whole', async () => {
  const headers = bearer(await tokenOf(context, 'ada'));
  const url = '/api/admin/simulation/faults';
  const { id } = (
    await app.inject({
      method: 'POST',
      url,
      headers,
      payload: { kind: 'weak_cell', cells: [3], depth: { v: 1 } },
    })
  ).json();
  const { faults } = (await app.inject({ url, headers })).json();
  expect(faults).toContainEqual({ id, kind: 'weak_cell', cells: [3], depth: { v: 1 } });
});

test('without the simulator there are no fault routes', async () => {
  const real = makeTestSite({ simulation: false });
  const built = await buildApp(real.services, testOptions());
  expect(built.context.routes.filter(({ url }) => url.includes('simulation'))).toEqual([]);
  await built.app.close();
});

test('passwords, hashes and secrets never leave', async () => {
  const headers = bearer(await tokenOf(context, 'ada'));
  const { password_hash } = (await context.users.find('una'))!;
  for (const lines of Object.values(TABLE))
    for (const { url } of lines) {
      const { body } = await app.inject({ url, headers });
      for (const secret of [password_hash, JWT_SECRET, PASSWORD]) expect(body).not.toContain(secret);
    }
});
