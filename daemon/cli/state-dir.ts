/** Where a command that reads the gateway's files finds them, and where the gateway may keep them. */
import { existsSync } from 'node:fs';
import { GatewayError } from '../../core/errors.ts';
import { makeDirectory, notAllowed } from '../system/directory.ts';

/** Where the packaged unit keeps its state: root at a terminal has no variable that says so. */
const INSTALLED_STATE_DIR = '/var/lib/bms-gateway';

/** `named_dir` undefined: nobody has named one, and `fallback_dir` is no more than a guess. */
export function stateDirectory(named_dir: string | undefined, fallback_dir: string): string {
  return named_dir ?? (existsSync(INSTALLED_STATE_DIR) ? INSTALLED_STATE_DIR : fallback_dir);
}

/**
 * Makes the state directory where there is none; true when it did. OPTION_INVALID where there can be none or this user
 * may not write into it. A card that is full, fails or turned read-only is let pass: the gateway serves without storage.
 */
export function prepareStateDirectory(state_dir: string): boolean {
  let is_made = false;
  try {
    is_made = makeDirectory(state_dir);
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === 'STORE_FAILED')) throw error;
  }
  const refused = notAllowed(state_dir);
  if (refused) throw refused;
  return is_made;
}
