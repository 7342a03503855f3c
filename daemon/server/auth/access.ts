/** Who may do what: routes name an `Access`. What a viewer may see stands in visible.ts. */
import type { UserView } from '../../../core/contract/access.ts';
import { isAtLeast, ROLES, type Role } from '../../../core/contract/roles.ts';
import { GatewayError } from '../../../core/errors.ts';

/**
 * Who a route is for. `account`: as `login`, also while a new password is due. `login_or_local`: without login
 * only from this machine itself.
 */
export type Access = 'public' | 'account' | 'login' | 'login_or_local' | Role;

/** What a viewer came with: a session of a user, or an API key. */
export interface Credential {
  readonly kind: 'session' | 'api_key';
  readonly id: string;
}

export interface ViewerFacts {
  readonly user: UserView;
  readonly batteries: readonly string[];
  readonly credential: Credential;
  /** When the session or the key ends, whatever happens. */
  readonly expires_wall_ms: number;
  readonly must_change_password: boolean;
  /** A user of the centre. */
  readonly is_central: boolean;
}

/** A person or program that is logged in, with what it may see. */
export class Viewer {
  readonly user: UserView;
  readonly credential: Credential;
  readonly expires_wall_ms: number;
  readonly must_change_password: boolean;
  readonly is_central: boolean;
  /** Batteries it may see; undefined: all. */
  readonly batteries: ReadonlySet<string> | undefined;
  /** Whether alerts of the gateway itself are its business. */
  readonly sees_gateway: boolean;
  /** The same for all viewers who see the same batteries: what is made for one of them serves all. */
  readonly scope: string;

  constructor(facts: ViewerFacts) {
    const { user, batteries, credential, expires_wall_ms, must_change_password, is_central } = facts;
    this.user = user;
    this.credential = credential;
    this.expires_wall_ms = expires_wall_ms;
    this.must_change_password = must_change_password;
    this.is_central = is_central;
    this.batteries = user.role === 'admin' ? undefined : new Set(batteries);
    this.sees_gateway = this.atLeast('moderator');
    this.scope = this.batteries ? JSON.stringify([...this.batteries].sort()) : 'all';
  }

  /** Null: the gateway itself. */
  sees(battery_id: string | null): boolean {
    if (battery_id === null) return this.sees_gateway;
    return this.batteries === undefined || this.batteries.has(battery_id);
  }

  atLeast(role: Role): boolean {
    return isAtLeast(this.user.role, role);
  }
}

/** UNAUTHENTICATED or FORBIDDEN unless the viewer may use a route of this access. */
export function requireAccess(access: Access, viewer: Viewer | undefined, local: boolean): void {
  if (access === 'public' || (access === 'login_or_local' && local)) return;
  if (!viewer)
    throw new GatewayError(
      'UNAUTHENTICATED',
      'Log in first: POST /api/auth/login, then send the cookie or `Authorization: Bearer <token>`',
    );
  if (viewer.must_change_password && access !== 'account')
    throw new GatewayError(
      'FORBIDDEN',
      'This password was given by an administrator: choose your own first, PUT /api/auth/password',
    );
  const needed = ROLES.find(role => role === access);
  if (needed && !viewer.atLeast(needed))
    throw new GatewayError(
      'FORBIDDEN',
      `This needs the role ${access}; '${viewer.user.username}' has the role ${viewer.user.role}`,
    );
}
