/** Whatever is sent, by whomever: never a 500, never a wait without an end. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { BINARY_PROTOCOL } from '../../core/contract/live-binary.ts';
import { buildApp } from '../../daemon/server/app.ts';
import { type FuzzSchema, nearly, word } from '../../daemon/server/testing/fuzz.ts';
import { start } from '../../daemon/server/testing/live.ts';
import { addTestUsers, makeTestSite, testOptions, tokenOf } from '../../daemon/server/testing/test-site.ts';

const SEED = 20_261_127;
const NO_LIMITS = {
  requests_per_minute: 1e9,
  login_failures_per_name: 1e9,
  login_failures_per_address: 1e9,
  login_failures_per_name_everywhere: 1e9,
  live_invalid_messages: 1e9,
  live_message_burst: 1e9,
};

interface Described {
  readonly parameters?: readonly { name: string; in: string; schema: FuzzSchema }[];
  readonly requestBody?: { content: Record<string, { schema: FuzzSchema }> };
}

async function makeApp(ui_directory: string) {
  const site = makeTestSite();
  await addTestUsers(site);
  return buildApp(site.services, testOptions({ limits: NO_LIMITS, ui_directory }));
}

test('no request is answered with 500', async () => {
  const ui_directory = await mkdtemp(join(tmpdir(), 'fuzz-'));
  for (const page of ['index.html', 'api-docs.html']) await writeFile(join(ui_directory, page), '<p>page');
  const { app, context } = await makeApp(ui_directory);
  const { paths } = (await app.inject({ url: '/api/openapi.json' })).json() as {
    paths: Record<string, Record<string, Described>>;
  };
  const described = ({ url, method }: { url: string; method: string }) =>
    paths[url.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
  const routes = context.routes.flatMap(({ url, methods }) => methods.map(method => ({ url, method })));
  const request = fc.constantFrom(...routes).chain(route => {
    const { parameters = [], requestBody } = described(route) ?? {};
    const known = parameters.filter(one => one.in === 'query');
    const query = Object.fromEntries(known.map(({ name, schema }) => [name, nearly(schema).map(String)]));
    const schema = requestBody?.content['application/json']?.schema;
    return fc.record({
      route: fc.constant(route),
      id: word,
      query: fc.oneof(fc.record(query, { requiredKeys: [] }), fc.dictionary(word, word, { maxKeys: 3 })),
      body: fc.oneof(
        { weight: schema ? 8 : 0, arbitrary: nearly(schema ?? {}).map(one => JSON.stringify(one)) },
        { weight: 1, arbitrary: fc.json() },
        { weight: 1, arbitrary: fc.string() },
      ),
      who: fc.constantFrom('ada', 'ada', 'ada', 'una', 'a stranger', 'somebody odd'),
      odd: fc.string({ maxLength: 40 }).map(text => text.replace(/[^\x20-\x7e]/g, '?')),
    });
  });
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(request, async ({ route, id, query, body, who, odd }) => {
      const isKnown = who === 'ada' || who === 'una';
      const user = isKnown && (await context.users.find(who));
      const reply = await app.inject({
        method: route.method as 'GET',
        url: `${route.url.replace(/:\w+|\*/, encodeURIComponent(id.toWellFormed()))}?${new URLSearchParams(query as Record<string, string>)}`,
        headers: {
          'content-type': odd.startsWith('a') ? odd : 'application/json',
          ...(user && { authorization: `Bearer ${await tokenOf(context, who)}` }),
          ...(who === 'somebody odd' && {
            authorization: odd,
            cookie: odd,
            accept: odd,
            'if-none-match': odd,
          }),
        },
        ...(!['GET', 'HEAD'].includes(route.method) && { payload: body }),
      });
      seen.set(reply.statusCode, (seen.get(reply.statusCode) ?? 0) + 1);
      expect(reply.statusCode).toBeLessThan(500);
    }),
    { numRuns: 1500, seed: SEED },
  );
  // Enough of it came through to the handlers, and enough was refused, for this to mean something.
  for (const status of [200, 204, 400, 401, 403, 404])
    expect(seen.get(status), String(status)).toBeGreaterThan(3);
  await app.close();
  await rm(ui_directory, { recursive: true });
}, 120_000);

test('any bytes on a socket are answered or cut off', async () => {
  const { url, server } = await start({ headers_timeout_ms: 200, request_timeout_ms: 200 });
  const { port } = new URL(url);
  const line = fc.oneof(
    fc.constantFrom('GET / HTTP/1.1', 'POST /api/auth/login HTTP/1.1', 'GET /ws HTTP/1.1', 'PRI * HTTP/2.0'),
    fc.constantFrom(
      'Host: a',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Upgrade: h2c',
      'Expect: 100-continue',
    ),
    fc.constantFrom(
      'Transfer-Encoding: chunked',
      'Content-Length: -1',
      'Content-Length: 5',
      'Sec-WebSocket-Key: x',
    ),
    fc.string({ maxLength: 40, unit: 'binary' }),
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map(one => Buffer.from(one)),
    fc.array(line, { maxLength: 8 }).map(lines => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async sent => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      let text = '';
      socket.setEncoding('latin1').on('data', chunk => {
        text += chunk;
      });
      socket.end(sent);
      await once(socket, 'close');
      expect(text).not.toMatch(/^HTTP\/1\.1 500/);
    }),
    { numRuns: 150, seed: SEED },
  );
  expect((await server.app.inject({ url: '/healthz' })).statusCode).toBe(200);
}, 60_000);

const room = fc.oneof(
  fc.string({ maxLength: 140 }),
  fc.constantFrom('fleet', 'alerts', 'system', 'pack:n1', 'battery:north'),
  fc.constantFrom(
    'pack:',
    'pack:__proto__',
    'battery:constructor',
    'pack:s1',
    'battery:south',
    'toString',
    ':',
  ),
);
const message = fc.oneof(
  fc.json(),
  fc.string(),
  fc
    .record({ type: fc.constantFrom('subscribe', 'unsubscribe', 'ping', 'hello'), room })
    .map(one => JSON.stringify(one)),
  fc.uint8Array({ maxLength: 200 }).map(one => Buffer.from(one)),
);

test.each([[[]], [[BINARY_PROTOCOL]]])(
  'no message does more than get an answer, in protocol %s',
  async protocols => {
    const { site, server, connect } = await start(NO_LIMITS);
    const client = await connect('una', protocols);
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 10 }), async sent => {
        for (const one of sent) client.socket.send(one, { binary: typeof one !== 'string' });
        site.setCells(0, 3.3);
        site.setCells(2, 3.3);
        site.clock.advance(10);
        await client.settled();
      }),
      { numRuns: 150, seed: SEED },
    );
    const problems = client.messages.flatMap(one => (one.type === 'error' ? [one.problem.status] : []));
    expect(problems.length).toBeGreaterThan(50);
    expect(problems.filter(status => status >= 500)).toEqual([]);
    expect(client.states().length).toBeGreaterThan(20);
    expect(client.states().filter(state => /s1|south/.test(state.room))).toEqual([]);
    expect(JSON.stringify(client.states())).not.toContain('"south"');
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
    expect(server.status().counters.live_clients).toBe(1);
  },
);

test('frames that are none end their own connection and no other', async () => {
  const { server, connect } = await start(NO_LIMITS);
  const steady = await connect('una');
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 2, maxLength: 60 }), async bytes => {
      const client = await connect('una');
      const { _socket: raw } = client.socket as unknown as { _socket: import('node:net').Socket };
      raw.write(Buffer.from(bytes));
      await steady.settled();
      client.socket.terminate();
      await client.closed;
    }),
    { numRuns: 60, seed: SEED },
  );
  await steady.settled();
  for (let i = 0; i < 100 && server.status().counters.live_clients > 1; i++) await steady.settled();
  expect(server.status().counters.live_clients).toBe(1);
});
