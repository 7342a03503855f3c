/**
 * The command line: `bms-gateway <command>`. Exit codes: 0 done, 1 failed, 2 the input was wrong. A command is loaded
 * when it is called: `export` beside a running gateway needs none of the memory of the others.
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { systemClock } from '../../core/clock/system-clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { formatProblems } from '../../core/schema/problem.ts';
import { ConfigError } from '../config/config-error.ts';
import { readEnvironment } from '../config/environment.ts';
import { BACKUP_HELP } from './backup-options.ts';
import { EXPORT_HELP, EXPORT_OPTIONS } from './export-options.ts';
import { SIMULATE_HELP, SIMULATE_OPTIONS } from './simulate-options.ts';
import { stateDirectory } from './state-dir.ts';
import { UsageError, wholeNumber } from './usage.ts';

const HELP = `Usage: bms-gateway <command>

  run [--config FILE]           run the gateway (default: BMS_CONFIG, /etc/bms-gateway/config.yaml)
  check-config [FILE]           check a configuration and say what it describes; exit code 2 when it is wrong
  profiles [ID]                 the devices that can be read, your own among them; all about one of them
  decode LOG --dbc FILE         each frame of a log of the bus as a DBC file names it. LOG: what candump writes or prints,
                                .asc, .trc, SavvyCAN's .csv; each also as .gz
  decode LOG --profile ID [--cells N] [--address N] [--option NAME=VALUE]
                                what a profile makes of such a log
  scan TARGET [--seconds N] [--units 1-16] [--profile ID] [--json]
                                which profiles fit what is on a bus, and the configuration for it; read-only.
                                TARGET: can0, FILE.log, /dev/ttyUSB0[:baud], slcan:/dev/ttyACM0[:bitrate],
                                tcp://host[:port], rtu://host:port
  certificate [--config FILE]   the TLS certificate that is served, with the fingerprint a browser should show
  setup-code [--new] [--state-dir DIR]
                                the code that makes the first administrator; --new: another one, which also
                                recovers a lost administrator (needs to write the state directory)
  hash-password                 reads a password, prints its hash for the table users at the centre
  migrate [--check]             bring the central database up to this program; --check: only say what it lacks (then 1)
  export --from TIME [--to TIME] [--pack ID] [--output FILE]
                                readings as CSV or JSON lines, also while the gateway runs; "export --help" says how
  backup DIRECTORY [--state-dir DIR]
                                a checked copy of all that is stored, also while the gateway runs; "backup --help"
  simulate --listen TARGET      virtual hardware for other programs: batteries of any profile on a CAN interface,
                                a TCP port, a serial line or a pty; "simulate --help" says how
  demo                          a simulated fleet of 1,000 cells with dashboard and PostgreSQL
  help, --help, --version

Environment: DATABASE_URL, JWT_SECRET, SIMULATION_INTERVAL, BMS_CONFIG, BMS_STATE_DIR, BMS_HTTP_HOST,
BMS_HTTP_PORT, BMS_ADMIN_PASSWORD, BMS_LOG_LEVEL; a .env file in the working directory is read.
`;

const DEFAULT_CONFIG = '/etc/bms-gateway/config.yaml';

/** What the program writes (readings, password hashes, keys) is for its own account alone. */
const PRIVATE_FILES = 0o077;

export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  process.umask(PRIVATE_FILES);
  if (!process.stdout.listeners('error').includes(endWithReader)) process.stdout.on('error', endWithReader);
  try {
    return await dispatch(args, env);
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    return error instanceof ConfigError || error instanceof UsageError ? 2 : 1;
  }
}

