/** The centre over TLS: `sslmode=verify-full` with an authority of one's own, and what is said when it does not fit. */
import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { smallTopology } from '../../daemon/store/testing/fixtures.ts';
import { startGateway } from '../support/gateway-process.ts';
import { appendRounds, caughtUp, until, useCentre } from './harness.ts';

const directory = mkdtempSync(join(tmpdir(), 'bms-authority-'));
const at = (name: string) => join(directory, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });

/** An authority `name`, and with it a certificate for `localhost` alone. */
function makeAuthority(name: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
  );
  openssl(
    'req',
    ...key,
    '-keyout',
    `${name}-server.key`,
    '-out',
    `${name}-server.csr`,
    '-subj',
    '/CN=localhost',
  );
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost\n');
  const signer = ['-CA', `${name}.crt`, '-CAkey', `${name}.key`, '-CAcreateserial', '-extfile', 'names'];
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}-server.csr`,
    '-out',
    `${name}-server.crt`,
    '-days',
    '30',
    ...signer,
  );
}

// Before the server that uses them.
beforeAll(() => {
  makeAuthority('right');
  makeAuthority('wrong');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const centre = useCentre({
  settings: ['ssl = on', "ssl_cert_file = 'server.crt'", "ssl_key_file = 'server.key'"],
  prepare: data_directory => {
    const { uid, gid } = statSync(data_directory);
    for (const kind of ['crt', 'key']) {
      const file = join(data_directory, `server.${kind}`);
      writeFileSync(file, '', { mode: 0o600 });
      copyFileSync(at(`right-server.${kind}`), file);
      chownSync(file, uid, gid);
    }
  },
});

function urlOf(host: string, parameters: Record<string, string>): string {
  const url = new URL(centre.url);
  url.hostname = host;
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

const verified = (host: string, authority: string) =>
  urlOf(host, { sslmode: 'verify-full', sslrootcert: at(`${authority}.crt`) });

test('with the right authority and name it syncs, encrypted', async () => {
  const topology = smallTopology(3);
  const log = await centre.openLog(topology);
  appendRounds(log, topology, 0, 10);
  await log.flush();
  const upstream = centre.follow(log, { database_url: verified('localhost', 'right') });
  await caughtUp(upstream, log);
  await centre.expectEqual(log);
  const sessions = await centre.query(
    `SELECT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'bms-gateway gw'`,
  );
  expect(sessions).toEqual([{ ssl: true, version: 'TLSv1.3' }]);
});

test.each([
  [
    'another authority',
    () => verified('localhost', 'wrong'),
    /localhost:\d+, .* shows a certificate .*sslrootcert/,
  ],
  [
    'another host name',
    () => verified('127.0.0.1', 'right'),
    /127\.0\.0\.1:\d+, .* shows a certificate of another host/,
  ],
  [
    'no such file',
    () => urlOf('localhost', { sslmode: 'verify-full', sslrootcert: '/nowhere/ca.crt' }),
    /^the database URL names a certificate file that cannot be read: \/nowhere\/ca\.crt/,
  ],
])('%s: nothing is sent, and one line says why, without the password', async (_, url, expected) => {
  const lines: string[] = [];
  const log = await centre.openLog();
  const warn = (_: object, line: string) => void lines.push(line);
  const upstream = centre.follow(log, { database_url: url(), log: { ...silentLogger, warn } });
  await until(
    () => upstream.status().counters.retries >= 2,
    () => upstream.status(),
  );
  expect(upstream.status()).toMatchObject({ state: 'down', reason: expect.stringMatching(expected) });
  if (!upstream.status().reason?.includes('/nowhere/'))
    expect(upstream.status().reason).toMatch(/database "centre_\d+", user "bms"/);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/\n/);
  expect(lines[0]).not.toContain(new URL(centre.url).password);
  expect(await centre.query("SELECT to_regclass('gateways') AS made")).toEqual([{ made: null }]);
});

test('a server without TLS is not spoken to in the clear', async () => {
  await centre.query('ALTER SYSTEM SET ssl = off');
  await centre.query('SELECT pg_reload_conf()');
  await until(async () => (await centre.query('SHOW ssl'))[0].ssl === 'off');
  centre.after(
    () => centre.query('ALTER SYSTEM RESET ssl'),
    () => centre.query('SELECT pg_reload_conf()'),
  );
  const refused = startGateway(['migrate'], { DATABASE_URL: verified('localhost', 'right') });
  expect(await refused.exited).toBe(1);
  expect(refused.output()).toMatch(
    /^bms-gateway: PostgreSQL at localhost:.*does not support SSL connections\n$/,
  );
});
