/** The first start with a password given from outside: user `admin` is made with it. There is no default password. */
import type { Clock } from '../../../core/clock/clock.ts';
import type { Logger } from '../../../core/log.ts';
import type { Documents } from '../../store/store.ts';
import { PasswordHasher } from './passwords.ts';
import { UserDirectory } from './users.ts';

const USERNAME = 'admin';

/**
 * `made`: now, with the given password. `holds`: made before, and the password is still this one.
 * `other`: there is an administrator, with another name or password. `none`: nobody yet, and no password given.
 */
export type FirstAdministrator = 'made' | 'holds' | 'other' | 'none';

/** The password is as long as the environment demands (daemon/config/environment.ts). */
export async function ensureFirstAdministrator(
  documents: Documents,
  clock: Clock,
  options: {
    readonly password?: string | undefined;
    readonly hasher?: PasswordHasher;
    readonly log?: Logger;
  },
): Promise<FirstAdministrator> {
  const { hasher = new PasswordHasher(), log } = options;
  const users = new UserDirectory(documents, clock, hasher, 0, log);
  const has_administrator = await users.hasAdministrator();
  const { password } = options;
  if (!password) return has_administrator ? 'other' : 'none';
  if (has_administrator) return (await users.authenticate(USERNAME, password)) ? 'holds' : 'other';
  await users.makeAdministrator(USERNAME, password);
  return 'made';
}
