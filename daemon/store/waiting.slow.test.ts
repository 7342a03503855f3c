/** A disk that cannot be written at the start: what is stored is read, what comes waits in memory, until it can be. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import type { Logger } from '../../core/log.ts';
import { silentLogger } from '../../core/log.ts';
import { createSqliteStore, STORE_FILE } from './sqlite-store.ts';
import type { SqliteStoreOptions } from './sqlite-store-options.ts';
import { LogKind, type LogSource, type Store } from './store.ts';
import {
  historyOf,
  numberedReading,
  smallTopology,
  storeOptions,
  temporaryDirectory,
} from './testing/fixtures.ts';

const T0 = Date.UTC(2026, 0, 1);
const topology = smallTopology(3);
let directory: ReturnType<typeof temporaryDirectory>;
let file: string;
let open: (Store & LogSource)[] = [];
let blocker: Database.Database | undefined;

beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory.path, STORE_FILE);
});
afterEach(async () => {
  blocker?.close();
  blocker = undefined;
  await Promise.all(open.map(store => store.close()));
  open = [];
  directory.remove();
});

async function openStore(more: Partial<SqliteStoreOptions> = {}, fleet = topology) {
  const store = createSqliteStore(storeOptions(directory.path, more));
  open.push(store);
  await store.open(fleet);
  return store;
}

/** As a disk that is full or read-only: nothing can be written, all can be read. */
function stopWriting(): void {
  blocker = new Database(file);
  blocker.exec('BEGIN IMMEDIATE');
}

function letWrite(): void {
  blocker?.exec('ROLLBACK');
  blocker?.close();
  blocker = undefined;
}

/** A log whose packs have other keys than the indices of this run. */
async function fillLog(): Promise<void> {
  const packs = [topology.packs[2]!, topology.packs[0]!, topology.packs[1]!].map((pack, i) => ({
    ...pack,
    pack: i,
  }));
  const store = await openStore({}, { ...topology, packs });
  for (let n = 0; n < 30; n++) store.append(numberedReading(topology, n % 3, n, T0 + n));
  await store.documents.put('user', 'anna', { role: 'admin' });
  await store.documents.put('user', 'ben', { role: 'user' });
  await store.flush();
  await store.close();
}

const packHistory = (store: Store, pack_id: string) =>
  historyOf(store, { pack_id, from_ms: T0 + 1000, to_ms: T0 + 5000, max_points: 1000 });

