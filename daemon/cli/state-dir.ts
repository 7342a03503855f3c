/** Where a command that looks at the gateway's files finds them, and where the gateway may keep them. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { GatewayError } from '../../core/errors.ts';

/** Where the packaged unit keeps its state: root at a terminal has no variable that says so. */
const INSTALLED_STATE_DIR = '/var/lib/bms-gateway';

/** `named_dir` undefined: nobody has named one, and `fallback_dir` is no more than a guess. */
export function stateDirectory(named_dir: string | undefined, fallback_dir: string): string {
  return named_dir ?? (existsSync(INSTALLED_STATE_DIR) ? INSTALLED_STATE_DIR : fallback_dir);
}

/**
 * Makes the state directory where there is none; true when it did. OPTION_INVALID, in one line that says what to do,
 * where there can be none or this account may not write into it. One on a card that turned read-only is let pass: the
 * gateway serves without storage.
 */
export function prepareStateDirectory(state_dir: string): boolean {
  try {
    const is_made = makeDirectory(state_dir);
    accessSync(state_dir, constants.R_OK | constants.W_OK | constants.X_OK);
    return is_made;
  } catch (error) {
    const { code = '', path } = error as NodeJS.ErrnoException;
    if (code === 'EROFS' && existsSync(state_dir)) return false;
    throw code in REASONS
      ? unusable(state_dir, code === 'EEXIST' && path !== state_dir ? 'ENOTDIR' : code)
      : error;
  }
}

/** Step by step: Node's own recursive form never ends where a file system says that the parent is not there (/proc). */
function makeDirectory(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return false;
  if (!found && dirname(path) !== path) makeDirectory(dirname(path));
  mkdirSync(path);
  return true;
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'is a file, no directory',
  ENOTDIR: 'lies below a file',
  EACCES: 'cannot be made or written',
  EPERM: 'cannot be made or written',
  EROFS: 'cannot be made on a read-only disk',
  ENOENT: 'cannot be made there',
  ENOSPC: 'cannot be made: the disk is full',
  ENAMETOOLONG: 'has too long a name',
};

function unusable(state_dir: string, code: string): GatewayError {
  const user = userName();
  const is_forbidden = code === 'EACCES' || code === 'EPERM';
  const or_give = is_forbidden ? `, or give this one to that user: chown ${user} ${state_dir}` : '';
  return new GatewayError(
    'OPTION_INVALID',
    `state directory ${state_dir} ${REASONS[code]} (as user ${user}); name another with BMS_STATE_DIR${or_give}`,
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
