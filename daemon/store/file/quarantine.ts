/** A database that cannot be read is kept under another name, and what can be read of its small tables is salvaged. */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';

const MARK = '.unreadable-';
/** What a person entered or must still see. The log itself stays in the file that was quarantined. */
const TAKEN_OVER = ['documents', 'alerts', 'alert_events', 'audit', 'completeness'] as const;

/** Also its WAL, which belongs to it. Returns the new name. */
export function quarantine(file: string, t_ms: number): string {
  const time = new Date(t_ms).toISOString().replace(/[-:]|\.\d+/g, '');
  let name = `${file}${MARK}${time}`;
  for (let n = 2; existsSync(name); n++) name = `${file}${MARK}${time}-${n}`;
  for (const end of ['-wal', '-shm']) if (existsSync(file + end)) renameSync(file + end, name + end);
  if (existsSync(file)) renameSync(file, name);
  return name;
}

/** Databases in quarantine and still there, the oldest first. */
export function quarantinedFiles(file: string): string[] {
  const directory = dirname(file);
  return readdirSync(directory)
    .filter(name => name.startsWith(basename(file) + MARK) && !/-(wal|shm)$/.test(name))
    .sort((a, b) => statSync(join(directory, a)).mtimeMs - statSync(join(directory, b)).mtimeMs)
    .map(name => join(directory, name));
}

export function removeQuarantined(name: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(name + end, { force: true });
}

/** Copies rows as far as they can be read. Returns how many, by table. Never throws for what is in the old file. */
export function salvage(old_file: string, db: Database.Database): Record<string, number> {
  const taken: Record<string, number> = {};
  let old: Database.Database;
  try {
    old = new Database(old_file, { readonly: true, fileMustExist: true });
  } catch {
    return taken;
  }
  try {
    for (const table of TAKEN_OVER) taken[table] = takeTable(old, db, table);
  } finally {
    old.close();
  }
  return taken;
}

function takeTable(old: Database.Database, db: Database.Database, table: string): number {
  let rows = 0;
  try {
    for (const row of old.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).iterate()) {
      const names = Object.keys(row);
      db.prepare(
        `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
      ).run(...names.map(name => row[name]));
      rows++;
    }
  } catch {
    // The rest of this table is lost with the file; how many rows came over is reported.
  }
  return rows;
}
