/** The store over real SQLite files: what was acknowledged stays, in order, whatever happens. */
import { spawn } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { PackMetric } from '../../core/metrics.ts';
import { ReadingDecoder } from '../../core/reading/codec.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { readMigrations, SQLITE_MIGRATIONS } from './file/migration-files.ts';
import { createSqliteStore, STORE_FILE } from './sqlite-store.ts';
import type { SqliteStoreOptions } from './sqlite-store-options.ts';
import { type LogBatch, LogKind, type LogSource, type Store } from './store.ts';
import {
  historyOf,
  numberedReading,
  smallTopology,
  someAlert,
  storeOptions,
  temporaryDirectory,
} from './testing/fixtures.ts';

const T0 = Date.UTC(2026, 0, 1);
const SPAN_ROWS = 512;
const topology = smallTopology(3);
let directory: ReturnType<typeof temporaryDirectory>;
let open: (Store & LogSource)[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(async () => {
  await Promise.all(open.map(store => store.close()));
  open = [];
  directory.remove();
});

async function openStore(more: Partial<SqliteStoreOptions> = {}, fleet: Topology = topology) {
  const store = createSqliteStore(storeOptions(directory.path, more));
  open.push(store);
  await store.open(fleet);
  return store;
}

/** The `n` of each numberedReading in a batch. */
function numbers(batch: LogBatch): number[] {
  const decoder = new ReadingDecoder();
  const found: number[] = [];
  for (let i = 0; i < batch.count; i++) {
    if (batch.kind[i] !== LogKind.reading) continue;
    const start = i === 0 ? 0 : batch.end[i - 1];
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset);
    const reading = decoder.decode(view, start, batch.end[i] - start);
    if (typeof reading === 'number') throw new Error(`row ${batch.seq[i]}: fault ${reading}`);
    found.push(Math.round(reading.values[PackMetric.voltage_v] * 100));
  }
  return found;
}

test('when alerts were raised, cleared and acknowledged is found by its span, and what else changed is not', async () => {
  const store = await openStore();
  const raised = { ...someAlert('a1', T0), change: 'raised' as const };
  store.appendAlert(raised);
  store.appendAlert({ ...raised, change: 'noted', changed_ms: T0 + 1 });
  store.appendAlert({ ...raised, change: 'acknowledged', changed_ms: T0 + 2 });
  store.appendAlert({ ...someAlert('a1', T0, T0 + 3), change: 'cleared' });
  await store.flush();
  const all = await store.alertEvents({ from_ms: T0, to_ms: T0 + 4, limit: 10 });
  expect(all.map(({ change, t_ms }) => [change, t_ms - T0])).toEqual([
    ['raised', 0],
    ['acknowledged', 2],
    ['cleared', 3],
  ]);
  expect(all[0]).toMatchObject({ alert_id: 'a1', pack_id: 'p01', severity: 'critical' });
  expect(await store.alertEvents({ from_ms: T0, to_ms: T0 + 3, limit: 1 })).toMatchObject([
    { change: 'acknowledged' },
  ]);
});

