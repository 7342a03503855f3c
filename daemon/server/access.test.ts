/** Every route against everybody who may knock. A route without a line here fails the test. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertView } from '../../core/contract/model.ts';
import type { Role } from '../../core/contract/roles.ts';
import { buildApp } from './app.ts';
import type { App, ServerContext } from './options.ts';
import { addProvisional, badTokens, forged, keysByRole, PROVISIONAL, ROLES } from './testing/access.ts';
import {
  addTestUsers,
  JWT_SECRET,
  makeTestSite,
  PASSWORD,
  testOptions,
  tokenOf,
} from './testing/test-site.ts';

interface Line {
  readonly url: string;
  readonly body?: object;
  /** Status for everybody without login; absent: 401, and 401 for every bad token. */
  readonly anyone?: number;
  readonly user: number;
  readonly moderator: number;
  readonly admin: number;
  /** For API keys, where a person is needed; absent: as for users of the role. */
  readonly key?: number;
  /** For one who has to choose a new password first; absent: as for anyone, else 403. */
  readonly provisional?: number;
}

const all = (url: string, status = 200, body?: object): Line => ({
  url,
  user: status,
  moderator: status,
  admin: status,
  ...(body && { body }),
});
const open = (url: string, status = 200, body?: object): Line => ({
  ...all(url, status),
  anyone: status,
  ...(body && { body }),
});
const admin = (url: string, status = 200, body?: object): Line => ({
  url,
  user: 403,
  moderator: 403,
  admin: status,
  ...(body && { body }),
});
/** For people who logged in, not for API keys. */
const person = (line: Line): Line => ({ ...line, key: 403 });
/** `una` and `mo` are assigned `north` (packs n1, n2); what is in `south` does not exist for them. */
const foreign = (url: string): Line => ({ url, user: 404, moderator: 404, admin: 200 });
const spans = (url: string): Line[] => [
  ...[all(`${url}?from_ms=0&to_ms=1`), all(`${url}?from_ms=1&to_ms=1`, 400)],
  ...['battery_id=south', 'pack_id=s1'].map(one => foreign(`${url}?from_ms=0&to_ms=1&${one}`)),
];

