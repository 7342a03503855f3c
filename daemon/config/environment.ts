/** What the environment says. It wins over the configuration file; an empty variable counts as not set. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from '../../core/contract/access.ts';
import type { Problem } from '../../core/schema/problem.ts';
import { ConfigError } from './config-error.ts';

export interface Environment {
  /** BMS_CONFIG: path of the configuration file. */
  readonly config_file: string | undefined;
  /** BMS_STATE_DIR, else what systemd gives (STATE_DIRECTORY), else `.state` here; absolute. */
  readonly state_dir: string;
  /** DATABASE_URL: the central PostgreSQL. */
  readonly database_url: string | undefined;
  /** JWT_SECRET: signs logins. */
  readonly jwt_secret: string | undefined;
  /** SIMULATION_INTERVAL, ms: wins over `interval_ms` where there is a simulation. */
  readonly simulation_interval_ms: number | undefined;
  /** BMS_HTTP_HOST */
  readonly http_host: string | undefined;
  /** BMS_HTTP_PORT; 0: any free port. */
  readonly http_port: number | undefined;
  /** BMS_ADMIN_PASSWORD: first start only, the password of user `admin`. */
  readonly admin_password: string | undefined;
  /** BMS_LOG_LEVEL (default info). */
  readonly log_level: LogLevel;
  /** What a name in the configuration stands for: a file in systemd's CREDENTIALS_DIRECTORY, else a variable. */
  readonly secret: (name: string) => string | undefined;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const MIN_SECRET_LENGTH = 8;

/** Throws a ConfigError that names each variable that cannot be used. Secrets are never quoted. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const problems: Problem[] = [];
  const report = (name: string, found: string, expected: string) =>
    problems.push(environmentProblem(name, found, expected));
  const text = (name: string) => env[name] || undefined;
  const integer = (name: string, min: number, max: number) => {
    const value = text(name);
    if (value === undefined) return undefined;
    if (/^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
    report(name, JSON.stringify(value), `a whole number from ${min} to ${max}`);
    return undefined;
  };
  const database_url = text('DATABASE_URL');
  const wrongUrl = database_url && wrongDatabaseUrl(database_url);
  if (wrongUrl) report('DATABASE_URL', wrongUrl, DATABASE_URL_EXPECTED);
  const jwt_secret = text('JWT_SECRET');
  if (jwt_secret && jwt_secret.length < MIN_SECRET_LENGTH)
    report(
      'JWT_SECRET',
      `${jwt_secret.length} characters`,
      `at least ${MIN_SECRET_LENGTH}, better 32 or more`,
    );
  const admin_password = text('BMS_ADMIN_PASSWORD');
  if (admin_password && !isPasswordLength(admin_password.length))
    report(
      'BMS_ADMIN_PASSWORD',
      `${admin_password.length} characters`,
      `${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH}; without it the first administrator is made by a set-up code`,
    );
  const level = text('BMS_LOG_LEVEL');
  const log_level = LOG_LEVELS.find(name => name === level);
  if (level && !log_level) report('BMS_LOG_LEVEL', JSON.stringify(level), `one of ${LOG_LEVELS.join(', ')}`);

  const environment: Environment = {
    config_file: text('BMS_CONFIG'),
    state_dir: resolve(text('BMS_STATE_DIR') ?? text('STATE_DIRECTORY')?.split(':')[0] ?? '.state'),
    database_url,
    jwt_secret,
    simulation_interval_ms: integer('SIMULATION_INTERVAL', 10, 3_600_000),
    http_host: text('BMS_HTTP_HOST'),
    http_port: integer('BMS_HTTP_PORT', 0, 65_535),
    admin_password,
    log_level: log_level ?? 'info',
    secret: name => credential(text('CREDENTIALS_DIRECTORY'), name) ?? text(name),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return environment;
}

/** An editor ends a file with a line break; a password has none. */
function credential(directory: string | undefined, name: string): string | undefined {
  if (directory === undefined) return undefined;
  try {
    return readFileSync(join(directory, name), 'utf8').replace(/\r?\n$/, '') || undefined;
  } catch {
    return undefined;
  }
}

const isPasswordLength = (length: number) => length >= MIN_PASSWORD_LENGTH && length <= MAX_PASSWORD_LENGTH;

export function environmentProblem(name: string, found: string, expected: string): Problem {
  const message = `found ${found}, expected ${expected}`;
  return { file: 'environment', line: 0, column: 0, path: name, found, expected, message };
}

export const DATABASE_URL_EXPECTED = 'postgres://user:password@host:port/database';

/** What is wrong with a PostgreSQL URL, without quoting it (it holds a password); undefined when nothing is. */
export function wrongDatabaseUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return 'text that is not a URL';
  const { protocol } = new URL(url);
  return protocol === 'postgres:' || protocol === 'postgresql:'
    ? undefined
    : `a URL that begins with ${protocol}`;
}
