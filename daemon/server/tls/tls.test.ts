/** TLS as other machines meet it: over real sockets, with a certificate of our own or a configured one. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { get, request } from 'node:http';
import https from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServer, type HttpServer } from '../server.ts';
import { addTestUsers, makeTestSite, PASSWORD, type TestSite, testOptions } from '../testing/test-site.ts';
import { makeSelfSigned } from './self-signed.ts';

const DAY_MS = 86_400_000;

let directory: string;
let site: TestSite;
let server: HttpServer;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-'));
  site = makeTestSite();
  await addTestUsers(site);
});
afterEach(async () => {
  await server?.close();
  await rm(directory, { recursive: true });
});

const ownFile = (name: string) => join(directory, 'own', name);

async function start(options: Parameters<typeof testOptions>[0] = {}): Promise<number> {
  server = await createServer(
    site.services,
    testOptions({ host: '0.0.0.0', certificate_directory: join(directory, 'own'), ...options }),
  );
  const { url } = await server.listen();
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  return Number(new URL(url).port);
}

/** Writes a pair valid for so many days from now as the configured one. */
async function configure(days = 90, names = ['127.0.0.1']) {
  const now_ms = site.clock.wallMs();
  const pair = makeSelfSigned({
    names,
    valid_from_ms: now_ms - 400 * DAY_MS,
    valid_until_ms: now_ms + days * DAY_MS,
  });
  const files = { certificate_file: join(directory, 'site.pem'), key_file: join(directory, 'site.key') };
  await writeFile(files.certificate_file, pair.certificate_pem);
  await writeFile(files.key_file, pair.key_pem);
  return files;
}

async function fingerprint(port: number, host = '127.0.0.1'): Promise<string> {
  const socket = connectTls({ port, host, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

function ask(url: string, options: https.RequestOptions = {}, body?: string) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      const send = url.startsWith('https') ? https.request : request;
      const asked = send(url, { agent: false, ...options }, reply => {
        let text = '';
        reply.on('data', chunk => (text += chunk));
        reply.on('end', () => resolve({ status: reply.statusCode!, headers: reply.headers, body: text }));
      });
      asked.on('error', reject).end(body);
    },
  );
}

test('beyond loopback a certificate is made at the first start, kept for its owner alone, and kept', async () => {
  const port = await start();
  const first = server.certificate()!;
  expect(first).toMatchObject({
    self_signed: true,
    names: expect.arrayContaining(['127.0.0.1', '::1', 'localhost']),
  });
  expect(await fingerprint(port)).toBe(first.fingerprint_sha256);
  for (const name of ['certificate.pem', 'key.pem'])
    expect((await stat(ownFile(name))).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, 'own'))).mode & 0o777).toBe(0o700);
  expect(server.status()).toMatchObject({ state: 'ok', reason: null });
  await server.close();
  await start();
  expect(server.certificate()).toEqual(first);
});

