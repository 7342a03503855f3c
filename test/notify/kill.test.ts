/**
 * The real program with a webhook, from an alert of a silent battery to a server of ours: killed in the middle of an
 * answer it sends the same notification again after the next start, and nothing once that was accepted.
 */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';

const SECRET = 'a secret of the webhook';
const directory = mkdtempSync(join(tmpdir(), 'bms-notify-'));

interface Asked {
  readonly notification_id: string;
  readonly text: string;
  readonly alerts: { readonly event: string; readonly rule_id: string }[];
}

const asked: Asked[] = [];
let answer: (reply: ServerResponse) => void = () => {};
let onAsked = () => {};
let server: Server;
let gateway: GatewayProcess | undefined;
afterAll(async () => {
  await gateway?.stop('SIGKILL');
  server?.closeAllConnections();
  server?.close();
  rmSync(directory, { recursive: true, force: true });
});

function start(): GatewayProcess {
  return startGateway(['run', '--config', join(directory, 'config.yaml')], {
    BMS_STATE_DIR: join(directory, 'state'),
    BMS_HTTP_PORT: '0',
    HOOK_SECRET: SECRET,
  });
}

const nextAsked = () =>
  new Promise<void>(resolve => {
    onAsked = resolve;
  });

test('killed while the server answers: the same again; accepted: nothing more', async () => {
  server = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const stamp = request.headers['bms-timestamp'];
      const expected = createHmac('sha256', SECRET).update(`${stamp}.${body}`).digest('hex');
      expect(request.headers['bms-signature']).toBe(`sha256=${expected}`);
      asked.push(JSON.parse(body));
      answer(reply);
      onAsked();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  writeFileSync(
    join(directory, 'config.yaml'),
    `site: { id: yard }
interval_ms: 500
connections: [{ id: link, type: modbus-tcp, host: 127.0.0.1, port: 1 }]
batteries: [{ id: crane, packs: [{ id: p1, connection: link, profile: sunspec-battery, cells: 16 }] }]
alerts: { silent_after_ms: 1000 }
notify:
  group_ms: 0
  receivers: [{ id: scada, type: webhook, url: 'http://127.0.0.1:${port}/', secret_from: HOOK_SECRET }]
  routes: [{ to: [scada], about: [batteries] }]
`,
  );

  let came = nextAsked();
  gateway = start();
  await came;
  await gateway.stop('SIGKILL');
  expect(asked).toHaveLength(1);
  expect(asked[0].alerts).toMatchObject([{ event: 'raised', rule_id: 'pack_silent' }]);

  answer = reply => reply.writeHead(200).end();
  came = nextAsked();
  gateway = start();
  await came;
  expect(asked[1]).toEqual(asked[0]);
  // Once it counts as sent, the stop waits until that is written.
  const [, url] = await gateway.waitFor(/(http:\/\/127\.0\.0\.1:\d+)/);
  const sent = /^bms_gateway_notifications_sent\{[^}]*\} 1$/m;
  while (!sent.test(await (await fetch(`${url}/metrics`)).text()))
    await new Promise(resolve => setTimeout(resolve, 100));
  await gateway.stop('SIGTERM');
  expect(gateway.output()).not.toContain(SECRET);

  came = nextAsked();
  gateway = start();
  const isSilent = await Promise.race([
    came.then(() => false),
    new Promise(resolve => setTimeout(() => resolve(true), 8000)),
  ]);
  expect(isSilent, JSON.stringify(asked.slice(2))).toBe(true);
  await gateway.stop('SIGTERM');
});
