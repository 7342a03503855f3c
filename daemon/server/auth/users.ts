/** Users as documents of kind `user`: reading, making, changing; a short cache in front. */
import { randomBytes } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Clock } from '../../../core/clock/clock.ts';
import type { NewUserBody, UserChangeBody, UserRecord } from '../../../core/contract/http.ts';
import { Role } from '../../../core/contract/model.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Documents } from '../../store/store.ts';
import type { PasswordHasher } from './passwords.ts';

const KIND = 'user';
const CACHE_MAX = 1000;

/** What stands in the document. `session_key` goes into every token: a new one ends all sessions. */
const StoredUser = Type.Object({
  username: Type.String(),
  role: Role,
  batteries: Type.Array(Type.String()),
  created_ms: Type.Number(),
  password_hash: Type.String(),
  session_key: Type.String(),
});
export type StoredUser = Static<typeof StoredUser>;
const storedUser = Compile(StoredUser);

export class UserDirectory {
  readonly #documents: Documents;
  readonly #clock: Clock;
  readonly #hasher: PasswordHasher;
  readonly #cache_ms: number;
  readonly #cache = new Map<string, { user: StoredUser | undefined; until_mono_ms: number }>();
  readonly #listeners = new Set<(username: string) => void>();
  /** Changes run one after another, so that two of them cannot together remove the last administrator. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor(documents: Documents, clock: Clock, hasher: PasswordHasher, cache_ms: number) {
    this.#documents = documents;
    this.#clock = clock;
    this.#hasher = hasher;
    this.#cache_ms = cache_ms;
  }

  /** Calls back with the name of a user who was changed or deleted. */
  onChange(listener: (username: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The user as of at most `user_cache_ms` ago; undefined when there is none. */
  async find(username: string): Promise<StoredUser | undefined> {
    const now = this.#clock.monoMs();
    const cached = this.#cache.get(username);
    if (cached && cached.until_mono_ms > now) return cached.user;
    const user = await this.#read(username);
    if (this.#cache.size >= CACHE_MAX) this.#cache.clear();
    this.#cache.set(username, { user, until_mono_ms: now + this.#cache_ms });
    return user;
  }

  /** The user with this name and password, or undefined; takes as long for a name that does not exist. */
  async authenticate(username: string, password: string): Promise<StoredUser | undefined> {
    const user = await this.#read(username);
    return (await this.#hasher.verify(user?.password_hash, password)) ? user : undefined;
  }

  async list(): Promise<StoredUser[]> {
    const documents = await this.#documents.list(KIND);
    return documents
      .map(({ id, body }) => checked(id, body))
      .sort((a, b) => (a.username < b.username ? -1 : 1));
  }

  /** CONFLICT when the name is taken. */
  async create(body: NewUserBody): Promise<StoredUser> {
    const password_hash = await this.#hasher.hash(body.password);
    return this.#inTurn(async () => {
      if (await this.#read(body.username))
        throw new GatewayError('CONFLICT', `There is already a user '${body.username}'; choose another name`);
      const user: StoredUser = {
        username: body.username,
        role: body.role,
        batteries: [...new Set(body.batteries ?? [])],
        created_ms: this.#clock.wallMs(),
        password_hash,
        session_key: randomBytes(12).toString('base64url'),
      };
      await this.#write(user);
      return user;
    });
  }

  /** NOT_FOUND, or CONFLICT when it would leave no administrator. */
  async change(username: string, body: UserChangeBody): Promise<StoredUser> {
    const password_hash = body.password === undefined ? undefined : await this.#hasher.hash(body.password);
    return this.#inTurn(async () => {
      const before = await this.#existing(username);
      if (before.role === 'admin' && (body.role ?? 'admin') !== 'admin')
        await this.#needAnotherAdmin(username);
      const user: StoredUser = {
        ...before,
        role: body.role ?? before.role,
        batteries: body.batteries ? [...new Set(body.batteries)] : before.batteries,
        ...(password_hash && { password_hash, session_key: randomBytes(12).toString('base64url') }),
      };
      await this.#write(user);
      return user;
    });
  }

  /** NOT_FOUND, or CONFLICT when it is the last administrator. */
  delete(username: string): Promise<void> {
    return this.#inTurn(async () => {
      const user = await this.#existing(username);
      if (user.role === 'admin') await this.#needAnotherAdmin(username);
      await this.#documents.delete(KIND, username);
      this.#changed(username);
    });
  }

  async #existing(username: string): Promise<StoredUser> {
    const user = await this.#read(username);
    if (!user) throw new GatewayError('NOT_FOUND', `There is no user '${username}'`);
    return user;
  }

  async #needAnotherAdmin(username: string): Promise<void> {
    const users = await this.list();
    if (!users.some(user => user.role === 'admin' && user.username !== username))
      throw new GatewayError(
        'CONFLICT',
        `'${username}' is the only administrator; make another user administrator first`,
      );
  }

  async #read(username: string): Promise<StoredUser | undefined> {
    const body = await this.#documents.get(KIND, username);
    return body === undefined ? undefined : checked(username, body);
  }

  async #write(user: StoredUser): Promise<void> {
    await this.#documents.put(KIND, user.username, user);
    this.#changed(user.username);
  }

  #changed(username: string): void {
    this.#cache.delete(username);
    for (const listener of this.#listeners) listener(username);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#changes.then(work);
    this.#changes = result.catch(() => undefined);
    return result;
  }
}

/** What an administrator sees of a user: never the hash. */
export function userRecord(user: StoredUser): UserRecord {
  const { username, role, batteries, created_ms } = user;
  return { username, role, batteries, created_ms };
}

function checked(id: string, body: unknown): StoredUser {
  if (storedUser.Check(body) && body.username === id) return body;
  throw new GatewayError('STORE_CORRUPT', `Document user/${id} is not a user record`);
}
