/** The lock on the state directory, where the storage lies elsewhere. */
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { lockDirectory, type ProcessLock } from './store/file/process-lock.ts';

/** A disk that gives no lock, as it fails or is read-only, lets nobody else write there either. */
export function lockState(state_dir: string, log: Logger): ProcessLock | undefined {
  try {
    return lockDirectory(state_dir, 'gateway');
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === 'STORE_FAILED')) throw error;
    log.error({ reason: error.message }, 'going on without a lock on the state directory');
    return undefined;
  }
}
