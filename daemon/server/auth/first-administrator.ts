/** The first start with a password given from outside: user `admin` is made with it. There is no default password. */
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Documents } from '../../store/store.ts';
import { PasswordHasher } from './passwords.ts';
import { UserDirectory } from './users.ts';

const USERNAME = 'admin';
const MIN_PASSWORD = 8;
const MAX_PASSWORD = 1024;

/**
 * `made`: now, with the given password. `holds`: made before, and the password is still this one.
 * `other`: there is an administrator, with another name or password. `none`: nobody yet, and no password given.
 */
export type FirstAdministrator = 'made' | 'holds' | 'other' | 'none';

/** OPTION_INVALID when the given password is too short. */
export async function ensureFirstAdministrator(
  documents: Documents,
  clock: Clock,
  options: { readonly password?: string | undefined; readonly hasher?: PasswordHasher },
): Promise<FirstAdministrator> {
  const users = new UserDirectory(documents, clock, options.hasher ?? new PasswordHasher(), 0);
  const has_administrator = await users.hasAdministrator();
  const { password } = options;
  if (!password) return has_administrator ? 'other' : 'none';
  if (has_administrator) return (await users.authenticate(USERNAME, password)) ? 'holds' : 'other';
  if (password.length < MIN_PASSWORD || password.length > MAX_PASSWORD)
    throw new GatewayError(
      'OPTION_INVALID',
      `BMS_ADMIN_PASSWORD has ${password.length} characters; expected ${MIN_PASSWORD} to ${MAX_PASSWORD}. Without it the first administrator is made by a set-up code`,
    );
  await users.makeAdministrator(USERNAME, password);
  return 'made';
}
