/**
 * One process per directory: a lock that the operating system holds for as long as the process lives, and that ends
 * with it, also by kill -9 or a power cut. It is SQLite's own lock on an empty file, which needs no room on the disk.
 *
 * Never open the lock file by other means in the process that holds it: on POSIX, closing it would end the lock.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describeError, GatewayError } from '../../../core/errors.ts';
import { makeDirectory, notAllowed } from '../../system/directory.ts';

const IN_USE_HELP = 'stop that one first, or give this one another state directory (BMS_STATE_DIR)';

interface Owner {
  readonly pid: number;
  readonly host: string;
}

export class ProcessLock {
  readonly #db: Database.Database;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /**
   * `what` is what the lock is for, and `help` what to do where it is taken. GatewayErrors: STORE_IN_USE names the
   * process that has it; OPTION_INVALID when this user may not write there; STORE_FAILED when there can be no lock, as
   * on a disk that is read-only.
   */
  static take(file: string, what: string, help: string): ProcessLock {
    let db: Database.Database | undefined;
    makeDirectory(dirname(file));
    try {
      db = new Database(file, { timeout: 0 });
      // Nothing is written: the lock holds on a disk that is full, too.
      db.pragma('journal_mode = MEMORY');
      db.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      db?.close();
      if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY'))
        throw new GatewayError('STORE_IN_USE', `${what} is in use by ${describeOwner(file)}; ${help}`);
      const not_allowed = notAllowed(dirname(file)) ?? notAllowed(file);
      if (not_allowed) throw not_allowed;
      throw new GatewayError('STORE_FAILED', `${file}: cannot be locked: ${describeError(error)}`, {
        cause: error,
      });
    }
    noteOwner(file);
    return new ProcessLock(db);
  }

  /** Also twice. */
  release(): void {
    this.#db.close();
  }
}

/** The directory is for one process. As ProcessLock.take. */
export function lockDirectory(directory: string, name: string): ProcessLock {
  return ProcessLock.take(join(directory, `${name}.lock`), directory, IN_USE_HELP);
}

const ownerFile = (file: string) => `${file}.owner`;

/** For a person to read, and nothing more: who holds the lock is the operating system's to say. */
function noteOwner(file: string): void {
  try {
    const owner: Owner = { pid: process.pid, host: hostname() };
    writeFileSync(ownerFile(file), JSON.stringify(owner));
  } catch {
    // A disk that is full: the lock holds all the same.
  }
}

function describeOwner(file: string): string {
  try {
    const { pid, host } = JSON.parse(readFileSync(ownerFile(file), 'utf8')) as Partial<Owner>;
    if (!Number.isSafeInteger(pid)) return 'another process';
    return host === hostname() ? `process ${pid}` : `process ${pid} on host ${host}`;
  } catch {
    return 'another process';
  }
}
