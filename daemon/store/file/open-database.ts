/** Opens the database file for writing and brings its schema up to date. */
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { describeError, GatewayError } from '../../../core/errors.ts';
import { makeDirectory, notAllowed } from '../../system/directory.ts';
import { isDoubleNumber } from './double-numbers.ts';
import { type AppliedMigration, pendingMigrations, readMigrations } from './migration-files.ts';

/** How long a write waits for another process that holds the file. */
export const BUSY_TIMEOUT_MS = 2000;
/** A write-ahead log that was larger once is cut to this. */
export const WAL_LIMIT_BYTES = 16 << 20;
/** Every commit writes whole pages; small ones write a quarter less to the card (bench/store.bench.ts). */
const PAGE_BYTES = 1024;
/** A smaller file is read as a whole before it is trusted. */
const CHECKED_PAGES = 65_536;
/** SQLITE_CORRUPT and SQLITE_NOTADB, as quick_check names the error of a page. */
const CORRUPT_CODES = [11, 26];

/** GatewayError STORE_FAILED, STORE_CORRUPT or OPTION_INVALID names the file; see pendingMigrations for the schema's. */
export function openDatabase(file: string, migrations: string): Database.Database {
  let db: Database.Database | undefined;
  makeDirectory(dirname(file));
  try {
    db = new Database(file, { timeout: BUSY_TIMEOUT_MS });
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.pragma('journal_mode = WAL');
    // FULL syncs the WAL in every commit: what is acknowledged survives a power cut.
    db.pragma('synchronous = FULL');
    db.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`);
    check(db);
    migrate(db, migrations, file);
    // What a run before wrote but could not sync is read now and still may be lost; written again it may not.
    db.pragma('wal_checkpoint(TRUNCATE)');
    return db;
  } catch (error) {
    db?.close();
    throw openFailure(file, error);
  }
}

/** What is said when the disk is full. */
export function isFull(error: unknown): boolean {
  const cause = error instanceof GatewayError ? error.cause : error;
  const { code } = (cause ?? {}) as { code?: unknown };
  return code === 'SQLITE_FULL' || code === 'ENOSPC';
}

/** What is said when bytes of the file, or numbers of its rows, are not what they must be. */
export function isCorrupt(error: unknown): boolean {
  if (error instanceof GatewayError) return error.code === 'STORE_CORRUPT';
  if (!(error instanceof Database.SqliteError)) return false;
  return error.code === 'SQLITE_NOTADB' || error.code.startsWith('SQLITE_CORRUPT') || isDoubleNumber(error);
}

function check(db: Database.Database): void {
  const pages = db.pragma('page_count', { simple: true }) as number;
  if (pages > CHECKED_PAGES) return;
  const found = db.pragma('quick_check(1)', { simple: true }) as string;
  if (found === 'ok') return;
  // A card that fails a read says nothing of the file's bytes; what needs them later fails by itself.
  const failure = /error code=(\d+)/.exec(found);
  if (failure && !CORRUPT_CODES.includes(Number(failure[1]) & 0xff)) return;
  throw new GatewayError('STORE_CORRUPT', found);
}

function migrate(db: Database.Database, directory: string, file: string): void {
  db.exec(
    `CREATE TABLE IF NOT EXISTS schema_migrations
       (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT`,
  );
  const run = db.transaction(() => {
    const applied = db
      .prepare<[], AppliedMigration>('SELECT version, name, checksum FROM schema_migrations ORDER BY version')
      .all();
    for (const { version, name, checksum, sql } of pendingMigrations(
      readMigrations(directory),
      applied,
      file,
    )) {
      db.exec(sql);
      db.prepare('INSERT INTO schema_migrations VALUES (?, ?, ?)').run(version, name, checksum);
    }
  });
  run.immediate();
}

/** Names the file, and what a person must change if that is it. */
export function openFailure(file: string, error: unknown): GatewayError {
  if (isCorrupt(error))
    return new GatewayError('STORE_CORRUPT', `${file}: cannot be used any more: ${describeError(error)}`);
  if (error instanceof GatewayError) return error;
  const reason = `${file}: cannot be opened for writing: ${describeError(error)}`;
  return notAllowed(file) ?? new GatewayError('STORE_FAILED', reason, { cause: error });
}
