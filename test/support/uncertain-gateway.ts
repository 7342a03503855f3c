/** A program: the gateway on a box whose time nobody vouches for. Prints where it is served; ends at SIGINT. */
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { readEnvironment } from '../../daemon/config/environment.ts';
import { loadConfig } from '../../daemon/config/load.ts';
import { Gateway } from '../../daemon/gateway.ts';
import { loadProfilesFor } from '../../drivers/profiles/load.ts';

const config_file = process.argv[2];
const environment = readEnvironment(process.env);
const gateway = new Gateway({
  config: loadConfig(config_file, environment, loadProfilesFor(config_file)),
  environment,
  clock: systemClock,
  log: silentLogger,
  version: '0',
  time_source: {
    boot_id: 'this boot',
    boot_offset_ms: 0,
    facts: async () => ({ synchronised: false, has_time_service: true }),
  },
});
process.once('SIGINT', () => void gateway.stop().then(() => process.exit(0)));
const { url } = await gateway.start();
console.log(`serving ${url}`);
