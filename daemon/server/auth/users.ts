/**
 * Users as documents: local ones (kind `user`), made and changed here, and those of the centre (kind
 * `central_user`), a copy of its table that only a pull replaces. On a clash of names the local one wins.
 */
import type { Clock } from '../../../core/clock/clock.ts';
import type { NewUserBody, UserChangeBody, UserRecord } from '../../../core/contract/access.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { silentLogger } from '../../../core/log.ts';
import { ReadableDocuments } from '../../store/documents/readable-documents.ts';
import type { Documents } from '../../store/store.ts';
import { Lookups } from './lookups.ts';
import { type Argon2Cost, costOf, type PasswordHasher, workOf } from './passwords.ts';
import { type CentralUser, isCentralUser, isStoredRecord, type StoredUser } from './user-record.ts';

const LOCAL = 'user';
const CENTRAL = 'central_user';
const KINDS = { local: LOCAL, central: CENTRAL };
/** What happens where a stored user cannot be read. */
const REMEDIES = {
  local: 'nobody can log in by it; create the user again',
  central: 'the next pull from the centre replaces it',
};

export class UserDirectory {
  readonly #documents: Documents;
  readonly #clock: Clock;
  readonly #hasher: PasswordHasher;
  readonly #readable: ReadableDocuments;
  readonly #lookups: Lookups<StoredUser | undefined>;
  readonly #listeners = new Set<() => void>();
  /** Changes run one after another, so that two of them cannot together remove the last administrator. */
  #changes: Promise<unknown> = Promise.resolve();
  /** Of the hashes of all users; undefined: to be looked up. */
  #costliest: Argon2Cost | undefined;

  constructor(
    documents: Documents,
    clock: Clock,
    hasher: PasswordHasher,
    cache_ms: number,
    log: Logger = silentLogger,
  ) {
    this.#documents = documents;
    this.#readable = new ReadableDocuments(documents, log);
    this.#clock = clock;
    this.#hasher = hasher;
    this.#lookups = new Lookups(clock, cache_ms, username => this.#read(username));
  }

  /** Calls back after a user was changed or removed. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The user as of at most `user_cache_ms` ago; undefined when there is none, or it is disabled. */
  async find(username: string): Promise<StoredUser | undefined> {
    const user = await this.#lookups.find(username);
    return user?.disabled ? undefined : user;
  }

  /**
   * The user with this name and password, or undefined. The work is the same for a name that does not exist or is
   * disabled: that of the costliest hash that any user has.
   */
  async authenticate(username: string, password: string): Promise<StoredUser | undefined> {
    const user = await this.#read(username);
    const is_right = await this.#hasher.verify(user?.password_hash, password, await this.#costliestHash());
    return is_right && !user?.disabled ? user : undefined;
  }

  /** Whether anybody has this name, disabled or not. */
  async knows(username: string): Promise<boolean> {
    return (await this.#read(username)) !== undefined;
  }

  /** Local and central ones by name; a central one that a local one hides is left out. */
  async list(): Promise<(StoredUser & { readonly shadows_central: boolean })[]> {
    const [local, central] = [await this.#list('local'), await this.#list('central')];
    const local_names = new Set(local.map(user => user.username));
    const central_names = new Set(central.map(user => user.username));
    return [...local, ...central.filter(user => !local_names.has(user.username))]
      .map(user => ({
        ...user,
        shadows_central: user.origin === 'local' && central_names.has(user.username),
      }))
      .sort((a, b) => (a.username < b.username ? -1 : 1));
  }

  /** Whether anybody can log in who may make users. */
  async hasAdministrator(except?: string): Promise<boolean> {
    const users = await this.list();
    return users.some(user => user.role === 'admin' && !user.disabled && user.username !== except);
  }

  /** CONFLICT when the name is taken. */
  async create(body: NewUserBody): Promise<StoredUser> {
    const password_hash = await this.#hasher.hash(body.password);
    return this.#inTurn(async () => {
      const known = await this.#read(body.username);
      if (known)
        throw new GatewayError(
          'CONFLICT',
          `There is already a user '${body.username}'${known.origin === 'central' ? ' at the centre' : ''}; choose another name`,
        );
      const user: StoredUser = {
        username: body.username,
        role: body.role,
        batteries: [...new Set(body.batteries ?? [])],
        created_ms: this.#clock.wallMs(),
        password_hash,
        ...(body.must_change_password && { must_change_password: true }),
        origin: 'local',
      };
      await this.#write(user);
      return user;
    });
  }

