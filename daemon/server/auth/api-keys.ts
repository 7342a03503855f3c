/**
 * API keys for programs: `bms_<id>_<secret>`, usable as bearer token until revoked or expired. The secret is random
 * (256 bits) and shown once; what is kept is its SHA-256. Like sessions they are written by this process alone.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Clock } from '../../../core/clock/clock.ts';
import type { ApiKeyRecord, NewApiKeyBody } from '../../../core/contract/access.ts';
import { Nullable } from '../../../core/contract/model.ts';
import { Role } from '../../../core/contract/roles.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { ReadableDocuments } from '../../store/documents/readable-documents.ts';
import type { Documents } from '../../store/store.ts';
import { sha256 } from './sessions.ts';

const KIND = 'api_key';
const FORM = /^bms_([0-9a-f]{8})_([A-Za-z0-9_-]{43})$/;
const USED_EVERY_MS = 60_000;

const StoredKey = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: Role,
  batteries: Type.Array(Type.String()),
  secret_hash: Type.String(),
  created_ms: Type.Number(),
  created_by: Type.String(),
  expires_ms: Nullable(Type.Number()),
  used_ms: Nullable(Type.Number()),
  used_address: Nullable(Type.String()),
});
export type StoredKey = Static<typeof StoredKey>;
const storedKey = Compile(StoredKey);

export const isApiKey = (token: string) => token.startsWith('bms_');

export class ApiKeys {
  readonly #documents: Documents;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #keys = new Map<string, StoredKey>();
  readonly #listeners = new Set<() => void>();

  private constructor(documents: Documents, clock: Clock, max: number) {
    this.#documents = documents;
    this.#clock = clock;
    this.#max = max;
  }

  static async open(documents: Documents, clock: Clock, max: number, log: Logger): Promise<ApiKeys> {
    const keys = new ApiKeys(documents, clock, max);
    const read = (body: unknown, id: string) => (storedKey.Check(body) && body.id === id ? body : undefined);
    const remedy = 'nothing can log in by that key; make a new one';
    for (const key of await new ReadableDocuments(documents, log).list(KIND, read, remedy))
      keys.#keys.set(key.id, key);
    return keys;
  }

  /** Calls back after a key was revoked. */
  onRevoke(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** CONFLICT when the name is taken or there are too many; BAD_REQUEST when it would have expired already. */
  async create(body: NewApiKeyBody, created_by: string): Promise<{ key: StoredKey; secret: string }> {
    const now_ms = this.#clock.wallMs();
    const { name, role, batteries = [], expires_ms = null } = body;
    if ([...this.#keys.values()].some(key => key.name === name))
      throw new GatewayError('CONFLICT', `There is already a key '${name}'; choose another name`);
    if (this.#keys.size >= this.#max)
      throw new GatewayError(
        'CONFLICT',
        `There are ${this.#max} keys, the most there may be; revoke one first`,
      );
    if (expires_ms !== null && expires_ms <= now_ms)
      throw new GatewayError(
        'BAD_REQUEST',
        `body.expires_ms: found ${expires_ms}, expected a moment after now (${now_ms}), or null for never`,
      );
    const id = randomBytes(4).toString('hex');
    const secret = randomBytes(32).toString('base64url');
    const key: StoredKey = {
      id,
      name,
      role,
      batteries: [...new Set(batteries)],
      secret_hash: sha256(secret),
      created_ms: now_ms,
      created_by,
      expires_ms,
      used_ms: null,
      used_address: null,
    };
    await this.#put(key);
    return { key, secret: `bms_${id}_${secret}` };
  }

  /** The key as it stands; undefined when revoked or expired. */
  find(id: string): StoredKey | undefined {
    const key = this.#keys.get(id);
    return key && (key.expires_ms ?? Number.POSITIVE_INFINITY) > this.#clock.wallMs() ? key : undefined;
  }

  /** The key that this token is; UNAUTHENTICATED when it is none, or no longer. */
  async verify(token: string, address: string): Promise<StoredKey> {
    const [, id = '', secret = ''] = FORM.exec(token) ?? [];
    const key = this.#keys.get(id);
    const expected = Buffer.from(key?.secret_hash ?? sha256(''));
    if (!timingSafeEqual(Buffer.from(sha256(secret)), expected) || !key)
      throw new GatewayError(
        'UNAUTHENTICATED',
        'This API key is not valid, or was revoked; an administrator makes a new one under System, API keys',
      );
    if (!this.find(id))
      throw new GatewayError(
        'UNAUTHENTICATED',
        'This API key has expired; an administrator makes a new one under System, API keys',
      );
    await this.#used(key, address);
    return key;
  }

  list(): StoredKey[] {
    return [...this.#keys.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** NOT_FOUND when there is no such key. */
  async revoke(id: string): Promise<StoredKey> {
    const key = this.#keys.get(id);
    if (!key) throw new GatewayError('NOT_FOUND', `There is no API key with the id '${id}'`);
    this.#keys.delete(id);
    for (const listener of this.#listeners) listener();
    await this.#documents.delete(KIND, id);
    return key;
  }

  async #used(key: StoredKey, address: string): Promise<void> {
    const now_ms = this.#clock.wallMs();
    if (now_ms - (key.used_ms ?? 0) < USED_EVERY_MS) return;
    // A disk that cannot be written keeps no program out.
    await this.#put({ ...key, used_ms: now_ms, used_address: address }).catch(() => undefined);
  }

  async #put(key: StoredKey): Promise<void> {
    this.#keys.set(key.id, key);
    await this.#documents.put(KIND, key.id, key);
  }
}

/** What an administrator sees of a key: never the hash. */
export function apiKeyRecord({ secret_hash: _, ...shown }: StoredKey): ApiKeyRecord {
  return shown;
}
