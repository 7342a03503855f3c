/** How PostgreSQL is connected to; what a statement may wait for is said in transaction.ts. */
import type { Socket } from 'node:net';
import pg from 'pg';
import { GatewayError } from '../../core/errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** The whole of one exchange (opening, or one batch), whatever the network does. */
export const EXCHANGE_TIMEOUT_MS = 120_000;

/** Not connected yet. UPSTREAM_REFUSED when the URL cannot be read; it is never quoted. */
export function makeClient(database_url: string, application_name: string, socket: Socket): pg.Client {
  try {
    return new pg.Client({
      connectionString: database_url,
      stream: () => socket,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: EXCHANGE_TIMEOUT_MS,
      application_name,
    });
  } catch (error) {
    if (error instanceof Error && 'path' in error && 'code' in error)
      throw new GatewayError(
        'UPSTREAM_REFUSED',
        `the database URL names a certificate file that cannot be read: ${error.path} (${error.code})`,
      );
    // The URL itself holds the password and must not be shown.
    throw new GatewayError(
      'UPSTREAM_REFUSED',
      'the database URL cannot be read; expected postgres://user:password@host:port/database',
    );
  }
}
