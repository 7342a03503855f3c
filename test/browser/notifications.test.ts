/** Who was notified, as administrators see it: receivers that work and do not, a test of each, what was notified. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { accessibilityFaults } from './accessibility.ts';
import { isSkipped, launchBrowser, missing, PHONE } from './browser.ts';

const PASSWORD = 'a-technician-at-night';

let directory: string;
let gateway: GatewayProcess;
let server: Server;
let url: string;
let browser: Browser;

async function enter(path: string, viewport = PHONE): Promise<Page> {
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(url + path);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('status').getByText('Live').waitFor();
  return page;
}

async function expectFit(page: Page): Promise<void> {
  expect(await accessibilityFaults(page)).toEqual([]);
  const width = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(width).toBeLessThanOrEqual(0);
}

/** Where a person looks at them: SCREENSHOTS=folder. */
async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

describe.skipIf(isSkipped)('notifications', () => {
  beforeAll(async () => {
    expect(missing, 'needed by the browser test').toEqual([]);
    directory = await mkdtemp(join(tmpdir(), 'bms-notified-'));
    server = createServer((request, reply) => {
      request.resume();
      request.on('end', () => reply.writeHead(request.url === '/works' ? 200 : 403).end('as it says'));
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const receiver = (id: string, path: string) =>
      `{ id: ${id}, type: webhook, url: 'http://127.0.0.1:${port}/${path}', secret_from: HOOK_SECRET }`;
    await writeFile(
      join(directory, 'config.yaml'),
      `site: { id: yard }
interval_ms: 500
connections: [{ id: link, type: modbus-tcp, host: 127.0.0.1, port: 1 }]
batteries: [{ id: crane, packs: [{ id: p1, connection: link, profile: sunspec-battery, cells: 16 }] }]
alerts: { silent_after_ms: 1000 }
notify:
  group_ms: 0
  receivers: [${receiver('office', 'works')}, ${receiver('scada', 'fails')}]
`,
    );
    gateway = startGateway(['run', '--config', join(directory, 'config.yaml')], {
      BMS_STATE_DIR: join(directory, 'state'),
      BMS_HTTP_PORT: '0',
      BMS_ADMIN_PASSWORD: PASSWORD,
      HOOK_SECRET: 'a secret of the webhook',
    });
    url = (await gateway.waitFor(/"url":"(http:[^"]+)"/))[1];
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
    server?.closeAllConnections();
    server?.close();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  test('an alert says who was notified of it', async () => {
    const page = await enter('/alerts');
    const row = page.locator('.alert-row', { hasText: 'No data' }).first();
    await row.getByText(/Notified: office \(raised, .*\)/).waitFor({ timeout: 60_000 });
    await expectFit(page);
    await shoot(page, 'alerts-phone');
    await page.context().close();
  });

  test('a test says what the receiver answered; what was notified is listed', async () => {
    const page = await enter('/system/notifications');
    const card = (id: string) => page.locator('.user-card', { hasText: id });
    await card('office').getByText('Works').waitFor();
    await card('scada').getByText('Nothing goes through').waitFor();
    await card('scada').getByText('HTTP 403: as it says').waitFor();
    await card('office').getByRole('button', { name: 'Send a test office' }).click();
    await card('office').getByText('Accepted. The answer: HTTP 200: as it says').waitFor();
    await card('scada').getByRole('button', { name: 'Send a test scada' }).click();
    await card('scada').getByText('Not accepted. The answer: HTTP 403: as it says').waitFor();
    const log = page.locator('.notification-list li');
    await log.filter({ hasText: '[TEST]' }).filter({ hasText: 'scada' }).getByText('Failed').waitFor();
    await log.filter({ hasText: 'No data' }).filter({ hasText: 'office' }).getByText('Sent').waitFor();
    await expectFit(page);
    await shoot(page, 'notifications-phone');
    await page.setViewportSize({ width: 1280, height: 900 });
    await expectFit(page);
    await shoot(page, 'notifications-desktop');
    expect(await page.content()).not.toContain('a secret of the webhook');
    await page.context().close();
  });
});
