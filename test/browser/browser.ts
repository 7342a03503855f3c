/** The browser that tests drive: Chromium (CHROMIUM names another one than /usr/bin/chromium) and a built ui/dist. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

export const PAGE = fileURLToPath(new URL('../../ui/dist/index.html', import.meta.url));
export const PHONE = { width: 360, height: 740 };

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const missing = [CHROMIUM, PAGE].filter(path => !existsSync(path));
/** Where everything must be there, nothing is skipped. */
export const isSkipped = missing.length > 0 && process.env.CI !== 'true';
if (isSkipped) console.warn(`Browser test skipped: ${missing.join(' and ')} not found`);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--no-first-run'],
    ],
  });
}
