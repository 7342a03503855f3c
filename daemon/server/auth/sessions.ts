/**
 * Every login is a session: a record that can be listed and ended, kept over restarts. This process alone writes
 * them, so the copy in memory is what counts; the documents are read once, at the start.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Clock } from '../../../core/clock/clock.ts';
import type { Documents } from '../../store/store.ts';
import type { StoredUser } from './user-record.ts';

export const SESSION_KIND = 'session';
const USER_AGENT_MAX = 200;
/** `seen_ms` is written at most this often: each write wears the card. */
const SEEN_EVERY_MS = 5 * 60_000;

const StoredSession = Type.Object({
  id: Type.String(),
  username: Type.String(),
  /** Of the password at login: a new one, or another user of the same name, ends the session. */
  password_marks: Type.Array(Type.String()),
  /** SHA-256 of the secret that renews its tokens. */
  renewal_hash: Type.String(),
  created_ms: Type.Number(),
  /** When the password was last given; absent: at the login. */
  confirmed_ms: Type.Optional(Type.Number()),
  expires_ms: Type.Number(),
  seen_ms: Type.Number(),
  address: Type.String(),
  user_agent: Type.String(),
});
export type StoredSession = Static<typeof StoredSession>;
const storedSession = Compile(StoredSession);

/** From where somebody asks. */
export interface Caller {
  readonly address: string;
  readonly user_agent: string;
}

export interface SessionLimits {
  readonly session_ms: number;
  /** More of one user: the one not seen for the longest time ends. */
  readonly per_user: number;
}

export class Sessions {
  readonly #documents: Documents;
  readonly #clock: Clock;
  readonly #limits: SessionLimits;
  readonly #sessions: Map<string, StoredSession>;
  readonly #written_ms = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  private constructor(
    documents: Documents,
    clock: Clock,
    limits: SessionLimits,
    sessions: Map<string, StoredSession>,
  ) {
    this.#documents = documents;
    this.#clock = clock;
    this.#limits = limits;
    this.#sessions = sessions;
  }

  /** What was open before a restart stays open. A record that cannot be read is removed: its user logs in again. */
  static async open(documents: Documents, clock: Clock, limits: SessionLimits): Promise<Sessions> {
    const known = new Map<string, StoredSession>();
    for (const { id, body } of await documents.list(SESSION_KIND)) {
      if (storedSession.Check(body) && body.id === id) known.set(id, body);
      else await documents.delete(SESSION_KIND, id);
    }
    const sessions = new Sessions(documents, clock, limits, known);
    await sessions.#removeExpired();
    return sessions;
  }

  /** Calls back after a session was ended. */
  onEnd(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The session, and the secret that renews its tokens. */
  async begin(user: StoredUser, caller: Caller): Promise<{ session: StoredSession; secret: string }> {
    await this.#removeExpired();
    await this.#makeRoom(user.username);
    const now_ms = this.#clock.wallMs();
    const secret = randomBytes(32).toString('base64url');
    const session: StoredSession = {
      id: randomBytes(12).toString('base64url'),
      username: user.username,
      password_marks: [passwordMark(user)],
      renewal_hash: sha256(secret),
      created_ms: now_ms,
      expires_ms: now_ms + this.#limits.session_ms,
      seen_ms: now_ms,
      address: caller.address,
      user_agent: caller.user_agent.slice(0, USER_AGENT_MAX),
    };
    await this.#put(session);
    return { session, secret };
  }

  find(id: string): StoredSession | undefined {
    const session = this.#sessions.get(id);
    return session && session.expires_ms > this.#clock.wallMs() ? session : undefined;
  }

  /** The session that this secret renews; undefined when it is not its secret. */
  findRenewable(id: string, secret: string): StoredSession | undefined {
    const session = this.find(id);
    const expected = Buffer.from(session?.renewal_hash ?? sha256(''));
    return timingSafeEqual(Buffer.from(sha256(secret)), expected) ? session : undefined;
  }

  /** Notes that it was used, and from where; written now and then. */
  async seen(session: StoredSession, address: string): Promise<void> {
    // Ended while its user was looked up: it stays ended.
    if (!this.#sessions.has(session.id)) return;
    const now_ms = this.#clock.wallMs();
    const changed = { ...session, seen_ms: now_ms, address };
    this.#sessions.set(session.id, changed);
    const due = (this.#written_ms.get(session.id) ?? 0) + SEEN_EVERY_MS <= now_ms;
    if (due) await this.#put(changed);
  }

  /** Before its user's own new password is written: this one session goes on with either. */
  async keepThrough(id: string, user: StoredUser): Promise<void> {
    const session = this.find(id);
    if (!session) return;
    const password_marks = [...session.password_marks.slice(-1), passwordMark(user)];
    await this.#put({ ...session, password_marks });
  }

  /** Its user has given the password once more. */
  async confirm(id: string): Promise<void> {
    const session = this.find(id);
    if (session) await this.#put({ ...session, confirmed_ms: this.#clock.wallMs() });
  }

  /** When the password was last given in this session; undefined where a clock that was set makes that a moment to come. */
  confirmedMs(id: string): number | undefined {
    const session = this.find(id);
    const confirmed_ms = session && (session.confirmed_ms ?? session.created_ms);
    return confirmed_ms !== undefined && confirmed_ms <= this.#clock.wallMs() ? confirmed_ms : undefined;
  }

  /** False when there is no such session. */
  async end(id: string): Promise<boolean> {
    if (!this.#sessions.delete(id)) return false;
    this.#written_ms.delete(id);
    for (const listener of this.#listeners) listener();
    await this.#documents.delete(SESSION_KIND, id);
    return true;
  }

  /** Those that have not ended by time, last seen first; of one user, or of all. */
  list(username?: string): StoredSession[] {
    const now_ms = this.#clock.wallMs();
    return [...this.#sessions.values()]
      .filter(session => session.expires_ms > now_ms && (username ?? session.username) === session.username)
      .sort((a, b) => b.seen_ms - a.seen_ms);
  }

  /** A disk that cannot be written keeps nobody out: the session then lasts until the next restart. */
  async #put(session: StoredSession): Promise<void> {
    this.#sessions.set(session.id, session);
    this.#written_ms.set(session.id, this.#clock.wallMs());
    await this.#documents.put(SESSION_KIND, session.id, session).catch(() => undefined);
  }

  async #removeExpired(): Promise<void> {
    const now_ms = this.#clock.wallMs();
    for (const { id, expires_ms } of [...this.#sessions.values()])
      if (expires_ms <= now_ms) await this.end(id);
  }

  async #makeRoom(username: string): Promise<void> {
    for (const { id } of this.list(username).slice(this.#limits.per_user - 1)) await this.end(id);
  }
}

/** Changes with the password: of the hash with its salt, from which nothing can be learned about it. */
export const passwordMark = (user: StoredUser) => sha256(user.password_hash).slice(0, 16);

/** For secrets of high entropy alone: fast, and so no match for a password. */
export const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');
