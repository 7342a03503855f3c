/** Files a person named on the command line; one that cannot be read is named with the reason. */
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describeError, GatewayError } from '../../core/errors.ts';

export function readNamedFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Line by line, whatever its size. */
export async function* readLogLines(file: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): GatewayError {
  return new GatewayError('BAD_REQUEST', `${file} cannot be read: ${describeError(error)}`, { cause: error });
}
