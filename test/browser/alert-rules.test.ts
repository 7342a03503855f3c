/** Alert rules and alerts as people handle them: a preview, rules as a file, out of service, and the way to the moment. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';
import { accessibilityFaults } from './accessibility.ts';
import { isSkipped, launchBrowser, missing, PHONE } from './browser.ts';

const PASSWORD = 'a-technician-at-night';
/** Any reading of a cell is above it. */
const CONFIG = `site: { id: yard }
interval_ms: 500
connections: [{ id: bus, type: virtual-can }]
batteries: [{ id: crane, name: Crane, packs: [{ id: p1, name: Pack one, connection: bus, profile: jk-can-v2, cells: 4 }] }]
alerts:
  rules:
    - { id: always, label: Always beyond, cell: voltage_v, above: { warning: 1.5 }, raise_after_ms: 0, inhibit_ms: 0 }
server: { port: 0 }
simulation: {}
`;

let directory: string;
let gateway: GatewayProcess;
let url: string;
let browser: Browser;

async function enter(path: string, viewport = PHONE): Promise<Page> {
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce', acceptDownloads: true });
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
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

describe.skipIf(isSkipped)('alert rules', () => {
  beforeAll(async () => {
    expect(missing, 'needed by the browser test').toEqual([]);
    directory = await mkdtemp(join(tmpdir(), 'bms-rules-'));
    await writeFile(join(directory, 'config.yaml'), CONFIG);
    gateway = startGateway(['run', '--config', join(directory, 'config.yaml')], {
      BMS_STATE_DIR: join(directory, 'state'),
      BMS_HTTP_PORT: '0',
      BMS_ADMIN_PASSWORD: PASSWORD,
    });
    url = (await gateway.waitFor(/"url":"(http:[^"]+)"/))[1];
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  test('an alert leads to the history of its pack at that moment', async () => {
    const page = await enter('/alerts');
    const row = page.locator('.alert-row', { hasText: 'cell voltage' }).first();
    await row.locator('a.alert-where').click();
    await page.waitForURL(/\/pack\/p1\?cell=\d&from=\d+&to=\d+$/);
    const then = page.locator('.history').getByRole('radio', { name: 'Then' });
    await expect.poll(() => then.isChecked()).toBe(true);
    await page
      .locator('.history')
      .getByText(/readings/)
      .waitFor();
    await expectFit(page);
    await shoot(page, 'moment-phone');
    await page.context().close();
  });

  test('a preview says what edited rules would have raised; a wrong limit says so at its field', async () => {
    const page = await enter('/system/thresholds');
    const rule = page.locator('.threshold', { hasText: 'Always beyond' });
    const limit = rule.getByLabel(/Warning above/).first();
    await limit.fill('4.5');
    await page.getByRole('button', { name: 'Preview' }).click();
    const result = page.locator('.rule-preview');
    await result.getByText(/these rules would have raised 0 alerts; the rules in force: 1$/).waitFor();
    await result.getByText(/^By \d+ readings? of 1 pack/).waitFor();
    await expectFit(page);
    await shoot(page, 'preview-phone');
    const low = page.locator('.threshold', { hasText: 'State of charge low' });
    await low
      .getByLabel(/Warning below/)
      .first()
      .fill('1');
    await page.getByRole('button', { name: 'Preview' }).click();
    await low
      .locator('.field-fault')
      .getByText(/found 1, expected at least 3/)
      .waitFor();
    await page.context().close();
  });

  test('rules are saved as a file, and one is taken once its difference was seen', async () => {
    const page = await enter('/system/thresholds');
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as YAML' }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe('alert-rules-yard.yaml');
    const yaml = await readFile(await saved.path(), 'utf8');
    const choose = page.getByLabel('Load from a file');
    const give = (name: string, text: string) =>
      choose.setInputFiles({ name, mimeType: 'application/yaml', buffer: Buffer.from(text) });
    await give('same.yaml', yaml);
    await page.getByText('same.yaml matches the rules in force').waitFor();
    await give('wrong.yaml', yaml.replace('warning: 1.5', 'warning: much'));
    await page.getByText(/rules\.yaml:\d+:\d+ alerts\.rules\[0\]\.above\.warning: found "much"/).waitFor();
    await give('other.yaml', yaml.replace('warning: 1.5', 'warning: 1.6'));
    await page.getByText('other.yaml would change 1 rule').waitFor();
    await page.getByText('Changed: Always beyond (always)').waitFor();
    await expectFit(page);
    await shoot(page, 'rule-file-phone');
    await page.getByRole('button', { name: 'Use these rules' }).click();
    await page.getByText('The rules from the file are now in force.').waitFor();
    await page.getByText(/Version 1 overrides the configuration: saved by admin/).waitFor();
    await page.context().close();
  });

  test('a pack is taken out of service with a reason, is listed, and is put back', async () => {
    const page = await enter('/pack/p1', { width: 1280, height: 900 });
    await page.getByRole('button', { name: 'Take pack out of service' }).click();
    await page.getByLabel('Why').fill('rack rebuilt');
    await page.getByRole('button', { name: 'Take out of service', exact: true }).click();
    const entry = page.locator('.alert-row', { hasText: 'rack rebuilt' });
    await entry.getByRole('link', { name: 'Crane › Pack one: all its rules' }).waitFor();
    await expectFit(page);
    await shoot(page, 'pack-out-of-service');
    await page.setViewportSize(PHONE);
    await page.goto(`${url}/alerts?state=out_of_service`);
    await page
      .locator('.alert-row', { hasText: 'Always' })
      .or(page.getByText('What calls nobody for it'))
      .first()
      .waitFor();
    await page
      .getByText(/Out of service by admin: rack rebuilt/)
      .first()
      .waitFor();
    await expectFit(page);
    await shoot(page, 'out-of-service-phone');
    await page.getByRole('button', { name: /^Put back in service/ }).click();
    await page.getByText('Everything is in service').waitFor();
    await page.context().close();
  });
});
