/** Files a person named on the command line; one that cannot be read is named with the reason. */
import { readFileSync } from 'node:fs';
import { describeError, GatewayError } from '../../core/errors.ts';

export function readNamedFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new GatewayError('BAD_REQUEST', `${file} cannot be read: ${describeError(error)}`, {
      cause: error,
    });
  }
}
