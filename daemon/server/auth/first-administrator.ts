/** The first start: somebody must be able to log in, and there is no default password. */
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Documents } from '../../store/store.ts';
import { generatePassword, PasswordHasher } from './passwords.ts';
import { UserDirectory } from './users.ts';

const MIN_PASSWORD = 8;
const MAX_PASSWORD = 1024;

export interface FirstAdministrator {
  readonly created: boolean;
  readonly username: 'admin';
  /** Present only when it was generated, and only this once. */
  readonly password?: string;
}

/**
 * Makes the user `admin` when there is no administrator: with the given password, else with a generated one
 * that is returned for showing. OPTION_INVALID when the given password is too short.
 */
export async function ensureFirstAdministrator(
  documents: Documents,
  clock: Clock,
  options: { readonly password?: string | undefined; readonly hasher?: PasswordHasher },
): Promise<FirstAdministrator> {
  const users = new UserDirectory(documents, clock, options.hasher ?? new PasswordHasher(), 0);
  const list = await users.list();
  if (list.some(user => user.role === 'admin')) return { created: false, username: 'admin' };
  const given = options.password || undefined;
  if (given !== undefined && (given.length < MIN_PASSWORD || given.length > MAX_PASSWORD))
    throw new GatewayError(
      'OPTION_INVALID',
      `BMS_ADMIN_PASSWORD has ${given.length} characters; expected ${MIN_PASSWORD} to ${MAX_PASSWORD}. Without it a password is generated and shown once`,
    );
  const password = given ?? generatePassword();
  if (list.some(user => user.username === 'admin')) await users.change('admin', { role: 'admin', password });
  else await users.create({ username: 'admin', password, role: 'admin' });
  return { created: true, username: 'admin', ...(given === undefined && { password }) };
}
