/** Behind PgBouncer, which gives a connection of the server away after each transaction: all arrives, once. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LogKind } from '../../daemon/store/store.ts';
import { smallTopology, someAlert } from '../../daemon/store/testing/fixtures.ts';
import { missingTools } from '../edge-box/uml.ts';
import { startGateway } from '../support/gateway-process.ts';
import { freePort } from '../support/postgres.ts';
import { appendRounds, caughtUp, type Log, rolledUp, T0, useCentre } from './harness.ts';

const centre = useCentre();
const topology = smallTopology(3);
/** Debian's account without rights; PgBouncer refuses to run as root. */
const NOBODY = 65534;

/** One connection to the server for each login, so that whoever comes next gets it as the last one left it. */
async function startPooler(logins: readonly string[]): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'bms-pooler-'));
  const port = await freePort();
  const users = logins
    .map(url => new URL(url))
    .map(({ username, password }) => `"${username}" "${password}"`);
  writeFileSync(join(directory, 'users.txt'), `${users.join('\n')}\n`);
  writeFileSync(
    join(directory, 'pgbouncer.ini'),
    `[databases]
* = host=127.0.0.1 port=${centre.postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${directory}/users.txt
pool_mode = transaction
default_pool_size = 1
`,
  );
  const is_root = process.getuid?.() === 0;
  if (is_root) {
    for (const file of ['', 'users.txt', 'pgbouncer.ini']) chownSync(join(directory, file), NOBODY, NOBODY);
    chmodSync(directory, 0o700);
  }
  const pooler = spawn('pgbouncer', ['-q', join(directory, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    ...(is_root && { uid: NOBODY, gid: NOBODY }),
  });
  const exited = new Promise(resolve => pooler.once('exit', resolve));
  let said = '';
  pooler.stderr.on('data', text => {
    said += text;
  });
  centre.after(async () => {
    pooler.kill('SIGKILL');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  });
  for (let tries = 0; ; tries++) {
    const answer = await centre
      .query('SELECT 1', throughPort(logins[0], port))
      .catch(error => error as Error);
    if (!(answer instanceof Error)) return port;
    if (tries > 100) throw new Error(`PgBouncer does not serve: ${answer.message}; it said: ${said}`);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

function throughPort(database_url: string, port: number): string {
  const url = new URL(database_url);
  url.port = String(port);
  return url.href;
}

async function fill(gateway_id: string, rounds: number): Promise<Log> {
  const log = await centre.openLog(smallTopology(3, 10, gateway_id));
  appendRounds(log, topology, 0, rounds);
  log.appendAlert(someAlert('a1', T0));
  const entry = { id: randomUUID(), t_ms: T0, actor: gateway_id, action: 'login', outcome: 'done' };
  log.appendRecord(LogKind.audit, T0, entry);
  await log.flush();
  return log;
}

const missing = missingTools({ pgbouncer: 'pgbouncer' });
const canRun = missing.length === 0 || process.env.CI === 'true';
if (!canRun) console.warn(`a centre behind PgBouncer is left out, missing: ${missing.join(', ')}`);

test.skipIf(!canRun)(
  'gateways with logins of their own, and one with the owner’s, sync all they have',
  async () => {
    expect(missing).toEqual([]);
    const migrated = startGateway(['migrate'], { DATABASE_URL: centre.url });
    expect(await migrated.exited).toBe(0);
    const logins: Record<string, string> = { owned: centre.url };
    for (const gateway_id of ['pooled-1', 'pooled-2']) {
      const [{ url }] = await centre.query<{ url: string }>(`SELECT add_gateway('${gateway_id}') AS url`);
      logins[gateway_id] = url;
    }
    const port = await startPooler(Object.values(logins));
    for (const [gateway_id, login] of Object.entries(logins)) {
      const log = await fill(gateway_id, 600);
      const database_url = throughPort(login, port);
      const upstream = centre.follow(log, { gateway_id, database_url, batch_rows: 100 });
      await caughtUp(upstream, log);
      await centre.expectEqual(log, gateway_id);
      const found = await centre.query(
        `SELECT count(*)::int AS n FROM alerts WHERE gateway_id = '${gateway_id}'`,
      );
      expect(found).toEqual([{ n: 1 }]);
    }
    await rolledUp(centre);
    // What a gateway bounds for itself does not stay behind on the connection that others get.
    for (const login of Object.values(logins))
      expect(await centre.query('SHOW statement_timeout', throughPort(login, port))).toEqual([
        { statement_timeout: '0' },
      ]);
  },
);