test('readings and changes wait while the disk cannot be written, and are stored once it can, in order', async () => {
  await fillLog();
  stopWriting();
  const clock = new ManualClock(T0);
  const store = await openStore({ clock });
  let opened = 0;
  store.onOpen(() => opened++);
  expect(store.stats().fault).toContain('cannot be opened for writing');
  expect(await store.documents.get('user', 'anna')).toEqual({ role: 'admin' });
  await store.documents.put('user', 'anna', { role: 'user' });
  await store.documents.put('user', 'cleo', { role: 'user' });
  expect(await store.documents.delete('user', 'ben')).toBe(true);
  expect(await store.documents.delete('user', 'dora')).toBe(false);
  expect(await store.documents.list('user')).toEqual([
    { id: 'anna', body: { role: 'user' } },
    { id: 'cleo', body: { role: 'user' } },
  ]);
  for (let n = 0; n < 60; n++) store.append(numberedReading(topology, n % 3, n, T0 + 1000 + n));
  store.appendRecord(LogKind.gap, T0, { reason: 'test' });
  await expect(store.flush()).rejects.toMatchObject({ code: 'STORE_FAILED' });
  clock.advance(1000);
  await expect
    .poll(() => opened, { timeout: 500 })
    .toBe(0)
    .catch(() => {});
  letWrite();
  for (let tries = 0; opened === 0 && tries < 400; tries++) {
    clock.advance(500);
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  expect(opened).toBe(1);
  await store.flush();
  expect(store.stats()).toMatchObject({ fault: undefined, readings_committed: 60, readings_dropped: 0 });
  for (let pack = 0; pack < 3; pack++) {
    const { t_ms } = await packHistory(store, `p0${pack + 1}`);
    expect(t_ms).toEqual(Array.from({ length: 20 }, (_, i) => T0 + 1000 + 3 * i + pack));
  }
  await store.close();
  const again = await openStore();
  expect(await again.documents.list('user')).toEqual([
    { id: 'anna', body: { role: 'user' } },
    { id: 'cleo', body: { role: 'user' } },
  ]);
});

test('what still waits at the end is said to be lost, and how much it is', async () => {
  await fillLog();
  stopWriting();
  const lines: string[] = [];
  const log = { ...silentLogger, error: (_fields: object, line: string) => void lines.push(line) } as Logger;
  const store = await openStore({ log });
  for (let n = 0; n < 7; n++) store.append(numberedReading(topology, n % 3, n, T0 + n));
  expect(store.lost_at_close).toBe(0);
  await store.close();
  expect(store.lost_at_close).toBe(7);
  expect(lines.at(-1)).toContain(
    `7 readings that waited in memory could not be written and are lost: ${file}: cannot be opened for writing`,
  );
});

test('more than the queue holds is dropped while the disk cannot be written, and reported once it can', async () => {
  await fillLog();
  stopWriting();
  const clock = new ManualClock(T0);
  const store = await openStore({ clock, batch_bytes: 2000, queue_bytes: 8000 });
  for (let n = 0; n < 200; n++) store.append(numberedReading(topology, n % 3, n, T0 + 1000 + n));
  const { readings_dropped } = store.stats();
  expect(readings_dropped).toBeGreaterThan(0);
  letWrite();
  for (let tries = 0; store.stats().fault !== undefined && tries < 400; tries++) {
    clock.advance(500);
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  await store.flush();
  await store.flush();
  const batch = await store.readBatch(0, 1000, 1 << 20);
  const last = batch.count - 1;
  expect(batch.kind[last]).toBe(LogKind.gap);
  expect(
    JSON.parse(Buffer.from(batch.bytes.subarray(batch.end[last - 1], batch.end[last])).toString()),
  ).toMatchObject({
    reason: 'queue_full',
    readings: readings_dropped,
  });
});

/** As a card that fails each read and each write. */
function stopAll(): void {
  blocker = new Database(file);
  blocker.pragma('locking_mode = EXCLUSIVE');
  blocker.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS t (x)');
}

async function untilOpened(store: Store, clock: ManualClock): Promise<void> {
  let opened = 0;
  store.onOpen(() => opened++);
  for (let tries = 0; opened === 0 && tries < 400; tries++) {
    clock.advance(500);
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  expect(opened).toBe(1);
}

test('a file that can neither be written nor read: readings wait, and what is stored is there again later', async () => {
  await fillLog();
  stopAll();
  const clock = new ManualClock(T0);
  const store = await openStore({ clock });
  expect(store.is_unread).toBe(true);
  expect(store.stats().fault).toContain('cannot be opened for writing');
  expect(await store.documents.list('user')).toEqual([]);
  expect(await store.alerts({ state: 'all', limit: 10 })).toEqual([]);
  expect(await store.clockState('boot')).toEqual({ records: [], newest_ms: null });
  await expect(packHistory(store, 'p01')).rejects.toMatchObject({ code: 'STORE_FAILED' });
  await store.documents.put('user', 'anna', { role: 'made meanwhile' });
  await store.documents.put('key', 'k', { is: 'new' });
  for (let n = 0; n < 60; n++) store.append(numberedReading(topology, n % 3, n, T0 + 1000 + n));
  letWrite();
  await untilOpened(store, clock);
  await store.flush();
  expect(store.stats()).toMatchObject({ fault: undefined, readings_committed: 60, readings_dropped: 0 });
  // Until the next start it is not known what of the daemon rests on what could not be read.
  expect(store.is_unread).toBe(true);
  expect((await packHistory(store, 'p01')).t_ms).toHaveLength(20);
  await store.close();
  const again = await openStore();
  expect(again.is_unread).toBe(false);
  expect(await again.documents.list('user')).toEqual([
    { id: 'anna', body: { role: 'admin' } },
    { id: 'ben', body: { role: 'user' } },
  ]);
  expect(await again.documents.get('key', 'k')).toEqual({ is: 'new' });
});

test('a new box on a disk that takes nothing: what is made meanwhile is kept', async () => {
  stopAll();
  const clock = new ManualClock(T0);
  const store = await openStore({ clock });
  expect(store.is_unread).toBe(true);
  await store.documents.put('user', 'anna', { role: 'admin' });
  store.append(numberedReading(topology, 0, 1, T0));
  letWrite();
  await untilOpened(store, clock);
  await store.flush();
  expect(store.stats().readings_committed).toBe(1);
  expect(await store.documents.list('user')).toEqual([{ id: 'anna', body: { role: 'admin' } }]);
});

test('after a stop the file can be read although nothing can be written beside it', async () => {
  await fillLog();
  expect(readdirSync(directory.path)).toEqual(
    expect.arrayContaining([`${STORE_FILE}-shm`, `${STORE_FILE}-wal`]),
  );
});
