/** Who is logged in. The session itself is a cookie that scripts cannot read. */
import { signal } from '@preact/signals';
import type { LoginBody, LoginReply, MeReply, UserView } from '../../../core/contract/http.ts';
import { ApiError, request } from './client.ts';

export interface Session {
  /** unknown: not asked yet. unreachable: asked, no answer. */
  readonly phase: 'unknown' | 'unreachable' | 'in' | 'out';
  readonly user: UserView | undefined;
  /** Was logged in, and the gateway ended it. */
  readonly has_expired: boolean;
}

export const session = signal<Session>({ phase: 'unknown', user: undefined, has_expired: false });

export function isAdmin(): boolean {
  return session.value.user?.role === 'admin';
}

/** Asks the gateway who we are. A gateway that does not answer ends no session. */
export async function checkSession(): Promise<void> {
  try {
    const { user } = await request<MeReply>('/api/auth/me');
    session.value = { phase: 'in', user, has_expired: false };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return expire();
    if (session.value.phase !== 'in') {
      session.value = { phase: 'unreachable', user: undefined, has_expired: false };
    }
  }
}

/** Throws ApiError. */
export async function logIn(body: LoginBody): Promise<void> {
  const { user } = await request<LoginReply>('/api/auth/login', { method: 'POST', body });
  session.value = { phase: 'in', user, has_expired: false };
}

/** Throws ApiError while the gateway cannot end the session. */
export async function logOut(): Promise<void> {
  await request('/api/auth/logout', { method: 'POST' });
  session.value = { phase: 'out', user: undefined, has_expired: false };
}

/** As `request`, for pages behind the login: an ended session leads back to it. */
export async function ask<T>(path: string, options?: Parameters<typeof request>[1]): Promise<T> {
  try {
    return await request<T>(path, options);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) expire();
    throw error;
  }
}

function expire(): void {
  session.value = { phase: 'out', user: undefined, has_expired: session.value.phase === 'in' };
}
