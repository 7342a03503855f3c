/**
 * A copy of the storage at one moment, into a directory of its own, also while the gateway writes: SQLite's VACUUM INTO,
 * which reads one state of the file and keeps nobody from writing (decision 017). A directory of the name that was asked
 * for is there only once everything in it is written, synced and checked.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describeError, GatewayError } from '../../../core/errors.ts';
import { freePiece } from '../../system/trim-memory.ts';
import { KEEP_FREE_BYTES } from '../file/disk-space.ts';
import { identityFile, readIdentity, syncDirectory, writeIdentity } from '../file/log-identity.ts';
import { isCorrupt } from '../file/open-database.ts';
import { type DamagedPart, PartsCheck } from '../log/check-parts.ts';
import { LogRows } from '../log/log-rows.ts';

/** Beside the storage the gateway goes on: its WAL grows meanwhile, and it removes readings when the disk runs short. */
const KEPT_FREE_HERE_BYTES = 2 * KEEP_FREE_BYTES;
const KEPT_FREE_ELSEWHERE_BYTES = 1 << 20;
/** Of pages, for each of the two files. */
const CACHE_KIB = 4096;
/** Checked in one turn. */
const CHECKED_BYTES = 256 << 10;
const READ_BYTES = 1 << 20;

/** Before the number of the process that writes it. */
const PARTIAL = '.partial-';

export const MANIFEST_FILE = 'backup.json';

export interface BackupRequest {
  /** The database of the gateway. */
  readonly database_file: string;
  /** Is made; must not be there. */
  readonly directory: string;
  readonly t_ms: number;
  readonly version: string;
  /** Documents of these kinds are not in the copy. */
  readonly left_out: readonly string[];
  /** What is done now. */
  readonly onStep: (step: string) => void;
}

