/** Who is logged in. The session itself is a cookie that scripts cannot read. */
import { signal } from '@preact/signals';
import type {
  ConfirmBody,
  ConfirmReply,
  LoginBody,
  LoginReply,
  MeReply,
  PasswordBody,
  SetupBody,
  UserView,
} from '../../../core/contract/access.ts';
import { isAtLeast, type Role } from '../../../core/contract/roles.ts';
import { ApiError, request } from './client.ts';
import { confirming, wanted } from './confirmation.ts';
import { remembered } from './remembered.ts';

export interface Session {
  /** unknown: not asked yet. unreachable: asked, no answer. */
  readonly phase: 'unknown' | 'unreachable' | 'in' | 'out';
  readonly user: UserView | undefined;
  /** Was logged in, and the gateway ended it. */
  readonly has_expired: boolean;
  /** An administrator gave the password: nothing works before it is changed. */
  readonly must_change_password: boolean;
  /** A user of the centre, whose password is changed there. */
  readonly is_central: boolean;
}

const OUT = { user: undefined, has_expired: false, must_change_password: false, is_central: false } as const;
/** Whether there may be a session to renew (its secret is a cookie), so that no question is asked in vain. */
const renewable = remembered('session', ['no', 'yes'], 'no');
let renewal: Promise<LoginReply> | undefined;

export const session = signal<Session>({ ...OUT, phase: 'unknown' });

/** What the page offers; what is allowed the gateway decides. */
export function atLeast(role: Role): boolean {
  const { user } = session.value;
  return user !== undefined && isAtLeast(user.role, role);
}

export function isAdmin(): boolean {
  return atLeast('admin');
}

/** Asks the gateway who we are. A gateway that does not answer ends no session. */
export async function checkSession(): Promise<void> {
  try {
    enter(await renewing(() => request<MeReply>('/api/auth/me')));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return expire();
    if (session.value.phase !== 'in') {
      session.value = { ...OUT, phase: 'unreachable' };
    }
  }
}

/** Throws ApiError. */
export async function logIn(body: LoginBody): Promise<void> {
  began(await request<LoginReply>('/api/auth/login', { method: 'POST', body }));
}

/** Makes the first administrator, or recovers a lost one, by the set-up code. Throws ApiError. */
export async function setUp(body: SetupBody): Promise<void> {
  began(await request<LoginReply>('/api/auth/setup', { method: 'POST', body }));
}

/** After it only the new password counts; this session goes on. Throws ApiError. */
export async function changePassword(body: PasswordBody): Promise<void> {
  enter(await ask<MeReply>('/api/auth/password', { method: 'PUT', body }));
}

/** The password once more, and what waits for it goes on. Throws ApiError when it is wrong, or too many were. */
export async function confirmPassword(password: string): Promise<void> {
  const body: ConfirmBody = { password };
  await renewing(() => request<ConfirmReply>('/api/auth/confirm', { method: 'POST', body }));
  wanted.value?.done();
}

/** Throws ApiError while the gateway cannot end the session. */
export async function logOut(): Promise<void> {
  await request('/api/auth/logout', { method: 'POST' });
  renewable.value = 'no';
  session.value = { ...OUT, phase: 'out' };
}

/** As `request`, for pages behind the login: an ended session leads back to it. */
export async function ask<T>(path: string, options?: Parameters<typeof request>[1]): Promise<T> {
  try {
    return await confirming(() => renewing(() => request<T>(path, options)));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) expire();
    throw error;
  }
}

/** The gateway's tokens are short; while the session stands a new one is had without a word. */
async function renewing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const is_expired = error instanceof ApiError && error.status === 401;
    if (!is_expired || renewable.value === 'no') throw error;
  }
  renewal ??= request<LoginReply>('/api/auth/renew', { method: 'POST' }).finally(() => {
    renewal = undefined;
  });
  await renewal;
  return work();
}

function began(reply: LoginReply): void {
  renewable.value = 'yes';
  enter(reply);
}

function enter({ user, must_change_password = false, central = false }: MeReply): void {
  session.value = { phase: 'in', user, has_expired: false, must_change_password, is_central: central };
}

function expire(): void {
  renewable.value = 'no';
  session.value = { ...OUT, phase: 'out', has_expired: session.value.phase === 'in' };
}
