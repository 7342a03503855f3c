/** How PostgreSQL is connected to: time-outs on everything. */
import type { Socket } from 'node:net';
import pg from 'pg';
import { GatewayError } from '../../core/errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** One statement on the server, and the wait for a lock within it. */
const STATEMENT_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = 5000;
/** A half-open connection lets go of the gateway's row after this. */
const IDLE_TRANSACTION_TIMEOUT_MS = 60_000;
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
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
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
