/** What stands under server.trusted_proxies is checked when the configuration is, each entry at its place. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkConfig } from './check.ts';

const folder = mkdtempSync(join(tmpdir(), 'proxies-'));
afterAll(() => rmSync(folder, { recursive: true }));

function check(proxies: string): readonly string[] {
  const file = join(folder, 'config.yaml');
  const demo = readFileSync(new URL('demo.yaml', import.meta.url), 'utf8');
  writeFileSync(file, `server:\n  trusted_proxies: [${proxies}]\n${demo}`);
  const { ok, lines } = checkConfig(file, { BMS_STATE_DIR: '/state' });
  return ok ? [] : lines;
}

test('addresses and networks are taken; all else is named with its place', () => {
  expect(check("127.0.0.1, 10.0.0.0/8, '::1', 'fd00::/8'")).toEqual([]);
  expect(check('10.0.0.0/99, proxy.lan')).toEqual([
    expect.stringMatching(/:2:21 server\.trusted_proxies\[0\]: found "10\.0\.0\.0\/99", expected an address/),
    expect.stringMatching(/:2:34 server\.trusted_proxies\[1\]: found "proxy\.lan", expected an address/),
  ]);
});
