/**
 * The dashboard as a technician meets it: the real gateway with its simulated fleet, in a real browser.
 */
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type GatewayProcess, goodCells, logIn, startGateway } from '../support/gateway-process.ts';
import { accessibilityFaults } from './accessibility.ts';
import { isSkipped, launchBrowser, missing, PAGE, PHONE } from './browser.ts';
import { areCutOff } from './cut-off.ts';

const PASSWORD = 'a-technician-at-night';
const OTHER_PASSWORD = 'another-one-in-the-morning';
const OWN_PASSWORD = 'known-to-maria-alone';
const WEAK = { pack: 'rack-01-03', cell: 4 };
const DEAD_PACK = 'rack-04-02';
const CELLS_PER_PACK = 10;

let state_dir: string;
let gateway: GatewayProcess;
let url: string;
let browser: Browser;

/** A context of its own, that notes what the browser complains about. */
async function open(
  viewport = PHONE,
): Promise<{ page: Page; context: BrowserContext; complaints: string[] }> {
  const context = await browser.newContext({ viewport, colorScheme: 'dark', reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', error => complaints.push(`error: ${error.message}`));
  page.on('console', message => {
    // Asked who we are before anybody logged in, the gateway rightly answers 401.
    const isFirstQuestion = message.location().url.endsWith('/api/auth/me');
    if (['error', 'warning'].includes(message.type()) && !isFirstQuestion) complaints.push(message.text());
  });
  page.on('request', request => {
    const { protocol, origin } = new URL(request.url());
    if (/^(http|ws)/.test(protocol) && origin !== url) complaints.push(`asks elsewhere: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', event => {
      console.error(`blocked by the policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { page, context, complaints };
}

async function enter(page: Page, path = '/', username = 'admin', password = PASSWORD): Promise<void> {
  await page.goto(url + path);
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('status').getByText('Live').waitFor();
}

const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

describe.skipIf(isSkipped)('dashboard', () => {
  beforeAll(async () => {
    expect(missing, 'needed by the browser test').toEqual([]);
    state_dir = await mkdtemp(join(tmpdir(), 'bms-browser-'));
    await chmod(state_dir, 0o711);
    gateway = startGateway(['demo'], {
      BMS_STATE_DIR: state_dir,
      BMS_HTTP_PORT: '0',
      BMS_ADMIN_PASSWORD: PASSWORD,
      SIMULATION_INTERVAL: '500',
    });
    url = (await gateway.waitFor(/Dashboard\s+(http:\S+)/))[1];
    await gateway.waitFor(/Stop\s+Ctrl-C/);
    const { token } = await logIn(url, 'admin', PASSWORD);
    // Values can only be stale where there were some: the unit dies once it has been read.
    await vi.waitUntil(async () => (await goodCells(url, token, DEAD_PACK)) === CELLS_PER_PACK, {
      timeout: 60_000,
      interval: 100,
    });
    const fault = await fetch(`${url}/api/admin/simulation/faults`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'dead_unit', pack: DEAD_PACK }),
    });
    expect(fault.status).toBe(201);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
    if (state_dir) await rm(state_dir, { recursive: true, force: true });
  });

  test('a wrong password is reported; the right one leads to the page asked for', async () => {
    const { page, context } = await open();
    await page.goto(`${url}/battery/battery-02`);
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password', { exact: true }).fill('not this one');
    await page.getByRole('button', { name: 'Log in' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('User name or password is wrong');
    await page.getByLabel('Show password').check();
    expect(await page.getByLabel('Password', { exact: true }).getAttribute('type')).toBe('text');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Battery 2' }).waitFor();
    expect(page.url()).toBe(`${url}/battery/battery-02`);
    await context.close();
  });

  test('from the fleet to a battery, a pack and its cells; values are live; the browser has no complaint', async () => {
    const { page, context, complaints } = await open();
    await enter(page);
    await page.locator('.battery-card').first().waitFor();
    expect(await page.locator('.battery-card').count()).toBe(10);
    await page.locator('.battery-card').getByRole('link', { name: 'Battery 1', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Battery 1' }).waitFor();
    await page.locator('.pack-row').first().waitFor();
    expect(await page.locator('.pack-row').count()).toBe(10);
    expect(await page.locator('.heat-strip').first().getAttribute('aria-label')).toMatch(
      /^10 cells: lowest cell \d+/,
    );
    await page.locator(`a[href="/pack/${WEAK.pack}"]`).click();
    await page.locator('.cell-tile').nth(9).waitFor();
    const cells = () => page.locator('.cell-voltage').allTextContents();
    const before = await cells();
    expect(before.every(text => /^\d\.\d{3} V$/.test(text))).toBe(true);
    await page.waitForFunction(
      old => [...document.querySelectorAll('.cell-voltage')].some((cell, at) => cell.textContent !== old[at]),
      before,
      { timeout: 60_000 },
    );
    await page.getByText(/^\d+ readings(;|$)|readings shown(;|$)/).waitFor();
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Battery 1' }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('a dead pack is offline, its values are marked stale, and its alert leads to it', async () => {
    const { page, context, complaints } = await open();
    await enter(page, '/alerts');
    const alert = page.locator('.alert-row', { hasText: 'Battery 4 › Rack 4, pack 02' });
    await alert.waitFor({ timeout: 60_000 });
    expect(await alert.textContent()).toContain('Critical');
    await alert.getByRole('link').click();
    await page.getByText('Offline').first().waitFor();
    expect(await page.locator('.page-title .badge', { hasText: 'OK' }).count()).toBe(0);
    expect(await page.locator('.cell-tile').count()).toBe(10);
    expect(await page.locator('.cell-tile.is-good').count()).toBe(0);
    expect(await page.locator('.total .quality').count()).toBeGreaterThan(3);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('the map shows every cell, hatches what is stale, and leads to the pack under the finger', async () => {
    const { page, context, complaints } = await open();
    await enter(page);
    const map = page.locator('.map-rows canvas');
    await page.getByRole('img', { name: /^Map of 1000 cells in 10 batteries: .*\b[1-9]\d+ stale/ }).waitFor();
    expect(await page.locator('.map-names a').allTextContents()).toEqual(
      Array.from({ length: 10 }, (_, at) => `Battery ${at + 1}`),
    );
    const drawn = () => map.evaluate(canvas => (canvas as HTMLCanvasElement).toDataURL());
    const before = await drawn();
    await page.getByText('Temperature', { exact: true }).click();
    await expect.poll(drawn).not.toBe(before);
    await map.click({ position: { x: 10, y: 10 } });
    await page.getByRole('heading', { level: 1, name: 'Rack 1, pack 01' }).waitFor();
    expect(await page.locator('.cell-tile.is-picked').count()).toBe(1);
    const card = page.locator('.battery-card', { hasText: 'Battery 4' });
    await page.goto(url);
    await card.getByText(/^1 of 10 packs offline: Rack 4, pack 02: no frame/).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('thresholds say what they judge; a change is kept', async () => {
    const { page, context } = await open();
    await enter(page, '/system/thresholds');
    const rule = page.getByRole('group', { name: 'State of charge low: The pack’s state of charge' });
    const limit = rule.getByLabel('Warning below, % All packs');
    await limit.fill('2');
    await page.getByRole('button', { name: 'Save rules' }).click();
    await page
      .getByRole('alert')
      .getByText(/found 2, expected at least 3, the critical limit/)
      .waitFor();
    await limit.fill('9');
    await page.getByRole('button', { name: 'Save rules' }).click();
    await page.getByText(/Version 1 overrides the configuration: saved by admin/).waitFor();
    await page.reload();
    expect(await limit.inputValue()).toBe('9');
    await rule.getByText('settings, version 1').waitFor();
    await rule.getByRole('button', { name: 'As configured' }).click();
    await expect.poll(() => limit.inputValue()).toBe('10');
    await context.close();
  });

  test('an alert is acknowledged with one tap, noted, shelved and taken back; it says what to check', async () => {
    const { page, context, complaints } = await open();
    await enter(page, '/alerts');
    const row = page.locator('.alert-row', { hasText: 'Battery 4 › Rack 4, pack 02' });
    await row.waitFor({ timeout: 60_000 });
    await row.getByText('What to check').click();
    await row.getByText(/See whether the device has power/).waitFor();
    await row.getByRole('button', { name: 'Acknowledge' }).click();
    await row.getByText(/Acknowledged by admin/).waitFor();
    await row.getByRole('button', { name: 'Write a note' }).click();
    await row.getByLabel('What was found or done').fill('fuse F3 is blown');
    await row.getByRole('button', { name: 'Save note' }).click();
    await row.getByText('What to check, and 1 note').waitFor();
    await page.setViewportSize({ width: 1440, height: 900 });
    await row.getByRole('button', { name: 'Out of service' }).click();
    expect(await row.locator('select').evaluateAll(areCutOff)).toEqual([false, false]);
    await page.setViewportSize(PHONE);
    await row.getByRole('button', { name: 'Shelve', exact: true }).click();
    await row.getByLabel('Why nobody needs to be called meanwhile').fill('spare part ordered');
    await row.getByRole('combobox').selectOption('1 day');
    await row.getByRole('button', { name: 'Shelve it' }).click();
    await row.waitFor({ state: 'detached' });
    await page.locator('.segment', { hasText: 'Shelved' }).click();
    await row.getByText(/Shelved by admin until .*: spare part ordered/).waitFor();
    await row.getByRole('button', { name: 'Unshelve' }).click();
    await row.waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('without the connection nothing looks live; with it again everything does', async () => {
    const { page, context } = await open();
    let isCut = false;
    const sockets: { close(): Promise<void> }[] = [];
    await page.routeWebSocket(/\/ws$/, socket => {
      if (isCut) {
        void socket.close();
        return;
      }
      sockets.push(socket);
      socket.connectToServer();
    });
    await enter(page);
    await page.locator('.battery-card').first().waitFor();
    isCut = true;
    for (const socket of sockets) await socket.close();
    await page.getByText('Not live.').waitFor();
    expect(await page.locator('.room.is-old').count()).toBe(1);
    expect(await page.getByRole('status').getByText('Reconnecting').count()).toBe(1);
    isCut = false;
    await page.getByRole('status').getByText('Live').waitFor({ timeout: 30_000 });
    await page.locator('.room:not(.is-old)').waitFor();
    expect(await page.getByText('Not live.').count()).toBe(0);
    await context.close();
  });

  test('an ended session leads to the login, and from there back', async () => {
    const { page, context } = await open();
    await enter(page, '/system');
    await context.clearCookies();
    await page.getByRole('link', { name: 'Users' }).click();
    await page.getByText('Your session has ended').waitFor();
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Accounts' }).waitFor();
    await page.getByRole('link', { name: 'admin', exact: true }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await context.close();
  });

  test('an account sees the batteries assigned to it and no more', async () => {
    const admin = await open();
    await enter(admin.page, '/system/users');
    await admin.page.getByLabel('User name').fill('maria');
    await admin.page.getByLabel('Password, at least 8 characters').fill(PASSWORD);
    await admin.page.getByLabel('Battery 2', { exact: true }).check();
    await admin.page.getByRole('button', { name: 'Add account' }).click();
    await admin.page.getByText('maria can log in now.').waitFor();
    const card = admin.page.locator('.user-card', { hasText: 'maria' });
    await card.getByRole('button', { name: 'Edit maria' }).click();
    await card.getByLabel('Battery 2', { exact: true }).uncheck();
    await card.getByLabel('Battery 3', { exact: true }).check();
    await card.getByLabel('New password, empty: stays as it is').fill(OTHER_PASSWORD);
    await card.getByRole('button', { name: 'Save' }).click();
    await card.getByText('Sees Battery 3 ·').waitFor();
    await admin.context.close();

    const { page, context } = await open();
    await page.goto(url);
    await page.getByLabel('User name').fill('maria');
    await page.getByLabel('Password', { exact: true }).fill(OTHER_PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    // An administrator knows this one: nothing else is shown before it is changed.
    await page.getByLabel('The password you were given').fill(OTHER_PASSWORD);
    await page.getByLabel('New password, at least 8 characters').fill(OWN_PASSWORD);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.locator('.battery-card').first().waitFor();
    expect(await page.locator('.battery-card h3').allTextContents()).toEqual(['Battery 3']);
    await page.goto(`${url}/battery/battery-01`);
    await page.getByRole('heading', { name: 'There is no such battery' }).waitFor();
    await page.goto(`${url}/system/users`);
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    await context.close();
  });

  test('the scripts of the page stay under 150 kB, compressed', async () => {
    const assets = join(dirname(PAGE), 'assets');
    const scripts = (await readdir(assets)).filter(
      name => /\.js$/.test(name) && !name.startsWith('api-docs'),
    );
    const sizes = scripts.map(async name => {
      const packed = await readFile(join(assets, `${name}.gz`));
      expect(gunzipSync(packed).equals(await readFile(join(assets, name))), name).toBe(true);
      return packed.length;
    });
    expect((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  });

  test('the description of the API is read without login, by keyboard and on a phone', async () => {
    const { page, context, complaints } = await open();
    await page.goto(`${url}/api/docs`);
    await page.getByRole('searchbox').fill('history');
    const routes = page.locator('details');
    await routes.first().waitFor();
    expect(await routes.count()).toBe(1);
    await routes.locator('summary').focus();
    await page.keyboard.press('Enter');
    await page.getByText('curl -s').waitFor();
    expect(await page.locator('.lines').first().textContent()).toContain('max_points');
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('the keyboard alone reaches the content and opens a battery', async () => {
    const { page, context } = await open({ width: 1440, height: 900 });
    await enter(page);
    await page.locator('.battery-card').first().waitFor();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await page.keyboard.press('Tab');
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
    expect(await focused()).toBe('Skip to content');
    await page.keyboard.press('Enter');
    for (let steps = 0; steps < 10 && !(await focused()).startsWith('Battery'); steps++) {
      await page.keyboard.press('Tab');
    }
    const name = await focused();
    expect(name).toMatch(/^Battery \d+$/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    await context.close();
  });

  test('every page fits a narrow phone, has names for its controls, and can be read', async () => {
    const { page, context, complaints } = await open();
    const faults: Record<string, string[]> = {};
    await page.goto(url);
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    faults.login = await accessibilityFaults(page);
    await enter(page);
    const paths = [
      '/',
      '/battery/battery-04',
      '/pack/rack-04-02',
      `/pack/${WEAK.pack}`,
      '/alerts',
      '/system',
    ];
    const adminPaths = [
      '/system/users',
      '/system/keys',
      '/system/audit',
      '/system/thresholds',
      '/system/simulator',
      '/account',
      '/no/such/page',
    ];
    for (const theme of ['Dark', 'Light']) {
      await page.goto(`${url}/account`);
      await page.getByText(theme, { exact: true }).click();
      for (const path of [...paths, ...adminPaths]) {
        await page.goto(url + path);
        await page.getByRole('status').getByText('Live').waitFor();
        await page.locator('.loading').waitFor({ state: 'detached' });
        const found = await accessibilityFaults(page);
        if ((await overflow(page)) > 0) found.push(`is ${await overflow(page)} px too wide`);
        faults[`${theme} ${path}`] = found;
      }
    }
    const bad = Object.entries(faults).filter(([, found]) => found.length > 0);
    expect(bad).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });
});
