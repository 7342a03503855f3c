/**
 * Session tokens as JWT (RFC 7519), HS256 only. A token names a user and a session; whether both still stand is
 * asked at every use, so it proves who asks and nothing more.
 */
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { SigningKeys } from './signing-keys.ts';

const ALGORITHM = 'HS256';
export const AUDIENCE = 'bms-gateway-http';

export interface TokenClaims {
  readonly username: string;
  readonly session_id: string;
}

export class Tokens {
  readonly #keys: SigningKeys;
  readonly #issuer: string;
  readonly #clock: Clock;

  constructor(keys: SigningKeys, gateway_id: string, clock: Clock) {
    this.#keys = keys;
    this.#issuer = `bms-gateway:${gateway_id}`;
    this.#clock = clock;
  }

  issue({ username, session_id }: TokenClaims, expires_ms: number): Promise<string> {
    const { kid, key } = this.#keys.current;
    return new SignJWT({ sid: session_id })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
      .setIssuer(this.#issuer)
      .setAudience(AUDIENCE)
      .setSubject(username)
      .setIssuedAt(Math.floor(this.#clock.wallMs() / 1000))
      .setExpirationTime(Math.floor(expires_ms / 1000))
      .sign(key);
  }

  /** UNAUTHENTICATED when the token is forged, expired, or of another gateway. */
  async verify(token: string): Promise<TokenClaims> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#keyOf(kid), {
        algorithms: [ALGORITHM],
        issuer: this.#issuer,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'iat', 'exp', 'sid'],
        currentDate: new Date(this.#clock.wallMs()),
      });
      const { sub, sid } = payload;
      if (typeof sub !== 'string' || typeof sid !== 'string') throw notValid();
      return { username: sub, session_id: sid };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw loggedOut('The session token has expired');
      if (error instanceof errors.JOSEError) throw notValid();
      throw error;
    }
  }

  #keyOf(kid: string | undefined): Uint8Array {
    const key = this.#keys.find(kid);
    if (key) return key;
    throw notValid();
  }
}

/** UNAUTHENTICATED, with what to do. */
export const loggedOut = (what: string) => new GatewayError('UNAUTHENTICATED', `${what}; log in again`);
const notValid = () => loggedOut('The session token is not valid');
