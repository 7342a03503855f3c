/** The centre's users, as far as they concern this gateway. */
import type { Queryable } from './migrate.ts';

const USERS_MAX = 5000;
const INSUFFICIENT_PRIVILEGE = '42501';

export interface CentralUserRow {
  readonly username: string;
  readonly password_hash: string;
  readonly role: 'user' | 'moderator' | 'admin';
  /** Ids of this gateway's batteries. */
  readonly batteries: string[];
  readonly disabled: boolean;
  readonly created_ms: number;
}

/** Undefined when the gateway's role may not read them: whoever set up the centre wants none here. */
export async function readCentralUsers(
  client: Queryable,
  gateway_id: string,
): Promise<CentralUserRow[] | undefined> {
  try {
    const { rows } = await client.query<CentralUserRow>(
      `SELECT username, password_hash, role, batteries, disabled,
              floor(extract(epoch FROM created_at) * 1000)::float8 AS created_ms
       FROM users WHERE gateway_ids IS NULL OR $1 = ANY (gateway_ids) ORDER BY username LIMIT ${USERS_MAX}`,
      [gateway_id],
    );
    return rows.map(row => ({ ...row, batteries: batteriesHere(row.batteries, gateway_id) }));
  } catch (error) {
    if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE) return undefined;
    throw error;
  }
}

/** `gateway/battery` is meant for one gateway, `battery` for all. */
function batteriesHere(batteries: readonly string[], gateway_id: string): string[] {
  const own = `${gateway_id}/`;
  return batteries.flatMap(id =>
    id.startsWith(own) ? [id.slice(own.length)] : id.includes('/') ? [] : [id],
  );
}
