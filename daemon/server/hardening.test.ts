/** What hostile or broken peers may do to the sockets, and how the page is confined. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, isIPv4, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createServer, type HttpServer } from './server.ts';
import { TestClient } from './testing/live-client.ts';
import { addTestUsers, makeTestSite, PASSWORD, testOptions } from './testing/test-site.ts';
import { ownAddresses } from './tls/own-names.ts';

let server: HttpServer | undefined;
afterEach(() => server?.close());

async function start(limits: NonNullable<Parameters<typeof testOptions>[0]>['limits'] = {}): Promise<number> {
  server = await createServer(makeTestSite().services, testOptions({ limits: limits ?? {} }));
  return Number(new URL((await server.listen()).url).port);
}

/** Sends as it stands; what comes back until the gateway closes. */
async function exchange(port: number, ...parts: string[]): Promise<{ status: number; body: string }> {
  const socket = await open(port);
  let text = '';
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk;
  });
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  return { status: Number(head.split(' ')[1] ?? Number.NaN), body };
}

async function open(port: number, address = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, address);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const problem = ({ status, body }: { status: number; body: string }) => {
  const parsed = JSON.parse(body);
  expect(parsed).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
  return status;
};

test('what is no HTTP is answered and closed', async () => {
  const port = await start();
  expect(problem(await exchange(port, '\x16\x03\x01 hello\r\n\r\n'))).toBe(400);
  expect(problem(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nBad Header\r\n\r\n'))).toBe(400);
  expect(
    problem(
      await exchange(
        port,
        'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      ),
    ),
  ).toBe(400);
});

test('too much address, too many headers, headers and bodies without an end', async () => {
  const port = await start({ headers_timeout_ms: 250, request_timeout_ms: 250 });
  const long = 'a'.repeat(20_000);
  expect(problem(await exchange(port, `GET /${long} HTTP/1.1\r\nHost: a\r\n\r\n`))).toBe(431);
  expect(problem(await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${long}\r\n\r\n`))).toBe(431);
  expect(problem(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n'))).toBe(408);
  const login = 'POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
  expect((await exchange(port, `${login}Content-Length: 100\r\n\r\n{"username":`)).status).toBe(408);
  const endless = `${login}Transfer-Encoding: chunked\r\n\r\n`;
  expect((await exchange(port, endless, `10000\r\n${'x'.repeat(0x10000)}\r\n`)).status).toBe(413);
});

test('more connections than there may be are closed at once, and the others are served', async () => {
  const port = await start({ connections: 3 });
  const held = [await open(port), await open(port)];
  const served = await open(port);
  const refused = await open(port);
  await once(refused, 'close');
  served.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(String((await once(served, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
  for (const socket of held) socket.destroy();
  expect(server!.status().counters.connections_refused).toBe(1);
});

test('a reply that nobody reads is given up; a live feed is not', async () => {
  const site = makeTestSite();
  await addTestUsers(site);
  const history = async () => new Uint8Array(30_000_000).fill(32);
  const services = { ...site.services, store: { ...site.services.store, history } };
  server = await createServer(services, testOptions({ limits: { stalled_ms: 300 } }));
  const { url } = await server.listen();
  const login = {
    method: 'POST',
    url: '/api/auth/login',
    payload: { username: 'una', password: PASSWORD },
  } as const;
  const authorization = `Bearer ${(await server.app.inject(login)).json().token}`;
  const live = await TestClient.open(url, { authorization });
  const accepted = once(server.app.server, 'connection') as Promise<[Socket]>;
  const stalled = await open(Number(new URL(url).port));
  const [socket] = await accepted;
  stalled.pause();
  stalled.write(`GET /api/packs/n1/history HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`);
  await once(socket, 'close');
  stalled.destroy();
  await live.settled();
  expect(live.socket.readyState).toBe(live.socket.OPEN);
});

test('one address has a share of the connections only, unless it is a proxy on this machine', async context => {
  const [address] = ownAddresses().filter(isIPv4);
  if (!address) return context.skip('needs an IPv4 address beside loopback');
  const options = testOptions({
    host: '0.0.0.0',
    insecure_http: true,
    limits: { connections_per_address: 2 },
  });
  server = await createServer(makeTestSite().services, options);
  const port = Number(new URL((await server.listen()).url).port);
  const held = [await open(port, address), await open(port, address)];
  await once(await open(port, address), 'close');
  for (let i = 0; i < 3; i++) held.push(await open(port));
  expect((await exchange(port, 'GET /healthz HTTP/1.0\r\n\r\n')).status).toBe(200);
  held[0]!.destroy();
  await once(held[0]!, 'close');
  const again = await open(port, address);
  again.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(String((await once(again, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
  for (const socket of held) socket.destroy();
});

test('metrics without login are for this machine by its own name, not for a page that points here', async () => {
  const port = await start();
  const status = async (host: string) =>
    (await exchange(port, `GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).status;
  expect(await status(`127.0.0.1:${port}`)).toBe(200);
  expect(await status(`localhost:${port}`)).toBe(200);
  expect(await status(`[::1]:${port}`)).toBe(200);
  expect(await status(`evil.example:${port}`)).toBe(401);
});

test('every reply confines the page: nothing inline, nothing from elsewhere, in no frame', async () => {
  server = await createServer(makeTestSite().services, testOptions());
  for (const url of ['/', '/api/auth/me', '/healthz', '/nowhere']) {
    const { headers } = await server.app.inject({ url, headers: { host: 'box.local:8080' } });
    expect(headers['content-security-policy']?.toString().split(';')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      "manifest-src 'self'",
      "worker-src 'self'",
      "connect-src 'self' ws://box.local:8080",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ]);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers.server).toBeUndefined();
  }
});

test('the page has no script or style that the policy would have to allow', () => {
  const ui = join(import.meta.dirname, '../../ui');
  const pages = ['.', 'dist']
    .map(folder => join(ui, folder))
    .filter(existsSync)
    .flatMap(folder =>
      readdirSync(folder)
        .filter(name => name.endsWith('.html'))
        .map(name => join(folder, name)),
    );
  expect(pages.length).toBeGreaterThan(0);
  for (const page of pages) {
    const html = readFileSync(page, 'utf8');
    for (const [tag] of html.matchAll(/<script\b[^>]*>/g)) expect(tag).toMatch(/\bsrc="\//);
    expect(html).not.toMatch(/<style\b|\sstyle=|\son\w+=|javascript:/i);
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
  }
});
