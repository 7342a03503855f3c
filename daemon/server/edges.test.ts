/** Requests that are not what they seem: upgrades, origins, hosts, proxies, bodies without an end. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Logger } from '../../core/log.ts';
import { addressMatcher } from './addresses.ts';
import type { ServerOptions } from './options.ts';
import { createServer, type HttpServer } from './server.ts';
import { addTestUsers, makeTestSite, PASSWORD, testOptions } from './testing/test-site.ts';

let server: HttpServer | undefined;
afterEach(() => server?.close());

async function start(options: Partial<ServerOptions> = {}) {
  const logged: object[] = [];
  const keep = (fields: object) => void logged.push(fields);
  const log: Logger = { debug() {}, info() {}, warn: keep, error: keep };
  const site = makeTestSite({ log });
  await addTestUsers(site);
  server = await createServer(site.services, testOptions(options));
  const { app } = server;
  const port = Number(new URL((await server.listen()).url).port);
  const login = (headers: Record<string, string> = {}, remoteAddress = '127.0.0.1', username = 'ada') =>
    app.inject({
      method: 'POST',
      url: '/api/auth/login',
      headers,
      remoteAddress,
      payload: { username, password: PASSWORD },
    });
  return { app, port, logged, login };
}

/** Sends as it stands; the status of the first reply, when the gateway closes or `head` alone has come. */
async function statusOf(port: number, ...lines: string[]): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(lines.join('\r\n'));
  const [data] = await once(socket, 'data');
  socket.destroy();
  return Number(String(data).split(' ')[1]);
}

test.each(['/healthz', '/', '/nothing', '/assets/x.js', '/api/auth/setup', '/api/openapi.json', '/api/docs'])(
  'an upgrade at %s is refused before any handshake',
  async path => {
    const { port } = await start();
    const handshake = [
      ...[`GET ${path} HTTP/1.1`, 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket'],
      ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
    ];
    expect(await statusOf(port, ...handshake)).toBe(400);
    expect(await statusOf(port, ...handshake.map(line => line.replace(path, '/ws')))).toBe(401);
  },
);

test('two hosts are one too many', async () => {
  const { port } = await start();
  expect(await statusOf(port, 'GET /healthz HTTP/1.1', 'Host: a', 'Host: b', '', '')).toBe(400);
  expect(await statusOf(port, 'GET /healthz HTTP/1.1', 'Host: a', '', '')).toBe(200);
});

test('a body without an end is answered with 408 and leaves no line of an error', async () => {
  const { port, logged } = await start({
    limits: { headers_timeout_ms: 100, request_timeout_ms: 150, handler_timeout_ms: 100 },
  });
  const head = ['POST /api/auth/login HTTP/1.1', 'Host: a', 'Content-Type: application/json'];
  expect(await statusOf(port, ...head, 'Content-Length: 100', '', '{')).toBe(408);
  expect(logged).toEqual([]);
});

test('a store that does not answer, or no place, is no error of ours', async () => {
  const { app, port, logged, login } = await start({ limits: { live_clients: 0 } });
  const { token } = (await login({}, '127.0.0.1', 'una')).json();
  const handshake = [
    ...['GET /ws HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket'],
    ...[`Authorization: Bearer ${token}`, 'Sec-WebSocket-Version: 13'],
    ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
  ];
  expect(await statusOf(port, ...handshake)).toBe(503);
  expect(logged).toEqual([]);
  await app.close();
});

test('behind a trusted proxy with TLS cookies are Secure and bound to it, and only to a page of ours', async () => {
  const { app, login } = await start({ trusted_proxies: ['10.1.0.0/16'] });
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7', host: 'bms.example' };
  const browser = { ...forwarded, origin: 'https://bms.example', 'sec-fetch-site': 'same-origin' };
  const reply = await login(browser, '10.1.2.3');
  expect(reply.cookies).toMatchObject([
    { name: '__Host-bms_session', secure: true, path: '/', httpOnly: true, sameSite: 'Strict' },
    { name: '__Secure-bms_renewal', secure: true, path: '/api/auth' },
  ]);
  const cookie = reply.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const me = (headers: Record<string, string>) =>
    app.inject({ url: '/api/auth/sessions', headers, remoteAddress: '10.1.2.3' });
  expect((await me({ ...forwarded, cookie })).json().sessions).toMatchObject([{ address: '192.0.2.7' }]);
  const planted = cookie.replace('__Host-', '').replace('__Secure-', '');
  expect((await me({ ...forwarded, cookie: planted })).statusCode).toBe(401);
  const end = (origin: string) =>
    app.inject({
      method: 'DELETE',
      url: '/api/auth/sessions',
      remoteAddress: '10.1.2.3',
      headers: { ...forwarded, cookie, origin },
    });
  expect((await end('http://bms.example')).statusCode).toBe(403);
  expect((await end('https://bms.example')).statusCode).toBe(204);
});

test('nobody else is believed', async () => {
  const { app, login } = await start({ trusted_proxies: ['10.1.0.0/16'] });
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7' };
  const reply = await login(forwarded, '10.2.0.1');
  expect(reply.cookies).toMatchObject([{ name: 'bms_session' }]);
  expect(reply.cookies[0].secure).toBeUndefined();
  const headers = { authorization: `Bearer ${reply.json().token}` };
  const { sessions } = (await app.inject({ url: '/api/auth/sessions', headers })).json();
  expect(sessions[0].address).toBe('127.0.0.1');
});

test('addresses and networks of proxies are matched in either form, and others are none', () => {
  const isProxy = addressMatcher(['10.1.0.0/16', '192.0.2.1', 'fd00::/8']);
  const yes = ['10.1.255.1', '::ffff:10.1.0.1', '192.0.2.1', 'fd12::1', 'fd12::1%eth0'];
  const no = ['10.2.0.1', '::ffff:10.2.0.1', '192.0.2.2', 'fe80::1', '', undefined, 'nonsense'];
  expect(yes.map(isProxy)).toEqual(yes.map(() => true));
  expect(no.map(isProxy)).toEqual(no.map(() => false));
  for (const entry of ['', '10.0.0.0/33', '10.0.0/8', 'proxy.lan', '::/129', '10.0.0.0/8/8', '10.0.0.0/'])
    expect(() => addressMatcher([entry]), entry).toThrow('trusted_proxies');
});

test('a live feed by cookie that a browser says is cross-site is refused, whatever else it says', async () => {
  const { port, login } = await start();
  const { token } = (await login()).json();
  const handshake = (...more: string[]) =>
    statusOf(
      port,
      ...['GET /ws HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', ...more],
      ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
    );
  const cookie = `Cookie: bms_session=${token}`;
  expect(await handshake(cookie, 'Sec-Fetch-Site: cross-site')).toBe(403);
  expect(await handshake(cookie, 'Sec-Fetch-Site: same-site')).toBe(403);
  expect(await handshake(cookie, 'Sec-Fetch-Site: same-origin', 'Origin: http://a')).toBe(101);
  expect(await handshake(cookie)).toBe(101);
});

test('security.txt names the contact that was configured, with an end; without one there is none', async () => {
  const url = '/.well-known/security.txt';
  const { app } = await start({ security_contact: 'mailto:safety@site.example' });
  const reply = await app.inject({ url });
  expect(reply.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(reply.body).toMatch(
    /^Contact: mailto:safety@site\.example\nExpires: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\nPreferred-Languages: en\n$/,
  );
  await app.close();
  expect((await (await start()).app.inject({ url })).statusCode).toBe(404);
});
