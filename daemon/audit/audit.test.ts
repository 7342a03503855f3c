/** What is kept of values, how refusals are bounded, what a start records of the configuration. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import type { AuditEntry } from '../../core/contract/access.ts';
import { MemoryDocuments } from '../server/testing/test-site.ts';
import { AuditLog } from './audit-log.ts';
import { recordStart } from './config-change.ts';
import { presentable } from './presentable.ts';

function open() {
  const clock = new ManualClock();
  const entries: AuditEntry[] = [];
  const store = {
    appendRecord: (_: unknown, __: number, record: object) => void entries.push(record as AuditEntry),
  };
  return { clock, entries, audit: new AuditLog(store, clock) };
}

test('whatever is recorded is bounded JSON that PostgreSQL can hold, and never throws', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 9, withBigInt: true, withDate: true, withMap: true }), value => {
      const text = JSON.stringify(presentable({ value })) ?? '';
      expect(text).not.toMatch(/\\u0000|\\ud[89a-f][0-9a-f]{2}/i);
    }),
  );
  const long = presentable({ text: 'x'.repeat(10_000), list: new Array(10_000).fill(1) });
  expect(JSON.stringify(long).length).toBeLessThan(2000);
  expect(presentable('a\0b\ud800')).toBe('a\ufffdb\ufffd');
});

test('secrets are hidden at any depth, whatever they are', () => {
  const secret = fc.oneof(fc.string({ minLength: 1 }), fc.integer(), fc.array(fc.string(), { minLength: 1 }));
  const name = fc.constantFrom('password', 'old_password', 'jwt_secret', 'token', 'database_url', 'code');
  fc.assert(
    fc.property(name, secret, fc.integer({ min: 0, max: 4 }), (key, value, depth) => {
      let nested: object = { [key]: value, role: 'user' };
      for (let i = 0; i < depth; i++) nested = { in: [nested] };
      expect(JSON.stringify(presentable(nested, 0))).toContain(
        depth > 2 ? '(deeper)' : `"${key}":"(hidden)"`,
      );
    }),
  );
  expect(presentable({ must_change_password: true, new_password: true })).toEqual({
    must_change_password: true,
    new_password: true,
  });
});

test('refusals beyond a number per minute are counted in one entry; what is done is never left out', () => {
  const { clock, entries, audit } = open();
  for (let i = 0; i < 1000; i++) {
    audit.record({ actor: null, action: 'login', outcome: 'refused' });
    if (i % 100 === 0) audit.record({ actor: 'ada', action: 'user.change' });
  }
  expect(entries.filter(({ outcome }) => outcome === 'refused')).toHaveLength(20);
  expect(entries.filter(({ outcome }) => outcome === 'done')).toHaveLength(10);
  clock.advance(60_000);
  expect(entries.at(-1)).toMatchObject({ action: 'refusals', new: { not_listed: 980 } });
  audit.record({ actor: null, action: 'login', outcome: 'refused' });
  expect(entries.at(-1)).toMatchObject({ action: 'login' });
  audit.stop();
  expect(clock.pendingTimers).toBe(0);
});

test('what anybody may do without end is listed so often an hour, then counted in one entry for each', () => {
  const { clock, entries, audit } = open();
  for (let i = 0; i < 1500; i++) {
    audit.record({ actor: 'una', action: 'export', target: `/api/packs/p${i}/history` });
    audit.record({ actor: 'mo', action: 'login', address: `203.0.113.${i % 250}` });
  }
  audit.record({ actor: 'ada', action: 'export' });
  expect(entries).toHaveLength(41);
  clock.advance(3_600_000);
  expect(entries.slice(41)).toMatchObject([
    {
      actor: 'una',
      action: 'export',
      outcome: 'done',
      target: 'more than is listed',
      new: { not_listed: 1480 },
    },
    {
      actor: 'mo',
      action: 'login',
      outcome: 'done',
      target: 'more than is listed',
      new: { not_listed: 1480 },
    },
  ]);
  for (let i = 0; i < 3000; i++)
    for (let j = 0; j < 30; j++) audit.record({ actor: `u${i}`, action: 'export' });
  expect(entries.length).toBeLessThan(43 + 20 * 1001 + 1);
  audit.stop();
  expect(entries.at(-1)).toMatchObject({ actor: 'system', action: 'export', new: { not_listed: 59_980 } });
  expect(clock.pendingTimers).toBe(0);
});

test('a start records what of the configuration has changed since the last one, old and new', async () => {
  const { entries, audit } = open();
  const documents = new MemoryDocuments();
  const start = (version: string, configuration: object) =>
    recordStart(audit, documents, { version, configuration });
  const first = { server: { port: 8080 }, upstream: { database_url: 'postgres://u:geheim@db/bms' } };
  await start('1.0.0', first);
  expect(entries.map(({ action }) => action)).toEqual(['gateway.start']);
  await start('1.0.0', first);
  expect(entries.map(({ action }) => action)).toEqual(['gateway.start', 'gateway.start']);
  await start('1.1.0', { server: { port: 80, host: '::' }, upstream: first.upstream });
  expect(entries.slice(2)).toMatchObject([
    { action: 'gateway.start', actor: 'system' },
    { action: 'gateway.upgrade', old: { version: '1.0.0' }, new: { version: '1.1.0' } },
    {
      action: 'configuration.change',
      old: { 'server.port': 8080 },
      new: { 'server.host': '::', 'server.port': 80 },
    },
  ]);
  expect(JSON.stringify([entries, await documents.list('audit')])).not.toContain('geheim');
});

test('of the address of a webhook only the host is kept, also of one that an earlier version kept whole', async () => {
  const { entries, audit } = open();
  const documents = new MemoryDocuments();
  const of = (url: string) => ({ notify: { receivers: [{ id: 'chat', type: 'webhook', url }] } });
  const start = (url: string) => recordStart(audit, documents, { version: '1.0.0', configuration: of(url) });
  await documents.put('audit', 'configuration', {
    version: '1.0.0',
    values: flatOf('https://chat.example/hooks/geheim'),
  });
  await start('https://chat.example/hooks/geheim');
  expect(entries.map(({ action }) => action)).toEqual(['gateway.start']);
  expect(JSON.stringify(await documents.list('audit'))).not.toContain('geheim');
  await start('https://user:geheim@other.example:8443/?key=geheim');
  expect(entries.at(-1)).toMatchObject({
    action: 'configuration.change',
    old: { 'notify.receivers.0.url': 'https://chat.example/(hidden)' },
    new: { 'notify.receivers.0.url': 'https://other.example:8443/(hidden)' },
  });
  await start('geheim, and no URL');
  expect(entries.at(-1)).toMatchObject({ new: { 'notify.receivers.0.url': '(hidden)' } });
  await start('http://192.0.2.7');
  expect(entries.at(-1)).toMatchObject({ new: { 'notify.receivers.0.url': 'http://192.0.2.7/' } });
  expect(JSON.stringify([entries, await documents.list('audit')])).not.toContain('geheim');
});

const flatOf = (url: string) => ({
  'notify.receivers.0.id': 'chat',
  'notify.receivers.0.type': 'webhook',
  'notify.receivers.0.url': url,
});
