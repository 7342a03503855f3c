/** Passwords, guessing, the first administrator, the signing secret, cookies and foreign pages. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { buildApp } from '../app.ts';
import {
  addTestUsers,
  CHEAP,
  MemoryDocuments,
  makeTestSite,
  PASSWORD,
  testOptions,
} from '../testing/test-site.ts';
import { ensureFirstAdministrator } from './first-administrator.ts';
import {
  ARGON2_COST,
  type Argon2Cost,
  costOf,
  generatePassword,
  isUsableHash,
  PasswordHasher,
  workOf,
} from './passwords.ts';
import { SigningKeys } from './signing-keys.ts';
import { UserDirectory } from './users.ts';

const hasher = new PasswordHasher(CHEAP);

describe('passwords', () => {
  test('verify what was hashed and nothing else', async () => {
    const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(text, text, async (password, other) => {
        const phc = await hasher.hash(password);
        expect(await hasher.verify(phc, password)).toBe(true);
        expect(await hasher.verify(phc, other)).toBe(other.normalize('NFC') === password.normalize('NFC'));
        expect(await hasher.verify(undefined, password)).toBe(false);
      }),
      { numRuns: runsOf(50) },
    );
  });

  test('are the argon2id of the reference implementation', async () => {
    // phc-winner-argon2, test.c: version 0x13, t=2, m=2^8, p=1, "password", "somesalt".
    const reference = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
    expect(await hasher.verify(reference, 'password')).toBe(true);
    expect(await hasher.verify(reference, 'Password')).toBe(false);
  });

  test('cost what the documentation says, each with its own salt', async () => {
    const costly = new PasswordHasher();
    const phc = await costly.hash(PASSWORD);
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(ARGON2_COST.memory_kib).toBeGreaterThanOrEqual(19_456);
    expect(await hasher.hash(PASSWORD)).not.toBe(await hasher.hash(PASSWORD));
    // A user keeps the hash of an older cost: it is read from the string.
    expect(await hasher.verify(phc, PASSWORD)).toBe(true);
  });

  test('a hash that is none is a corrupt record, not a wrong password', async () => {
    await expect(hasher.verify('$2b$10$abc', PASSWORD)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  test('made elsewhere are taken at a cost this box can afford, and only as argon2id', async () => {
    expect(isUsableHash(await new PasswordHasher().hash(PASSWORD))).toBe(true);
    const of = (cost: string) =>
      `$argon2id$v=19$${cost}$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4`;
    expect(isUsableHash(of('m=65536,t=4,p=4'))).toBe(true);
    expect(isUsableHash(of('m=12288,t=1,p=1'))).toBe(true);
    for (const cost of [
      'm=9999999,t=2,p=1',
      'm=65537,t=1,p=1',
      'm=12287,t=4,p=1',
      'm=65536,t=5,p=1',
      'm=19456,t=99,p=1',
      'm=19456,t=2,p=99',
      'm=8,t=1,p=4',
      'm=0,t=0,p=0',
    ])
      expect(isUsableHash(of(cost)), cost).toBe(false);
    for (const text of ['', 'plain text', '$2b$10$abc', of('').replace('argon2id', 'argon2i')])
      expect(isUsableHash(text)).toBe(false);
  });

  test('only so many wait for their turn', async () => {
    const narrow = new PasswordHasher(CHEAP, 1, 2);
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => narrow.hash(PASSWORD)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(await narrow.hash(PASSWORD)).toContain('$argon2id$');
  });

  test('made ones are readable and never the same', () => {
    const made = new Set(Array.from({ length: 100 }, generatePassword));
    expect(made.size).toBe(100);
    for (const password of made) expect(password).toMatch(/^([a-hj-km-np-z2-9]{4}-){4}[a-hj-km-np-z2-9]{4}$/);
  });
});

describe('the first administrator', () => {
  const clock = new ManualClock();
  const users = (documents: MemoryDocuments) => new UserDirectory(documents, clock, hasher, 0);

  test('is made with the given password, which changes nothing later', async () => {
    const documents = new MemoryDocuments();
    const ensure = (password?: string) => ensureFirstAdministrator(documents, clock, { password, hasher });
    expect(await ensure()).toBe('none');
    expect(await ensure(PASSWORD)).toBe('made');
    expect(await ensure(PASSWORD)).toBe('holds');
    expect(await ensure('another password')).toBe('other');
    expect(await ensure()).toBe('other');
    expect(await users(documents).authenticate('admin', PASSWORD)).toMatchObject({ role: 'admin' });
    expect(await users(documents).authenticate('admin', 'another password')).toBeUndefined();
  });

  test('is not made beside another administrator', async () => {
    const documents = new MemoryDocuments();
    await users(documents).create({ username: 'ada', password: PASSWORD, role: 'admin' });
    expect(await ensureFirstAdministrator(documents, clock, { password: PASSWORD, hasher })).toBe('other');
    expect(await users(documents).find('admin')).toBeUndefined();
  });
});

test('two changes at once cannot remove both administrators', async () => {
  const users = new UserDirectory(new MemoryDocuments(), new ManualClock(), hasher, 0);
  for (const username of ['a', 'b']) await users.create({ username, password: PASSWORD, role: 'admin' });
  const results = await Promise.allSettled([users.delete('a'), users.change('b', { role: 'user' })]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
});

describe('the signing keys', () => {
  const LIFE_MS = 3_600_000;
  const clock = new ManualClock();

  test('are made once, kept, and known after a restart', async () => {
    const documents = new MemoryDocuments();
    const { kid, key } = (await SigningKeys.open(documents, clock, undefined, LIFE_MS)).current;
    expect(key.length).toBe(32);
    const again = await SigningKeys.open(documents, clock, undefined, LIFE_MS);
    expect(Buffer.from(again.current.key).equals(Buffer.from(key))).toBe(true);
    expect(again.current.kid).toBe(kid);
  });

  test('that were replaced are accepted as long as their last token lives, over restarts too', async () => {
    const documents = new MemoryDocuments();
    const keys = await SigningKeys.open(documents, clock, undefined, LIFE_MS);
    const old = keys.current.kid;
    clock.advance(5 * LIFE_MS);
    await keys.rotate();
    expect(keys.current.kid).not.toBe(old);
    const reopened = await SigningKeys.open(documents, clock, undefined, LIFE_MS);
    for (const ring of [keys, reopened]) expect(ring.find(old)).toBeDefined();
    clock.advance(LIFE_MS);
    for (const ring of [keys, reopened]) {
      expect(ring.find(old)).toBeUndefined();
      expect(ring.accepted).toHaveLength(1);
    }
  });

  test('kept in the form of an earlier version are taken over', async () => {
    const documents = new MemoryDocuments();
    const key = Buffer.alloc(32, 7);
    await documents.put('secret', 'jwt', { key: key.toString('base64url') });
    const { current } = await SigningKeys.open(documents, clock, undefined, LIFE_MS);
    expect(Buffer.from(current.key).equals(key)).toBe(true);
  });

  test('are refused when given too short, made again when damaged; a given one is not rotated here', async () => {
    const documents = new MemoryDocuments();
    await expect(SigningKeys.open(documents, clock, 'short', LIFE_MS)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    const given = await SigningKeys.open(documents, clock, 'a secret long enough', LIFE_MS);
    await expect(given.rotate()).rejects.toMatchObject({ code: 'CONFLICT' });
    for (const kept of [{ key: 'abc' }, { keys: [] }, 'nonsense']) {
      await documents.put('secret', 'jwt', kept);
      const made = await SigningKeys.open(documents, clock, undefined, LIFE_MS);
      expect(made.current.key).toHaveLength(32);
      const again = await SigningKeys.open(documents, clock, undefined, LIFE_MS);
      expect(again.current).toEqual(made.current);
    }
  });
});

describe('logging in', () => {
  const open = async (options: Parameters<typeof testOptions>[0] = {}) => {
    const site = makeTestSite();
    await addTestUsers(site);
    const { app, context } = await buildApp(site.services, testOptions(options));
    const login = (username: string, password: string, remoteAddress = '192.0.2.1') =>
      app.inject({ method: 'POST', url: '/api/auth/login', payload: { username, password }, remoteAddress });
    return { site, app, context, login };
  };

  test('gives token and cookie; both are taken; the answer is the same for a wrong name or password', async () => {
    const { app, login } = await open();
    const reply = await login('una', PASSWORD);
    const { token, user } = reply.json();
    expect(user).toEqual({ username: 'una', role: 'user' });
    expect(reply.cookies).toMatchObject([
      { name: 'bms_session', value: token, httpOnly: true, sameSite: 'Strict', path: '/', maxAge: 43_200 },
    ]);
    for (const headers of [{ authorization: `Bearer ${token}` }, { cookie: `bms_session=${token}` }])
      expect((await app.inject({ url: '/api/auth/me', headers })).json()).toEqual({ user });
    const { instance: _, ...wrong_password } = (await login('una', 'wrong')).json();
    const { instance: __, ...wrong_name } = (await login('nobody', 'wrong')).json();
    expect(wrong_password).toEqual(wrong_name);
    expect(wrong_password.status).toBe(401);
    const out = await app.inject({ method: 'POST', url: '/api/auth/logout' });
    expect(out.cookies).toMatchObject([{ name: 'bms_session', value: '', maxAge: 0 }]);
  });

  test('guessing a name from an address has to wait, for a while, and others do not', async () => {
    const { site, context, login } = await open();
    for (let i = 0; i < 5; i++) expect((await login('una', 'wrong')).statusCode).toBe(401);
    expect((await login('ada', PASSWORD)).statusCode).toBe(200);
    const refused = await login('una', PASSWORD);
    expect(context.counters).toMatchObject({ logins_failed: 5, logins_delayed: 1 });
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('60');
    expect(refused.json()).toMatchObject({ code: 'RATE_LIMITED', detail: expect.stringContaining('60 s') });
    expect((await login('una', PASSWORD, '192.0.2.2')).statusCode).toBe(200);
    expect((await login('mo', PASSWORD)).statusCode).toBe(200);
    site.clock.advance(60_000);
    expect((await login('una', PASSWORD)).statusCode).toBe(200);
  });

  test('trying many names from one address has to wait as well; right passwords do not count', async () => {
    const { login } = await open();
    for (let i = 0; i < 40; i++) expect((await login('ada', PASSWORD)).statusCode).toBe(200);
    for (let i = 0; i < 30; i++) expect((await login(`name${i}`, 'wrong')).statusCode).toBe(401);
    expect((await login('name30', 'wrong')).statusCode).toBe(429);
  });

  test('a name guessed from many addresses leaves fewer guesses to each, and refuses no right password', async () => {
    const { site, login } = await open();
    for (let i = 0; i < 20; i++) expect((await login('una', 'wrong', `203.0.113.${i}`)).statusCode).toBe(401);
    expect((await login('una', PASSWORD, '203.0.113.100')).statusCode).toBe(200);
    const guesses = async (address: string) => {
      let taken = 0;
      while ((await login('una', 'wrong', address)).statusCode === 401) taken++;
      return taken;
    };
    expect(await guesses('203.0.113.200')).toBe(2);
    expect(await guesses('203.0.113.100')).toBe(5);
    expect((await login('una', PASSWORD, '203.0.113.201')).statusCode).toBe(200);
    expect((await login('mo', PASSWORD, '203.0.113.200')).statusCode).toBe(200);
    site.clock.advance(60_000);
    expect(await guesses('203.0.113.200')).toBe(5);
  });

  test('where somebody has an open session is home after a restart too, however the name is guessed', async () => {
    const { site, login } = await open();
    expect((await login('una', PASSWORD, '198.51.100.1')).statusCode).toBe(200);
    const { app } = await buildApp(site.services, testOptions());
    const again = (password: string, remoteAddress: string) =>
      app.inject({
        method: 'POST',
        url: '/api/auth/login',
        remoteAddress,
        payload: { username: 'una', password },
      });
    for (let i = 0; i < 20; i++) await again('wrong', `203.0.113.${i}`);
    for (let i = 0; i < 4; i++) expect((await again('wrong', '198.51.100.1')).statusCode).toBe(401);
    expect((await again(PASSWORD, '198.51.100.1')).statusCode).toBe(200);
  });

  test('whoever is asked for, known or not, disabled or not, the work is that of the costliest known hash', async () => {
    const work: (readonly [string, Argon2Cost])[] = [];
    class Counted extends PasswordHasher {
      override async verify(
        phc: string | undefined,
        password: string,
        costliest?: Argon2Cost,
      ): Promise<boolean> {
        work.push([phc === undefined ? 'nobody' : costOf(phc)!.memory_kib.toString(), costliest!]);
        return super.verify(phc, password, costliest);
      }
    }
    const documents = new MemoryDocuments();
    const users = new UserDirectory(documents, new ManualClock(), new Counted(CHEAP), 0);
    await users.create({ username: 'una', password: PASSWORD, role: 'user' });
    await users.create({ username: 'off', password: PASSWORD, role: 'user' });
    await users.change('off', { disabled: true });
    expect(await users.authenticate('nobody', PASSWORD)).toBeUndefined();
    const central = { memory_kib: 12_288, passes: 2, lanes: 1 };
    const password_hash = await new PasswordHasher(central).hash(PASSWORD);
    await users.replaceCentral([
      { username: 'cora', password_hash, role: 'user', batteries: [], disabled: false, created_ms: 0 },
    ]);
    for (const [name, password] of [
      ['una', 'wrong'],
      ['off', PASSWORD],
      ['nobody', PASSWORD],
      ['cora', 'wrong'],
    ] as const)
      expect(await users.authenticate(name, password)).toBeUndefined();
    expect(await users.authenticate('una', PASSWORD)).toMatchObject({ username: 'una' });
    await users.replaceCentral([]);
    await users.authenticate('nobody', PASSWORD);
    expect(work).toEqual([
      ['nobody', CHEAP],
      ['8', central],
      ['8', central],
      ['nobody', central],
      ['12288', central],
      ['8', central],
      ['nobody', CHEAP],
    ]);
  });

  test('what a cheap hash leaves of the work is done all the same', async () => {
    const done: number[] = [];
    class Counted extends PasswordHasher {
      protected override async derive(...args: Parameters<PasswordHasher['derive']>): Promise<Buffer> {
        done.push(workOf(args[3]));
        return super.derive(...args);
      }
    }
    const hasher = new Counted(CHEAP);
    const cost = { memory_kib: 64, passes: 3, lanes: 1 };
    const [cheap, dear] = [await hasher.hash(PASSWORD), await new PasswordHasher(cost).hash(PASSWORD)];
    const workFor = async (phc: string | undefined) => {
      done.length = 0;
      await hasher.verify(phc, 'wrong', cost);
      return done.reduce((sum, work) => sum + work, 0);
    };
    expect([await workFor(undefined), await workFor(cheap), await workFor(dear)]).toEqual([192, 200, 192]);
  });

  test('a session ends at its hour', async () => {
    const { site, app, login } = await open({ session_hours: 2 });
    const headers = { authorization: `Bearer ${(await login('una', PASSWORD)).json().token}` };
    const status = async () => (await app.inject({ url: '/api/auth/me', headers })).statusCode;
    site.clock.advance(2 * 3_600_000 - 1);
    expect(await status()).toBe(200);
    site.clock.advance(1);
    expect(await status()).toBe(401);
  });

  test('a change by cookie needs our own page; by token a page of another origin is still refused', async () => {
    const { app, login } = await open();
    const { token } = (await login('ada', PASSWORD)).json();
    const host = 'gateway.lan:8080';
    const own = `http://${host}`;
    const put = async (headers: Record<string, string>) => {
      const payload = { rules: {} };
      return (
        await app.inject({
          method: 'PUT',
          url: '/api/admin/settings',
          headers: { host, ...headers },
          payload,
        })
      ).statusCode;
    };
    const cookie = `bms_session=${token}`;
    expect(await put({ cookie })).toBe(403);
    expect(await put({ cookie, origin: 'http://evil.example' })).toBe(403);
    expect(await put({ cookie, origin: 'null' })).toBe(403);
    expect(await put({ cookie, origin: own, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await put({ cookie, 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await put({ cookie, origin: own })).toBe(200);
    expect(await put({ cookie, origin: own, 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await put({ cookie, 'sec-fetch-site': 'same-origin' })).toBe(200);
    const authorization = `Bearer ${token}`;
    expect(await put({ authorization })).toBe(200);
    expect(await put({ authorization, origin: 'http://evil.example' })).toBe(403);
    expect(await put({ authorization: 'Basic YTpi', cookie, origin: own })).toBe(401);
  });
});
