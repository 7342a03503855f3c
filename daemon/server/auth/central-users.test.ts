/** Whatever the centre sends as users, or has left here as copies of them: what is sound is taken, nothing fails. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import type { Logger } from '../../../core/log.ts';
import { silentLogger } from '../../../core/log.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import type { CentralRow } from '../../upstream/central-users.ts';
import { buildApp } from '../app.ts';
import { addTestUsers, CHEAP, makeTestSite, testOptions, tokenOf } from '../testing/test-site.ts';
import { CentralUsers } from './central-users.ts';
import { ensureFirstAdministrator } from './first-administrator.ts';
import { PasswordHasher } from './passwords.ts';
import { UserDirectory } from './users.ts';

const HASH = '$argon2id$v=19$m=12288,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
const sound: CentralRow = {
  username: 'cora',
  password_hash: HASH,
  role: 'admin',
  batteries: ['b1'],
  disabled: false,
  created_ms: 1,
};

function collector(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    ...silentLogger,
    lines,
    warn: (fields: object, text: string) => void lines.push(`${text} ${JSON.stringify(fields)}`),
  };
}

async function centre(log: Logger = silentLogger) {
  const site = await makeTestSite();
  const users = new UserDirectory(site.documents, site.clock, new PasswordHasher(CHEAP), 0, log);
  return { site, users, central: new CentralUsers(users, site.services.audit, log) };
}

/** Each of a row's fields, wrong in every way a database can have it. */
const WRONG: readonly Partial<Record<keyof CentralRow, unknown>>[] = [
  ...[null, '', 'key:x', 'Cora', 'a'.repeat(33), 'x\ny'].map(username => ({ username })),
  ...[null, '', 'plain', HASH.replace('m=12288', 'm=8'), HASH.replace('t=1', 't=5')].map(password_hash => ({
    password_hash,
  })),
  ...[null, '', 'superadmin', 3].map(role => ({ role })),
  ...[null, [null], [['b1']], [3], 'b1', [''], ['b'.repeat(101)], Array(1001).fill('b')].map(batteries => ({
    batteries,
  })),
  ...[null, 'no'].map(disabled => ({ disabled })),
  ...[null, Number.POSITIVE_INFINITY, Number.NaN, 'now'].map(created_ms => ({ created_ms })),
];

test.each(WRONG)('a row with %j is left out and logged once; the others are taken', async wrong => {
  const log = collector();
  const { users, central } = await centre(log);
  const bad = { ...sound, username: 'bad', ...wrong } as CentralRow;
  for (let pull = 0; pull < 3; pull++)
    expect(await central.accept({ rows: [bad, sound], beyond: 0 })).toBe(1);
  expect((await users.list()).map(user => user.username)).toEqual(['cora']);
  expect(log.lines).toHaveLength(1);
  expect(log.lines[0]).toContain(
    Object.keys(wrong)[0] === 'created_ms' ? 'created_at' : Object.keys(wrong)[0],
  );
  expect(await central.accept({ rows: [sound], beyond: 0 })).toBe(0);
  expect(await central.accept({ rows: [sound], beyond: 7 })).toBe(7);
});

test('rows of any make neither throw nor spoil what can be read afterwards', async () => {
  const { users, central } = await centre();
  const anything = fc.oneof(fc.anything(), fc.constantFrom(null, 'cora', HASH, 'admin', false, 1, ['b1']));
  const row = fc.record(Object.fromEntries(Object.keys(sound).map(key => [key, anything])));
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 5 }), async rows => {
      const left_out = await central.accept({ rows: rows as unknown as CentralRow[], beyond: 0 });
      expect(await users.list()).toHaveLength(rows.length - left_out);
    }),
    { numRuns: runsOf(200) },
  );
});

test('copies that cannot be read stop neither the start nor the administrator, and the next pull replaces them', async () => {
  const site = await makeTestSite();
  await addTestUsers(site);
  const { documents } = site;
  await documents.put('central_user', 'key:x', { ...sound, username: 'key:x', role: 'superadmin' });
  await documents.put('central_user', 'cora', { ...sound, batteries: [null] });
  await documents.put('central_user', 'carl', sound);
  await documents.put('central_user', 'cleo', 'no record at all');
  await documents.put('user', 'broken', { username: 'broken' });
  expect(await ensureFirstAdministrator(documents, new ManualClock(), {})).toBe('other');
  const { app, context } = await buildApp(site.services, testOptions());
  try {
    const headers = { authorization: `Bearer ${await tokenOf(context, 'ada')}` };
    const names = async () => {
      const reply = await app.inject({ url: '/api/admin/users', headers });
      expect(reply.statusCode).toBe(200);
      return reply.json().users.map((user: { username: string }) => user.username);
    };
    expect(await names()).toEqual(['ada', 'mo', 'una']);
    expect((await app.inject({ url: '/api/auth/setup' })).statusCode).toBe(200);
    for (const username of ['cora', 'broken', 'key:x']) {
      const reply = await app.inject({
        method: 'POST',
        url: '/api/auth/login',
        payload: { username, password: 'a wrong one' },
      });
      expect(reply.statusCode).toBe(401);
    }
    await context.central_users.accept({ rows: [sound], beyond: 0 });
    expect(await names()).toEqual(['ada', 'cora', 'mo', 'una']);
    expect((await documents.list('central_user')).map(({ id }) => id)).toEqual(['cora']);
  } finally {
    await app.close();
  }
});
