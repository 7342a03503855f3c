/** What the login that the gateway came by may do at the centre, which decides on the way that readings and users take. */
import { GatewayError } from '../../core/errors.ts';
import type { Queryable } from './transaction.ts';

export interface Login {
  /** Readings go through the session's own table: COPY into one with row security is the owner's alone. */
  readonly is_narrow: boolean;
  /** It is of this gateway alone, and may see only its own users. */
  readonly is_of_gateway: boolean;
}

export const OWNER: Login = { is_narrow: false, is_of_gateway: false };

/** UPSTREAM_REFUSED when the login is another gateway's. */
export async function readLogin(client: Queryable, gateway_id: string, place: string): Promise<Login> {
  const { rows } = await client.query<{ gateway_id: string | null; is_narrow: boolean }>(
    "SELECT gateway_of_login() AS gateway_id, row_security_active('pack_readings') AS is_narrow",
  );
  const [login] = rows;
  if (login.gateway_id !== null && login.gateway_id !== gateway_id)
    throw new GatewayError(
      'UPSTREAM_REFUSED',
      `${place}: this login is of gateway "${login.gateway_id}", and this one is "${gateway_id}"; ` +
        'each needs its own, see docs/central-database.md',
    );
  return { is_narrow: login.is_narrow, is_of_gateway: login.gateway_id !== null };
}
