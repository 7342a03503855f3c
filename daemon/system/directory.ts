/** Directories and files of the gateway that this user may not have: reported in one line with path, user and what to do. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { describeError, GatewayError } from '../../core/errors.ts';

/**
 * Makes it, with those above it, where there is none; true when it did. OPTION_INVALID where a person must act,
 * STORE_FAILED when the disk does not take it.
 */
export function makeDirectory(directory: string): boolean {
  try {
    return makeStepByStep(directory);
  } catch (error) {
    const { path } = error as NodeJS.ErrnoException;
    const code = codeOf(error);
    const reason = REASONS[code === 'EEXIST' && path !== directory ? 'ENOTDIR' : code];
    if (reason) throw refusal(directory, reason, isForbidden(code), error);
    throw new GatewayError('STORE_FAILED', `${directory}: cannot be made: ${describeError(error)}`, {
      cause: error,
    });
  }
}

/** What a person must change, when that is why `path` cannot be written; a disk that is read-only or full is none. */
export function notAllowed(path: string): GatewayError | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    return isForbidden(code) ? refusal(path, REASONS[code], true, error) : undefined;
  }
}

/** Node's own recursive form never ends where a file system says that the parent is not there (/proc). */
function makeStepByStep(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return false;
  if (!found && dirname(path) !== path) makeStepByStep(dirname(path));
  mkdirSync(path);
  return true;
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'is a file, not a directory',
  ENOTDIR: 'lies below a file',
  EACCES: 'cannot be made or written',
  EPERM: 'cannot be made or written',
  ENOENT: 'cannot be made there',
  ENAMETOOLONG: 'has too long a name',
};

const isForbidden = (code: string) => code === 'EACCES' || code === 'EPERM';
const codeOf = (error: unknown) => String((error as NodeJS.ErrnoException).code);

function refusal(path: string, reason: string, is_forbidden: boolean, cause: unknown): GatewayError {
  const user = userName();
  const or_give = is_forbidden ? `, or give this one to that user: chown ${user} ${path}` : '';
  return new GatewayError(
    'OPTION_INVALID',
    `${path} ${reason} (as user ${user}); name another directory with BMS_STATE_DIR${or_give}`,
    { cause },
  );
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // An account that no list of users has, as in some containers.
    return String(process.getuid?.() ?? 'unknown');
  }
}
