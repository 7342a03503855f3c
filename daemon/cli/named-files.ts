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

/** For a log of which no line could be read. */
export function noCandumpLog(file: string, lines: number): string {
  return lines === 0
    ? `${file} is empty, expected a candump log`
    : `${file}: none of its ${lines} lines is of a candump log, expected (1700000000.000000) can0 123#0102`;
}

function unreadable(file: string, error: unknown): GatewayError {
  return new GatewayError('BAD_REQUEST', `${file} cannot be read: ${describeError(error)}`, { cause: error });
}
