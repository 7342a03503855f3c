/**
 * Access as people meet it: the real gateway before anybody was made its administrator, in a real browser.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { accessibilityFaults } from './accessibility.ts';
import { isSkipped, launchBrowser, missing, PHONE } from './browser.ts';

const CONFIG = fileURLToPath(new URL('../../daemon/config/demo.yaml', import.meta.url));
const PASSWORD = 'chosen at the set-up';
/** A busy machine takes its time. */
const PATIENT = { timeout: 20_000 };

let state_dir: string;
let gateway: GatewayProcess;
let url: string;
let browser: Browser;

async function open(): Promise<Page> {
  const context = await browser.newContext({ viewport: PHONE, colorScheme: 'dark', reducedMotion: 'reduce' });
  return context.newPage();
}

async function logIn(page: Page): Promise<void> {
  await page.goto(url);
  await page.getByLabel('User name').fill('ada');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await live(page);
}

const live = (page: Page) => page.getByRole('status').getByText('Live').waitFor();

async function expectFit(page: Page): Promise<void> {
  expect(await accessibilityFaults(page)).toEqual([]);
  const width = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(width).toBe(0);
}

async function setupCode(): Promise<string> {
  return JSON.parse(await readFile(join(state_dir, 'setup-code.json'), 'utf8')).code;
}

describe.skipIf(isSkipped)('access', () => {
  beforeAll(async () => {
    expect(missing, 'needed by the browser test').toEqual([]);
    state_dir = await mkdtemp(join(tmpdir(), 'bms-access-'));
    gateway = startGateway(['run', '--config', CONFIG], { BMS_STATE_DIR: state_dir, BMS_HTTP_PORT: '0' });
    url = (await gateway.waitFor(/"url":"(http[^"]+)"/))[1];
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
    if (state_dir) await rm(state_dir, { recursive: true, force: true });
  });

  test('the journal shows a code; with it the page makes the first administrator, once', async () => {
    const page = await open();
    await page.goto(url);
    await page.getByRole('heading', { name: 'Set up this gateway' }).waitFor();
    await expectFit(page);
    await page.getByLabel('Set-up code').fill('aaaa-bbbb-cccc');
    await page.getByLabel('User name').fill('ada');
    await page.getByLabel('Password, at least 8 characters').fill(PASSWORD);
    await page.getByRole('button', { name: 'Set up' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('This is not the set-up code');
    const code = await setupCode();
    expect(gateway.output()).toContain(code);
    await page.getByLabel('Set-up code').fill(code.toUpperCase());
    await page.getByRole('button', { name: 'Set up' }).click();
    await live(page);
    const other = await open();
    await other.goto(url);
    await other.getByRole('button', { name: 'Log in' }).waitFor();
    expect(await other.getByText('set-up code', { exact: false }).count()).toBe(0);
  });

  test('a session ended from another device ends there at once', async () => {
    const [desk, phone] = [await open(), await open()];
    await logIn(desk);
    await logIn(phone);
    await desk.goto(`${url}/account`);
    await desk.getByRole('button', { name: 'End all other sessions' }).click();
    await phone.getByText('Your session has ended').waitFor();
    await live(desk);
    // There may be several until the list has come again.
    await expect.poll(() => desk.getByRole('button', { name: /^End the session/ }).count(), PATIENT).toBe(0);
  });

  test('a key is shown once, opens the API, and is listed and revoked', async () => {
    const page = await open();
    await logIn(page);
    await page.goto(`${url}/system/keys`);
    await page.getByRole('heading', { name: 'No API key yet' }).waitFor();
    await page.getByLabel('Name').fill('Building PLC');
    await page.getByLabel('Battery 2', { exact: true }).check();
    await page.getByRole('button', { name: 'Make key' }).click();
    const secret = await page.getByLabel('Secret of Building PLC').inputValue();
    await expectFit(page);
    const status = async () =>
      (await fetch(`${url}/api/battery/battery-02`, { headers: { authorization: `Bearer ${secret}` } }))
        .status;
    expect(await status()).toBe(200);
    await page.reload();
    await page.getByText('Sees Battery 2').waitFor();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole('button', { name: 'Revoke Building PLC' }).click();
    await page.getByRole('button', { name: 'Revoke Building PLC now' }).click();
    await page.getByRole('heading', { name: 'No API key yet' }).waitFor();
    expect(await status()).toBe(401);
  });

  test('the audit log shows who did it, and finds by what and who', async () => {
    const page = await open();
    await logIn(page);
    await page.goto(`${url}/system/audit`);
    await page.getByText('ada revoked the API key Building PLC').waitFor();
    await expectFit(page);
    await page.getByLabel('What').selectOption({ label: 'Starts of the gateway' });
    await page.getByText('revoked the API key').waitFor({ state: 'detached' });
    await page.getByText('system started').waitFor();
    expect(await page.locator('.audit-row').count()).toBe(1);
    await page.getByLabel('Who').fill('nobody');
    await page.getByLabel('Who').blur();
    await page.getByRole('heading', { name: 'Nothing like that was recorded' }).waitFor();
  });

  test('a name that is typed while the audit log is on its way stays', async () => {
    const page = await open();
    await logIn(page);
    const { promise: isTyped, resolve } = Promise.withResolvers<void>();
    await page.route('**/api/admin/audit*', async route => {
      await isTyped;
      await route.continue();
    });
    await page.goto(`${url}/system/audit`);
    await page.getByLabel('Who').fill('nobody');
    resolve();
    await page.locator('.audit-row').first().waitFor();
    expect(await page.getByLabel('Who').inputValue()).toBe('nobody');
  });

  test('a token that has expired is renewed without a word', async () => {
    const page = await open();
    await logIn(page);
    await page.context().clearCookies({ name: 'bms_session' });
    await page.goto(`${url}/system/users`);
    await page.getByRole('heading', { name: 'Accounts' }).waitFor();
  });

  test('the password is wanted once more before a key is made, and what waited goes on', async () => {
    const page = await open();
    await logIn(page);
    // As if it had been given 15 minutes ago.
    let given = false;
    await page.route('**/api/auth/confirm', async route => {
      const response = await route.fetch();
      given = response.ok();
      await route.fulfill({ response });
    });
    await page.route('**/api/admin/keys', route => {
      if (given || route.request().method() !== 'POST') return route.continue();
      const problem = { status: 403, title: 'Password wanted again', code: 'CONFIRM_PASSWORD', detail: 'x' };
      return route.fulfill({ status: 403, contentType: 'application/problem+json', json: problem });
    });
    await page.goto(`${url}/system/keys`);
    await page.getByLabel('Name').fill('Reader');
    await page.getByRole('button', { name: 'Make key' }).click();
    const dialog = page.getByRole('dialog', { name: 'Your password once more' });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Nothing was changed: the password was not given.').waitFor();
    await page.getByRole('button', { name: 'Make key' }).click();
    await dialog.getByLabel('Your password').fill('wrong');
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await dialog.getByText('The password is wrong').waitFor();
    await expectFit(page);
    await dialog.getByLabel('Your password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await page.getByLabel('Secret of Reader').waitFor();
    expect(await dialog.count()).toBe(0);
  });
});