  /**
   * NOT_FOUND, or CONFLICT when it would leave no administrator or the user is the centre's.
   * `beforeWrite` is called with what the user will be.
   */
  async change(
    username: string,
    body: UserChangeBody,
    beforeWrite?: (user: StoredUser) => Promise<void>,
  ): Promise<{ before: StoredUser; user: StoredUser }> {
    const password_hash = body.password === undefined ? undefined : await this.#hasher.hash(body.password);
    return this.#inTurn(async () => {
      const before = await this.#localOne(username);
      const { must_change_password: due = false, disabled = false } = before;
      const user: StoredUser = {
        ...before,
        role: body.role ?? before.role,
        batteries: body.batteries ? [...new Set(body.batteries)] : before.batteries,
        disabled: body.disabled ?? disabled,
        // A new password that nobody calls provisional is a lasting one.
        must_change_password: body.must_change_password ?? (password_hash === undefined && due),
        ...(password_hash && { password_hash }),
      };
      if (before.role === 'admin' && (user.role !== 'admin' || user.disabled))
        await this.#needAnotherAdmin(username);
      await beforeWrite?.(user);
      await this.#write(user);
      return { before, user };
    });
  }

  /** Makes this name an administrator with this password, whether there was such a local user or not. */
  async makeAdministrator(username: string, password: string): Promise<StoredUser> {
    const changed = { role: 'admin', password, disabled: false, must_change_password: false } as const;
    if ((await this.#read(username))?.origin === 'local') return (await this.change(username, changed)).user;
    return this.create({ username, password, role: 'admin' });
  }

  /** NOT_FOUND, or CONFLICT when it is the last administrator or the user is the centre's. */
  delete(username: string): Promise<StoredUser> {
    return this.#inTurn(async () => {
      const user = await this.#localOne(username);
      if (user.role === 'admin') await this.#needAnotherAdmin(username);
      await this.#documents.delete(LOCAL, username);
      this.#changed();
      return user;
    });
  }

  /** Takes over the centre's users as they are now. Returns the names that differ from before. */
  replaceCentral(users: readonly CentralUser[]): Promise<string[]> {
    return this.#inTurn(async () => {
      const copies = await this.#documents.list(CENTRAL);
      const before = new Map(copies.map(({ id, body }) => [id, readUser('central', id, body)]));
      const changed: string[] = [];
      for (const user of users) {
        const known = before.get(user.username);
        before.delete(user.username);
        if (known && isSame(known, user)) continue;
        await this.#documents.put(CENTRAL, user.username, user);
        changed.push(user.username);
      }
      for (const username of before.keys()) {
        await this.#documents.delete(CENTRAL, username);
        changed.push(username);
      }
      if (changed.length > 0) this.#changed();
      return changed.sort();
    });
  }

  async #localOne(username: string): Promise<StoredUser> {
    const user = await this.#read(username);
    if (!user) throw new GatewayError('NOT_FOUND', `There is no user '${username}'`);
    if (user.origin === 'local') return user;
    throw new GatewayError(
      'CONFLICT',
      `'${username}' is a user of the centre: change it in the table users of the central database`,
    );
  }

  async #needAnotherAdmin(username: string): Promise<void> {
    if (await this.hasAdministrator(username)) return;
    throw new GatewayError(
      'CONFLICT',
      `'${username}' is the only administrator; make another user administrator first`,
    );
  }

  async #read(username: string): Promise<StoredUser | undefined> {
    // Both always: how long it takes must not reveal whether there is such a user.
    const [local, central] = await Promise.all([
      this.#get('local', username),
      this.#get('central', username),
    ]);
    return local ?? central;
  }

  #get(origin: StoredUser['origin'], username: string): Promise<StoredUser | undefined> {
    const read = (body: unknown) => readUser(origin, username, body);
    return this.#readable.get(KINDS[origin], username, read, REMEDIES[origin]);
  }

  #list(origin: StoredUser['origin']): Promise<StoredUser[]> {
    const read = (body: unknown, id: string) => readUser(origin, id, body);
    return this.#readable.list(KINDS[origin], read, REMEDIES[origin]);
  }

  async #costliestHash(): Promise<Argon2Cost> {
    if (this.#costliest) return this.#costliest;
    let costliest = this.#hasher.cost;
    for (const { password_hash } of [...(await this.#list('local')), ...(await this.#list('central'))]) {
      const cost = costOf(password_hash);
      if (cost && workOf(cost) > workOf(costliest)) costliest = cost;
    }
    this.#costliest = costliest;
    return costliest;
  }

  async #write({ origin: _, ...user }: StoredUser): Promise<void> {
    await this.#documents.put(LOCAL, user.username, user);
    this.#changed();
  }

  #changed(): void {
    this.#lookups.forget();
    this.#costliest = undefined;
    for (const listener of this.#listeners) listener();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#changes.then(work);
    this.#changes = result.catch(() => undefined);
    return result;
  }
}

/** What an administrator sees of a user: never the hash. */
export function userRecord(user: StoredUser & { readonly shadows_central?: boolean }): UserRecord {
  const { username, role, batteries, created_ms, origin, shadows_central = false } = user;
  const { disabled = false, must_change_password = false } = user;
  return {
    username,
    role,
    batteries,
    created_ms,
    origin,
    disabled,
    must_change_password,
    shadows_central,
  };
}

function isSame({ origin: _, ...known }: StoredUser, user: CentralUser): boolean {
  const inOrder = (one: object) => JSON.stringify(Object.entries(one).sort());
  return inOrder(known) === inOrder(user);
}

function readUser(origin: StoredUser['origin'], id: string, body: unknown): StoredUser | undefined {
  const is_readable = origin === 'central' ? isCentralUser(body) : isStoredRecord.Check(body);
  return is_readable && (body as StoredUser).username === id
    ? { ...(body as StoredUser), origin }
    : undefined;
}
