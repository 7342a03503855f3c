/** Files that hold a log of a CAN bus, in any of LOG_FORMATS, packed by gzip or not. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { CandumpLine } from './candump-replay.ts';
import { LOG_FORMATS, LogLineParser } from './log-formats.ts';

/** What of a log cannot be read, and what there is to read; counted while `frames` goes on. */
export interface LogCounts {
  lines: number;
  unreadable: number;
}

/**
 * The frames of a log, whatever its size.
 * @throws GatewayError BAD_REQUEST where it cannot be read or holds none
 */
export async function* readLogFrames(file: string, counts: LogCounts): AsyncGenerator<CandumpLine> {
  const parser = new LogLineParser();
  let frames = 0;
  for await (const text of readLines(file)) {
    const parsed = parser.parse(text);
    counts.lines++;
    if (parsed === undefined) counts.unreadable++;
    else if (parsed !== 'skip') {
      frames++;
      yield parsed;
    }
  }
  if (frames > 0) return;
  const found = counts.lines === 0 ? 'it is empty' : `none of its ${counts.lines} lines holds a frame`;
  throw new GatewayError('BAD_REQUEST', `${file}: ${found}; expected a log of a CAN bus (${LOG_FORMATS})`);
}

/** Line by line; what gzip has packed is unpacked. */
async function* readLines(file: string): AsyncGenerator<string> {
  try {
    const is_packed = await isGzip(file);
    const source = createReadStream(file);
    const input = is_packed ? pipeline(source, createGunzip(), () => {}) : source;
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    throw new GatewayError('BAD_REQUEST', `${file} cannot be read: ${describeError(error)}`, {
      cause: error,
    });
  }
}

/** RFC 1952, section 2.3.1. */
async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}