export interface BackupManifest {
  readonly made_at: string;
  readonly made_by: string;
  /** Of the log: its name, and its last row. */
  readonly incarnation: string;
  readonly last_seq: number;
  readonly left_out: readonly string[];
  /** Parts that cannot be read, in the original neither. */
  readonly parts_damaged: readonly string[];
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

/** GatewayErrors: NOT_FOUND, OPTION_INVALID where the directory cannot be had, STORE_FAILED, STORE_CORRUPT. */
export async function backUp(request: BackupRequest): Promise<BackupManifest> {
  const { database_file, directory } = request;
  if (!existsSync(database_file))
    throw new GatewayError(
      'NOT_FOUND',
      `${database_file} is not there; name the gateway's state directory with --state-dir`,
    );
  if (existsSync(directory))
    throw new GatewayError('OPTION_INVALID', `${directory} is there already; name one that is to be made`);
  removeBrokenOff(directory);
  const partial = `${directory}${PARTIAL}${process.pid}`;
  const source = opened(
    database_file,
    () => new Database(database_file, { readonly: true, fileMustExist: true }),
  );
  try {
    source.pragma(`cache_size = -${CACHE_KIB}`);
    makePartial(partial, source, request);
    const manifest = await fill(partial, source, request);
    renameSync(partial, directory);
    syncDirectory(dirname(directory));
    return manifest;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (error instanceof GatewayError) throw error;
    if (isCorrupt(error))
      throw new GatewayError(
        'STORE_CORRUPT',
        `${database_file} cannot be copied as a whole: ${describeError(error)}; see docs/storage.md, "A file that cannot be read"`,
        { cause: error },
      );
    throw new GatewayError('STORE_FAILED', `${directory}: the backup failed: ${describeError(error)}`, {
      cause: error,
    });
  } finally {
    source.close();
  }
}

/** What backups of this name left that were killed. */
function removeBrokenOff(directory: string): void {
  const start = basename(directory) + PARTIAL;
  for (const name of existsSync(dirname(directory)) ? readdirSync(dirname(directory)) : [])
    if (name.startsWith(start) && !isRunning(Number(name.slice(start.length))))
      rmSync(join(dirname(directory), name), { recursive: true, force: true });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function makePartial(
  partial: string,
  source: Database.Database,
  { database_file, directory }: BackupRequest,
): void {
  try {
    mkdirSync(partial, { mode: 0o700 });
  } catch (error) {
    throw new GatewayError('OPTION_INVALID', `${directory} cannot be made: ${describeError(error)}`, {
      cause: error,
    });
  }
  const pragma = (name: string) => source.pragma(name, { simple: true }) as number;
  const needed = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  const is_here = statSync(partial).dev === statSync(database_file).dev;
  const kept = is_here ? KEPT_FREE_HERE_BYTES : KEPT_FREE_ELSEWHERE_BYTES;
  const { bavail, bsize } = statfsSync(partial);
  if (bavail * bsize < needed + kept)
    throw new GatewayError(
      'STORE_FAILED',
      `${directory}: the disk has ${megabytes(bavail * bsize)} free; needed are ${megabytes(needed)} for the copy and ` +
        `${megabytes(kept)} that stay free${is_here ? ', as the gateway itself writes there' : ''}`,
    );
}

async function fill(
  partial: string,
  source: Database.Database,
  request: BackupRequest,
): Promise<BackupManifest> {
  const { database_file, left_out, onStep } = request;
  const file = join(partial, 'gateway.db');
  // The owner's alone from the first byte on.
  closeSync(openSync(file, 'wx', 0o600));
  onStep('copying');
  source.prepare('VACUUM INTO ?').run(file);
  const copy = new Database(file, { fileMustExist: true });
  try {
    copy.pragma(`cache_size = -${CACHE_KIB}`);
    copy.pragma('secure_delete = ON');
    const remove = copy.prepare('DELETE FROM documents WHERE kind = ?');
    for (const kind of left_out) remove.run(kind);
    onStep('checking');
    const parts_damaged = await verify(file, copy, source);
    const log = describeLog(copy);
    writeCopyIdentity(database_file, file, log);
    copy.close();
    return writeManifest(partial, request, { ...log, parts_damaged });
  } finally {
    copy.close();
  }
}

/** Names of parts that are damaged in the original as well. Throws when the copy is not what the original is. */
async function verify(file: string, copy: Database.Database, source: Database.Database): Promise<string[]> {
  const found = copy.pragma('integrity_check(1)', { simple: true }) as string;
  if (found !== 'ok') throw badCopy(file, found);
  const damaged: DamagedPart[] = [];
  const parts = new PartsCheck(copy, part => damaged.push(part));
  let position: ReturnType<typeof parts.check>['position'];
  do {
    position = parts.check(position, CHECKED_BYTES).position;
    await freePiece();
  } while (position);
  const originals = new PartsCheck(source, () => {});
  for (const part of damaged) {
    // What retention or the archive took meanwhile cannot be compared any more.
    const original = originals.body(part.position);
    if (original && !original.equals(part.body)) throw badCopy(file, `${part.name}: ${part.reason}`);
  }
  return damaged.map(({ name, reason }) => `${name}: ${reason}`);
}

function badCopy(file: string, reason: string): GatewayError {
  return new GatewayError(
    'STORE_FAILED',
    `${file}: what was written reads otherwise: ${reason}; try another disk`,
  );
}

interface CopiedLog extends Pick<BackupManifest, 'incarnation' | 'last_seq'> {
  readonly predecessors: readonly string[];
  readonly synced_seq: number | undefined;
}

function describeLog(copy: Database.Database): CopiedLog {
  const meta = copy.prepare<[string], string>('SELECT value FROM meta WHERE name = ?').pluck();
  const synced_seq = meta.get('synced_seq');
  return {
    incarnation: meta.get('incarnation') ?? '',
    predecessors: JSON.parse(meta.get('predecessors') ?? '[]') as string[],
    last_seq: new LogRows(copy).tail().last_seq,
    synced_seq: synced_seq === undefined ? undefined : Number(synced_seq),
  };
}

/** Of the copy, not of the log that went on meanwhile: otherwise a box that starts from it would miss rows. */
function writeCopyIdentity(database_file: string, file: string, log: CopiedLog): void {
  const kept = readIdentity(database_file);
  const numbers_below = Math.max(
    log.last_seq + 1,
    kept?.incarnation === log.incarnation ? kept.numbers_below : 0,
  );
  const { incarnation, predecessors, last_seq, synced_seq } = log;
  writeIdentity(file, { incarnation, predecessors, numbers_below, last_seq, synced_seq });
}

/** Last, so that what it names is complete. */
function writeManifest(
  partial: string,
  { t_ms, version, left_out }: BackupRequest,
  {
    incarnation,
    last_seq,
    parts_damaged,
  }: Pick<BackupManifest, 'incarnation' | 'last_seq' | 'parts_damaged'>,
): BackupManifest {
  const file = join(partial, 'gateway.db');
  const manifest: BackupManifest = {
    made_at: new Date(t_ms).toISOString(),
    made_by: `bms-gateway ${version}`,
    incarnation,
    last_seq,
    left_out,
    parts_damaged,
    files: [file, identityFile(file)].map(syncedFile),
  };
  const manifest_file = join(partial, MANIFEST_FILE);
  writeFileSync(manifest_file, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
  syncDirectory(partial);
  return manifest;
}

function syncedFile(file: string): BackupManifest['files'][number] {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const opened = openSync(file, 'r');
  let bytes = 0;
  try {
    fsyncSync(opened);
    for (let read = readSync(opened, buffer); read > 0; read = readSync(opened, buffer)) {
      hash.update(buffer.subarray(0, read));
      bytes += read;
    }
  } finally {
    closeSync(opened);
  }
  return { name: basename(file), bytes, sha256: hash.digest('hex') };
}

function opened(file: string, open: () => Database.Database): Database.Database {
  try {
    return open();
  } catch (error) {
    throw new GatewayError('STORE_FAILED', `${file} cannot be read: ${describeError(error)}`, {
      cause: error,
    });
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
