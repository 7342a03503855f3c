/** The webhook against a real HTTP server that fails, stalls and comes back; where it never goes. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { isForbidden, lookupAllowed } from './allowed-addresses.ts';
import type { Delivery, Outgoing } from './receiver.ts';
import { webhookReceiver } from './webhook.ts';

const SECRET = 'a shared secret';
const NOW_MS = Date.UTC(2026, 0, 1, 12);

interface Asked {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const asked: Asked[] = [];
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  asked.length = 0;
});

async function serve(answer: (reply: ServerResponse) => void): Promise<number> {
  server = createServer((request, reply) => {
    let body = '';
    request.on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      asked.push({ method: request.method, headers: request.headers, body });
      answer(reply);
    });
  });
  await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const MESSAGE: Outgoing = {
  notification_id: 'n-7',
  kind: 'alerts',
  gateway_id: 'gw',
  site_id: 'site',
  made_ms: NOW_MS,
  subject: 'Übertemperatur',
  text: 'Cell 3\n',
  alerts: [],
};

function send(url: string, fields: object = {}, signal = new AbortController().signal): Promise<Delivery> {
  const receiver = webhookReceiver.make(
    { id: 'scada', type: 'webhook', url, secret_from: 'HOOK', ...fields },
    { secret: () => SECRET, wallMs: () => NOW_MS },
  );
  return receiver.send(MESSAGE, signal);
}

test('JSON, with a signature over time stamp and body that another program can verify', async () => {
  const port = await serve(reply => reply.end('taken'));
  expect(await send(`http://127.0.0.1:${port}/hook?x=1`)).toEqual({
    result: 'accepted',
    reply: 'HTTP 200: taken',
  });
  const [{ method, headers, body }] = asked;
  expect(method).toBe('POST');
  expect(JSON.parse(body)).toEqual(MESSAGE);
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'bms-notification-id': 'n-7',
    'bms-timestamp': String(NOW_MS / 1000),
  });
  const expected = createHmac('sha256', SECRET)
    .update(`${headers['bms-timestamp']}.`)
    .update(body)
    .digest('hex');
  expect(headers['bms-signature']).toBe(`sha256=${expected}`);
});

test('what it answers decides: taken, refused, or perhaps taken', async () => {
  let status = 204;
  const port = await serve(reply =>
    reply.writeHead(status).end(status === 204 ? undefined : `no: ${SECRET}`),
  );
  const url = `http://127.0.0.1:${port}/`;
  expect(await send(url)).toEqual({ result: 'accepted', reply: 'HTTP 204' });
  status = 401;
  expect(await send(url)).toEqual({ result: 'refused', reply: 'HTTP 401: no: (hidden)' });
  status = 429;
  expect(await send(url)).toMatchObject({ result: 'refused' });
  status = 503;
  expect(await send(url)).toMatchObject({ result: 'unknown', reply: 'HTTP 503: no: (hidden)' });
});

test('redirects are not followed', async () => {
  const port = await serve(reply => reply.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
  expect(await send(`http://127.0.0.1:${port}/`)).toEqual({
    result: 'refused',
    reply: 'HTTP 302: a redirect to http://127.0.0.1:1/, which is not followed',
  });
  expect(asked).toHaveLength(1);
});

test('a server that stalls, breaks off, or is not there', async () => {
  const port = await serve(() => {});
  const url = `http://127.0.0.1:${port}/`;
  expect(await send(url, { timeout_ms: 200 })).toEqual({
    result: 'unknown',
    reply: 'no reply within 200 ms',
  });
  const abort = new AbortController();
  const sending = send(url, {}, abort.signal);
  while (asked.length < 2) await new Promise(resolve => setImmediate(resolve));
  abort.abort();
  expect(await sending).toEqual({ result: 'unknown', reply: 'the gateway stopped' });
  server?.closeAllConnections();
  server?.close();
  const broken = await serve(reply => reply.destroy());
  expect(await send(`http://127.0.0.1:${broken}/`)).toMatchObject({ result: 'unknown' });
  server?.close();
  expect(await send('http://127.0.0.1:1/')).toMatchObject({
    result: 'refused',
    reply: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a name that leads to this machine is refused before anything is sent', async () => {
  const port = await serve(reply => reply.end());
  const { result, reply } = await send(`http://localhost:${port}/`);
  expect(result).toBe('refused');
  expect(reply).toMatch(/^localhost leads to .*, expected an address that is neither loopback/);
  expect(asked).toEqual([]);
});

test('of the addresses of a name only those are used that are allowed', async () => {
  const found = [
    { address: '169.254.169.254', family: 4 },
    { address: '192.0.2.7', family: 4 },
    { address: '::1', family: 6 },
  ];
  const resolve = ((_: string, __: object, done: (error: null, all: typeof found) => void) =>
    done(null, found)) as unknown as Parameters<typeof lookupAllowed>[0];
  const look = (options: object) =>
    new Promise(done => (lookupAllowed(resolve) as LookupFunction)('x', options, (_, ...rest) => done(rest)));
  expect(await look({ all: true })).toEqual([[{ address: '192.0.2.7', family: 4 }]]);
  expect(await look({})).toEqual(['192.0.2.7', 4]);
});

test('where it never goes', () => {
  const never = [
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '0.1.2.3', '169.254.169.254', '224.0.0.1', '239.1.1.1'],
    ...['255.255.255.255', '::', '::1', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'ff02::1', '::ffff:127.0.0.1'],
    ...['::ffff:7f00:1', '::ffff:a9fe:a9fe', '64:ff9b::7f00:1', '2002:7f00:1::', '::7f00:1', 'no address'],
  ];
  expect(never.filter(address => !isForbidden(address))).toEqual([]);
  const allowed = [
    '10.1.2.3',
    '192.168.1.1',
    '172.16.0.1',
    '8.8.8.8',
    'fd00::1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
  ];
  expect(allowed.filter(isForbidden)).toEqual([]);
});
