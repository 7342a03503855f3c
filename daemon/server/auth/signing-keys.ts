/**
 * The keys that sign session tokens, newest first. Each token names its key (`kid`, RFC 7515, section 4.1.4), so
 * that after a rotation the tokens of the key before are taken until they end by themselves.
 */
import { createHash, randomBytes } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import { type Logger, silentLogger } from '../../../core/log.ts';
import { ReadableDocuments } from '../../store/documents/readable-documents.ts';
import type { Documents } from '../../store/store.ts';

export const SIGNING_KEYS_KIND = 'secret';
const ID = 'jwt';
const SECRET_BYTES = 32;
const SECRET_CHARACTERS_MIN = 8;
const KEYS_MAX = 16;

const StoredKeys = Type.Object({
  keys: Type.Array(Type.Object({ kid: Type.String(), key: Type.String(), made_ms: Type.Number() }), {
    minItems: 1,
  }),
});
type StoredKeys = Static<typeof StoredKeys>;
const storedKeys = Compile(StoredKeys);

interface SigningKey {
  readonly kid: string;
  readonly key: Uint8Array;
  readonly made_ms: number;
}

export class SigningKeys {
  readonly #documents: Documents;
  readonly #clock: Clock;
  readonly #token_life_ms: number;
  readonly #is_given: boolean;
  #keys: readonly SigningKey[];

  private constructor(
    documents: Documents,
    clock: Clock,
    token_life_ms: number,
    keys: readonly SigningKey[],
    is_given: boolean,
  ) {
    this.#documents = documents;
    this.#clock = clock;
    this.#token_life_ms = token_life_ms;
    this.#keys = keys;
    this.#is_given = is_given;
  }

  /**
   * The given secret, else keys made here and kept in the documents. No token lives longer than `token_life_ms`.
   * OPTION_INVALID when the given secret is too short to keep anybody out.
   */
  static async open(
    documents: Documents,
    clock: Clock,
    jwt_secret: string | undefined,
    token_life_ms: number,
    log: Logger = silentLogger,
  ): Promise<SigningKeys> {
    if (jwt_secret) return new SigningKeys(documents, clock, token_life_ms, [givenKey(jwt_secret)], true);
    const remedy = 'a new key signs from now on; everybody logs in again';
    const kept = await new ReadableDocuments(documents, log).get(SIGNING_KEYS_KIND, ID, readKeys, remedy);
    const opened = new SigningKeys(documents, clock, token_life_ms, kept ?? [newKey(clock)], false);
    if (kept === undefined) await opened.#keep();
    return opened;
  }

  get current(): SigningKey {
    return this.#keys[0]!;
  }

  /** Keys whose tokens are taken: the current one, and those replaced less than a token's life ago. */
  get accepted(): readonly SigningKey[] {
    const now_ms = this.#clock.wallMs();
    return this.#keys.filter((_, i) => {
      const replaced_ms = this.#keys[i - 1]?.made_ms;
      return replaced_ms === undefined || now_ms < replaced_ms + this.#token_life_ms;
    });
  }

  find(kid: string | undefined): Uint8Array | undefined {
    return this.accepted.find(key => key.kid === kid)?.key;
  }

  /** Signs with a new key from now on. CONFLICT when the secret is given from outside. */
  async rotate(): Promise<void> {
    if (this.#is_given)
      throw new GatewayError(
        'CONFLICT',
        'The key comes from JWT_SECRET: change it there and restart the gateway; all sessions then end',
      );
    this.#keys = [newKey(this.#clock), ...this.accepted].slice(0, KEYS_MAX);
    await this.#keep();
  }

  async #keep(): Promise<void> {
    const keys = this.#keys.map(({ kid, key, made_ms }) => ({ kid, key: encoded(key), made_ms }));
    await this.#documents.put(SIGNING_KEYS_KIND, ID, { keys } satisfies StoredKeys);
  }
}

function givenKey(jwt_secret: string): SigningKey {
  if (jwt_secret.length < SECRET_CHARACTERS_MIN)
    throw new GatewayError(
      'OPTION_INVALID',
      `JWT_SECRET has ${jwt_secret.length} characters; expected at least ${SECRET_CHARACTERS_MIN}, better 32. Without it a secret is made and kept`,
    );
  return { ...identified(new TextEncoder().encode(jwt_secret)), made_ms: 0 };
}

const newKey = (clock: Clock): SigningKey => ({
  ...identified(randomBytes(SECRET_BYTES)),
  made_ms: clock.wallMs(),
});

const identified = (key: Uint8Array) => ({
  kid: createHash('sha256').update('kid').update(key).digest('base64url').slice(0, 8),
  key,
});

const encoded = (key: Uint8Array) => Buffer.from(key).toString('base64url');

function readKeys(kept: unknown): SigningKey[] | undefined {
  // The form before there was more than one key.
  if (typeof kept === 'object' && kept !== null && 'key' in kept && typeof kept.key === 'string')
    return readKeys({ keys: [{ kid: '', key: kept.key, made_ms: 0 }] });
  if (!storedKeys.Check(kept)) return undefined;
  const keys = kept.keys.map(({ key, made_ms }) => ({
    ...identified(Buffer.from(key, 'base64url')),
    made_ms,
  }));
  return keys.every(({ key }) => key.length >= SECRET_BYTES) ? keys : undefined;
}
