/**
 * For a start: only the profiles that the configuration names. To read and check all that come with the gateway takes
 * longer than all else before the first reading, and their descriptions stay in memory.
 */
import { readFileSync } from 'node:fs';
import { type LoadedProfiles, loadProfilesFor } from '../../drivers/profiles/load.ts';
import { ConfigError } from './config-error.ts';
import type { Environment } from './environment.ts';
import { type GatewayConfig, loadConfig } from './load.ts';

export function namedProfiles(config_file: string): LoadedProfiles {
  const text = textOf(config_file);
  return loadProfilesFor(config_file, id => text.includes(id));
}

/** As `loadConfig`, with `namedProfiles`; a message about an unknown profile lists all there are. */
export function loadNamedConfig(
  config_file: string,
  environment: Environment,
  named: LoadedProfiles = namedProfiles(config_file),
): GatewayConfig {
  try {
    return loadConfig(config_file, environment, named);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return loadConfig(config_file, environment, loadProfilesFor(config_file));
  }
}

/** Why a file cannot be read is reported by whoever needs it. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
