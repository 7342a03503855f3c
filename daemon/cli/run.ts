/** `bms-gateway run`: the daemon as systemd (or a person) starts it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../core/clock/system-clock.ts';
import type { Logger } from '../../core/log.ts';
import { formatProblems } from '../../core/schema/problem.ts';
import { loadProfilesFor } from '../../drivers/profiles/load.ts';
import type { Environment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import { Gateway } from '../gateway.ts';
import type { FirstAdministrator } from '../server/auth/first-administrator.ts';
import { createLogger } from '../system/logger.ts';
import { createNotifier } from '../system/notify.ts';
import { live } from './lifetime.ts';

export interface RunOptions {
  readonly config_file: string;
  readonly environment: Environment;
  readonly version: string;
}

export const INITIAL_PASSWORD_FILE = 'initial-admin-password';

export async function run({ config_file, environment, version }: RunOptions): Promise<number> {
  const log = createLogger({
    level: environment.log_level,
    form: process.stdout.isTTY ? 'readable' : process.env.JOURNAL_STREAM ? 'journal' : 'json',
    write: line => process.stdout.write(line),
  });
  const profiles = loadProfilesFor(config_file);
  for (const line of formatProblems(profiles.problems)) log.error({ reason: line }, 'profile left out');
  const config = loadConfig(config_file, environment, profiles);
  for (const line of formatProblems(config.warnings)) log.warn({ reason: line }, 'doubtful configuration');
  await mkdir(environment.state_dir, { recursive: true });
  const gateway = new Gateway({ config, environment, clock: systemClock, log, version });
  const notifier = createNotifier(process.env, systemClock, log);
  return live(
    {
      start: async () => {
        const { url, urls, administrator } = await gateway.start();
        await keepInitialPassword(environment.state_dir, administrator, log);
        log.info(
          {
            url,
            urls: urls.join(' '),
            version,
            packs: config.topology.packs.length,
            state_dir: environment.state_dir,
          },
          'serving',
        );
        await notifier.ready(`serving ${url}`);
        notifier.startWatchdog(() => gateway.healthy());
      },
      reload: () => gateway.reload(),
      stop: async () => {
        notifier.stopping();
        await gateway.stop();
        notifier.close();
      },
    },
    log,
  );
}

/** A generated password goes into a file that only this account may read, never into the log. */
export async function keepInitialPassword(
  state_dir: string,
  first: FirstAdministrator,
  log: Logger,
): Promise<void> {
  if (!first.created || first.password === undefined) return;
  const file = join(state_dir, INITIAL_PASSWORD_FILE);
  await writeFile(file, `${first.password}\n`, { mode: 0o600 });
  log.warn({ file, username: first.username }, 'first administrator made; the password is in this file');
}