/** Who reads may have seen enough: `bms-gateway decode … | head`. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}

async function dispatch(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { values, positionals } = parse(args);
  const [command, ...operands] = positionals;
  if (values.version) return print(`${version()}\n`);
  if (command === 'backup' && values.help) return print(BACKUP_HELP);
  if (command === 'export' && values.help) return print(EXPORT_HELP);
  if (command === 'simulate' && values.help) return print(SIMULATE_HELP);
  if (values.help || command === undefined || command === 'help') return print(HELP);
  const environment = readEnvironment(env);
  const config_file = values.config ?? environment.config_file;
  switch (command) {
    case 'run': {
      const { run } = await import('./run.ts');
      return run({ config_file: config_file ?? DEFAULT_CONFIG, environment, version: version() });
    }
    case 'demo': {
      const { demo } = await import('./demo.ts');
      return demo({ config_file, environment, version: version() });
    }
    case 'certificate': {
      const { describeCertificate } = await import('./certificate.ts');
      return printLines(describeCertificate(config_file ?? DEFAULT_CONFIG, environment));
    }
    case 'check-config': {
      const { checkConfig } = await import('../config/check.ts');
      const { ok, lines } = checkConfig(operands[0] ?? config_file ?? DEFAULT_CONFIG, env);
      (ok ? process.stdout : process.stderr).write(`${lines.join('\n')}\n`);
      return ok ? 0 : 2;
    }
    case 'profiles': {
      const { explainProfile, listProfiles } = await import('./profiles.ts');
      const profiles = await knownProfiles(config_file);
      return printLines(operands[0] ? explainProfile(profiles, operands[0]) : listProfiles(profiles));
    }
    case 'decode':
      return decode(operands[0], values, config_file);
    case 'hash-password': {
      const { hashPassword } = await import('./hash-password.ts');
      return print(await hashPassword(process.stdin));
    }
    case 'setup-code': {
      const { setupCode } = await import('./setup-code.ts');
      return print(await setupCode(stateDirectoryOf(values, env), values.new ?? false));
    }
    case 'scan': {
      const { scan } = await import('./scan.ts');
      const { profile, units, json = false } = values;
      const seconds = wholeNumber('--seconds', values.seconds);
      const outcome = await scan(
        { target: operands[0], seconds, units, profile, json },
        await knownProfiles(config_file),
      );
      print(outcome.text);
      return outcome.code;
    }
    case 'migrate': {
      const { migrate } = await import('./migrate.ts');
      const file = config_file ?? DEFAULT_CONFIG;
      const { check = false } = values;
      const done = await migrate({
        check,
        config_file: file,
        environment,
        profiles: await loadedProfiles(file),
      });
      print(done.text);
      return done.code;
    }
    case 'export': {
      const { exportReadings } = await import('./export.ts');
      return exportReadings(values, stateDirectoryOf(values, env), systemClock.wallMs());
    }
    case 'backup': {
      const { backup } = await import('./backup.ts');
      const place = { state_dir: stateDirectoryOf(values, env), directory: operands[0] };
      return backup(place, version(), systemClock);
    }
    case 'simulate': {
      const { simulate } = await import('./simulate.ts');
      const profiles = await loadedProfiles(config_file);
      return simulate(values, { config_file: values.config, environment, profiles });
    }
    default:
      throw new UsageError(`unknown command "${command}"; see bms-gateway help`);
  }
}

function stateDirectoryOf(values: Values, env: NodeJS.ProcessEnv): string {
  const { state_dir } = readEnvironment(env);
  const is_named = env.BMS_STATE_DIR || env.STATE_DIRECTORY;
  return stateDirectory(values['state-dir'] ?? (is_named ? state_dir : undefined), state_dir);
}

type Values = ReturnType<typeof parse>['values'];

async function decode(
  log_file: string | undefined,
  values: Values,
  config_file: string | undefined,
): Promise<number> {
  if (!log_file || (values.dbc === undefined) === (values.profile === undefined))
    throw new UsageError('decode needs a log of a CAN bus and either --dbc FILE or --profile ID');
  if (values.dbc !== undefined) {
    const { decodeWithDbc } = await import('./decode-dbc.ts');
    for await (const line of decodeWithDbc(log_file, values.dbc)) process.stdout.write(`${line}\n`);
    return 0;
  }
  const profiles = await knownProfiles(config_file);
  const profile = profiles.get(values.profile ?? '');
  if (!profile)
    throw new UsageError(`no profile "${values.profile}"; there are ${[...profiles.keys()].join(', ')}`);
  const { cells, address, option = [] } = values;
  const { decodeWithProfile } = await import('./decode-profile.ts');
  return printLines(
    await decodeWithProfile(log_file, {
      profile,
      cells: wholeNumber('--cells', cells),
      address: wholeNumber('--address', address),
      options: option,
    }),
  );
}

/** With those in the folder `profiles` beside the configuration; that file itself need not be there yet. */
async function knownProfiles(config_file = DEFAULT_CONFIG) {
  return (await loadedProfiles(config_file)).profiles;
}

async function loadedProfiles(config_file = DEFAULT_CONFIG) {
  const { loadProfilesFor } = await import('../../drivers/profiles/load.ts');
  const loaded = loadProfilesFor(config_file);
  for (const line of formatProblems(loaded.problems)) process.stderr.write(`profile left out: ${line}\n`);
  return loaded;
}

function printLines(lines: readonly string[]): number {
  return print(`${lines.join('\n')}\n`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string', short: 'c' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        dbc: { type: 'string' },
        profile: { type: 'string' },
        cells: { type: 'string' },
        address: { type: 'string' },
        option: { type: 'string', multiple: true },
        seconds: { type: 'string' },
        units: { type: 'string' },
        json: { type: 'boolean' },
        ...EXPORT_OPTIONS,
        ...SIMULATE_OPTIONS,
        check: { type: 'boolean' },
        new: { type: 'boolean' },
        'state-dir': { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(`${describeError(error)}; see bms-gateway help`);
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return formatProblems(error.problems).join('\n');
  if (error instanceof GatewayError || error instanceof UsageError) return `bms-gateway: ${error.message}`;
  return error instanceof Error && error.stack ? error.stack : describeError(error);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function version(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}
