/** Migrations as files `NNN_name.sql`, numbered without gaps; shared by SQLite and PostgreSQL. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GatewayError } from '../../../core/errors.ts';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** sha256 of the file, hexadecimal. */
  readonly checksum: string;
}

export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

export const SQLITE_MIGRATIONS = fileURLToPath(new URL('../../../migrations/sqlite/', import.meta.url));
export const POSTGRES_MIGRATIONS = fileURLToPath(new URL('../../../migrations/postgres/', import.meta.url));

/** Every migration of a folder in order. A file that does not fit the scheme is the developer's bug. */
export function readMigrations(directory: string): Migration[] {
  const files = readdirSync(directory).filter(file => file.endsWith('.sql'));
  return files.sort().map((file, index) => {
    const parts = /^(\d{3})_([a-z0-9_]+)\.sql$/.exec(file);
    if (!parts || Number(parts[1]) !== index + 1)
      throw new Error(`${join(directory, file)}: expected a name like ${pad(index + 1)}_what_it_makes.sql`);
    const bytes = readFileSync(join(directory, file));
    const checksum = createHash('sha256').update(bytes).digest('hex');
    return { version: index + 1, name: parts[2], sql: bytes.toString('utf8'), checksum };
  });
}

/**
 * What is left to run. GatewayError MIGRATION_CHANGED when a file differs from what was run,
 * SCHEMA_TOO_NEW when the database knows versions that this program does not. `place` names the database.
 */
export function pendingMigrations(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
  place: string,
): Migration[] {
  const newest = Math.max(0, ...applied.map(({ version }) => version));
  if (newest > migrations.length)
    throw new GatewayError(
      'SCHEMA_TOO_NEW',
      `${place}: its schema is version ${newest}, this program knows versions up to ${migrations.length}; ` +
        'upgrade the program',
    );
  for (const { version, name, checksum } of applied) {
    const migration = migrations[version - 1];
    if (migration.checksum === checksum) continue;
    throw new GatewayError(
      'MIGRATION_CHANGED',
      `${place}: migration ${pad(version)}_${name} was run with checksum ${checksum.slice(0, 12)}, ` +
        `the program's file has ${migration.checksum.slice(0, 12)}; a migration that was run must not change`,
    );
  }
  const done = new Set(applied.map(({ version }) => version));
  return migrations.filter(({ version }) => !done.has(version));
}

function pad(version: number): string {
  return String(version).padStart(3, '0');
}
