/**
 * A second language is one folder and a line that names it, and after that no English is left on any page. The language
 * of this test is English in letters with marks: a word in plain letters did not come from the catalogue.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build, type Plugin, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayProcess, logIn, startGateway } from '../support/gateway-process.ts';
import { accessibilityFaults } from './accessibility.ts';
import { isSkipped, launchBrowser, missing, PHONE } from './browser.ts';
import { plainWords } from './plain-words.ts';

const UI = fileURLToPath(new URL('../../ui', import.meta.url));
const DEMO = fileURLToPath(new URL('../../daemon/config/demo.yaml', import.meta.url));
const PASSWORD = 'a-technician-at-night';
const DEAD_PACK = 'rack-04-02';

/** All that a language needs in a file that is there: the line that names it. */
const LINE = "  eo: async () => (await import('./testing/pseudo.ts')).pseudo,";
const named: Plugin = {
  name: 'second-language',
  enforce: 'pre',
  transform: {
    filter: { id: /\/ui\/src\/texts\/languages\.ts$/ },
    handler: code => code.replace(/^ {2}en: .*$/m, english => `${english}\n${LINE}`),
  },
};

let dir: string;
let gateway: GatewayProcess;
let page_server: PreviewServer;
let url: string;
let browser: Browser;
/** Of an administrator who reads the second language. */
let reader: BrowserContext;

/** Of somebody whose browser asks for that language. */
function contextOf(locale: string): Promise<BrowserContext> {
  return browser.newContext({ viewport: PHONE, locale, reducedMotion: 'reduce' });
}

async function enter(context: BrowserContext, username: string): Promise<void> {
  const data = { username, password: PASSWORD };
  const reply = await context.request.post(`${url}/api/auth/login`, { data });
  expect(reply.status()).toBe(200);
}

async function show(page: Page, path: string): Promise<void> {
  await page.goto(url + path);
  await page.locator('.pill-live').waitFor();
}

