/** The command line: `bms-gateway <command>`. Exit codes: 0 done, 1 failed, 2 the input was wrong. */
import { createRequire } from 'node:module';
import { describeError, GatewayError } from '../../core/errors.ts';
import { didYouMean, formatProblems } from '../../core/schema/problem.ts';
import { ConfigError } from '../config/config-error.ts';
import { readEnvironment } from '../config/environment.ts';
import { helpOf, listOf } from './command.ts';
import { COMMANDS } from './commands.ts';
import { UsageError } from './usage.ts';

const HELP = `Usage: bms-gateway <command>

${listOf(COMMANDS)}
  help [COMMAND], --help        this list, or all about one command
  --version

Environment: DATABASE_URL, JWT_SECRET, SIMULATION_INTERVAL, BMS_CONFIG, BMS_STATE_DIR, BMS_HTTP_HOST,
BMS_HTTP_PORT, BMS_ADMIN_PASSWORD, BMS_LOG_LEVEL; a .env file in the working directory is read.
`;

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

async function dispatch(
  [name = 'help', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  if (name === '--version' || name === '-v') return print(`${version()}\n`);
  if (name === 'help' && args[0] !== undefined) return print(await helpOf(commandOf(args[0])));
  if (name === 'help' || name === '--help' || name === '-h') return print(HELP);
  const command = commandOf(name);
  const environment = readEnvironment(env);
  const { config_file } = environment;
  return command.call(args, { env, environment, config_file, version: version() });
}

function commandOf(name: string) {
  const command = COMMANDS.find(one => one.name === name);
  if (command) return command;
  const names = COMMANDS.map(one => one.name);
  const meant = name.startsWith('-') ? '; the command comes first' : didYouMean(name, names);
  throw new UsageError(`unknown command "${name}"${meant}; see bms-gateway help`);
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
