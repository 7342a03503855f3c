/**
 * Who this log is, in a small file beside the database, so that it is known when the database cannot be read: its
 * incarnation, and below which number its rows may have been numbered. A log that begins again goes on above, and names
 * those before it: the centre takes it for their successor, and no number is used twice.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Taken at a time. */
export const NUMBERS_TAKEN = 1_000_000;
/** After fewer rows the file is not written again only to say how far the log is. */
const NOTED_EVERY_ROWS = 1000;

export interface LogIdentity {
  readonly incarnation: string;
  /** Incarnations of the logs before this one, the latest first. */
  readonly predecessors: readonly string[];
  readonly numbers_below: number;
  /** Rows up to this one were on the card when this was written; undefined: written by a version that did not say. */
  readonly last_seq?: number | undefined;
  /** Of these the centre had all up to here; undefined: no centre, or as above. */
  readonly synced_seq?: number | undefined;
}

export function identityFile(database_file: string): string {
  return `${database_file}.identity.json`;
}

/** Undefined: there is none, or it is not to be read; the log is then nobody's successor. */
export function readIdentity(database_file: string): LogIdentity | undefined {
  try {
    const read = JSON.parse(readFileSync(identityFile(database_file), 'utf8')) as Partial<LogIdentity>;
    const { incarnation, predecessors, numbers_below, last_seq, synced_seq } = read;
    if (typeof incarnation !== 'string' || !Array.isArray(predecessors)) return undefined;
    if (!Number.isSafeInteger(numbers_below)) return undefined;
    return {
      incarnation,
      predecessors: predecessors.map(String),
      numbers_below: numbers_below as number,
      last_seq: Number.isSafeInteger(last_seq) ? last_seq : undefined,
      synced_seq: Number.isSafeInteger(synced_seq) ? synced_seq : undefined,
    };
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
  syncDirectory(dirname(file));
}

/** Makes what was renamed or made in a directory durable. */
export function syncDirectory(directory: string): void {
  const opened = openSync(directory, 'r');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** Keeps the file true for a log that is in use. */
export class IdentityKeeper {
  readonly #database_file: string;
  #identity: LogIdentity = { incarnation: '', predecessors: [], numbers_below: 0 };
  synced_seq: number | undefined;

  constructor(database_file: string) {
    this.#database_file = database_file;
  }

  get incarnation(): string {
    return this.#identity.incarnation;
  }

  get predecessors(): readonly string[] {
    return this.#identity.predecessors;
  }

  /** The log is this one now; `last_seq` is durable. */
  adopt(name: Pick<LogIdentity, 'incarnation' | 'predecessors'>, last_seq: number): void {
    const kept = readIdentity(this.#database_file);
    this.#identity = { ...name, numbers_below: kept?.numbers_below ?? 0, last_seq: kept?.last_seq };
    if (kept?.incarnation !== name.incarnation || last_seq >= kept.numbers_below) this.take(last_seq, 0);
  }

  /** Before so many more rows are numbered; `last_seq` is durable. Throws when the file cannot be written. */
  take(last_seq: number, rows: number): void {
    if (rows > 0 && last_seq + rows + 1 < this.#identity.numbers_below) return;
    this.#write({ numbers_below: last_seq + 1 + rows + NUMBERS_TAKEN, last_seq });
  }

  /** How far the log is. Only an aid for the day when rows are lost: never throws. */
  note(last_seq: number, every_rows = NOTED_EVERY_ROWS): void {
    // Of a log that was never opened there is nothing to say.
    if (this.incarnation === '' || last_seq - (this.#identity.last_seq ?? 0) < every_rows) return;
    try {
      this.#write({ last_seq });
    } catch {
      // What it said before is still true.
      this.#identity = { ...this.#identity, last_seq };
    }
  }

  #write(change: Partial<LogIdentity>): void {
    const identity = { ...this.#identity, ...change, synced_seq: this.synced_seq };
    writeIdentity(this.#database_file, identity);
    this.#identity = identity;
  }
}
