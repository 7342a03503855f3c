/** `bms-gateway hash-password`: what belongs into `users.password_hash` at the centre. */
import { text } from 'node:stream/consumers';
import { MIN_PASSWORD_LENGTH } from '../../core/contract/access.ts';
import { PasswordHasher } from '../server/auth/passwords.ts';
import { UsageError } from './usage.ts';

/** Read from standard input, so that the password stands in no list of processes and no shell history. */
export async function hashPassword(input: NodeJS.ReadableStream): Promise<string> {
  const password = (await text(input)).replace(/\r?\n$/, '');
  if (password.length < MIN_PASSWORD_LENGTH || /[\r\n]/.test(password))
    throw new UsageError(
      `hash-password reads one line of at least ${MIN_PASSWORD_LENGTH} characters from standard input; found ${password.length}`,
    );
  return `${await new PasswordHasher().hash(password)}\n`;
}
