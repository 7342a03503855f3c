/** Sessions, renewal, API keys, provisional passwords: what begins them, what they may, what ends them at once. */
import { decodeProtectedHeader } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { buildApp } from '../app.ts';
import type { App, ServerContext } from '../options.ts';
import { start } from '../testing/live.ts';
import { TestClient } from '../testing/live-client.ts';
import {
  addTestUsers,
  makeTestSite,
  PASSWORD,
  type TestSite,
  testOptions,
  tokenOf,
} from '../testing/test-site.ts';

const apps: App[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

interface Opened {
  readonly site: TestSite;
  readonly app: App;
  readonly context: ServerContext;
}

async function open(options: Parameters<typeof testOptions>[0] = {}, site?: TestSite): Promise<Opened> {
  const opened = site ?? makeTestSite();
  if (!site) await addTestUsers(opened);
  const built = await buildApp(opened.services, testOptions(options));
  apps.push(built.app);
  return { site: opened, ...built };
}

/** A person with the browser's own cookie jar, reduced to what matters here. */
class Browser {
  readonly #app: App;
  readonly cookies = new Map<string, string>();

  constructor(app: App) {
    this.#app = app;
  }

  async ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) {
    const reply = await this.#app.inject({
      method,
      url,
      cookies: Object.fromEntries(this.cookies),
      headers: { host: 'gateway.lan', origin: 'http://gateway.lan', 'user-agent': 'Browser/1' },
      remoteAddress: '192.0.2.9',
      ...(payload && { payload }),
    });
    for (const { name, value, maxAge } of reply.cookies)
      if (maxAge === 0) this.cookies.delete(name);
      else this.cookies.set(name, value);
    return reply;
  }

  async logIn(username: string, password = PASSWORD) {
    return this.ask('POST', '/api/auth/login', { username, password });
  }

  async status(url = '/api/batteries') {
    return (await this.ask('GET', url)).statusCode;
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('the page', () => {
  test('gets a short token and renews it within the session, not beyond', async () => {
    const { site, app } = await open({ session_hours: 1 });
    const page = new Browser(app);
    const reply = await page.logIn('una');
    expect(reply.cookies).toMatchObject([
      { name: 'bms_session', path: '/', maxAge: 900, httpOnly: true, sameSite: 'Strict' },
      { name: 'bms_renewal', path: '/api/auth', maxAge: 3600, httpOnly: true, sameSite: 'Strict' },
    ]);
    for (let renewals = 1; renewals < 4; renewals++) {
      site.clock.advance(15 * 60_000);
      expect(await page.status()).toBe(401);
      expect((await page.ask('POST', '/api/auth/renew')).statusCode).toBe(200);
      expect(await page.status()).toBe(200);
    }
    site.clock.advance(15 * 60_000);
    expect((await page.ask('POST', '/api/auth/renew')).statusCode).toBe(401);
  });

  test('a renewal secret of another session, or made up, renews nothing', async () => {
    const { app } = await open();
    const [una, ada] = [new Browser(app), new Browser(app)];
    await una.logIn('una');
    await ada.logIn('ada');
    const [una_id] = una.cookies.get('bms_renewal')!.split('.');
    const [, ada_secret] = ada.cookies.get('bms_renewal')!.split('.');
    for (const forged of [`${una_id}.${ada_secret}`, `${una_id}.`, una_id!, '.', '', 'nonsense']) {
      una.cookies.set('bms_renewal', forged);
      expect((await una.ask('POST', '/api/auth/renew')).statusCode).toBe(401);
    }
  });

  test('logging out ends that session alone, also when its token has expired', async () => {
    const { site, app } = await open();
    const [phone, desk] = [new Browser(app), new Browser(app)];
    await phone.logIn('una');
    await desk.logIn('una');
    const stolen = new Map(phone.cookies);
    site.clock.advance(15 * 60_000);
    expect((await phone.ask('POST', '/api/auth/logout')).statusCode).toBe(204);
    expect(phone.cookies.size).toBe(0);
    for (const [name, value] of stolen) phone.cookies.set(name, value);
    expect((await phone.ask('POST', '/api/auth/renew')).statusCode).toBe(401);
    expect((await desk.ask('POST', '/api/auth/renew')).statusCode).toBe(200);
  });

  test('a foreign page can neither renew nor set up', async () => {
    const { app } = await open();
    for (const url of ['/api/auth/renew', '/api/auth/setup', '/api/auth/login', '/api/auth/logout']) {
      const headers = { host: 'gateway.lan', origin: 'http://evil.example' };
      expect((await app.inject({ method: 'POST', url, headers, payload: {} })).statusCode).toBe(403);
    }
  });
});

describe('sessions', () => {
  test('are listed to their user, and all of them to administrators', async () => {
    const { site, app } = await open();
    const [una, ada] = [new Browser(app), new Browser(app)];
    await una.logIn('una');
    site.clock.advance(1000);
    await ada.logIn('ada');
    const own = (await una.ask('GET', '/api/auth/sessions')).json().sessions;
    expect(own).toEqual([
      {
        id: expect.any(String),
        username: 'una',
        created_ms: site.clock.wallMs() - 1000,
        seen_ms: site.clock.wallMs(),
        expires_ms: site.clock.wallMs() - 1000 + 12 * 3_600_000,
        address: '192.0.2.9',
        user_agent: 'Browser/1',
        current: true,
      },
    ]);
    expect((await ada.ask('GET', '/api/admin/sessions')).json().sessions).toHaveLength(2);
    // What another user's session is called is no reason to end it.
    const [{ id }] = (await ada.ask('GET', '/api/auth/sessions')).json().sessions;
    expect((await una.ask('DELETE', `/api/auth/sessions/${id}`)).statusCode).toBe(404);
    expect((await ada.ask('DELETE', `/api/admin/sessions/${own[0].id}`)).statusCode).toBe(204);
    expect(await una.status()).toBe(401);
    expect(await ada.status()).toBe(200);
  });

  test('stand over a restart; those ended do not come back', async () => {
    const first = await open();
    const [kept, ended] = [new Browser(first.app), new Browser(first.app)];
    await kept.logIn('una');
    await ended.logIn('una');
    const cookies = new Map(ended.cookies);
    await ended.ask('POST', '/api/auth/logout');
    const second = await open({}, first.site);
    const after = async (jar: Map<string, string>) => {
      const browser = new Browser(second.app);
      for (const [name, value] of jar) browser.cookies.set(name, value);
      return browser.status();
    };
    expect(await after(kept.cookies)).toBe(200);
    expect(await after(cookies)).toBe(401);
  });

  test('of one user are so many; the one not seen for the longest time makes room', async () => {
    const { site, app } = await open({ limits: { sessions_per_user: 2 } });
    const browsers = [new Browser(app), new Browser(app), new Browser(app)];
    for (const browser of browsers) {
      await browser.logIn('una');
      site.clock.advance(1000);
      await browsers[0].status();
    }
    expect(await Promise.all(browsers.map(browser => browser.status()))).toEqual([200, 401, 200]);
  });

  test('end on the live feed too, that one alone', async () => {
    const { url, token } = await start();
    const [phone, desk] = [await token('una'), await token('una')];
    const clients = [await TestClient.open(url, bearer(phone)), await TestClient.open(url, bearer(desk))];
    await clients[1].next('hello');
    await fetch(`${url}/api/auth/logout`, { method: 'POST', headers: bearer(phone) });
    expect(await clients[0].closed).toMatchObject({ code: 4401 });
    await clients[1].settled();
  });
});

describe('the own password', () => {
  const change = (browser: Browser, old_password: string, new_password: string) =>
    browser.ask('PUT', '/api/auth/password', { old_password, new_password });

  test('is changed with the old one; this session goes on, all others end', async () => {
    const { app } = await open();
    const [here, there] = [new Browser(app), new Browser(app)];
    await here.logIn('una');
    await there.logIn('una');
    expect((await change(here, 'not this one', 'another password')).statusCode).toBe(403);
    expect((await change(here, PASSWORD, PASSWORD)).statusCode).toBe(400);
    expect((await change(here, PASSWORD, 'short')).statusCode).toBe(400);
    expect(await there.status()).toBe(200);
    expect((await change(here, PASSWORD, 'another password')).statusCode).toBe(200);
    expect(await here.status()).toBe(200);
    expect(await there.status()).toBe(401);
    expect((await here.ask('GET', '/api/auth/sessions')).json().sessions).toHaveLength(1);
    expect((await here.logIn('una')).statusCode).toBe(401);
    expect((await here.logIn('una', 'another password')).statusCode).toBe(200);
  });

  test('cannot be guessed any faster than at the login', async () => {
    const { app } = await open();
    const page = new Browser(app);
    await page.logIn('una');
    for (let i = 0; i < 5; i++)
      expect((await change(page, `guess ${i}`, 'new password')).statusCode).toBe(403);
    expect((await change(page, PASSWORD, 'new password')).statusCode).toBe(429);
  });

  test('given by an administrator lets do nothing but change it', async () => {
    const { app } = await open();
    const [ada, una] = [new Browser(app), new Browser(app)];
    await ada.logIn('ada');
    const body = { password: 'provisional', must_change_password: true };
    expect((await ada.ask('PUT', '/api/admin/users/una', body)).json()).toMatchObject({
      must_change_password: true,
    });
    expect((await una.logIn('una', 'provisional')).json()).toMatchObject({ must_change_password: true });
    expect((await una.ask('GET', '/api/auth/me')).json()).toMatchObject({ must_change_password: true });
    const refused = await una.ask('GET', '/api/batteries');
    expect(refused.statusCode).toBe(403);
    expect(refused.json().detail).toContain('PUT /api/auth/password');
    expect((await change(una, 'provisional', 'one of my own')).statusCode).toBe(200);
    expect(await una.status()).toBe(200);
    expect((await una.ask('GET', '/api/auth/me')).json()).toEqual({
      user: { username: 'una', role: 'user' },
    });
  });
});

describe('disabling', () => {
  test('ends all sessions at once and keeps out, and can be undone', async () => {
    const { app } = await open();
    const [ada, una] = [new Browser(app), new Browser(app)];
    await ada.logIn('ada');
    await una.logIn('una');
    const set = (username: string, disabled: boolean) =>
      ada.ask('PUT', `/api/admin/users/${username}`, { disabled });
    expect((await set('una', true)).json()).toMatchObject({ disabled: true });
    expect(await una.status()).toBe(401);
    expect((await ada.ask('GET', '/api/admin/sessions')).json().sessions).toMatchObject([
      { username: 'ada' },
    ]);
    expect((await una.logIn('una')).statusCode).toBe(401);
    expect((await set('ada', true)).statusCode).toBe(409);
    await set('una', false);
    expect((await una.logIn('una')).statusCode).toBe(200);
  });
});

describe('API keys', () => {
  const make = async ({ app, context }: Opened, body: object) =>
    app.inject({
      method: 'POST',
      url: '/api/admin/keys',
      headers: bearer(await tokenOf(context, 'ada')),
      payload: body,
    });

  test('open what their role and batteries allow, and nothing of an account', async () => {
    const opened = await open();
    const { app } = opened;
    const { key, secret } = (
      await make(opened, { name: 'Building PLC', role: 'user', batteries: ['south'] })
    ).json();
    expect(key).toMatchObject({ name: 'Building PLC', created_by: 'ada', expires_ms: null, used_ms: null });
    expect(secret).toMatch(/^bms_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/);
    const status = async (url: string, method: 'GET' | 'PUT' = 'GET', payload?: object) =>
      (await app.inject({ method, url, headers: bearer(secret), ...(payload && { payload }) })).statusCode;
    expect(await status('/api/battery/south')).toBe(200);
    expect(await status('/api/battery/north')).toBe(404);
    expect(await status('/api/reports/fleet')).toBe(403);
    expect(await status('/api/admin/users')).toBe(403);
    expect(await status('/api/auth/sessions')).toBe(403);
    const body = { old_password: PASSWORD, new_password: 'another password' };
    expect(await status('/api/auth/password', 'PUT', body)).toBe(403);
    const me = await app.inject({ url: '/api/auth/me', headers: bearer(secret) });
    expect(me.json()).toEqual({ user: { username: 'key:Building PLC', role: 'user' } });
  });

  test('show when they were last used, are kept as a hash alone, and stand over a restart', async () => {
    const opened = await open();
    const { secret, key } = (await make(opened, { name: 'a', role: 'moderator' })).json();
    await opened.app.inject({ url: '/api/auth/me', headers: bearer(secret), remoteAddress: '192.0.2.77' });
    expect(JSON.stringify(await opened.site.documents.list('api_key'))).not.toContain(secret.slice(13));
    const again = await open({}, opened.site);
    const [shown] = again.context.api_keys.list();
    expect(shown).toMatchObject({
      id: key.id,
      used_ms: opened.site.clock.wallMs(),
      used_address: '192.0.2.77',
    });
    const headers = bearer(secret);
    expect((await again.app.inject({ url: '/api/reports/fleet', headers })).statusCode).toBe(200);
  });

  test('end at their time', async () => {
    const opened = await open();
    const { site, app } = opened;
    const expires_ms = site.clock.wallMs() + 60_000;
    const { secret } = (await make(opened, { name: 'short', role: 'user', expires_ms })).json();
    const ask = () => app.inject({ url: '/api/auth/me', headers: bearer(secret) });
    site.clock.advance(59_999);
    expect((await ask()).statusCode).toBe(200);
    site.clock.advance(1);
    expect((await ask()).json()).toMatchObject({ status: 401, detail: expect.stringContaining('expired') });
  });

  test('end when revoked, on the live feed too', async () => {
    const { url, token } = await start();
    const headers = { ...bearer(await token('ada')), 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'wall display', role: 'user', batteries: ['north'] });
    const made = await fetch(`${url}/api/admin/keys`, { method: 'POST', headers, body });
    const { secret, key } = (await made.json()) as { secret: string; key: { id: string } };
    const display = await TestClient.open(url, bearer(secret));
    await display.subscribed('battery:north');
    const { authorization } = headers;
    await fetch(`${url}/api/admin/keys/${key.id}`, { method: 'DELETE', headers: { authorization } });
    expect(await display.closed).toMatchObject({ code: 4401 });
    await expect(TestClient.open(url, bearer(secret))).rejects.toThrow('401');
  });
});

test('a session goes on when the signing key is rotated, and its new tokens are of the new key', async () => {
  const { site, app } = await open({ jwt_secret: undefined });
  const [page, ada] = [new Browser(app), new Browser(app)];
  await page.logIn('una');
  await ada.logIn('ada');
  const kidOf = () => decodeProtectedHeader(page.cookies.get('bms_session')!).kid;
  const old = kidOf();
  const rotated = await ada.ask('POST', '/api/admin/signing-keys');
  expect(rotated.json()).toEqual({ kid: expect.not.stringMatching(`^${old}$`), accepted: 2 });
  expect(await page.status()).toBe(200);
  site.clock.advance(15 * 60_000);
  await page.ask('POST', '/api/auth/renew');
  expect(kidOf()).toBe(rotated.json().kid);
});
