/** The environment: each variable checked, named when wrong, secrets never quoted. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { formatProblem } from '../../core/schema/problem.ts';
import { ConfigError } from './config-error.ts';
import { readEnvironment } from './environment.ts';

test('nothing set: nothing said but where the state lives and how much is logged', () => {
  expect(readEnvironment({ DATABASE_URL: '' })).toEqual({
    config_file: undefined,
    state_dir: resolve('.state'),
    database_url: undefined,
    jwt_secret: undefined,
    simulation_interval_ms: undefined,
    http_host: undefined,
    http_port: undefined,
    admin_password: undefined,
    log_level: 'info',
    secret: expect.any(Function),
  });
});

test('the state directory: our own variable, else the one of systemd', () => {
  expect(readEnvironment({ STATE_DIRECTORY: '/var/lib/a:/var/lib/b' }).state_dir).toBe('/var/lib/a');
  expect(readEnvironment({ STATE_DIRECTORY: '/a', BMS_STATE_DIR: '/b' }).state_dir).toBe('/b');
});

test('every wrong variable is named, no secret is quoted', () => {
  const read = () =>
    readEnvironment({
      BMS_HTTP_PORT: '80a',
      SIMULATION_INTERVAL: '5',
      DATABASE_URL: 'postgres://u:hunter2@[',
      JWT_SECRET: 'hunter2',
      BMS_LOG_LEVEL: 'loud',
    });
  try {
    read();
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toMatch(/^environment DATABASE_URL: .* \(and 4 more\)$/);
    expect(error.problems.map(formatProblem)).toEqual([
      'environment DATABASE_URL: found text that is not a URL, expected postgres://user:password@host:port/database',
      'environment JWT_SECRET: found 7 characters, expected at least 8, better 32 or more',
      'environment BMS_LOG_LEVEL: found "loud", expected one of debug, info, warn, error',
      'environment SIMULATION_INTERVAL: found "5", expected a whole number from 10 to 3600000',
      'environment BMS_HTTP_PORT: found "80a", expected a whole number from 0 to 65535',
    ]);
  }
});
