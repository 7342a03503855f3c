/** For tests: everybody who may knock. Users by role, API keys by role, and tokens that are no longer any, or never were. */
import { decodeJwt, SignJWT } from 'jose';
import type { Role } from '../../../core/contract/roles.ts';
import type { ServerContext } from '../options.ts';
import { JWT_SECRET, PASSWORD, type TestSite, tokenOf } from './test-site.ts';

export const ROLES: Readonly<Record<Role, string>> = { user: 'una', moderator: 'mo', admin: 'ada' };

/** What may be wrong with a token; nothing: it is taken. */
interface Fault {
  readonly key?: string;
  readonly alg?: string;
  readonly iss?: string;
  readonly aud?: string;
  readonly age_s?: number;
  readonly sid?: string;
  readonly kid?: string;
  readonly sub?: string;
}

/** A token of `ada` made as ours are, with one thing wrong. */
export async function forged(context: ServerContext, site: TestSite, fault: Fault = {}): Promise<string> {
  const { sid } = decodeJwt<{ sid: string }>(await tokenOf(context, 'ada'));
  const now_s = Math.floor(site.clock.wallMs() / 1000) - (fault.age_s ?? 0);
  return new SignJWT({ sid: fault.sid ?? sid })
    .setProtectedHeader({ alg: fault.alg ?? 'HS256', kid: fault.kid ?? context.signing_keys.current.kid })
    .setIssuer(fault.iss ?? 'bms-gateway:test-gateway')
    .setAudience(fault.aud ?? 'bms-gateway-http')
    .setSubject(fault.sub ?? 'ada')
    .setIssuedAt(now_s)
    .setExpirationTime(now_s + 3600)
    .sign(new TextEncoder().encode(fault.key ?? JWT_SECRET));
}

/** By what is wrong with them. */
export async function badTokens(context: ServerContext, site: TestSite): Promise<Record<string, string>> {
  const wrong = (fault: Fault) => forged(context, site, fault);
  const [, payload] = (await wrong({})).split('.');
  const header = Buffer.from('{"alg":"none"}').toString('base64url');
  const { sid: ended } = decodeJwt<{ sid: string }>(await tokenOf(context, 'ada'));
  await context.sessions.end(ended);
  return {
    expired: await wrong({ age_s: 3601 }),
    'alg none': `${header}.${payload}.`,
    'wrong key': await wrong({ key: 'another secret of more than thirty-two characters' }),
    'wrong algorithm': await wrong({ alg: 'HS512' }),
    'of another gateway': await wrong({ iss: 'bms-gateway:other' }),
    'for another audience': await wrong({ aud: 'somebody' }),
    'of an ended session': await wrong({ sid: ended }),
    'of another user': await wrong({ sub: 'una' }),
    'of an unknown key': await wrong({ kid: 'other' }),
    ...(await revokedTokens(context, site)),
    nonsense: 'nonsense',
  };
}

async function revokedTokens(context: ServerContext, site: TestSite): Promise<Record<string, string>> {
  const { users, api_keys } = context;
  const tokenBefore = async (username: string, change: () => Promise<unknown>) => {
    await users.create({ username, password: PASSWORD, role: 'moderator' });
    const token = await tokenOf(context, username);
    await change();
    return token;
  };
  const now_ms = site.clock.wallMs();
  const revoked = await api_keys.create({ name: 'revoked', role: 'admin' }, 'ada');
  await api_keys.revoke(revoked.key.id);
  const expired = await api_keys.create({ name: 'expired', role: 'admin', expires_ms: now_ms + 1 }, 'ada');
  site.clock.advance(2);
  return {
    'of a deleted user': await tokenBefore('del', () => users.delete('del')),
    'of a disabled user': await tokenBefore('dis', () => users.change('dis', { disabled: true })),
    'from before a new password': await tokenBefore('pwd', () =>
      users.change('pwd', { password: `${PASSWORD}2` }),
    ),
    'a revoked API key': revoked.secret,
    'an expired API key': expired.secret,
    'an API key made up': `bms_00000000_${'A'.repeat(43)}`,
  };
}

/** An API key of each role; those below administrator see `north`, as the users do. */
export async function keysByRole({ api_keys }: ServerContext): Promise<Record<Role, string>> {
  const made = Object.keys(ROLES).map(async role => {
    const { secret } = await api_keys.create(
      { name: `of a ${role}`, role: role as Role, batteries: ['north'] },
      'ada',
    );
    return [role, secret] as const;
  });
  return Object.fromEntries(await Promise.all(made)) as Record<Role, string>;
}

/** A moderator who has to choose a new password first. */
export const PROVISIONAL = 'pia';
export async function addProvisional({ users }: ServerContext): Promise<void> {
  const username = PROVISIONAL;
  await users.create({ username, password: PASSWORD, role: 'moderator', must_change_password: true });
}
