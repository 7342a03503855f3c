/** The unit and the account file as systemd's own tools read them; systemd itself need not run. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const repository = new URL('../../', import.meta.url).pathname;
const present = existsSync('/usr/bin/systemd-analyze') || process.env.CI === 'true';
if (!present)
  console.warn('systemd unit tests are left out, missing: systemd-analyze (Debian package systemd)');
const directory = mkdtempSync(join(tmpdir(), 'systemd-unit-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(!present)('systemd unit', () => {
  test('says nothing that systemd does not understand, and starts files that exist', async () => {
    const unit = join(directory, 'bms-gateway.service');
    const text = readFileSync(join(repository, 'systemd/bms-gateway.service'), 'utf8');
    writeFileSync(unit, text.replace('/usr/bin/bms-gateway ', `${repository}daemon/bms-gateway.mjs `));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit]);
    expect(stdout + stderr).toBe('');
  });

  test('stays hardened', async () => {
    const unit = join(repository, 'systemd/bms-gateway.service');
    const threshold_tenths = 25;
    await run('systemd-analyze', ['security', '--offline=true', `--threshold=${threshold_tenths}`, unit]);
  });

  test('the account has no shell and no password', async () => {
    mkdirSync(join(directory, 'root/etc'), { recursive: true });
    const conf = join(repository, 'systemd/bms-gateway.sysusers.conf');
    await run('systemd-sysusers', [`--root=${join(directory, 'root')}`, conf]);
    const account = readFileSync(join(directory, 'root/etc/passwd'), 'utf8')
      .split('\n')
      .find(line => line.startsWith('bms-gateway:'));
    expect(account).toMatch(
      /^bms-gateway:x:\d+:\d+:BMS Gateway:\/var\/lib\/bms-gateway:\/usr\/sbin\/nologin$/,
    );
  });
});
