/** Who did what, on its way to a real PostgreSQL. */
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { AuditLog } from '../../daemon/audit/audit-log.ts';
import { CentralUsers } from '../../daemon/server/auth/central-users.ts';
import { PasswordHasher } from '../../daemon/server/auth/passwords.ts';
import { UserDirectory } from '../../daemon/server/auth/users.ts';
import { smallTopology } from '../../daemon/store/testing/fixtures.ts';
import { caughtUp, until, useCentre } from './harness.ts';

const centre = useCentre();
const query = (sql: string, database_url?: string) => centre.query(sql, database_url);
const openStore = () => centre.openLog(smallTopology(1));

test('audit entries arrive once, whatever stands in them', async () => {
  const store = await openStore();
  const audit = new AuditLog(store, systemClock);
  audit.record({
    actor: 'ada',
    action: 'user.change',
    target: 'una',
    old: { role: 'user' },
    new: { role: 'admin' },
  });
  audit.record({
    actor: null,
    action: 'login',
    outcome: 'refused',
    target: 'a\0b\ud800',
    address: '192.0.2.1',
  });
  audit.record({ actor: 'system', action: 'fault.add', new: { 'k\0': ['\udfff', 1e300, null] } });
  await store.flush();
  const first = centre.follow(store);
  await caughtUp(first, store);
  await first.stop();
  const upstream = centre.follow(store);
  audit.record({ actor: 'ada', action: 'logout' });
  await store.flush();
  await caughtUp(upstream, store);
  const rows = await query(
    `SELECT actor, address, action, outcome, target, old_value, new_value, abs(extract(epoch FROM now() - at)) < 600 AS now
     FROM audit_log WHERE gateway_id = 'gw' ORDER BY at, action DESC`,
  );
  const plain = {
    actor: null,
    address: null,
    outcome: 'done',
    target: null,
    old_value: null,
    new_value: null,
    now: true,
  };
  expect(rows).toHaveLength(4);
  expect(rows).toEqual(
    expect.arrayContaining([
      {
        ...plain,
        actor: 'ada',
        action: 'user.change',
        target: 'una',
        old_value: { role: 'user' },
        new_value: { role: 'admin' },
      },
      {
        ...plain,
        action: 'login',
        outcome: 'refused',
        target: 'a\ufffdb\ufffd',
        address: '192.0.2.1',
      },
      { ...plain, actor: 'system', action: 'fault.add', new_value: { 'k\ufffd': ['\ufffd', 1e300, null] } },
      { ...plain, actor: 'ada', action: 'logout' },
    ]),
  );
});

describe('users of the centre', () => {
  const PASSWORD = 'a password of the centre';
  /** The least that is taken from the centre. */
  const hasher = new PasswordHasher({ memory_kib: 12_288, passes: 1, lanes: 1 });
  const addUser = async (username: string, more: Record<string, string> = {}) => {
    const row = { username, password_hash: await hasher.hash(PASSWORD), role: 'user', ...more };
    const values = Object.values(row).map(value => `'${value}'`);
    await query(`INSERT INTO users (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`);
  };

  /** A gateway of one: store, users, and the pull between the two. */
  async function open(database_url = centre.url) {
    const store = await openStore();
    const users = new UserDirectory(store.documents, systemClock, hasher, 0);
    const central = new CentralUsers(users, new AuditLog(store, systemClock), silentLogger);
    let pulls = 0;
    const upstream = centre.follow(store, {
      database_url,
      users_interval_ms: 50,
      onUsers: async pulled => {
        const left_out = await central.accept(pulled);
        pulls++;
        return left_out;
      },
    });
    await caughtUp(upstream, store);
    const pulled = async () => {
      // One may be under way with what was before.
      const before = pulls;
      await until(() => pulls >= before + 2);
    };
    const names = async () => (await users.list()).map(user => `${user.username} ${user.origin}`);
    return { store, users, upstream, pulled, names };
  }

  test('log in here, are changed and removed there, and stay known while the centre is away', async () => {
    const { users, upstream, pulled, names, store } = await open();
    await addUser('cora', { role: 'admin' });
    await addUser('carl', { batteries: '{b1,gw/b2,other/b3}' });
    await addUser('cleo', { gateway_ids: '{other}' });
    await addUser('chad', { password_hash: 'plain text' });
    await pulled();
    expect(await names()).toEqual(['carl central', 'cora central']);
    expect(await users.authenticate('carl', PASSWORD)).toMatchObject({ batteries: ['b1', 'b2'] });
    expect(await users.hasAdministrator()).toBe(true);
    await expect(users.change('cora', { role: 'user' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(users.delete('cora')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(users.create({ username: 'cora', password: PASSWORD, role: 'user' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await query("UPDATE users SET disabled = true WHERE username = 'carl'");
    await pulled();
    expect(await users.authenticate('carl', PASSWORD)).toBeUndefined();
    await upstream.stop();
    expect(await users.authenticate('cora', PASSWORD)).toMatchObject({ origin: 'central', role: 'admin' });
    const { entries } = await store.audit({ action: 'user.pull', limit: 10 });
    const [newest, ...before] = entries.map(entry => (entry.new as { changed: string[] }).changed);
    expect(newest).toEqual(['carl']);
    // A pull may have come between the two.
    expect(before.flat().sort()).toEqual(['carl', 'cora']);
  });

  test('give way to a local user of the same name, and come back when that one is gone', async () => {
    const { users, pulled } = await open();
    await users.create({ username: 'una', password: 'a local password', role: 'admin' });
    await users.create({ username: 'ada', password: 'a local password', role: 'admin' });
    await addUser('una', { role: 'moderator' });
    await pulled();
    expect(await users.list()).toMatchObject([
      { username: 'ada', shadows_central: false },
      { username: 'una', origin: 'local', role: 'admin', shadows_central: true },
    ]);
    expect(await users.authenticate('una', PASSWORD)).toBeUndefined();
    await users.delete('una');
    expect(await users.authenticate('una', PASSWORD)).toMatchObject({ origin: 'central', role: 'moderator' });
    await query('DELETE FROM users');
    await pulled();
    expect(await users.find('una')).toBeUndefined();
  });

  test('and the audit log can be kept from gateways that only need to read and to add', async () => {
    await query(`CREATE ROLE narrow LOGIN PASSWORD 'narrow'; GRANT ALL ON SCHEMA public TO narrow`);
    const narrow = centre.urlAs('narrow');
    const { users, upstream, pulled, store } = await open(narrow);
    await query(`ALTER TABLE users OWNER TO CURRENT_USER; ALTER TABLE audit_log OWNER TO CURRENT_USER;
      REVOKE ALL ON users, audit_log FROM narrow; GRANT SELECT ON users TO narrow; GRANT INSERT ON audit_log TO narrow`);
    await addUser('cora', { role: 'admin' });
    await pulled();
    expect(await users.authenticate('cora', PASSWORD)).toMatchObject({ role: 'admin' });
    await store.flush();
    await caughtUp(upstream, store);
    expect(await query("SELECT actor FROM audit_log WHERE action = 'user.pull'")).toEqual([
      { actor: 'system' },
    ]);
    await expect(query("UPDATE users SET role = 'admin'", narrow)).rejects.toThrow('permission denied');
    await expect(query('DELETE FROM audit_log', narrow)).rejects.toThrow('permission denied');
    await query('REVOKE ALL ON users FROM narrow');
    await pulled();
    expect(await users.list()).toEqual([]);
    expect(upstream.status().state).toBe('ok');
  });
});
