/** Listening and refusing to, and what every reply carries. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Logger } from '../../core/log.ts';
import { buildApp } from './app.ts';
import { createServer } from './server.ts';
import { addTestUsers, makeTestSite, PASSWORD, testOptions, tokenOf } from './testing/test-site.ts';

test('beyond loopback it wants TLS, or a setting that the network is trusted', async () => {
  const { services } = makeTestSite();
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'gateway.lan', '127.0.0.1.example'])
    await expect(createServer(services, testOptions({ host }))).rejects.toMatchObject({
      code: 'SERVER_INSECURE',
      message: expect.stringMatching(/tls.*insecure_http.*127\.0\.0\.1/s),
    });
  for (const options of [{ host: '0.0.0.0', insecure_http: true }, { host: '::1' }, { host: 'localhost' }]) {
    const server = await createServer(services, testOptions(options));
    await server.close();
  }
});

test('an address in use is named, with what to do', async () => {
  const first = await createServer(makeTestSite().services, testOptions());
  const { url } = await first.listen();
  const port = Number(new URL(url).port);
  const second = await createServer(makeTestSite().services, testOptions({ port }));
  await expect(second.listen()).rejects.toMatchObject({
    code: 'SERVER_ADDRESS_IN_USE',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
  await second.close();
  await first.close();
  await first.close();
});

test('a certificate that cannot be read or is none is named', async () => {
  const { services } = makeTestSite();
  const broken = (certificate_file: string) =>
    createServer(services, testOptions({ tls: { certificate_file, key_file: import.meta.filename } }));
  await expect(broken('/nonexistent.pem')).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining('/nonexistent.pem'),
  });
  await expect(broken(import.meta.filename)).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining('not a certificate'),
  });
});

test('with TLS the cookie is Secure', async context => {
  const directory = await mkdtemp(join(tmpdir(), 'tls-'));
  const [certificate_file, key_file] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const made = await promisify(execFile)('openssl', [
    ...[
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=localhost',
    ],
    ...['-days', '2', '-out', certificate_file, '-keyout', key_file],
  ]).catch((error: NodeJS.ErrnoException) => error);
  if (made instanceof Error && made.code === 'ENOENT' && process.env.CI !== 'true')
    return context.skip('needs the program openssl to make a certificate');
  const site = makeTestSite();
  await addTestUsers(site);
  const server = await createServer(
    site.services,
    testOptions({ host: '0.0.0.0', tls: { certificate_file, key_file } }),
  );
  const { url } = await server.listen();
  expect(url).toMatch(/^https:/);
  const cookies = await new Promise<string[] | undefined>((resolve, reject) => {
    const login = request(
      `${url}/api/auth/login`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, rejectUnauthorized: false },
      reply => resolve(reply.resume().headers['set-cookie']),
    );
    login.on('error', reject).end(JSON.stringify({ username: 'una', password: PASSWORD }));
  });
  expect(cookies?.join()).toContain('; Secure');
  await server.close();
  await rm(directory, { recursive: true });
});

test('an error of our own is explained in the log, not outside', async () => {
  const logged: object[] = [];
  const keep = (fields: object) => void logged.push(fields);
  const log: Logger = { debug() {}, info: keep, warn: keep, error: keep };
  const site = makeTestSite({ log });
  const { app } = await buildApp(
    {
      ...site.services,
      status: () => {
        throw new Error('inner detail');
      },
    },
    testOptions(),
  );
  const reply = await app.inject({ url: '/healthz' });
  expect(reply.statusCode).toBe(500);
  expect(reply.json()).toMatchObject({ code: 'INTERNAL', status: 500 });
  expect(reply.body).not.toContain('inner detail');
  const id = reply.headers['x-request-id'];
  expect(reply.json().instance).toBe(`urn:bms-gateway:request:${id}`);
  expect(logged).toMatchObject([
    { request_id: id, path: '/healthz', error: expect.stringContaining('inner detail') },
  ]);
  await app.close();
});

test('bounds are answered with problems: size, type, rate, method, path', async () => {
  const { app } = await buildApp(
    makeTestSite().services,
    testOptions({ limits: { requests_per_minute: 8 } }),
  );
  const login = { method: 'POST', url: '/api/auth/login' } as const;
  const answerTo = async (options: object) => {
    const reply = await app.inject(options);
    expect(reply.headers['content-type']).toBe('application/problem+json');
    return [reply.statusCode, reply.json().code];
  };
  expect(await answerTo({ ...login, payload: { username: 'x'.repeat(20_000), password: 'x' } })).toEqual([
    413,
    'TOO_LARGE',
  ]);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect(await answerTo({ ...login, payload: 'a=b', headers: form })).toEqual([415, 'UNSUPPORTED_MEDIA']);
  expect(await answerTo({ ...login, payload: '{', headers: { 'content-type': 'application/json' } })).toEqual(
    [400, 'BAD_REQUEST'],
  );
  expect(await answerTo({ ...login, headers: { 'content-type': 'application/json' } })).toEqual([
    400,
    'BAD_REQUEST',
  ]);
  expect(await answerTo({ url: '/api/auth/login' })).toEqual([405, 'METHOD_NOT_ALLOWED']);
  expect(await answerTo({ method: 'DELETE', url: '/api/none' })).toEqual([404, 'NOT_FOUND']);
  expect(await answerTo({ url: '/api/%zz' })).toEqual([400, 'BAD_REQUEST']);
  for (let i = 0; i < 8; i++) await app.inject({ url: '/healthz' });
  expect(await answerTo({ url: '/healthz' })).toEqual([429, 'RATE_LIMITED']);
  await app.close();
});

test('what is wrong is said with what was found and what is allowed, and no password in it', async () => {
  const site = makeTestSite();
  await addTestUsers(site);
  const { app, context } = await buildApp(site.services, testOptions());
  const authorization = `Bearer ${await tokenOf(context, 'ada')}`;
  const detail = async (payload: object) =>
    (
      await app.inject({ method: 'POST', url: '/api/admin/users', headers: { authorization }, payload })
    ).json().detail;
  const user = { username: 'new', password: PASSWORD, role: 'user' };
  expect(await detail({ ...user, role: 'boss' })).toBe(
    'body.role: found "boss", expected one of "user", "moderator", "admin"',
  );
  expect(await detail({ ...user, password: 'geheim' })).toBe(
    'body.password: found a text of 6 characters, expected at least 8 characters',
  );
  expect(await detail({ username: 'new', role: 'user' })).toBe("body: 'password' missing");
  expect(await detail({ ...user, admin: true })).toBe("body: 'admin' not known here");
  expect(await detail({ ...user, batteries: 'north' })).toBe('body.batteries: found "north", expected array');
  expect(await detail({ ...user, batteries: ['west'] })).toContain("found 'west', expected");
  await app.close();
});

test('the description names every route of the API with its schemas', async () => {
  const { app, context } = await buildApp(makeTestSite().services, testOptions());
  const { paths } = (await app.inject({ url: '/api/openapi.json' })).json();
  const described = Object.keys(paths).map(path => path.replace(/\{(\w+)\}/g, ':$1'));
  const routes = context.routes
    .map(({ url }) => url)
    .filter(url => url.startsWith('/api/') && !['/api/openapi.json', '/api/docs'].includes(url));
  expect(described.filter(path => path.startsWith('/api/')).sort()).toEqual(routes.sort());
  expect(paths['/api/auth/login'].post.requestBody.content['application/json'].schema.required).toEqual([
    'username',
    'password',
  ]);
  await app.close();
});

test('metrics are Prometheus text, with a line for every counter', async () => {
  const { app } = await buildApp(makeTestSite().services, testOptions());
  const { body } = await app.inject({ url: '/metrics' });
  expect(body).toContain('bms_gateway_commits{component="store"} 7');
  expect(body).toContain('bms_gateway_component_up{component="server"} 1');
  for (const line of body.trim().split('\n'))
    expect(line).toMatch(/^$|^# (HELP|TYPE) |^[a-z_][a-z0-9_]*(\{.*\})? -?[0-9.e+-]+$/);
  await app.close();
});