/** Of those who handle alerts. */
const handler = (url: string, status: number, body?: object): Line => ({
  url,
  user: 403,
  moderator: status,
  admin: status,
  ...(body && { body }),
});
const TABLE: Record<string, Line[]> = {
  'POST /api/auth/login': [
    open('/api/auth/login', 200, { username: 'una', password: PASSWORD }),
    open('/api/auth/login', 400, { username: 'una' }),
  ],
  'POST /api/auth/logout': [open('/api/auth/logout', 204)],
  'POST /api/auth/renew': [open('/api/auth/renew', 401)],
  'GET /api/auth/setup': [open('/api/auth/setup')],
  'POST /api/auth/setup': [
    open('/api/auth/setup', 403, { code: 'a', username: 'x', password: PASSWORD }),
    open('/api/auth/setup', 400, { code: 'a' }),
  ],
  'GET /api/auth/me': [{ ...all('/api/auth/me'), provisional: 200 }],
  'PUT /api/auth/password': [
    person(all('/api/auth/password', 403, { old_password: 'wrong', new_password: PASSWORD })),
    {
      ...person(all('/api/auth/password', 400, { old_password: PASSWORD, new_password: PASSWORD })),
      provisional: 400,
    },
  ],
  'POST /api/auth/confirm': [
    person(all('/api/auth/confirm', 200, { password: PASSWORD })),
    person(all('/api/auth/confirm', 403, { password: 'wrong' })),
    all('/api/auth/confirm', 400, {}),
  ],
  'GET /api/auth/sessions': [person(all('/api/auth/sessions'))],
  'DELETE /api/auth/sessions': [person(all('/api/auth/sessions', 204))],
  'DELETE /api/auth/sessions/:id': [all('/api/auth/sessions/none', 404)],
  'GET /api/admin/sessions': [admin('/api/admin/sessions')],
  'DELETE /api/admin/sessions/:id': [admin('/api/admin/sessions/none', 404)],
  'GET /api/admin/keys': [admin('/api/admin/keys')],
  'POST /api/admin/keys': [
    admin('/api/admin/keys', 201, { name: 'plc', role: 'user', batteries: ['north'] }),
    admin('/api/admin/keys', 409, { name: 'plc', role: 'user' }),
    admin('/api/admin/keys', 400, { name: 'other', role: 'user', batteries: ['west'] }),
    admin('/api/admin/keys', 400, { name: 'other', role: 'user', expires_ms: 1 }),
  ],
  'DELETE /api/admin/keys/:id': [admin('/api/admin/keys/none', 404)],
  'GET /api/admin/audit': [
    admin('/api/admin/audit'),
    admin('/api/admin/audit?action=user&limit=3'),
    admin('/api/admin/audit?limit=0', 400),
  ],
  'POST /api/admin/signing-keys': [admin('/api/admin/signing-keys', 409)],
  'GET /api/batteries': [all('/api/batteries')],
  'GET /api/battery/:id': [
    all('/api/battery/north'),
    foreign('/api/battery/south'),
    all('/api/battery/none', 404),
  ],
  'GET /api/packs/:id': [all('/api/packs/n2'), foreign('/api/packs/s1'), all('/api/packs/none', 404)],
  'GET /api/packs/:id/estimates': [all('/api/packs/n2/estimates'), foreign('/api/packs/s1/estimates')],
  'GET /api/packs/:id/history': [
    all('/api/packs/n1/history'),
    all('/api/packs/n1/history?max_points=0', 400),
    foreign('/api/packs/s1/history'),
  ],
  'GET /api/alerts': [
    all('/api/alerts'),
    all('/api/alerts?state=active&limit=3'),
    all('/api/alerts?format=csv'),
    all('/api/alerts?cursor=x', 400),
    foreign('/api/alerts?battery_id=south'),
    foreign('/api/alerts?pack_id=s1'),
    { url: '/api/alerts?about=gateway', user: 403, moderator: 200, admin: 200 },
    all('/api/alerts?about=pack', 400),
  ],
  'POST /api/alerts/:id/acknowledge': [
    handler('/api/alerts/none/acknowledge', 404, {}),
    handler('/api/alerts/none/acknowledge', 400, { note: '' }),
  ],
  'POST /api/alerts/:id/note': [
    handler('/api/alerts/none/note', 404, { text: 'seen' }),
    handler('/api/alerts/none/note', 400, {}),
  ],
  'POST /api/alerts/:id/shelve': [
    handler('/api/alerts/none/shelve', 404, { reason: 'repair', duration_ms: 60_000 }),
    handler('/api/alerts/none/shelve', 400, { reason: 'repair', duration_ms: 1e12 }),
  ],
  'POST /api/alerts/:id/unshelve': [handler('/api/alerts/none/unshelve', 404)],
  'GET /api/export': [all('/api/export?from_ms=0&to_ms=1&format=ndjson&pack_id=n1'), ...spans('/api/export')],
  'GET /api/export/alerts': spans('/api/export/alerts'),
  'GET /api/reports/completeness': [
    { url: '/api/reports/completeness', user: 403, moderator: 200, admin: 200 },
    { url: '/api/reports/completeness?from_ms=9&to_ms=8', user: 403, moderator: 400, admin: 400 },
  ],
  'GET /api/reports/alerts': [
    { url: '/api/reports/alerts', user: 403, moderator: 200, admin: 200 },
    { url: '/api/reports/alerts?from_ms=9&to_ms=8', user: 403, moderator: 400, admin: 400 },
  ],
  'GET /api/reports/fleet': [{ url: '/api/reports/fleet', user: 403, moderator: 200, admin: 200 }],
  'GET /api/admin/users': [admin('/api/admin/users')],
  'POST /api/admin/users': [
    admin('/api/admin/users', 201, { username: 'new', password: PASSWORD, role: 'user' }),
    admin('/api/admin/users', 409, { username: 'ada', password: PASSWORD, role: 'user' }),
  ],
  'PUT /api/admin/users/:username': [
    admin('/api/admin/users/new', 200, { batteries: ['south'] }),
    admin('/api/admin/users/ada', 409, { role: 'user' }),
    admin('/api/admin/users/nobody', 404, { role: 'user' }),
  ],
  'DELETE /api/admin/users/:username': [
    admin('/api/admin/users/new', 204),
    admin('/api/admin/users/ada', 409),
  ],
  'GET /api/admin/settings': [admin('/api/admin/settings')],
  'PUT /api/admin/settings': [
    admin('/api/admin/settings', 200, {
      rules: { cell_high: { limits: [{ critical: 3.7 }] } },
    }),
    admin('/api/admin/settings', 400, {
      rules: { unknown: { limits: [{ critical: 3.7 }] } },
    }),
  ],
  'GET /api/admin/notifications': [admin('/api/admin/notifications')],
  'POST /api/admin/notifications/test': [
    admin('/api/admin/notifications/test', 200, { receiver: 'office' }),
    admin('/api/admin/notifications/test', 404, { receiver: 'nobody' }),
    admin('/api/admin/notifications/test', 400, { receiver: '' }),
  ],
  'GET /api/system/status': [all('/api/system/status')],
  'POST /api/system/clock/confirm': [
    admin('/api/system/clock/confirm', 409, { client_clock_ms: 0 }),
    admin('/api/system/clock/confirm', 400, { client_clock_ms: 'now' }),
  ],
  'GET /healthz': [open('/healthz')],
  'GET /metrics': [all('/metrics')],
  'GET /api/openapi.json': [open('/api/openapi.json')],
  'GET /api/docs': [open('/api/docs', 503)],
  'GET /api/admin/simulation/faults': [admin('/api/admin/simulation/faults')],
  'POST /api/admin/simulation/faults': [
    admin('/api/admin/simulation/faults', 201, { kind: 'weak_cell' }),
    admin('/api/admin/simulation/faults', 400, { mind: 'weak_cell' }),
  ],
  'DELETE /api/admin/simulation/faults/:id': [
    admin('/api/admin/simulation/faults/f1', 204),
    admin('/api/admin/simulation/faults/f1', 404),
  ],
  'GET /ws': [all('/ws', 400)],
  'GET /*': [open('/', 503), open('/packs/n1', 503), open('/assets/gone.js', 404), open('/api/gone', 404)],
};

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
