/** Replies in pieces at the pace of their readers: slow ones get all, stalled ones are cut and logged, places come back. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Logger } from '../../core/log.ts';
import type { ExportRequest } from '../store/store.ts';
import type { ServerLimits } from './limits.ts';
import { createServer, type HttpServer } from './server.ts';
import { addTestUsers, makeTestSite, PASSWORD, type TestSite, testOptions } from './testing/test-site.ts';

let server: HttpServer | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.close();
});

type ExportChunk = TestSite['services']['store']['exportChunk'];
const PIECES = 12;
const PIECE_BYTES = 1 << 20;

/** Pieces of a megabyte, each of its own letter. */
const longExport: ExportChunk = async ({ after_seq }) => ({
  text: Buffer.alloc(PIECE_BYTES, 97 + after_seq),
  next_seq: after_seq + 1 < PIECES ? after_seq + 1 : null,
  readings: 1,
  undecodable: 0,
});

async function start(exportChunk: ExportChunk = longExport, limits: Partial<ServerLimits> = {}) {
  const logged: [string, object][] = [];
  const keep = (fields: object, text?: string) => void logged.push([text ?? '', fields]);
  const log: Logger = { debug() {}, info() {}, warn: keep, error: keep };
  const site = makeTestSite({ log });
  await addTestUsers(site);
  const services = { ...site.services, store: { ...site.services.store, exportChunk } };
  const { app, ...rest } = await createServer(services, testOptions({ limits }));
  server = { app, ...rest };
  const port = Number(new URL((await server.listen()).url).port);
  const headers: Record<string, string> = {};
  for (const username of ['una', 'mo', 'ada']) {
    const payload = { username, password: PASSWORD };
    const reply = await app.inject({ method: 'POST', url: '/api/auth/login', payload });
    headers[username] = `Bearer ${reply.json().token}`;
  }
  const ask = (url: string, username = 'ada') =>
    app.inject({ url, headers: { authorization: headers[username] } });
  const open = async (username: string) => {
    const socket = connect(port, '127.0.0.1').pause();
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write(
      `GET ${SPAN} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: ${headers[username]}\r\n\r\n`,
    );
    return socket;
  };
  return { site, logged, ask, open, server };
}

const SPAN = '/api/export?from_ms=0&to_ms=1';

/** Until nothing is under way for this user any more. */
async function untilFree(
  ask: (url: string, username: string) => Promise<{ statusCode: number }>,
  user: string,
) {
  for (let tries = 0; tries < 500; tries++) {
    if ((await ask(`${SPAN}&cursor=0`, user)).statusCode !== 429) return;
    await sleep(10);
  }
  throw new Error('The place was not given back');
}

test('a reader slower than any handler may be gets the whole export', async () => {
  const { site, logged, open } = await start(longExport, { handler_timeout_ms: 40 });
  const socket = await open('una');
  let bytes = 0;
  let slept = 0;
  for (;;) {
    const piece: Buffer | null = socket.read();
    bytes += piece?.length ?? 0;
    if (socket.readableEnded || socket.destroyed) break;
    if (piece && slept < 6) {
      slept++;
      await sleep(30);
      site.clock.advance(60_000);
    } else if (!piece) await sleep(1);
  }
  expect(bytes).toBeGreaterThan(PIECES * PIECE_BYTES);
  expect(logged).toEqual([]);
});

test('a reader that takes nothing is cut, the log says why, and the place is free again', async () => {
  const endless: ExportChunk = async ({ after_seq }) => ({
    text: Buffer.alloc(PIECE_BYTES),
    next_seq: after_seq + 1,
    readings: 1,
    undecodable: 0,
  });
  const { logged, ask, open } = await start(endless, { stalled_ms: 200 });
  await once(await open('una'), 'readable');
  await untilFree(ask, 'una');
  expect(logged).toMatchObject([
    [
      'A reply was cut before its end',
      { path: '/api/export', user: 'una', reason: expect.stringMatching(/200 ms/) },
    ],
  ]);
});

test('a store that fails in the middle cuts the reply, and that is logged', async () => {
  const failing: ExportChunk = async request => {
    if (request.after_seq > 0) throw new Error('the disk is gone');
    return longExport(request);
  };
  const { logged, ask, open } = await start(failing);
  const socket = await open('una');
  socket.resume();
  await once(socket, 'close');
  await untilFree(ask, 'una');
  expect(logged).toMatchObject([
    ['A reply was cut before its end', { reason: expect.stringMatching(/disk is gone/) }],
  ]);
});

test('a user has one export under way, and takes it from nobody else', async () => {
  const { ask, open } = await start();
  const socket = await open('una');
  await once(socket, 'readable');
  expect((await ask(SPAN, 'una')).statusCode).toBe(429);
  expect((await ask(SPAN, 'mo')).statusCode).toBe(200);
  socket.destroy();
  await untilFree(ask, 'una');
});

test('no failure keeps a place', async () => {
  const failing: ExportChunk = () => Promise.reject(new Error('the disk is gone'));
  const { ask } = await start(failing);
  for (let i = 0; i < 3; i++) expect((await ask(SPAN, 'una')).statusCode).toBe(500);
});

test('what takes too long before its first byte is answered for, and keeps no place', async () => {
  let answer: (() => void) | undefined;
  const waiting: ExportChunk = request =>
    new Promise(resolve => {
      answer = () => resolve(longExport(request));
    });
  const { site, ask } = await start(waiting);
  for (let i = 0; i < 2; i++) {
    const asked = ask(SPAN, 'una');
    while (!answer) await sleep(1);
    site.clock.advance(30_000);
    expect((await asked).json()).toMatchObject({ status: 503, detail: expect.stringMatching(/too long/) });
    answer();
    answer = undefined;
  }
});

test('piece by piece it is the same file, and a piece that was cut is asked for again', async () => {
  const asked: ExportRequest[] = [];
  const { ask } = await start(async request => {
    asked.push(request);
    return longExport(request);
  });
  const whole = (await ask(SPAN, 'una')).body;
  let url: string | undefined = `${SPAN}&cursor=0`;
  let text = '';
  while (url) {
    const cut = await ask(url, 'una');
    const again = await ask(url, 'una');
    expect(again.body).toBe(cut.body);
    text += again.body;
    url = /^<([^>]+)>; rel="next"$/.exec(String(again.headers.link))?.[1];
  }
  expect(text.length).toBe(PIECES * PIECE_BYTES);
  expect(text === whole).toBe(true);
});

test.each([
  '/api/export?from_ms=A&to_ms=B',
  '/api/packs/n1/history?from_ms=A&to_ms=B',
  '/api/alerts?from_ms=A&to_ms=B',
  '/api/admin/audit?from_ms=A&to_ms=B',
  '/api/reports/completeness?from_ms=A&to_ms=B',
])('%s takes moments of the years 1970 to 9999 alone', async url => {
  const { ask } = await start();
  for (const [from, to] of [
    [9e15, 9e15 + 1],
    [-9e15, 0],
    [-1, 1],
    [0, 253_402_300_800_001],
  ]) {
    const reply = await ask(url.replace('A', String(from)).replace('B', String(to)));
    expect([from, reply.statusCode]).toEqual([from, 400]);
  }
});
