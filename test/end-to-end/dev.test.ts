/** `npm run dev`: the page of the sources in front of a gateway of the sources, started again when a file changes. */
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway-process.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CONFIG = join(ROOT, 'daemon/config/demo.yaml');
const PASSWORD = 'a password for this test';

test('the page asks the gateway behind it, a change starts the gateway again, and one signal ends both', async () => {
  const state_dir = await mkdtemp(join(tmpdir(), 'bms-dev-'));
  const environment = { BMS_STATE_DIR: state_dir, BMS_ADMIN_PASSWORD: PASSWORD, NO_COLOR: '1' };
  const program = startGateway(['run', '--config', CONFIG], environment, ROOT, [
    join(ROOT, 'ui/dev/dev.mjs'),
  ]);
  try {
    const [, url] = await program.waitFor(/(http:\/\/localhost:\d+)\//);
    const logIn = async () => {
      const body = JSON.stringify({ username: 'admin', password: PASSWORD });
      const headers = { 'content-type': 'application/json', origin: url };
      return (await fetch(`${url}/api/auth/login`, { method: 'POST', headers, body })).status;
    };
    await program.waitFor(/"msg":"serving"/);
    expect(await (await fetch(url)).text()).toContain('/src/main.tsx');
    expect(await logIn()).toBe(200);
    const now = new Date();
    await utimes(CONFIG, now, now);
    await program.waitFor(/demo\.yaml changed: the gateway starts again[\s\S]*"msg":"serving"/);
    expect(await logIn()).toBe(200);
    const { code } = await program.stop();
    expect(code).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  } finally {
    await program.stop();
    await rm(state_dir, { recursive: true, force: true });
  }
});
