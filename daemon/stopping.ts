/** The end of the gateway: its parts one after the other, whatever becomes of each. */
import { describeError, GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

export async function stopInTurn(
  steps: readonly (readonly [part: string, stop: () => unknown])[],
  log: Logger,
): Promise<void> {
  for (const [part, stop] of steps) {
    try {
      await stop();
    } catch (error) {
      log.warn({ part, reason: describeError(error) }, 'did not stop cleanly');
    }
  }
}

export function stoppedWhileStarting(cause?: unknown): GatewayError {
  return new GatewayError('STOPPED', 'the gateway was stopped while it started', { cause });
}
