/** The centre's users, as far as they concern this gateway: read as they come, whatever stands in the table. */
import { isServerError } from './failure.ts';
import type { Login } from './login.ts';
import type { Queryable } from './transaction.ts';

const USERS_MAX = 5000;
/** An argon2id PHC string has less than 250. */
const HASH_BYTES = 300;
/** Of one user, and of all together: what is larger does not travel. */
const BATTERIES_BYTES = 128 << 10;
const ALL_BATTERIES_BYTES = 8 << 20;
const INSUFFICIENT_PRIVILEGE = '42501';

/** Nothing about it is sure but its size: NULL also stands for what is too large. */
export interface CentralRow {
  readonly username: string | null;
  readonly password_hash: string | null;
  readonly role: string | null;
  /** Ids of this gateway's batteries. */
  readonly batteries: readonly unknown[] | null;
  readonly disabled: boolean | null;
  readonly created_ms: number | null;
}

export interface PulledUsers {
  readonly rows: readonly CentralRow[];
  /** Further ones that were not read. */
  readonly beyond: number;
}

export const NO_USERS: PulledUsers = { rows: [], beyond: 0 };

const readFrom = (table: 'users' | 'gateway_users') => `
  SELECT username, password_hash, role, disabled, created_ms, total,
         CASE WHEN sum(batteries_bytes) OVER (ORDER BY username ROWS UNBOUNDED PRECEDING) <= ${ALL_BATTERIES_BYTES}
           THEN batteries END AS batteries
  FROM (
    SELECT left(username::text, 64) AS username,
           CASE WHEN octet_length(password_hash) <= ${HASH_BYTES} THEN password_hash END AS password_hash,
           left(role::text, 32) AS role,
           CASE WHEN octet_length(batteries::text) <= ${BATTERIES_BYTES} THEN batteries END AS batteries,
           least(octet_length(batteries::text), ${BATTERIES_BYTES}) AS batteries_bytes,
           disabled, floor(extract(epoch FROM created_at) * 1000)::float8 AS created_ms, count(*) OVER ()::int AS total
    FROM ${table} WHERE gateway_ids IS NULL OR $1 = ANY (gateway_ids) ORDER BY username LIMIT ${USERS_MAX}
  ) AS bounded`;

/** Short: readings wait behind it. */
const BEGIN = `BEGIN READ ONLY; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '5s'`;

/**
 * None when the gateway's role may not read them: whoever set up the centre wants none here. An error of the server is
 * returned, not thrown: it is no reason to send nothing.
 */
export async function readCentralUsers(
  client: Queryable,
  gateway_id: string,
  login: Login,
): Promise<{ pulled: PulledUsers } | { error: unknown }> {
  await client.query(BEGIN);
  try {
    const { rows } = await client.query<CentralRow & { total: number }>(
      readFrom(login.is_of_gateway ? 'gateway_users' : 'users'),
      [gateway_id],
    );
    const here = rows.map(({ total: _, ...row }) => ({
      ...row,
      batteries: row.batteries && batteriesHere(row.batteries, gateway_id),
    }));
    return { pulled: { rows: here, beyond: rows.length > 0 ? rows[0].total - rows.length : 0 } };
  } catch (error) {
    if (!isServerError(error)) throw error;
    return (error as { code?: string }).code === INSUFFICIENT_PRIVILEGE ? { pulled: NO_USERS } : { error };
  } finally {
    await client.query('ROLLBACK');
  }
}

/** `gateway/battery` is meant for one gateway, `battery` for all. What is no text stays, to be found wrong. */
function batteriesHere(batteries: readonly unknown[], gateway_id: string): unknown[] {
  const own = `${gateway_id}/`;
  return batteries.flatMap(id => {
    if (typeof id !== 'string') return [id];
    return id.startsWith(own) ? [id.slice(own.length)] : id.includes('/') ? [] : [id];
  });
}
