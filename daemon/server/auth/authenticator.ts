/** Who a token belongs to, now: session tokens and API keys, and what ends them. */
import type { Clock } from '../../../core/clock/clock.ts';
import { Viewer } from './access.ts';
import { type ApiKeys, isApiKey, type StoredKey } from './api-keys.ts';
import { type Caller, passwordMark, type Sessions, type StoredSession } from './sessions.ts';
import { loggedOut, type Tokens } from './tokens.ts';
import type { StoredUser } from './user-record.ts';
import type { UserDirectory } from './users.ts';

/** What a login or renewal gives. */
export interface Login {
  readonly user: StoredUser;
  readonly session: StoredSession;
  readonly token: string;
  readonly expires_ms: number;
}

export class Authenticator {
  readonly #clock: Clock;
  readonly #users: UserDirectory;
  readonly #sessions: Sessions;
  readonly #keys: ApiKeys;
  readonly #tokens: Tokens;
  readonly #page_token_ms: number;

  constructor(parts: {
    readonly clock: Clock;
    readonly users: UserDirectory;
    readonly sessions: Sessions;
    readonly keys: ApiKeys;
    readonly tokens: Tokens;
    /** How long a token of the page lasts; it is renewed while the session stands. */
    readonly page_token_ms: number;
  }) {
    this.#clock = parts.clock;
    this.#users = parts.users;
    this.#sessions = parts.sessions;
    this.#keys = parts.keys;
    this.#tokens = parts.tokens;
    this.#page_token_ms = parts.page_token_ms;
    this.#users.onChange(() => void this.endStale().catch(() => undefined));
  }

  /** Ends sessions that a change of their user has made worthless, so that no list shows them as open. */
  async endStale(): Promise<void> {
    for (const session of this.#sessions.list())
      if (!(await this.#userOf(session))) await this.#sessions.end(session.id);
  }

  /** Calls back when somebody's access may have changed or ended. Returns the function that ends it. */
  onChange(listener: () => void): () => void {
    const endings = [
      this.#users.onChange(listener),
      this.#sessions.onEnd(listener),
      this.#keys.onRevoke(listener),
    ];
    return () => {
      for (const end of endings) end();
    };
  }

  /**
   * A new session. A program gets a token for the whole of it, because it has no cookie to renew one with; the
   * page a short one. `renewal` renews it: `<session id>.<secret>`.
   */
  async begin(
    user: StoredUser,
    caller: Caller,
    by: 'page' | 'program',
  ): Promise<Login & { readonly renewal: string }> {
    const { session, secret } = await this.#sessions.begin(user, caller);
    const login = await this.#login(user, session, by === 'page');
    return { ...login, renewal: `${session.id}.${secret}` };
  }

  /** A fresh short token of a standing session; UNAUTHENTICATED when there is none. */
  async renew(renewal: string, address: string): Promise<Login> {
    const [id = '', secret = ''] = renewal.split('.', 2);
    const session = this.#sessions.findRenewable(id, secret);
    const user = session && (await this.#userOf(session));
    if (!session || !user) throw loggedOut('This session has ended');
    await this.#sessions.seen(session, address);
    return this.#login(user, session, true);
  }

  /** The renewal secret's session, to end it where its token has expired already. */
  sessionOfRenewal(renewal: string): string | undefined {
    const [id = '', secret = ''] = renewal.split('.', 2);
    return this.#sessions.findRenewable(id, secret)?.id;
  }

  /** UNAUTHENTICATED when the token is forged, expired or revoked, or its user is gone or has a new password. */
  async viewer(token: string, address: string): Promise<Viewer> {
    if (isApiKey(token)) return keyViewer(await this.#keys.verify(token, address));
    const { session_id, username } = await this.#tokens.verify(token);
    const session = this.#sessions.find(session_id);
    const user = session && (await this.#userOf(session));
    if (!session || !user || session.username !== username) throw loggedOut('This session was ended');
    await this.#sessions.seen(session, address);
    return sessionViewer(user, session);
  }

  /** The same viewer as it stands now; undefined when it is no longer logged in. */
  async review({ credential: { kind, id } }: Viewer): Promise<Viewer | undefined> {
    if (kind === 'api_key') {
      const key = this.#keys.find(id);
      return key && keyViewer(key);
    }
    const session = this.#sessions.find(id);
    const user = session && (await this.#userOf(session));
    return session && user ? sessionViewer(user, session) : undefined;
  }

  async #login(user: StoredUser, session: StoredSession, is_short: boolean): Promise<Login> {
    const soon_ms = this.#clock.wallMs() + this.#page_token_ms;
    const expires_ms = is_short ? Math.min(soon_ms, session.expires_ms) : session.expires_ms;
    const claims = { username: user.username, session_id: session.id };
    return { user, session, expires_ms, token: await this.#tokens.issue(claims, expires_ms) };
  }

  /** Undefined when it is gone, disabled, or has another password than at login. */
  async #userOf(session: StoredSession): Promise<StoredUser | undefined> {
    const user = await this.#users.find(session.username);
    return user && session.password_marks.includes(passwordMark(user)) ? user : undefined;
  }
}

function sessionViewer(user: StoredUser, { id, expires_ms }: StoredSession): Viewer {
  return new Viewer({
    user: { username: user.username, role: user.role },
    batteries: user.batteries,
    credential: { kind: 'session', id },
    expires_wall_ms: expires_ms,
    must_change_password: user.must_change_password ?? false,
    is_central: user.origin === 'central',
  });
}

/** A colon cannot stand in a user's name: nobody is mistaken for a key. */
function keyViewer({ id, name, role, batteries, expires_ms }: StoredKey): Viewer {
  return new Viewer({
    user: { username: `key:${name}`, role },
    batteries,
    credential: { kind: 'api_key', id },
    expires_wall_ms: expires_ms ?? Number.POSITIVE_INFINITY,
    must_change_password: false,
    is_central: false,
  });
}
