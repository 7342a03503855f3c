/** Files that this user may not have, told apart from a disk that fails: a person must act. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { describeError, GatewayError } from '../../core/errors.ts';

/** What a person must change, when that is why `path` cannot be written. */
export function notAllowed(path: string): GatewayError | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    if (!/^(EACCES|EPERM)$/.test(codeOf(error))) return undefined;
    return new GatewayError(
      'OPTION_INVALID',
      `${path}: user ${userName()} may not write here; run this as its owner, give it to that user (chown), or choose another state directory (BMS_STATE_DIR)`,
      { cause: error },
    );
  }
}

/** Makes it with those above it; as mkdirSync, returns the first that was made. OPTION_INVALID, or STORE_FAILED when the disk does not take it. */
export function makeDirectory(directory: string): string | undefined {
  try {
    return mkdirSync(directory, { recursive: true });
  } catch (error) {
    const reason = describeError(error);
    if (/^(EEXIST|ENOTDIR)$/.test(codeOf(error)))
      throw new GatewayError(
        'OPTION_INVALID',
        `${directory}: cannot be a directory, as a file is in its way (${reason}); choose another state directory (BMS_STATE_DIR)`,
        { cause: error },
      );
    const code = /^(EACCES|EPERM)$/.test(codeOf(error)) ? 'OPTION_INVALID' : 'STORE_FAILED';
    throw new GatewayError(
      code,
      `${directory}: user ${userName()} cannot make this directory (${reason}); make it, or choose another state directory (BMS_STATE_DIR)`,
      { cause: error },
    );
  }
}

const codeOf = (error: unknown) => String((error as NodeJS.ErrnoException).code);

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}
