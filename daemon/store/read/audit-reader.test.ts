/** The audit table over real SQLite: in one commit with the log, in pages, never changed. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import type { AuditEntry } from '../../../core/contract/access.ts';
import { AuditLog } from '../../audit/audit-log.ts';
import { createSqliteStore, STORE_FILE } from '../sqlite-store.ts';
import type { AuditRequest, LogSource, Store } from '../store.ts';
import { smallTopology, storeOptions, temporaryDirectory } from '../testing/fixtures.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let store: Store & LogSource;
const clock = new ManualClock();

beforeEach(async () => {
  directory = temporaryDirectory();
  store = createSqliteStore(storeOptions(directory.path));
  await store.open(smallTopology(1));
});
afterEach(async () => {
  await store.close();
  directory.remove();
});

async function allPages(request: Omit<AuditRequest, 'limit'>, limit: number): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await store.audit({ ...request, limit, ...(cursor && { cursor }) });
    found.push(...page.entries);
    if (page.next === null) return found;
    expect(page.entries).toHaveLength(limit);
    cursor = page.next;
  }
}

test('pages of any size together are what was recorded, newest first, and only what was asked for', async () => {
  const audit = new AuditLog(store, clock);
  const recorded = fc.sample(
    fc.record({
      actor: fc.constantFrom('ada', 'key:plc', 'system', null),
      // Nothing of what is counted together once one actor does it often.
      action: fc.constantFrom('user.create', 'user.change', 'userx', 'key.create'),
      target: fc.string({ maxLength: 20, unit: 'binary' }),
    }),
    200,
  );
  const from_ms = clock.wallMs();
  for (const facts of recorded) {
    audit.record({ ...facts, old: { a: 1 }, new: null });
    clock.advance(1000);
  }
  await store.flush();
  const shown = (entries: AuditEntry[]) =>
    entries.map(({ actor, action, t_ms }) => ({ actor, action, t_ms }));
  const expected = recorded
    .map(({ actor, action }, i) => ({ actor, action, t_ms: from_ms + i * 1000 }))
    .reverse();
  for (const limit of [1, 7, 200, 201]) expect(shown(await allPages({}, limit))).toEqual(expected);
  expect(shown(await allPages({ actor: 'ada', action: 'user' }, 3))).toEqual(
    expected.filter(({ actor, action }) => actor === 'ada' && action.startsWith('user.')),
  );
  const span = { from_ms: from_ms + 50_000, to_ms: from_ms + 99_000 };
  expect(shown(await allPages(span, 20))).toEqual(
    expected.filter(({ t_ms }) => t_ms >= span.from_ms && t_ms <= span.to_ms),
  );
});

test('an entry cannot be changed, not even in the file', async () => {
  new AuditLog(store, clock).record({ actor: 'ada', action: 'login' });
  await store.flush();
  await store.close();
  const db = new Database(join(directory.path, STORE_FILE));
  expect(() => db.prepare("UPDATE audit SET actor = 'eve'").run()).toThrow('append-only');
  db.close();
});

test('too many refusals go, oldest first; what was done stays', async () => {
  await store.close();
  const db = new Database(join(directory.path, STORE_FILE));
  const insert = db.prepare(
    "INSERT INTO audit (t_ms, actor, action, outcome, body) VALUES (?, NULL, 'login', ?, '{}')",
  );
  db.transaction(() => {
    for (let i = 0; i < 20_010; i++) insert.run(i, i < 5 ? 'done' : 'refused');
  })();
  store = createSqliteStore(storeOptions(directory.path, { clock }));
  await store.open(smallTopology(1));
  clock.advance(60_000);
  await store.documents.put('test', 'barrier', 0);
  const rows = db
    .prepare(
      'SELECT outcome, count(*) AS rows, min(t_ms) AS oldest FROM audit GROUP BY outcome ORDER BY outcome',
    )
    .all();
  db.close();
  expect(rows).toEqual([
    { outcome: 'done', rows: 5, oldest: 0 },
    { outcome: 'refused', rows: 20_000, oldest: 10 },
  ]);
});
