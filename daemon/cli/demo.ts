/** `bms-gateway demo`, the first five minutes: a simulated fleet, a real PostgreSQL, the dashboard. */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../core/clock/system-clock.ts';
import { describeError, GatewayError, isDiskFault } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { formatProblems } from '../../core/schema/problem.ts';
import type { Environment } from '../config/environment.ts';
import type { GatewayConfig } from '../config/load.ts';
import { loadNamedConfig, namedProfiles } from '../config/named-profiles.ts';
import { Gateway, type StartedGateway } from '../gateway.ts';
import type { FirstAdministrator } from '../server/auth/first-administrator.ts';
import { generatePassword } from '../server/auth/passwords.ts';
import { createLogger } from '../system/logger.ts';
import { type DemoPostgres, startDemoPostgres } from './demo-postgres.ts';
import { DemoScreen } from './demo-screen.ts';
import { runUntilSignal, STORAGE_BACK } from './run-until-signal.ts';
import { prepareStateDirectory } from './state-dir.ts';

export interface DemoOptions {
  readonly config_file: string | undefined;
  readonly environment: Environment;
  readonly version: string;
}

const ADDRESSES_SHOWN = 4;
/** The password made for user `admin`, so that every start of the demo can show it. */
const PASSWORD_FILE = 'demo-password';
const DEMO_CONFIG = fileURLToPath(new URL('../config/demo.yaml', import.meta.url));

export async function demo(options: DemoOptions): Promise<number> {
  const screen = new DemoScreen(systemClock, text => process.stdout.write(text));
  const log = createLogger({
    level: options.environment.log_level === 'info' ? 'warn' : options.environment.log_level,
    form: 'readable',
    write: line => screen.line(line),
  });
  const environment = await withFreePort(options.environment);
  const config_file = options.config_file ?? DEMO_CONFIG;
  const profiles = namedProfiles(config_file);
  for (const line of formatProblems(profiles.problems)) log.error({ reason: line }, 'profile left out');
  loadNamedConfig(config_file, environment, profiles);
  const is_made = prepareStateDirectory(environment.state_dir);
  // Others may enter (not list) what was made: as root, PostgreSQL runs under another account.
  if (is_made) await chmod(environment.state_dir, 0o711);
  let postgres: DemoPostgres | undefined;
  let gateway: Gateway | undefined;
  let is_stopped = false;
  const { promise: again, resolve: onStorageBack } = Promise.withResolvers<string>();
  const exit_code = await runUntilSignal(
    {
      again,
      start: async () => {
        postgres = await postgresIfNone(environment, log);
        if (is_stopped) return;
        const database_url = environment.database_url ?? postgres?.database_url;
        const login = await demoLogin(environment);
        const settled: Environment = { ...environment, database_url, admin_password: login.password };
        const config = loadNamedConfig(config_file, settled, profiles);
        gateway = new Gateway({
          config,
          environment: settled,
          clock: systemClock,
          log,
          version: options.version,
          onStorageBack: () => onStorageBack(STORAGE_BACK),
        });
        const started = await gateway.start();
        const hint = await login.hint(started.administrator);
        screen.welcome(
          welcome(options.version, config, settled, { ...started, hint }, postgres),
          `  ${'Dashboard'.padEnd(12)}${started.url}\n  ${'Login'.padEnd(12)}${hint}\n\n`,
        );
      },
      stop: async () => {
        is_stopped = true;
        screen.stop();
        await gateway?.stop();
        const server = postgres;
        postgres = undefined;
        await server?.stop();
      },
    },
    log,
  );
  process.stdout.write('Stopped.\n');
  // What was lost has been said.
  return exit_code === 0 && (gateway?.readings_lost ?? 0) > 0 ? 1 : exit_code;
}

/** Without a DATABASE_URL the demo brings its own server; where none can run, it goes on without a centre. */
async function postgresIfNone(environment: Environment, log: Logger): Promise<DemoPostgres | undefined> {
  if (environment.database_url !== undefined) return undefined;
  try {
    return await startDemoPostgres(join(environment.state_dir, 'postgres'));
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'STORE_IN_USE') throw error;
    log.warn({ reason: describeError(error) }, 'going on without PostgreSQL');
    return undefined;
  }
}

/** Nobody asked for the default port in particular: when it is taken, any free one will do. */
async function withFreePort(environment: Environment): Promise<Environment> {
  if (environment.http_port !== undefined) return environment;
  return (await isFree(8080)) ? environment : { ...environment, http_port: 0 };
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

function welcome(
  version: string,
  { config, topology }: GatewayConfig,
  environment: Environment,
  { url, urls, certificate, hint }: StartedGateway & { readonly hint: string },
  postgres: DemoPostgres | undefined,
): string {
  const cells = topology.packs.reduce((sum, pack) => sum + pack.shape.cell_count, 0);
  const fleet = `${topology.batteries.length} batteries, ${topology.packs.length} packs, ${cells} cells`;
  const rows = [
    ['Dashboard', url],
    ...urls.slice(1, 1 + ADDRESSES_SHOWN).map(other => ['or', other]),
    ...(certificate ? [['Certificate', `SHA-256 ${certificate.fingerprint_sha256}`]] : []),
    ['Login', hint],
    ['Fleet', `${fleet}, a reading every ${config.interval_ms / 1000} s`],
    [
      'PostgreSQL',
      postgres
        ? `psql '${postgres.database_url}' -c 'select count(*) from readings'`
        : upstreamHint(environment),
    ],
    ['Data', environment.state_dir],
    ['Stop', 'Ctrl-C'],
  ];
  const lines = rows.map(([name, text]) => `  ${name.padEnd(12)}${text}`);
  return `\nBMS Gateway ${version}, simulated fleet\n\n${lines.join('\n')}\n\n`;
}

/**
 * How to log in, with nothing to be chosen or looked up: where no password is given one is made, kept beside the
 * data, and shown at every start for as long as it holds.
 */
async function demoLogin({ state_dir, admin_password }: Environment) {
  const file = join(state_dir, PASSWORD_FILE);
  const kept = (await readFile(file, 'utf8').catch(() => undefined))?.trim();
  const password = admin_password ?? kept ?? generatePassword();
  const hint = async (administrator: FirstAdministrator) => {
    if (administrator === 'other') {
      await rm(file, { force: true });
      return 'with the name and password you chose; forgotten: bms-gateway setup-code --new';
    }
    if (admin_password !== undefined) return 'admin, with the password from BMS_ADMIN_PASSWORD';
    if (administrator === 'made')
      await writeFile(file, `${password}\n`, { mode: 0o600 }).catch(error => {
        if (!isDiskFault(error)) throw error;
      });
    return `admin / ${password}`;
  };
  return { password, hint };
}

function upstreamHint(environment: Environment): string {
  return environment.database_url === undefined ? 'none' : 'the server of DATABASE_URL';
}
