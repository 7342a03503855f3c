/** Over the API: every change leaves an entry, no secret is in one, and nobody can remove one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEntry } from '../../core/contract/access.ts';
import { buildApp } from './app.ts';
import type { App, ServerContext } from './options.ts';
import { addTestUsers, makeTestSite, PASSWORD, testOptions, tokenOf } from './testing/test-site.ts';

const NEW_PASSWORD = 'entirely different';
const site = makeTestSite();
let app: App;
let context: ServerContext;
let authorization: string;
beforeAll(async () => {
  await addTestUsers(site);
  ({ app, context } = await buildApp(site.services, testOptions()));
  authorization = `Bearer ${await tokenOf(context, 'ada')}`;
});
afterAll(() => app.close());

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
const ask = (
  method: Method,
  url: string,
  payload?: object,
  headers: Record<string, string> = { authorization },
) => app.inject({ method, url, headers, remoteAddress: '192.0.2.5', ...(payload && { payload }) });

async function entries(query = 'limit=1000'): Promise<AuditEntry[]> {
  return (await ask('GET', `/api/admin/audit?${query}`)).json().entries;
}

test('users, keys, settings, faults: who, what, from where, old and new', async () => {
  await ask('POST', '/api/admin/users', { username: 'new', password: PASSWORD, role: 'user' });
  await ask('PUT', '/api/admin/users/new', { role: 'moderator', password: NEW_PASSWORD });
  await ask('PUT', '/api/admin/settings', {
    rules: { cell_high: { limits: [{ critical: 3.7 }] } },
  });
  const key = (await ask('POST', '/api/admin/keys', { name: 'plc', role: 'user' })).json();
  await ask('DELETE', `/api/admin/keys/${key.key.id}`);
  const { id } = (await ask('POST', '/api/admin/simulation/faults', { kind: 'weak_cell' })).json();
  await ask('DELETE', `/api/admin/simulation/faults/${id}`);
  await ask('DELETE', '/api/admin/users/new');
  const confirm = () =>
    ask('POST', '/api/system/clock/confirm', { client_clock_ms: site.clock.wallMs() + 1200 });
  expect((await confirm()).json()).toMatchObject({ name: 'clock', state: 'ok' });
  const found = await entries();
  for (const entry of found)
    expect(entry).toMatchObject({
      actor: 'ada',
      address: '192.0.2.5',
      outcome: 'done',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      request_id: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  expect(found.reverse()).toMatchObject([
    { action: 'user.create', target: 'new', new: { role: 'user' } },
    {
      action: 'user.change',
      target: 'new',
      old: { role: 'user' },
      new: { role: 'moderator', new_password: true },
    },
    {
      action: 'settings.change',
      target: 'cell_high',
      old: { cell_high: { limits: [{ critical: 3.65 }] } },
      new: { cell_high: { limits: [{ critical: 3.65 }, { critical: 3.7 }] } },
    },
    { action: 'key.create', target: 'plc', new: { role: 'user' } },
    { action: 'key.revoke', target: 'plc', old: { role: 'user' } },
    { action: 'fault.add', new: { kind: 'weak_cell' } },
    { action: 'fault.remove', target: id },
    { action: 'user.delete', target: 'new', old: { role: 'moderator' } },
    { action: 'clock.confirm', target: null, new: { apart_ms: -1200 } },
  ]);
  const again = await confirm();
  expect([again.statusCode, again.json().detail]).toEqual([409, expect.stringMatching(/certain already/)]);
  expect(JSON.stringify(found)).not.toContain(key.secret.slice(13));
});

test('logins, refused ones and log-outs; a password typed as a name is not kept', async () => {
  const login = (username: string, password: string) =>
    ask('POST', '/api/auth/login', { username, password }, {});
  const { token } = (await login('una', PASSWORD)).json();
  await login('una', NEW_PASSWORD);
  await login(NEW_PASSWORD, 'una');
  await ask('POST', '/api/auth/logout', undefined, { authorization: `Bearer ${token}` });
  await ask('POST', '/api/auth/logout', undefined, {});
  const found = (await entries('limit=4')).reverse();
  expect(found).toMatchObject([
    { action: 'login', actor: 'una', outcome: 'done', target: 'una', new: { as: 'program' } },
    { action: 'login', actor: null, outcome: 'refused', target: 'una' },
    { action: 'login', actor: null, outcome: 'refused', target: null },
    { action: 'logout', actor: 'una', outcome: 'done', target: 'una' },
  ]);
  for (const secret of [PASSWORD, NEW_PASSWORD, token]) expect(JSON.stringify(found)).not.toContain(secret);
});

test('a table taken away as a file, and with which question', async () => {
  await ask('GET', '/api/alerts?limit=7', undefined, { authorization, accept: 'text/csv' });
  expect((await entries('limit=1'))[0]).toMatchObject({
    actor: 'ada',
    action: 'export',
    target: '/api/alerts',
    new: { limit: 7 },
  });
});

test('the log itself is a table too, a page at a time', async () => {
  const reply = await ask('GET', '/api/admin/audit?limit=2&format=csv');
  expect(reply.headers['content-type']).toContain('text/csv');
  const lines = reply.body.trimEnd().split('\r\n');
  expect(lines[0]).toBe('at,actor,address,action,outcome,target,old,new,request_id,id');
  expect(lines).toHaveLength(3);
});

test('who is known and tries what is not allowed leaves an entry; reading and nonsense do not', async () => {
  const before = (await entries()).length;
  const una = { authorization: `Bearer ${await tokenOf(context, 'una')}` };
  await ask('GET', '/api/batteries', undefined, una);
  await ask('DELETE', '/api/admin/users/ada');
  await ask('DELETE', '/api/admin/users/nobody');
  await ask('DELETE', '/api/admin/users/ada', undefined, {});
  await ask('DELETE', '/api/admin/users/ada', undefined, una);
  const found = await entries();
  expect(found.length).toBe(before + 1);
  expect(found[0]).toMatchObject({ actor: 'una', action: 'user.delete', target: 'ada', outcome: 'refused' });
});

test('no route changes or removes entries', () => {
  const methods = context.routes.filter(({ url }) => url.includes('audit')).flatMap(route => route.methods);
  expect([...new Set(methods)].sort()).toEqual(['GET', 'HEAD']);
});
