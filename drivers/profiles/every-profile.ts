/**
 * For tests: what the conformance suites run over. The bundled profiles, the blueprint, and the folder named by
 * BMS_TEST_PROFILES, so that a profile can be tried where it is written.
 */
import { fileURLToPath } from 'node:url';
import { GatewayError } from '../../core/errors.ts';
import { formatProblems } from '../../core/schema/problem.ts';
import { loadProfiles } from './load.ts';
import type { Profile } from './profile.ts';

const BLUEPRINT = fileURLToPath(new URL('../_blueprint', import.meta.url));

/** Throws when one does not load: it would otherwise just not be tried. */
function soundProfiles(directory?: string): Profile[] {
  const { profiles, problems } = loadProfiles(directory);
  if (problems.length > 0) throw new GatewayError('PROFILE_INVALID', formatProblems(problems).join('\n'));
  return [...profiles.values()];
}

export const bundledProfiles: readonly Profile[] = soundProfiles();

const own = process.env.BMS_TEST_PROFILES;

export const everyProfile: readonly Profile[] = [
  ...bundledProfiles,
  ...soundProfiles(BLUEPRINT),
  ...(own ? soundProfiles(own) : []),
];
