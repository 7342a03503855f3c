/** The first administrator, and a lost one, as whoever stands at the box makes them: by the command line alone. */
import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PasswordHasher } from '../../daemon/server/auth/passwords.ts';
import { type GatewayProcess, logIn, startGateway } from '../support/gateway-process.ts';
import { PROGRAM } from '../support/program.ts';

const CONFIG = fileURLToPath(new URL('../../daemon/config/demo.yaml', import.meta.url));
const PASSWORD = 'chosen at the set-up';
/** Owner of the state directory where root runs the command. */
const OTHER_UID = 65534;

let state_dir: string;
let gateway: GatewayProcess;
let url: string;

beforeAll(async () => {
  state_dir = await mkdtemp(join(tmpdir(), 'bms-first-'));
  gateway = startGateway(['run', '--config', CONFIG], { BMS_STATE_DIR: state_dir, BMS_HTTP_PORT: '0' });
  url = (await gateway.waitFor(/"url":"(http[^"]+)"/))[1];
});
afterAll(async () => {
  await gateway?.stop();
  await rm(state_dir, { recursive: true, force: true });
});

async function setupCode(
  ...args: string[]
): Promise<{ code: number | null; output: string; secret: string }> {
  const program = startGateway(['setup-code', ...args], { BMS_STATE_DIR: state_dir });
  const code = await program.exited;
  return { code, output: program.output(), secret: program.output().split('\n')[0] };
}

async function setUp(code: string, username: string, password: string): Promise<number> {
  const reply = await fetch(`${url}/api/auth/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, username, password }),
  });
  return reply.status;
}

test('the command shows the code of the journal; it makes one administrator, once', async () => {
  const printed = await setupCode();
  expect(printed).toMatchObject({ code: 0, output: expect.stringContaining('it holds once, until 20') });
  expect(gateway.output()).toContain(printed.secret);
  expect(await setUp(printed.secret, 'ada', PASSWORD)).toBe(200);
  expect(await setUp(printed.secret, 'eve', PASSWORD)).toBe(403);
  const { get } = await logIn(url, 'ada', PASSWORD);
  expect(await get('/api/admin/users')).toMatchObject({ users: [{ username: 'ada', role: 'admin' }] });
  expect(await setupCode()).toMatchObject({ code: 1, output: expect.stringContaining('setup-code --new') });
});

test('a lost administrator is recovered while the gateway runs, and the audit log shows it', async () => {
  if (process.getuid?.() === 0) await chown(state_dir, OTHER_UID, OTHER_UID);
  const { secret } = await setupCode('--new');
  const file = await stat(join(state_dir, 'setup-code.json'));
  // The gateway's own account must be able to read what root has written, and nobody else.
  expect({ uid: file.uid, mode: file.mode & 0o777 }).toEqual({
    uid: (await stat(state_dir)).uid,
    mode: 0o600,
  });
  expect(await setUp(secret, 'ada', 'recovered password')).toBe(200);
  await expect(logIn(url, 'ada', PASSWORD)).rejects.toThrow('401');
  const { get } = await logIn(url, 'ada', 'recovered password');
  const { entries } = (await get('/api/admin/audit?action=setup')) as { entries: object[] };
  expect(entries).toMatchObject([
    { actor: 'ada', outcome: 'done' },
    { actor: null, target: 'eve', outcome: 'refused' },
    { actor: 'ada', outcome: 'done' },
  ]);
});

test('a password for the centre is hashed from standard input', async () => {
  const hash = (input: string) =>
    new Promise<{ code: number; out: string; error: string }>(resolve => {
      const child = execFile(process.execPath, [PROGRAM, 'hash-password'], (failure, out, error) =>
        resolve({ code: Number(failure?.code ?? 0), out, error }),
      );
      child.stdin?.end(input);
    });
  const { out } = await hash('a long password\n');
  expect(await new PasswordHasher().verify(out.trim(), 'a long password')).toBe(true);
  expect(await hash('short')).toMatchObject({ code: 2, error: expect.stringContaining('found 5') });
});
