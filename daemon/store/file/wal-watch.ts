/**
 * Watches the write-ahead log: it is written back into the database as it grows, unless somebody reads one state of the
 * file for long or the card refuses. Then it grows with every commit. Readings are stored all the same, but the room
 * that it takes is bounded by nothing, so a person must know.
 */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Database } from 'better-sqlite3';
import { describeError } from '../../../core/errors.ts';
import { BUSY_TIMEOUT_MS, isCorrupt, WAL_LIMIT_BYTES } from './open-database.ts';

/** SQLite writes back at a quarter of this. */
const BOUND_BYTES = 4 << 20;
const FRAME_HEADER_BYTES = 24;
/** Bytes of the `-shm` file that SQLite locks for those who read (its file format, "WAL locks"). */
const FIRST_READ_LOCK = 123;
const LAST_READ_LOCK = 127;
const HOLDERS_NAMED = 3;

export interface WalState {
  readonly wal_bytes: number;
  /** What keeps it from being written back; undefined: nothing. */
  readonly wal_held: string | undefined;
}

/** How SQLite answers a checkpoint, in frames. */
interface Checkpoint {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

export class WalWatch {
  readonly #db: Database;
  readonly #file: string;
  readonly #frame_bytes: number;
  /** The last check found so much of it written back, and more to be. */
  #written_back: number | undefined;
  #is_held = false;

  constructor(db: Database, file: string) {
    this.#db = db;
    this.#file = file;
    this.#frame_bytes = (db.pragma('page_size', { simple: true }) as number) + FRAME_HEADER_BYTES;
  }

  /**
   * Outside of a transaction, now and then: it is held when nothing of it was written back from one check to the next.
   * Throws when the file shows to be corrupt.
   */
  check(): WalState {
    const wal_bytes = walBytes(this.#file);
    if (wal_bytes <= BOUND_BYTES && !this.#is_held) {
      this.#written_back = undefined;
      return { wal_bytes, wal_held: undefined };
    }
    const wal_held = this.#heldBy();
    const was_held = this.#is_held;
    this.#is_held = wal_held !== undefined;
    // Else it keeps the size that it once had.
    const is_free = this.#written_back === undefined;
    if (is_free && (was_held || wal_bytes > WAL_LIMIT_BYTES)) this.#truncate();
    return { wal_bytes: walBytes(this.#file), wal_held };
  }

  #heldBy(): string | undefined {
    const before = this.#written_back;
    this.#written_back = undefined;
    try {
      const [{ log, checkpointed }] = this.#db.pragma('wal_checkpoint(PASSIVE)') as [Checkpoint];
      if (checkpointed >= log || log * this.#frame_bytes <= BOUND_BYTES) return undefined;
      this.#written_back = checkpointed;
      if (checkpointed !== before) return undefined;
    } catch (error) {
      if (isCorrupt(error)) throw error;
      return `cannot be written back into the database: ${describeError(error)}`;
    }
    const holders = readersOf(this.#file);
    const names = holders.length > 0 ? holders.join(', ') : 'a process that cannot be named';
    return (
      `cannot be written back into the database, as ${names} does not end a reading of it: ` +
      'end that one, or let it read a copy'
    );
  }

  /** At once or not at all: commits wait behind it. */
  #truncate(): void {
    this.#db.pragma('busy_timeout = 0');
    try {
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if (isCorrupt(error)) throw error;
    } finally {
      this.#db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }
}

export function walBytes(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/** Processes that read the database at this moment, ours last, as far as the system says. */
function readersOf(file: string): string[] {
  const inode = statSync(`${file}-shm`, { throwIfNoEntry: false })?.ino;
  const pids = new Set<number>();
  for (const line of textOf('/proc/locks').split('\n')) {
    // `1: POSIX  ADVISORY  READ 1234 08:01:131 123 127`
    const found = /^\d+: POSIX +ADVISORY +READ +(\d+) [^ ]+:(\d+) (\d+) (\d+)$/.exec(line);
    if (!found) continue;
    const [pid, file_inode, first, last] = found.slice(1).map(Number);
    if (file_inode === inode && first >= FIRST_READ_LOCK && last <= LAST_READ_LOCK) pids.add(pid);
  }
  const others = [...pids].filter(pid => pid !== process.pid);
  return (others.length > 0 ? others : [...pids]).slice(0, HOLDERS_NAMED).map(processName);
}

function processName(pid: number): string {
  const [program] = textOf(`/proc/${pid}/cmdline`).split('\0');
  const name = basename(program);
  return name ? `process ${pid} (${name})` : `process ${pid}`;
}

/** Empty where there is none, or it is not for us. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
