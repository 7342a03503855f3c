/** TLS from the command line: a box listening on its network, its fingerprint, and a reload by signal. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway-process.ts';
import { PROGRAM } from '../support/program.ts';

const CONFIG = `site: { id: home }
connections: [{ id: bus, type: virtual-can }]
batteries: [{ id: b1, packs: [{ id: p1, connection: bus, profile: jk-can-v2, cells: 4 }] }]
server: { host: 0.0.0.0, port: 0 }
simulation: {}
`;

async function fingerprintAt(url: string): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

test('the log, the command and the wire show one fingerprint; SIGHUP takes a new certificate', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bms-tls-'));
  const config_file = join(directory, 'config.yaml');
  await writeFile(config_file, CONFIG);
  const env = { BMS_STATE_DIR: join(directory, 'state'), BMS_CONFIG: config_file };
  const command = async () =>
    (
      await promisify(execFile)(process.execPath, [PROGRAM, 'certificate'], {
        env: { ...process.env, ...env },
      })
    ).stdout;
  await expect(command()).rejects.toThrow(/no certificate in .*state\/tls/);
  const gateway = startGateway(['run'], env);
  try {
    const [, logged] = await gateway.waitFor(
      /"fingerprint_sha256":"([0-9A-F:]{95})".*"msg":"TLS certificate"/,
    );
    const [, url] = await gateway.waitFor(/"url":"(https:[^"]+)"/);
    expect(await fingerprintAt(url)).toBe(logged);
    expect(await command()).toContain(`SHA-256 ${logged}`);
    await rm(join(directory, 'state', 'tls'), { recursive: true });
    gateway.signal('SIGHUP');
    const [, next] = await gateway.waitFor(
      /"fingerprint_sha256":"([0-9A-F:]{95})".*"msg":"TLS certificate changed"/,
    );
    expect(next).not.toBe(logged);
    expect(await fingerprintAt(url)).toBe(next);
    expect((await gateway.stop()).code).toBe(0);
  } finally {
    await gateway.stop();
    await rm(directory, { recursive: true });
  }
});