/** What a page asks for once has come. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle');
  await page.locator('.loading').waitFor({ state: 'detached' });
}

describe.skipIf(isSkipped)('a second language', () => {
  beforeAll(async () => {
    expect(missing, 'needed by the browser test').toEqual([]);
    dir = await mkdtemp(join(tmpdir(), 'bms-languages-'));
    // Names that people chose are no texts of the page: here none has a plain letter.
    const demo = await readFile(DEMO, 'utf8');
    const config = join(dir, 'gateway.yaml');
    await writeFile(
      config,
      demo.replaceAll(/\b(Demo site|Battery|Rack|pack) ?(?=[\d{}'])/g, '№ ').replace('Demo site', '№'),
    );
    gateway = startGateway(['run', '--config', config], {
      BMS_STATE_DIR: join(dir, 'state'),
      BMS_HTTP_PORT: '0',
      BMS_ADMIN_PASSWORD: PASSWORD,
      SIMULATION_INTERVAL: '500',
    });
    const target = (await gateway.waitFor(/"url":"(http[^"]+)"/))[1];
    const outDir = join(dir, 'page');
    const configFile = join(UI, 'vite.config.ts');
    await build({ root: UI, configFile, plugins: [named], build: { outDir }, logLevel: 'warn' });
    page_server = await preview({
      root: UI,
      configFile,
      build: { outDir },
      preview: { port: 0, host: '127.0.0.1', proxy: { '^/api/': { target }, '/ws': { target, ws: true } } },
      logLevel: 'silent',
    });
    url = new URL(page_server.resolvedUrls?.local[0] ?? '').origin;
    const { token } = await logIn(target, 'admin', PASSWORD);
    const send = async (path: string, body: object) => {
      const reply = await fetch(`${target}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(reply.status, await reply.text()).toBe(201);
    };
    await send('/api/admin/simulation/faults', { kind: 'dead_unit', pack: DEAD_PACK });
    await send('/api/admin/keys', { name: '7', role: 'user', batteries: ['battery-02'], expires_ms: null });
    browser = await launchBrowser();
    reader = await contextOf('eo');
    await enter(reader, 'admin');
  });

  afterAll(async () => {
    await browser?.close();
    await page_server?.close();
    await gateway?.stop();
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  test.each([
    '/',
    '/battery/battery-04',
    '/battery/battery-01',
    `/pack/${DEAD_PACK}`,
    '/pack/rack-01-03',
    '/alerts',
    '/alerts?about=gateway',
    '/alerts?state=cleared',
    '/system',
    '/system/completeness',
    '/system/export',
    '/system/users',
    '/system/keys',
    '/system/audit',
    '/system/thresholds',
    '/system/notifications',
    '/system/simulator',
    '/account',
    '/battery/none',
    '/no/such/page',
  ])('no English is left on %s', async path => {
    const page = await reader.newPage();
    await show(page, path);
    await settled(page);
    expect(await plainWords(page)).toEqual([]);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.close();
  });

  test('nor on what has to be opened first', async () => {
    const page = await (await contextOf('eo')).newPage();
    const expectNoEnglish = async (name: string) => expect(await plainWords(page), name).toEqual([]);
    const press = (selector: string, at = 0) => page.locator(selector).nth(at).click();
    await page.goto(url);
    await page.locator('.login-form').waitFor();
    await expectNoEnglish('login');
    await page.route('**/api/auth/setup', route => route.fulfill({ json: { open: true, first: true } }));
    await page.reload();
    await page.locator('.code-input').waitFor();
    await expectNoEnglish('set-up');
    await page.unroute('**/api/auth/setup');

    await enter(page.context(), 'admin');
    await show(page, '/system/users');
    await page.locator('[name=username]').first().fill('maria');
    await page.locator('.card.form [name=password]').fill(PASSWORD);
    await press('.card.form [type=submit]');
    await page.locator('.form-good').waitFor();
    await expectNoEnglish('user added');
    const maria = page.locator('.user-card', { hasText: 'maria' });
    await maria.locator('.button').nth(0).click();
    await expectNoEnglish('user edited');
    await maria.locator('.button:not(.button-main)').click();
    await maria.locator('.button').nth(2).click();
    await maria.locator('.button-danger').waitFor();
    await expectNoEnglish('user removed');

    await page.goto(`${url}/system/keys`);
    await page.locator('[name=name]').fill('8');
    await press('.card.form [type=submit]');
    await page.locator('.secret').waitFor();
    await expectNoEnglish('secret');
    await page.goto(`${url}/system/audit`);
    await page.locator('.audit-row').first().waitFor();
    await page.locator('.filters input').fill('maria');
    await page.locator('.filters input').blur();
    await page.locator('.notice').waitFor();
    await expectNoEnglish('nothing recorded');
    await page.goto(`${url}/api-docs.html`);
    await page.locator('.docs-head').waitFor();
    expect(await page.locator('.docs-head > *').allTextContents()).not.toContain('HTTP API');
    await page.context().close();

    const other = await contextOf('eo');
    await enter(other, 'maria');
    const due = await other.newPage();
    await due.goto(url);
    await due.locator('[name=old_password]').waitFor();
    expect(await plainWords(due)).toEqual([]);
    await other.close();
  });

  test('a reader chooses, and the choice is kept; numbers follow', async () => {
    const page = await (await contextOf('fr-FR')).newPage();
    await enter(page.context(), 'admin');
    const loaded: string[] = [];
    page.on('request', request => loaded.push(new URL(request.url()).pathname));
    const isLoaded = () => loaded.some(path => path.startsWith('/assets/pseudo-'));
    const language = () => page.evaluate(() => document.documentElement.lang);
    await show(page, '/account');
    // None of the page's languages: English.
    await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
    expect(await language()).toBe('en');
    expect(isLoaded()).toBe(false);
    await page.locator('input[value=eo]').focus();
    await page.keyboard.press('Space');
    await page.getByRole('heading', { level: 1, name: 'Ȧƈƈǿŭƞŧ' }).waitFor();
    expect(await language()).toBe('eo');
    expect(isLoaded()).toBe(true);
    // Nothing was built anew: who chose by keyboard goes on from there.
    expect(await page.evaluate(() => document.activeElement?.matches('input[type=radio]'))).toBe(true);
    await page.goto(`${url}/pack/rack-01-03`);
    await page.locator('.cell-voltage').first().waitFor();
    expect(await page.locator('.cell-voltage').first().textContent()).toMatch(/^\d,\d{3} V$/);
    await page.goto(`${url}/account`);
    await page.locator('label:has(input[value=en])').click();
    await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
    await page.context().close();
  });
});
