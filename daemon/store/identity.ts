/**
 * Who this log is, in a small file beside the database, so that it is known when the database cannot be read: its
 * incarnation, and below which number its rows may have been numbered. A log that begins anew goes on above, and names
 * those before it: the centre takes it for their successor, and no number is used twice.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Taken at a time: the file is written once for so many rows. */
export const NUMBERS_TAKEN = 1_000_000;

export interface LogIdentity {
  readonly incarnation: string;
  /** Incarnations of the logs before this one, the latest first. */
  readonly predecessors: readonly string[];
  readonly numbers_below: number;
}

export function identityFile(database_file: string): string {
  return `${database_file}.identity.json`;
}

/** Undefined: there is none, or it is not to be read; the log is then nobody's successor. */
export function readIdentity(database_file: string): LogIdentity | undefined {
  try {
    const read = JSON.parse(readFileSync(identityFile(database_file), 'utf8')) as Partial<LogIdentity>;
    const { incarnation, predecessors, numbers_below } = read;
    if (typeof incarnation !== 'string' || !Array.isArray(predecessors)) return undefined;
    if (!Number.isSafeInteger(numbers_below)) return undefined;
    return { incarnation, predecessors: predecessors.map(String), numbers_below: numbers_below as number };
  } catch {
    return undefined;
  }
}

/** Whole or not at all, also in a power cut. */
export function writeIdentity(database_file: string, identity: LogIdentity): void {
  const file = identityFile(database_file);
  const fresh = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeSync(fresh, JSON.stringify(identity));
    fsyncSync(fresh);
  } finally {
    closeSync(fresh);
  }
  renameSync(`${file}.new`, file);
  const directory = openSync(dirname(file), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
