/** Brings the centre's schema up to what this program needs; whichever gateway comes first does it. */
import { GatewayError } from '../../core/errors.ts';
import {
  type AppliedMigration,
  type Migration,
  pendingMigrations,
  readMigrations,
} from '../store/file/migration-files.ts';
import { BEGIN, type Queryable } from './transaction.ts';

const OLDEST_SERVER = 14;

const NO_RIGHT = '42501';

/**
 * Applies what is pending, in one transaction; returns the names of what it applied. `place` names the centre in
 * errors: SCHEMA_TOO_NEW, MIGRATION_CHANGED, SCHEMA_TOO_OLD where this user may not change the schema,
 * UPSTREAM_REFUSED for an old server.
 */
export async function migrateCentre(client: Queryable, directory: string, place: string): Promise<string[]> {
  await refuseOldServer(client, place);
  // The rule: then there is no need of the lock, which any login can hold for as long as it likes.
  if ((await pendingAt(client, directory, place)).length === 0) return [];
  await client.query(BEGIN);
  // Held to the end of the transaction: of several gateways that start at once one migrates, the others wait.
  await client.query("SELECT pg_advisory_xact_lock(hashtext('bms_gateway.migrate'))");
  const pending = await pendingAt(client, directory, place);
  try {
    if (pending[0]?.version === 1) await client.query(MAKE_TABLE);
    for (const { version, name, checksum, sql } of pending) {
      await client.query(sql);
      await client.query('INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
        version,
        name,
        checksum,
      ]);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === NO_RIGHT)) throw error;
    throw new GatewayError(
      'SCHEMA_TOO_OLD',
      `${place}: lacks ${pending.map(titleOf).join(', ')}, and this user may not change the schema ` +
        `(${error.message}); run bms-gateway migrate as the owner of the tables`,
      { cause: error },
    );
  }
  await client.query('COMMIT');
  return pending.map(titleOf);
}

/** What `migrateCentre` would apply, by name. */
export async function pendingCentre(client: Queryable, directory: string, place: string): Promise<string[]> {
  await refuseOldServer(client, place);
  return (await pendingAt(client, directory, place)).map(titleOf);
}

const MAKE_TABLE = `
  CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now())`;

async function refuseOldServer(client: Queryable, place: string): Promise<void> {
  const version = await client.query<{ server_version_num: string }>('SHOW server_version_num');
  const major = Math.floor(Number(version.rows[0].server_version_num) / 10_000);
  if (major < OLDEST_SERVER)
    throw new GatewayError(
      'UPSTREAM_REFUSED',
      `${place}: PostgreSQL ${major} found, ${OLDEST_SERVER} or later needed`,
    );
}

async function pendingAt(client: Queryable, directory: string, place: string): Promise<Migration[]> {
  const table = await client.query<{ found: boolean }>(
    "SELECT to_regclass('schema_migrations') IS NOT NULL AS found",
  );
  const applied = table.rows[0].found
    ? await client.query<AppliedMigration>(
        'SELECT version, name, checksum FROM schema_migrations ORDER BY version',
      )
    : { rows: [] };
  return pendingMigrations(readMigrations(directory), applied.rows, place);
}

const titleOf = ({ version, name }: Migration) => `${String(version).padStart(3, '0')}_${name}`;
