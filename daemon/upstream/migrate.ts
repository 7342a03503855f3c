/** Brings the centre's schema up to what this program needs; whichever gateway comes first does it. */
import { GatewayError } from '../../core/errors.ts';
import { type AppliedMigration, pendingMigrations, readMigrations } from '../store/migration-files.ts';

/** The part of a pg Client that is needed here. */
export interface Queryable {
  query<R>(sql: string, values?: unknown[]): Promise<{ rows: R[] }>;
}

const OLDEST_SERVER = 14;

/** `place` names the centre in errors: SCHEMA_TOO_NEW, MIGRATION_CHANGED, UPSTREAM_REFUSED for an old server. */
export async function migrateCentre(client: Queryable, directory: string, place: string): Promise<void> {
  const version = await client.query<{ server_version_num: string }>('SHOW server_version_num');
  const major = Math.floor(Number(version.rows[0].server_version_num) / 10_000);
  if (major < OLDEST_SERVER)
    throw new GatewayError(
      'UPSTREAM_REFUSED',
      `${place}: PostgreSQL ${major} found, ${OLDEST_SERVER} or later needed`,
    );
  await client.query('BEGIN');
  // Held to the end of the transaction: of several gateways that start at once one migrates, the others wait.
  await client.query("SELECT pg_advisory_xact_lock(hashtext('bms_gateway.migrate'))");
  const table = await client.query<{ found: boolean }>(
    "SELECT to_regclass('schema_migrations') IS NOT NULL AS found",
  );
  if (!table.rows[0].found)
    await client.query(
      `CREATE TABLE schema_migrations (
         version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
         applied_at timestamptz NOT NULL DEFAULT now())`,
    );
  const applied = await client.query<AppliedMigration>(
    'SELECT version, name, checksum FROM schema_migrations ORDER BY version',
  );
  for (const { version, name, checksum, sql } of pendingMigrations(
    readMigrations(directory),
    applied.rows,
    place,
  )) {
    await client.query(sql);
    await client.query('INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
      version,
      name,
      checksum,
    ]);
  }
  await client.query('COMMIT');
}
