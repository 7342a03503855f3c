/**
 * Sessions as JWT (RFC 7519), HS256 only. A token names the user and the user's session key of that moment,
 * so a new password, or deleting the user, ends every session at once.
 */
import { randomBytes } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Documents } from '../../store/store.ts';
import type { StoredUser, UserDirectory } from './users.ts';

const ALGORITHM = 'HS256';
const AUDIENCE = 'bms-gateway-http';
const SECRET_BYTES = 32;
const SECRET_CHARACTERS_MIN = 8;

export interface Session {
  readonly user: StoredUser;
  readonly session_key: string;
  readonly expires_wall_ms: number;
}

export class Sessions {
  readonly #key: Uint8Array;
  readonly #issuer: string;
  readonly #users: UserDirectory;
  readonly #clock: Clock;
  readonly lifetime_s: number;

  constructor(
    key: Uint8Array,
    gateway_id: string,
    users: UserDirectory,
    clock: Clock,
    session_hours: number,
  ) {
    this.#key = key;
    this.#issuer = `bms-gateway:${gateway_id}`;
    this.#users = users;
    this.#clock = clock;
    this.lifetime_s = Math.max(1, Math.round(session_hours * 3600));
  }

  issue(user: StoredUser): Promise<string> {
    const now_s = Math.floor(this.#clock.wallMs() / 1000);
    return new SignJWT({ key: user.session_key })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setIssuer(this.#issuer)
      .setAudience(AUDIENCE)
      .setSubject(user.username)
      .setIssuedAt(now_s)
      .setExpirationTime(now_s + this.lifetime_s)
      .sign(this.#key);
  }

  /** UNAUTHENTICATED when the token is forged, expired, of another gateway, or its user is gone or changed. */
  async verify(token: string): Promise<Session> {
    const claims = await this.#claims(token);
    const user = await this.#users.find(claims.username);
    if (!user || user.session_key !== claims.session_key) throw refused('This session was ended');
    return { user, session_key: claims.session_key, expires_wall_ms: claims.expires_wall_ms };
  }

  async #claims(token: string) {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: this.#issuer,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'iat', 'exp', 'key'],
        currentDate: new Date(this.#clock.wallMs()),
      });
      const { sub, exp, key } = payload;
      if (typeof sub !== 'string' || typeof exp !== 'number' || typeof key !== 'string')
        throw refused('The session token is not valid');
      return { username: sub, session_key: key, expires_wall_ms: exp * 1000 };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw refused('The session has expired');
      if (error instanceof errors.JOSEError) throw refused('The session token is not valid');
      throw error;
    }
  }
}

/**
 * The key that signs tokens: the given secret, else one made once and kept in the documents.
 * OPTION_INVALID when the given secret is too short to keep anybody out.
 */
export async function sessionKey(documents: Documents, jwt_secret: string | undefined): Promise<Uint8Array> {
  if (jwt_secret) {
    if (jwt_secret.length >= SECRET_CHARACTERS_MIN) return new TextEncoder().encode(jwt_secret);
    throw new GatewayError(
      'OPTION_INVALID',
      `JWT_SECRET has ${jwt_secret.length} characters; expected at least ${SECRET_CHARACTERS_MIN}, better 32. Without it a secret is made and kept`,
    );
  }
  const kept = await documents.get('secret', 'jwt');
  if (kept === undefined) {
    const key = randomBytes(SECRET_BYTES);
    await documents.put('secret', 'jwt', { key: key.toString('base64url') });
    return key;
  }
  const text = typeof kept === 'object' && kept !== null && 'key' in kept ? kept.key : undefined;
  const key = Buffer.from(typeof text === 'string' ? text : '', 'base64url');
  if (key.length < SECRET_BYTES)
    throw new GatewayError(
      'STORE_CORRUPT',
      `Document secret/jwt does not hold a key of ${SECRET_BYTES} bytes`,
    );
  return key;
}

const refused = (what: string) => new GatewayError('UNAUTHENTICATED', `${what}; log in again`);
