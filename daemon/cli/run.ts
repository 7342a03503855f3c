/** `bms-gateway run`: the daemon as systemd (or a person) starts it. */
import { systemClock } from '../../core/clock/system-clock.ts';
import { formatProblems } from '../../core/schema/problem.ts';
import type { Environment } from '../config/environment.ts';
import { loadNamedConfig, namedProfiles } from '../config/named-profiles.ts';
import { Gateway } from '../gateway.ts';
import { createLogger } from '../system/logger.ts';
import { createNotifier } from '../system/notify.ts';
import { runUntilSignal, STORAGE_BACK } from './run-until-signal.ts';
import { prepareStateDirectory } from './state-dir.ts';

export interface RunOptions {
  readonly config_file: string;
  readonly environment: Environment;
  readonly version: string;
}

export async function run({ config_file, environment, version }: RunOptions): Promise<number> {
  const log = createLogger({
    level: environment.log_level,
    form: process.stdout.isTTY ? 'readable' : process.env.JOURNAL_STREAM ? 'journal' : 'json',
    write: line => process.stdout.write(line),
  });
  const profiles = namedProfiles(config_file);
  for (const line of formatProblems(profiles.problems)) log.error({ reason: line }, 'profile left out');
  const config = loadNamedConfig(config_file, environment, profiles);
  for (const line of formatProblems(config.warnings)) log.warn({ reason: line }, 'doubtful configuration');
  prepareStateDirectory(environment.state_dir);
  const { promise: again, resolve: onStorageBack } = Promise.withResolvers<string>();
  const gateway = new Gateway({
    config,
    environment,
    clock: systemClock,
    log,
    version,
    onStorageBack: () => onStorageBack(STORAGE_BACK),
  });
  const notifier = createNotifier(process.env, systemClock, log);
  const exit_code = await runUntilSignal(
    {
      again,
      start: async () => {
        const { url, urls } = await gateway.start();
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
  // What was lost is in the log; the unit shows that it did not end well.
  return exit_code === 0 && gateway.readings_lost > 0 ? 1 : exit_code;
}
