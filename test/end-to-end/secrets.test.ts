/** No secret in any line of the log: a whole day of a gateway at its most talkative, then a search for each. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';

const CONFIG = `site: { id: home }
connections: [{ id: bus, type: virtual-can }]
batteries: [{ id: b1, packs: [{ id: p1, connection: bus, profile: jk-can-v2, cells: 4 }] }]
server: { port: 0 }
simulation: {}
`;
const ADMIN_PASSWORD = 'Hidden-admin-password-1';
const USER_PASSWORD = 'Hidden-user-password-2';
const WRONG_PASSWORD = 'Hidden-wrong-password-3';
const DATABASE_PASSWORD = 'Hidden-database-password-4';
const JWT_SECRET = 'Hidden-signing-secret-of-more-than-32-characters-5';

const secrets: Record<string, string> = {
  ADMIN_PASSWORD,
  USER_PASSWORD,
  WRONG_PASSWORD,
  DATABASE_PASSWORD,
  JWT_SECRET,
};
let directory: string;
let gateway: GatewayProcess;
/** Takes connections and closes them: PostgreSQL fails, and its errors are logged. */
let database: Server;
let url: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bms-secrets-'));
  await writeFile(join(directory, 'config.yaml'), CONFIG);
  database = createServer(socket => socket.destroy());
  await new Promise<void>(resolve => database.listen(0, '127.0.0.1', resolve));
  const { port } = database.address() as { port: number };
  gateway = startGateway(['run'], {
    BMS_CONFIG: join(directory, 'config.yaml'),
    BMS_STATE_DIR: join(directory, 'state'),
    BMS_LOG_LEVEL: 'debug',
    BMS_ADMIN_PASSWORD: ADMIN_PASSWORD,
    BMS_HTTP_HOST: '0.0.0.0',
    DATABASE_URL: `postgres://gateway:${DATABASE_PASSWORD}@127.0.0.1:${port}/bms`,
    JWT_SECRET,
  });
  url = (await gateway.waitFor(/"url":"(https:[^"]+)"/))[1]!;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
});

afterAll(async () => {
  await gateway?.stop();
  database?.close();
  await rm(directory, { recursive: true });
});

async function ask(method: string, path: string, headers: Record<string, string>, body?: object | string) {
  return fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

async function logIn(username: string, password: string, headers: Record<string, string> = {}) {
  const reply = await ask('POST', '/api/auth/login', headers, { username, password });
  const { token } = (await reply.json()) as { token?: string };
  const cookies = reply.headers.getSetCookie().map(cookie => cookie.split(';', 1)[0]!);
  return { token: token ?? '', cookies };
}

async function everythingPeopleDo(): Promise<void> {
  const admin = await logIn('admin', ADMIN_PASSWORD);
  const page = await logIn('admin', ADMIN_PASSWORD, { origin: url, 'sec-fetch-site': 'same-origin' });
  secrets.token = admin.token;
  for (const [i, cookie] of page.cookies.entries())
    secrets[`cookie ${i}`] = cookie.slice(cookie.indexOf('=') + 1);
  const bearer = { authorization: `Bearer ${admin.token}` };
  await logIn('admin', WRONG_PASSWORD);
  await logIn(WRONG_PASSWORD, WRONG_PASSWORD);
  await ask('POST', '/api/auth/login', {}, `{"username":"admin","password":"${WRONG_PASSWORD}`);
  await ask(
    'POST',
    '/api/auth/login',
    {},
    { username: 'admin', password: WRONG_PASSWORD, more: WRONG_PASSWORD },
  );
  await ask('POST', '/api/admin/users', bearer, { username: 'una', password: USER_PASSWORD, role: 'user' });
  await ask('POST', '/api/admin/users', bearer, { username: 'una', password: USER_PASSWORD, role: 'nobody' });
  const { token } = await logIn('una', USER_PASSWORD);
  const change = { old_password: USER_PASSWORD, new_password: WRONG_PASSWORD };
  await ask('PUT', '/api/auth/password', { authorization: `Bearer ${token}` }, change);
  secrets['token of una'] = token;
  const made = await ask('POST', '/api/admin/keys', bearer, { name: 'plc', role: 'user' });
  secrets['api key'] = ((await made.json()) as { secret: string }).secret;
  await ask('GET', '/api/batteries', { authorization: `Bearer ${secrets['api key']}` });
  await ask('GET', '/api/batteries', { authorization: `Basic ${WRONG_PASSWORD}` });
  await ask('GET', '/api/batteries', { cookie: page.cookies.join('; ') });
  await ask('GET', `/api/batteries?token=${admin.token}&password=${WRONG_PASSWORD}`, bearer);
  await ask('POST', '/api/auth/renew', { cookie: page.cookies.join('; '), origin: url });
  await ask('GET', '/metrics', bearer);
  await liveFeed(admin.token);
  await ask('POST', '/api/auth/logout', bearer);
}

async function liveFeed(token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${url.replace('https', 'wss')}/ws`, { headers, rejectUnauthorized: false });
  await new Promise(resolve => socket.on('message', resolve));
  socket.send(JSON.stringify({ type: 'subscribe', room: `pack:${token}`.slice(0, 128) }));
  socket.send(`{"password":"${WRONG_PASSWORD}"`);
  socket.send('x'.repeat(10_000));
  await new Promise(resolve => socket.on('close', resolve));
}

test('of all that people and programs send, nothing secret stands in the log', async () => {
  await everythingPeopleDo();
  await gateway.waitFor(/upstream/i);
  await gateway.waitFor(/"path":"\/api\/auth\/logout"/);
  expect((await gateway.stop('SIGTERM')).code).toBe(0);
  const log = gateway.output();
  expect(log.match(/"msg":"Request"/g)?.length).toBeGreaterThan(15);
  const key = await readFile(join(directory, 'state/tls/key.pem'), 'utf8');
  secrets['TLS key'] = key.split('\n')[1]!;
  for (const [name, secret] of Object.entries(secrets)) {
    expect(secret.length, name).toBeGreaterThan(15);
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').slice(0, -4),
    ])
      expect(log.includes(form), `${name} stands in the log`).toBe(false);
  }
});
