/** Users and keys are changed by a session whose password was given lately; keys are as they are. */
import { expect, test } from 'vitest';
import { buildApp } from '../app.ts';
import { addTestUsers, makeTestSite, PASSWORD, testOptions, tokenOf } from '../testing/test-site.ts';

const NEW_USER = { username: 'new', password: PASSWORD, role: 'user' };
const CHANGES = [
  ['POST', '/api/admin/users', NEW_USER],
  ['PUT', '/api/admin/users/una', { role: 'moderator' }],
  ['DELETE', '/api/admin/users/una', undefined],
  ['POST', '/api/admin/keys', { name: 'plc', role: 'user' }],
  ['DELETE', '/api/admin/keys/none', undefined],
  ['POST', '/api/admin/signing-keys', undefined],
] as const;

async function open() {
  const site = makeTestSite();
  await addTestUsers(site);
  const { app, context } = await buildApp(site.services, testOptions());
  const ask = (token: string) => (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
    app.inject({ method, url, payload, headers: { authorization: `Bearer ${token}` } });
  return { site, app, context, ask, ada: ask(await tokenOf(context, 'ada')) };
}

test('every route that changes who may come in wants the password once more after a while', async () => {
  const { site, context, ada } = await open();
  const named = CHANGES.map(([method, url]) => `${method} ${url.replace(/(una|none)$/, ':id')}`).sort();
  const changing = context.routes.filter(({ url }) => /^\/api\/admin\/(users|keys|signing-keys)/.test(url));
  const of_routes = changing.flatMap(({ methods, url }) =>
    methods
      .filter(method => !['GET', 'HEAD'].includes(method))
      .map(method => `${method} ${url.replace(/:\w+$/, ':id')}`),
  );
  expect(of_routes.sort()).toEqual(named);
  site.clock.advance(15 * 60_000);
  for (const [method, url, body] of CHANGES)
    expect([url, (await ada(method, url, body)).json()]).toMatchObject([
      url,
      { status: 403, code: 'CONFIRM_PASSWORD', detail: expect.stringContaining('/api/auth/confirm') },
    ]);
  expect((await ada('GET', '/api/admin/users')).statusCode).toBe(200);
  expect((await ada('PUT', '/api/admin/settings', { rules: {} })).statusCode).toBe(200);
});

test('the right password opens them for a while, a wrong one does not and is slowed', async () => {
  const { site, ada } = await open();
  const make = async () => (await ada('POST', '/api/admin/keys', { name: 'plc', role: 'user' })).statusCode;
  site.clock.advance(15 * 60_000);
  const confirm = (password: string) => ada('POST', '/api/auth/confirm', { password });
  expect((await confirm('wrong')).json()).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  expect(await make()).toBe(403);
  expect((await confirm(PASSWORD)).json()).toEqual({
    confirmed_until_ms: site.clock.wallMs() + 15 * 60_000,
  });
  expect(await make()).toBe(201);
  site.clock.advance(15 * 60_000 - 1);
  expect(await make()).toBe(409);
  site.clock.advance(1);
  expect(await make()).toBe(403);
  for (let i = 0; i < 5; i++) await confirm('wrong');
  expect((await confirm(PASSWORD)).statusCode).toBe(429);
});

test('it stands over a restart, and is of one session alone', async () => {
  const { site, context, ada, ask } = await open();
  const other = ask(await tokenOf(context, 'ada'));
  site.clock.advance(15 * 60_000);
  await ada('POST', '/api/auth/confirm', { password: PASSWORD });
  expect((await other('POST', '/api/admin/users', NEW_USER)).json().code).toBe('CONFIRM_PASSWORD');
  await buildApp(site.services, testOptions());
  expect((await ada('POST', '/api/admin/users', NEW_USER)).statusCode).toBe(201);
});

test('an API key has no password and needs its role alone', async () => {
  const { site, context, ask } = await open();
  const { secret } = await context.api_keys.create({ name: 'admin', role: 'admin' }, 'ada');
  site.clock.advance(3_600_000);
  expect((await ask(secret)('POST', '/api/admin/users', NEW_USER)).statusCode).toBe(201);
});
