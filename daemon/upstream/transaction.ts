/**
 * Transactions at the centre. What they wait for is bounded within each, not for the connection: a pooler
 * (PgBouncer, by transaction) refuses such settings when it is connected to, and gives connections to others in between.
 */

/** The part of a pg Client that is needed here. */
export interface Queryable {
  query<R>(sql: string, values?: unknown[]): Promise<{ rows: R[] }>;
}

/** One statement on the server, and the wait for a lock within it. */
const STATEMENT_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = 5000;
/** A half-open connection lets go of the gateway's row after this. */
const IDLE_TIMEOUT_MS = 60_000;

/** One message, and so one round trip. */
export const BEGIN = `BEGIN; SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; SET LOCAL idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`;

/** `work` within a transaction of its own, which is rolled back when it throws. */
export async function inTransaction<T>(client: Queryable, work: () => Promise<T>): Promise<T> {
  await client.query(BEGIN);
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