test('appended readings come back in order, under one growing sequence, with their pack', async () => {
  const store = await openStore();
  for (let n = 0; n < 50; n++) store.append(numberedReading(topology, n % 3, n, T0 + n));
  await store.flush();
  const batch = await store.readBatch(0, 1000, 1 << 20);
  expect(numbers(batch)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  expect([...batch.seq]).toEqual(Array.from({ length: 51 }, (_, i) => i + 1));
  expect(batch.kind[0]).toBe(LogKind.topology);
  expect(JSON.parse(Buffer.from(batch.bytes.subarray(0, batch.end[0])).toString())).toEqual(topology);
  expect(store.packId(batch.pack_key[2])).toBe('p02');
  expect(store.stats()).toMatchObject({
    durable_seq: 51,
    first_seq: 2,
    readings_appended: 50,
    readings_committed: 50,
    readings_dropped: 0,
    queue_bytes: 0,
    fault: undefined,
  });
});

test('a batch is bounded in rows and bytes, but never empty while rows are left', async () => {
  const store = await openStore();
  for (let n = 0; n < 20; n++) store.append(numberedReading(topology, 0, n, T0 + n));
  await store.flush();
  expect((await store.readBatch(1, 7, 1 << 20)).count).toBe(7);
  expect((await store.readBatch(1, 7, 1)).count).toBe(1);
  expect((await store.readBatch(21, 7, 1)).count).toBe(0);
});

test('reopened, the log goes on: same incarnation, same pack keys, no topology row without a change', async () => {
  const first = await openStore();
  first.append(numberedReading(topology, 1, 1, T0));
  await first.close();
  const second = await openStore();
  second.append(numberedReading(topology, 1, 2, T0 + 1));
  await second.flush();
  expect(second.incarnation).toBe(first.incarnation);
  const batch = await second.readBatch(0, 100, 1 << 20);
  expect([...batch.kind]).toEqual([LogKind.topology, LogKind.reading, LogKind.reading]);
  expect(batch.pack_key[1]).toBe(batch.pack_key[2]);
  await second.close();
  const third = await openStore({}, smallTopology(4));
  expect(third.durableSeq()).toBe(4);
});

test('a commit follows within the interval of the first append, without flush', async () => {
  const clock = new ManualClock();
  const store = await openStore({ clock, commit_interval_ms: 1000 });
  const durable = new Promise<void>(resolve => store.onDurable(resolve));
  store.append(numberedReading(topology, 0, 1, T0));
  clock.advance(999);
  expect(store.stats().queue_bytes).toBeGreaterThan(0);
  clock.advance(1);
  await durable;
  expect(store.stats()).toMatchObject({ readings_committed: 1, queue_bytes: 0, commits: 1 });
});

test('killed at any moment, it has every row it acknowledged, whole and in order', async () => {
  const script = fileURLToPath(new URL('./testing/crash-child.ts', import.meta.url));
  for (const lines_before_kill of [1, 40]) {
    const child = spawn(process.execPath, [script, directory.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise(resolve => child.once('exit', resolve));
    let acknowledged = 0;
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (++lines >= lines_before_kill) child.kill('SIGKILL');
    }
    await ended;
    const store = await openStore({}, smallTopology(4));
    expect(acknowledged).toBeGreaterThan(0);
    expect(store.durableSeq()).toBeGreaterThanOrEqual(acknowledged);
    const batch = await store.readBatch(0, 100_000, 1 << 26);
    expect([...batch.seq]).toEqual(Array.from({ length: batch.count }, (_, i) => i + 1));
    expect(numbers(batch).length).toBe(batch.count - 1);
    await store.close();
  }
});

test('while the file cannot be written: a fault is reported, the queue is bounded, drops are counted, then all goes on', async () => {
  const store = await openStore({ batch_bytes: 4096, queue_bytes: 16_384, commit_interval_ms: 10 });
  const blocker = new Database(join(directory.path, STORE_FILE));
  blocker.exec('BEGIN IMMEDIATE');
  for (let n = 0; n < 500; n++) store.append(numberedReading(topology, 0, n, T0 + n));
  store.appendAlert(someAlert('a1', T0));
  await expect(store.flush()).rejects.toThrow(/gateway\.db.*locked/);
  const stalled = store.stats();
  expect(stalled.fault).toMatch(/locked/);
  expect(stalled.readings_dropped).toBeGreaterThan(0);
  expect(stalled.readings_dropped + stalled.readings_appended).toBe(500);
  expect(stalled.queue_bytes).toBeLessThanOrEqual(16_384);
  expect(stalled.alerts_dropped).toBe(0);
  blocker.exec('ROLLBACK');
  blocker.close();
  await new Promise<void>(resolve => {
    const off = store.onDurable(() => {
      if (store.stats().queue_bytes > 0) return;
      off();
      resolve();
    });
  });
  const healed = store.stats();
  expect(healed.fault).toBeUndefined();
  expect(healed.readings_committed).toBe(stalled.readings_appended);
  expect(numbers(await store.readBatch(0, 1000, 1 << 20))).toEqual(
    Array.from({ length: stalled.readings_appended }, (_, n) => n),
  );
  expect(await store.alerts({ state: 'all', limit: 10 })).toEqual([someAlert('a1', T0)]);
});

/** In commits of half a span. */
async function appendNumbered(store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    store.append(numberedReading(topology, 0, n, T0 + n));
    if ((n + 1) % (SPAN_ROWS / 2) === 0) await store.flush();
  }
  await store.flush();
}

test('history finds one pack in a time span, also across a wall clock set back, and thins evenly', async () => {
  const store = await openStore({ span_rows: SPAN_ROWS });
  const count = 24 * SPAN_ROWS;
  for (let n = 0; n < count; n++) {
    const earlier_ms = n > count / 2 ? 3_600_000 : 0;
    store.append(numberedReading(topology, n % 3, n, T0 + n * 1000 - earlier_ms));
    if (n % SPAN_ROWS === 0) await store.flush();
  }
  await store.flush();
  const request = { pack_id: 'p02', from_ms: T0 + 1_000_000, to_ms: T0 + 1_899_999, max_points: 10_000 };
  const all = await historyOf(store, request);
  expect(all.reading_count).toBe(300);
  expect(all.t_ms.length).toBe(300);
  expect(all.t_ms).toEqual(all.t_ms.toSorted((a, b) => a - b));
  expect(all.pack.voltage_v[0]).toBe(10);
  expect(all.cells.voltage_v.length).toBe(10);
  expect(all.cells.voltage_v[9].length).toBe(300);
  const twice_ms = T0 + (count / 2) * 1000 - 1_800_000;
  const again = await historyOf(store, { ...request, from_ms: twice_ms, to_ms: twice_ms + 299_999 });
  expect(again.reading_count).toBe(200);
  const thin = await historyOf(store, { ...request, max_points: 50 });
  expect(thin.reading_count).toBe(300);
  expect(thin.t_ms.length).toBeLessThanOrEqual(50);
  expect(thin.t_ms.length).toBeGreaterThan(25);
  expect(new Set(thin.t_ms.slice(1).map((t_ms, i) => t_ms - thin.t_ms[i])).size).toBe(1);
  expect((await historyOf(store, { ...request, pack_id: 'nobody' })).reading_count).toBe(0);
});

test('alerts keep their newest state, newest first, and both steps are in the log', async () => {
  const store = await openStore();
  store.appendAlert(someAlert('a1', T0));
  store.appendAlert(someAlert('a2', T0 + 1));
  store.appendAlert(someAlert('a1', T0, T0 + 5));
  await store.flush();
  expect(await store.alerts({ state: 'all', limit: 10 })).toEqual([
    someAlert('a2', T0 + 1),
    someAlert('a1', T0, T0 + 5),
  ]);
  expect(await store.alerts({ state: 'active', limit: 10 })).toEqual([someAlert('a2', T0 + 1)]);
  expect(await store.alerts({ state: 'all', limit: 1 })).toHaveLength(1);
  const batch = await store.readBatch(1, 10, 1 << 20);
  expect([...batch.kind]).toEqual([LogKind.alert, LogKind.alert, LogKind.alert]);
});

test('documents are kept by kind and id', async () => {
  const store = await openStore();
  await store.documents.put('user', 'anna', { role: 'user' });
  await store.documents.put('user', 'anna', { role: 'admin' });
  await store.documents.put('settings', 'thresholds', [1, 2]);
  expect(await store.documents.get('user', 'anna')).toEqual({ role: 'admin' });
  expect(await store.documents.list('user')).toEqual([{ id: 'anna', body: { role: 'admin' } }]);
  expect(await store.documents.delete('user', 'anna')).toBe(true);
  expect(await store.documents.delete('user', 'anna')).toBe(false);
  expect(await store.documents.get('user', 'anna')).toBeUndefined();
});

test('old rows go once they are synced, never the newest, never a topology, and no number is used twice', async () => {
  const clock = new ManualClock(T0 + 100 * 86_400_000);
  const store = await openStore({ clock, keep_unsynced: true, span_rows: SPAN_ROWS });
  await appendNumbered(store, 2 * SPAN_ROWS + 10);
  const last_seq = store.durableSeq();
  const retain = async () => {
    clock.advance(60_000);
    // Requests to the writer are answered in order, so this one ends after the removal.
    await store.documents.put('test', 'barrier', 0);
  };
  await retain();
  expect((await store.readBatch(1, 1, 1)).seq[0]).toBe(2);
  store.markSynced(last_seq);
  await retain();
  const rest = await store.readBatch(0, 1000, 1 << 20);
  expect(rest.kind[0]).toBe(LogKind.topology);
  expect(rest.seq[1]).toBe(2 * SPAN_ROWS + 2);
  expect(rest.seq[rest.count - 1]).toBe(last_seq);
  expect(store.stats().first_seq).toBe(2 * SPAN_ROWS + 2);
  store.append(numberedReading(topology, 0, 1, T0));
  await store.flush();
  expect(store.durableSeq()).toBe(last_seq + 1);
});

test('short of room, the oldest rows go before the centre has them, and that is counted', async () => {
  const clock = new ManualClock(T0);
  const keep_free_bytes = Number.MAX_SAFE_INTEGER;
  const store = await openStore({ clock, keep_unsynced: true, keep_free_bytes, span_rows: SPAN_ROWS });
  await appendNumbered(store, 2 * SPAN_ROWS + 10);
  clock.advance(60_000);
  await store.documents.put('test', 'barrier', 0);
  expect(store.stats()).toMatchObject({
    readings_removed_unsynced: 2 * SPAN_ROWS,
    first_seq: 2 * SPAN_ROWS + 2,
  });
  const rest = await store.readBatch(1, 100, 1 << 20);
  expect([...rest.kind]).toEqual([...Array(10).fill(LogKind.reading), LogKind.gap]);
  expect(JSON.parse(Buffer.from(rest.bytes.subarray(rest.end[9], rest.end[10])).toString())).toMatchObject({
    reason: 'no_room',
    first_seq: 2,
    last_seq: 2 * SPAN_ROWS + 1,
    from_ms: T0,
    to_ms: T0 + 2 * SPAN_ROWS - 1,
    readings: 2 * SPAN_ROWS,
    packs: [{ pack_id: 'p01', readings: 2 * SPAN_ROWS }],
  });
});

test('a changed migration and a newer schema are refused, naming the file', async () => {
  const migrations = temporaryDirectory();
  cpSync(SQLITE_MIGRATIONS, migrations.path, { recursive: true });
  const version = readMigrations(SQLITE_MIGRATIONS).length + 1;
  const name = `${String(version).padStart(3, '0')}_more`;
  writeFileSync(join(migrations.path, `${name}.sql`), 'CREATE TABLE more (x INTEGER);');
  await (await openStore({ migrations: migrations.path })).close();
  await expect(openStore()).rejects.toMatchObject({
    code: 'SCHEMA_TOO_NEW',
    message: expect.stringContaining(`gateway.db: its schema is version ${version}`),
  });
  writeFileSync(join(migrations.path, `${name}.sql`), 'CREATE TABLE more (y INTEGER);');
  await expect(openStore({ migrations: migrations.path })).rejects.toMatchObject({
    code: 'MIGRATION_CHANGED',
    message: expect.stringContaining(name),
  });
  migrations.remove();
});

test('a file that cannot be opened is reported by its place', async () => {
  writeFileSync(join(directory.path, STORE_FILE), '');
  const below_a_file = join(directory.path, STORE_FILE, 'below');
  await expect(openStore({ directory: below_a_file })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});

test('closing is safe at any moment and twice; afterwards nothing is accepted silently', async () => {
  const store = createSqliteStore(storeOptions(directory.path));
  const opening = store.open(topology);
  await Promise.all([store.close(), store.close()]);
  await expect(opening).rejects.toMatchObject({ code: 'STORE_FAILED' });
  const other = await openStore();
  other.append(numberedReading(topology, 0, 1, T0));
  await other.close();
  expect(other.stats().readings_committed).toBe(1);
  other.append(numberedReading(topology, 0, 2, T0));
  expect(other.stats().readings_dropped).toBe(1);
  await expect(other.flush()).rejects.toThrow(/not open/);
});
