/** The set-up code: one code makes one administrator, and nobody else can. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { buildApp } from '../app.ts';
import {
  addTestUsers,
  CHEAP,
  MemoryDocuments,
  makeTestSite,
  PASSWORD,
  testOptions,
} from '../testing/test-site.ts';
import { PasswordHasher } from './passwords.ts';
import { Setup } from './setup.ts';
import { isSameCode, SETUP_CODE_FILE, SetupCodeFile } from './setup-code.ts';
import { UserDirectory } from './users.ts';

const DAY_MS = 86_400_000;
let state_dir: string;
beforeEach(async () => {
  state_dir = await mkdtemp(join(tmpdir(), 'bms-setup-'));
});
afterEach(() => rm(state_dir, { recursive: true, force: true }));

function open() {
  const clock = new ManualClock();
  const users = new UserDirectory(new MemoryDocuments(), clock, new PasswordHasher(CHEAP), 0);
  const file = new SetupCodeFile(state_dir, clock);
  return { clock, users, file, setup: new Setup(users, file, silentLogger) };
}

test('codes are compared whatever their case and dashes', () => {
  expect(isSameCode('ABCD efgh-2345', 'abcd-efgh-2345')).toBe(true);
  for (const other of ['', 'abcd-efgh-2346', 'abcd-efgh', 'abcd-efgh-2345x'])
    expect(isSameCode(other, 'abcd-efgh-2345')).toBe(false);
});

test('a first start makes a code that its own account alone can read, and keeps it over restarts', async () => {
  const { setup } = open();
  const made = await setup.prepare();
  expect(made?.code).toMatch(/^([a-hj-km-np-z2-9]{4}-){2}[a-hj-km-np-z2-9]{4}$/);
  expect((await stat(join(state_dir, SETUP_CODE_FILE))).mode & 0o077).toBe(0);
  expect(await open().setup.prepare()).toEqual(made);
});

test('of many who know the code at once, one becomes administrator', async () => {
  const { setup, users, file } = open();
  const { code } = (await setup.prepare())!;
  await expect(setup.redeem('abcd-efgh-2345', 'eve', PASSWORD)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const results = await Promise.allSettled(['a', 'b', 'c'].map(name => setup.redeem(code, name, PASSWORD)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect((await users.list()).map(user => [user.username, user.role])).toEqual([['a', 'admin']]);
  expect(await file.read()).toBeUndefined();
  expect(await setup.isOpen()).toBe(false);
});

test('a code expires after a day, and is renewed when somebody asks for it', async () => {
  const { setup, clock } = open();
  const first = (await setup.prepare())!;
  clock.advance(DAY_MS);
  await expect(setup.redeem(first.code, 'ada', PASSWORD)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect(await setup.isOpen()).toBe(true);
  const second = JSON.parse(await readFile(join(state_dir, SETUP_CODE_FILE), 'utf8'));
  expect(second.code).not.toBe(first.code);
  await expect(setup.redeem(first.code, 'ada', PASSWORD)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect(await setup.redeem(second.code, 'ada', PASSWORD)).toMatchObject({ role: 'admin' });
});

test('a code made by hand recovers a lost administrator, one time, under the old name or a new one', async () => {
  const { setup, users, file } = open();
  await users.create({ username: 'ada', password: PASSWORD, role: 'admin' });
  await users.create({ username: 'una', password: PASSWORD, role: 'user' });
  expect(await setup.prepare()).toBeUndefined();
  const { code } = await file.renew(true);
  expect(await setup.prepare()).toMatchObject({ code });
  expect(await setup.isOpen()).toBe(true);
  await setup.redeem(code, 'ada', 'recovered password');
  expect(await users.authenticate('ada', 'recovered password')).toMatchObject({ role: 'admin' });
  await expect(setup.redeem(code, 'una', PASSWORD)).rejects.toMatchObject({ code: 'FORBIDDEN' });
});

test('a code left over from before there was an administrator is removed at the start', async () => {
  const { setup, users, file } = open();
  await setup.prepare();
  await users.create({ username: 'ada', password: PASSWORD, role: 'admin' });
  expect(await setup.prepare()).toBeUndefined();
  expect(await file.read()).toBeUndefined();
});

test('a damaged file is no code, and is replaced', async () => {
  const { setup } = open();
  for (const text of ['', '{', '{"code":""}', '{"code":1,"expires_ms":9e15,"recovers":true}', 'null']) {
    await writeFile(join(state_dir, SETUP_CODE_FILE), text);
    expect((await setup.prepare())?.code).toHaveLength(14);
  }
});

test('over HTTP: the page learns that it is open, the code logs in, and guessing has to wait', async () => {
  const site = makeTestSite();
  const { app } = await buildApp(site.services, testOptions({ state_dir }));
  const isOpen = async () => (await app.inject({ url: '/api/auth/setup' })).json().open;
  const redeem = (code: string, remoteAddress: string) =>
    app.inject({
      method: 'POST',
      url: '/api/auth/setup',
      payload: { code, username: 'ada', password: PASSWORD },
      remoteAddress,
    });
  expect(await isOpen()).toBe(true);
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await redeem(`wrong-${i}`, '192.0.2.1')).statusCode);
  expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429]);
  // Others' failures keep nobody from it, nor do one's own at the box itself.
  for (let i = 0; i < 40; i++) await redeem(`wrong-${i}`, `203.0.113.${i % 8}`);
  for (let i = 0; i < 9; i++) expect((await redeem(`wrong-${i}`, '127.0.0.1')).statusCode).toBe(403);
  const { code } = JSON.parse(await readFile(join(state_dir, SETUP_CODE_FILE), 'utf8'));
  const reply = await redeem(code, '192.0.2.2');
  expect(reply.json()).toMatchObject({ user: { username: 'ada', role: 'admin' } });
  const headers = { authorization: `Bearer ${reply.json().token}` };
  expect((await app.inject({ url: '/api/admin/users', headers })).statusCode).toBe(200);
  expect(await isOpen()).toBe(false);
  expect((await redeem(code, '192.0.2.3')).statusCode).toBe(403);
  await app.close();
});

test('where there is an administrator nothing is open', async () => {
  const site = makeTestSite();
  await addTestUsers(site);
  const { app } = await buildApp(site.services, testOptions({ state_dir }));
  expect((await app.inject({ url: '/api/auth/setup' })).json()).toEqual({ open: false, first: false });
  await app.close();
});
