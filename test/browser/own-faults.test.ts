/** What the gateway says of itself, as people meet it: its own alerts, and a time that nobody vouches for. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { accessibilityFaults } from './accessibility.ts';
import { isSkipped, launchBrowser, missing, PHONE } from './browser.ts';

const CONFIG = fileURLToPath(new URL('../../daemon/config/demo.yaml', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../support/uncertain-gateway.ts', import.meta.url));
const PASSWORD = 'a-technician-at-night';

let state_dir: string;
let gateway: GatewayProcess;
let url: string;
let browser: Browser;

async function enter(path: string, viewport = PHONE): Promise<Page> {
  const context = await browser.newContext({ viewport, colorScheme: 'dark', reducedMotion: 'reduce' });
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

describe.skipIf(isSkipped)('the gateway’s own faults', () => {
  beforeAll(async () => {
    expect(missing, 'needed by the browser test').toEqual([]);
    state_dir = await mkdtemp(join(tmpdir(), 'bms-own-faults-'));
    // It is quarantined at the start, which is an alert of the gateway itself.
    await writeFile(join(state_dir, 'gateway.db'), 'no database at all'.repeat(1000));
    const environment = {
      BMS_STATE_DIR: state_dir,
      BMS_HTTP_PORT: '0',
      BMS_ADMIN_PASSWORD: PASSWORD,
      SIMULATION_INTERVAL: '500',
    };
    gateway = startGateway([CONFIG], environment, undefined, [PROGRAM]);
    url = (await gateway.waitFor(/serving (http:\S+)/))[1];
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
    if (state_dir) await rm(state_dir, { recursive: true, force: true });
  });

  test('its alerts are listed alone, by an address that keeps, with keys alone', async () => {
    const page = await enter('/alerts?about=gateway');
    const rows = page.locator('.alert-row');
    await rows.first().waitFor({ timeout: 60_000 });
    expect(await rows.allTextContents()).toEqual([expect.stringContaining('could not be read')]);
    expect(await page.locator('.alert-where').allTextContents()).toEqual(['Gateway']);
    const gateways = page.getByRole('radio', { name: /^Gateway/ });
    expect(await gateways.isChecked()).toBe(true);
    expect(await page.locator('.segment', { has: gateways }).textContent()).toBe('Gateway1');
    await expectFit(page);

    await gateways.focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL(`${url}/alerts`);
    expect(await page.getByRole('radio', { name: /^All/ }).evaluate(radio => radio.matches(':focus'))).toBe(
      true,
    );
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(`${url}/alerts?about=gateway`);
    await page.getByText('Cleared', { exact: true }).click();
    await page.getByRole('heading', { name: 'No alert of the gateway was cleared yet' }).waitFor();
    expect(page.url()).toBe(`${url}/alerts?state=cleared&about=gateway`);
    await page.reload();
    await page.getByRole('heading', { name: 'No alert of the gateway was cleared yet' }).waitFor();
    await expectFit(page);
    await page.context().close();
  });

  test('a chart marks readings of an uncertain time, in words too', async () => {
    const page = await enter('/pack/rack-01-03');
    await page.getByRole('img', { name: /^Cells over time; hatched: time not certain, / }).waitFor();
    await page.getByText(/^Hatched: time not certain, [\d: –]+$/).waitFor();
    const drawn = () =>
      page.locator('.chart canvas').evaluate(canvas => (canvas as HTMLCanvasElement).toDataURL());
    const before = await drawn();
    await page.route(/\/history\?/, async route => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), uncertain: [] } });
    });
    await page.getByText(/^Hatched: /).waitFor({ state: 'detached', timeout: 30_000 });
    await page.getByRole('img', { name: 'Cells over time', exact: true }).waitFor();
    expect(await drawn()).not.toBe(before);
    await expectFit(page);
    await page.context().close();
  });

  test('an administrator says that the time is right, once both clocks show the same', async () => {
    const page = await enter('/system');
    const clock = page.locator('.component-card', { hasText: 'Clock of this gateway' });
    const button = clock.getByRole('button', { name: 'The time is right' });
    await clock.getByText('about the same').waitFor();
    await expectFit(page);
    // A device whose clock is wrong: nothing can be confirmed with it, and the gateway would not believe it.
    await page.clock.install({ time: Date.now() + 3_600_000 });
    await page.reload();
    await clock.getByText(/^the gateway’s is 1 h 0 min behind$/).waitFor();
    expect(await button.count()).toBe(0);
    await clock.getByText('timedatectl set-time').waitFor();
    await page.context().close();

    const other = await enter('/system');
    const card = other.locator('.component-card', { hasText: 'Clock of this gateway' });
    await card.getByRole('button', { name: 'The time is right' }).focus();
    await other.keyboard.press('Enter');
    await card.getByText('Confirmed. Times are certain').waitFor();
    await card.getByText('OK', { exact: true }).waitFor();
    expect(await card.locator(':focus').textContent()).toContain('Confirmed.');
    await expectFit(other);
    await other.goto(`${url}/system/audit`);
    await other.getByText('confirmed the time of the clock').waitFor();
    await other.goto(`${url}/pack/rack-01-03`);
    await other.getByRole('img', { name: 'Cells over time', exact: true }).waitFor();
    await other.context().close();
  });
});