test('who trusts the certificate gets through without a complaint', async () => {
  const port = await start();
  const ca = await readFile(ownFile('certificate.pem'));
  // The test's clock is not today's; the certificate is judged by its names and its signature.
  const reply = await ask(`https://127.0.0.1:${port}/healthz`, { ca, rejectUnauthorized: false });
  expect(reply.status).toBe(200);
  const socket = connectTls({ port, host: '127.0.0.1', ca, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  expect(String(socket.authorizationError ?? '')).not.toMatch(/ALTNAME|SELF_SIGNED|ISSUER|SIGNATURE/);
  expect(socket.getProtocol()).toBe('TLSv1.3');
  socket.destroy();
});

test('older TLS than 1.2 is refused', async () => {
  const port = await start();
  const at = (version: 'TLSv1.1' | 'TLSv1.2') =>
    new Promise<string | null>(resolve => {
      const socket: TLSSocket = connectTls(
        {
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT@SECLEVEL=0',
        },
        () => resolve(socket.destroy().getProtocol()),
      );
      socket.on('error', () => resolve('refused'));
    });
  expect(await at('TLSv1.1')).toBe('refused');
  expect(await at('TLSv1.2')).not.toBe('refused');
});

test('TLS 1.2 takes no CBC suite, and a page of plain HTTP may change nothing', async () => {
  const port = await start();
  const offer = (ciphers: string) =>
    new Promise<string>(resolve => {
      const options = { port, rejectUnauthorized: false, maxVersion: 'TLSv1.2', ciphers } as const;
      const socket = connectTls(options, () => {
        resolve(socket.getCipher().name);
        socket.destroy();
      });
      socket.on('error', () => resolve('refused'));
    });
  for (const name of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE-ECDSA-AES128-SHA256'])
    expect([name, await offer(name)]).toEqual([name, 'refused']);
  expect(await offer('ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('ECDHE-ECDSA-AES128-GCM-SHA256');
  const logOut = (scheme: string) =>
    ask(`https://127.0.0.1:${port}/api/auth/logout`, {
      method: 'POST',
      rejectUnauthorized: false,
      headers: { origin: `${scheme}://127.0.0.1:${port}` },
    });
  expect((await logOut('http')).status).toBe(403);
  expect((await logOut('https')).status).toBe(204);
});

test('plain HTTP on the same port: people are sent to HTTPS, programs get an error', async () => {
  const port = await start();
  const page = await ask(`http://127.0.0.1:${port}/packs/n1?cell=3`);
  expect(page.status).toBe(308);
  expect(page.headers.location).toBe(`https://127.0.0.1:${port}/packs/n1?cell=3`);
  for (const path of ['/api/batteries', '/metrics']) {
    const program = await ask(`http://127.0.0.1:${port}${path}`);
    expect(program.status).toBe(403);
    expect(JSON.parse(program.body)).toMatchObject({
      code: 'FORBIDDEN',
      detail: expect.stringContaining('https://'),
    });
  }
  const body = JSON.stringify({ username: 'una', password: PASSWORD });
  const login = await ask(`http://127.0.0.1:${port}/api/auth/login`, { method: 'POST' }, body);
  expect(login.status).toBe(403);
  expect(login.headers['set-cookie']).toBeUndefined();
  for (const host of [
    'a b"<c>',
    'evil.example',
    `evil.example:${port}`,
    '[::2]:1',
    'localhost.evil.example',
  ]) {
    const odd = await ask(`http://127.0.0.1:${port}/`, { headers: { host } });
    expect([host, odd.status, odd.headers.location]).toEqual([host, 400, undefined]);
  }
  const named = await ask(`http://127.0.0.1:${port}/`, { headers: { host: `localhost:${port}` } });
  expect(named.headers.location).toBe(`https://localhost:${port}/`);
  const secure = await ask(
    `https://127.0.0.1:${port}/api/auth/login`,
    { method: 'POST', rejectUnauthorized: false, headers: { 'content-type': 'application/json' } },
    body,
  );
  expect(secure.status).toBe(200);
  expect(String(secure.headers['set-cookie'])).toContain('; Secure');
});

test('a new certificate is taken without a restart, by itself and on demand', async () => {
  const files = await configure();
  const port = await start({ tls: files });
  const before = server.certificate()!.fingerprint_sha256;
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  const kept = { agent, rejectUnauthorized: false };
  await ask(`https://127.0.0.1:${port}/healthz`, kept);
  await configure(100);
  await server.reloadCertificate();
  const after = server.certificate()!.fingerprint_sha256;
  expect(after).not.toBe(before);
  expect(await fingerprint(port)).toBe(after);
  expect((await ask(`https://127.0.0.1:${port}/healthz`, kept)).status).toBe(200);
  agent.destroy();
  await configure(110);
  site.clock.advance(10_000);
  await server.reloadCertificate();
  expect(await fingerprint(port)).not.toBe(after);
});

test('on localhost both of its addresses take a new certificate, and both close', async () => {
  const files = await configure();
  server = await createServer(site.services, testOptions({ host: 'localhost', tls: files }));
  const port = Number(new URL((await server.listen()).url).port);
  await configure(100);
  await server.reloadCertificate();
  const { fingerprint_sha256 } = server.certificate()!;
  const reached: string[] = [];
  for (const host of ['127.0.0.1', '::1']) {
    const seen = await fingerprint(port, host).catch((error: NodeJS.ErrnoException) => error.code);
    if (seen === 'ECONNREFUSED' || seen === 'EADDRNOTAVAIL') continue;
    expect(seen, host).toBe(fingerprint_sha256);
    expect((await ask(`http://${host === '::1' ? '[::1]' : host}:${port}/`)).status).toBe(308);
    reached.push(host);
    connectPlain(port, host).on('error', () => undefined);
  }
  expect(reached.length).toBeGreaterThan(0);
  await server.close();
});

test('what is not fit is refused with the reason, and the certificate before it is served', async () => {
  const files = await configure();
  const port = await start({ tls: files });
  const good = server.certificate()!.fingerprint_sha256;
  const refused = async () => {
    await server.reloadCertificate();
    expect(await fingerprint(port)).toBe(good);
    const { state, reason } = server.status();
    expect(state).toBe('degraded');
    return reason;
  };
  const { key_pem } = makeSelfSigned({ names: ['x'], valid_from_ms: 0, valid_until_ms: 1e12 });
  await writeFile(files.key_file, key_pem);
  expect(await refused()).toMatch(/site\.key is the key of another certificate than .*site\.pem/);
  await writeFile(files.certificate_file, 'nonsense');
  expect(await refused()).toMatch(/site\.pem is not a certificate in PEM/);
  await configure(-1);
  expect(await refused()).toMatch(
    /site\.pem expired on \d{4}-\d\d-\d\d; the certificate before it is served/,
  );
  await rm(files.key_file);
  expect(await refused()).toMatch(/cannot read .*site\.key: ENOENT/);
  await configure();
  await server.reloadCertificate();
  expect(server.status()).toMatchObject({ state: 'ok', reason: null });
  expect(await fingerprint(port)).not.toBe(good);
});

test('at the start the unfit pair is refused; an expired one is complained about and served', async () => {
  const files = await configure(-1);
  const port = await start({ tls: files });
  expect(await fingerprint(port)).toBe(server.certificate()!.fingerprint_sha256);
  expect(server.status()).toMatchObject({ state: 'degraded', reason: expect.stringContaining('expired on') });
  await server.close();
  await configure(5);
  await start({ tls: files });
  expect(server.status()).toMatchObject({ reason: expect.stringContaining('site.pem expires on') });
  await server.close();
  await writeFile(files.key_file, 'nonsense');
  await expect(start({ tls: files })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringMatching(/site\.key is not a private key without passphrase in PEM/),
  });
});

test('our own is renewed a month before its end, and when its files are damaged or gone', async () => {
  const port = await start();
  const first = await fingerprint(port);
  site.clock.advance(789 * DAY_MS);
  await server.reloadCertificate();
  expect(await fingerprint(port)).toBe(first);
  site.clock.advance(2 * DAY_MS);
  await server.reloadCertificate();
  const second = await fingerprint(port);
  expect(second).not.toBe(first);
  expect(server.certificate()!.valid_until_ms).toBeGreaterThan(site.clock.wallMs() + 800 * DAY_MS);
  await writeFile(ownFile('key.pem'), 'damaged');
  await server.reloadCertificate();
  const third = await fingerprint(port);
  expect(third).not.toBe(second);
  await rm(join(directory, 'own'), { recursive: true });
  await server.reloadCertificate();
  expect(await fingerprint(port)).not.toBe(third);
});

test('our own that cannot be renewed is served on; that is said once, and mended by itself', async () => {
  const logged: string[] = [];
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (_: object, text: string) => void logged.push(text),
  };
  site = makeTestSite({ log });
  const port = await start();
  const first = await fingerprint(port);
  // A file where the folder should be: nothing can be kept there, whoever asks.
  await rm(join(directory, 'own'), { recursive: true });
  await writeFile(join(directory, 'own'), '');
  for (let i = 0; i < 3; i++) await server.reloadCertificate();
  site.clock.advance(800 * DAY_MS);
  for (let i = 0; i < 3; i++) await server.reloadCertificate();
  expect(await fingerprint(port)).toBe(first);
  expect(server.status()).toMatchObject({
    state: 'degraded',
    reason: expect.stringContaining('Cannot keep'),
  });
  expect(logged).toHaveLength(1);
  await rm(join(directory, 'own'));
  await server.reloadCertificate();
  expect(await fingerprint(port)).not.toBe(first);
  expect(server.status()).toMatchObject({ state: 'ok', reason: null });
});

test('who says nothing, or only half a handshake, is dropped and does not hold up the end', async () => {
  const port = await start();
  const silent = await open(port);
  const plain = await open(port);
  plain.write('GET / HT');
  await received(server);
  site.clock.advance(10_000);
  await Promise.all([once(silent, 'close'), once(plain, 'close')]);
  const half = await open(port);
  half.write(Buffer.from([22, 3, 1, 2, 0]));
  const late = await open(port);
  await received(server);
  await server.close();
  await Promise.all([half, late].map(socket => socket.destroyed || once(socket, 'close')));
});

async function open(port: number): Promise<Socket> {
  const socket = connectPlain(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  return socket;
}

/** What was sent before has reached the server when this, sent later, is answered. */
async function received({ app }: HttpServer): Promise<void> {
  const { port } = app.server.address() as { port: number };
  await ask(`https://127.0.0.1:${port}/healthz`, { rejectUnauthorized: false });
}

test('plain HTTP on loopback, and where it is asked for', async () => {
  for (const options of [{ host: '127.0.0.1' }, { host: '0.0.0.0', insecure_http: true }]) {
    server = await createServer(
      site.services,
      testOptions({ certificate_directory: join(directory, 'own'), ...options }),
    );
    const { url } = await server.listen();
    expect(url).toMatch(/^http:/);
    expect(server.certificate()).toBeNull();
    const status = await new Promise(resolve => {
      get(`${url}/healthz`, { agent: false }, reply => resolve(reply.resume().statusCode));
    });
    expect(status).toBe(200);
    await server.close();
  }
});
