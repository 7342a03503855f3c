/** A file that cannot be read: quarantined, a new one follows it, people and alerts salvaged, the loss reported. */
import { closeSync, fstatSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import type { GapRecord } from '../../../core/contract/gap.ts';
import { BatchBuffer, RECORD_HEADER_BYTES } from '../format/batch-buffer.ts';
import { createSqliteStore, STORE_FILE } from '../sqlite-store.ts';
import type { SqliteStoreOptions } from '../sqlite-store-options.ts';
import { LogKind, type LogSource, type Store } from '../store.ts';
import {
  historyOf,
  numberedReading,
  smallTopology,
  someAlert,
  storeOptions,
  temporaryDirectory,
} from '../testing/fixtures.ts';
import { openWriter } from '../testing/writer-bench.ts';
import { NUMBERS_TAKEN, readIdentity } from './log-identity.ts';

const T0 = Date.UTC(2026, 0, 1);
const topology = smallTopology(3);
let directory: ReturnType<typeof temporaryDirectory>;
let file: string;
let open: (Store & LogSource)[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory.path, STORE_FILE);
});
afterEach(async () => {
  await Promise.all(open.map(store => store.close()));
  open = [];
  directory.remove();
});

async function openStore(more: Partial<SqliteStoreOptions> = {}): Promise<Store & LogSource> {
  const store = createSqliteStore(storeOptions(directory.path, more));
  open.push(store);
  await store.open(topology);
  return store;
}

async function fill(store: Store): Promise<void> {
  for (let n = 0; n < 300; n++) store.append(numberedReading(topology, n % 3, n, T0 + n));
  store.appendAlert(someAlert('a1', T0));
  await store.flush();
  await store.documents.put('user', 'anna', { role: 'admin' });
}

async function gaps(store: LogSource): Promise<GapRecord[]> {
  const batch = await store.readBatch(0, 1000, 1 << 20);
  return [...batch.kind.keys()]
    .filter(i => batch.kind[i] === LogKind.gap)
    .map(i => JSON.parse(Buffer.from(batch.bytes.subarray(batch.end[i - 1], batch.end[i])).toString()));
}

/** Nonsense over every page that holds rows of the log. */
function damageLog(): void {
  const db = new Database(file, { readonly: true });
  const pages = db.prepare<[], number>("SELECT pageno FROM dbstat WHERE name = 'log'").pluck().all();
  const page_bytes = db.pragma('page_size', { simple: true }) as number;
  db.close();
  const card = openSync(file, 'r+');
  for (const page of pages)
    writeSync(card, Buffer.alloc(page_bytes, 0xa5), 0, page_bytes, (page - 1) * page_bytes);
  expect(fstatSync(card).size).toBeGreaterThan(pages.length * page_bytes);
  closeSync(card);
}

const quarantined = () => readdirSync(directory.path).filter(name => /unreadable-\d{8}T\d{6}Z$/.test(name));

test('a file of nonsense is kept, and a log begun that is nobody’s successor', async () => {
  writeFileSync(file, 'not a database, but long enough to be read as one'.repeat(50));
  const store = await openStore();
  expect(store.predecessors).toEqual([]);
  expect(quarantined()).toHaveLength(1);
  expect(store.stats().quarantined).toEqual([join(directory.path, quarantined()[0])]);
  expect(await gaps(store)).toMatchObject([
    { reason: 'storage_lost', readings: null, detail: expect.stringContaining(quarantined()[0]) },
  ]);
});

test('a file that was quarantined is reported until somebody moves it away', async () => {
  writeFileSync(file, 'not a database, but long enough to be read as one'.repeat(50));
  const clock = new ManualClock(T0);
  const store = await openStore({ clock });
  const round = async () => {
    clock.advance(60_000);
    await store.documents.put('test', 'barrier', 0);
    return store.stats();
  };
  expect((await round()).quarantined).toEqual([join(directory.path, quarantined()[0])]);
  expect((await round()).free_bytes).toBeGreaterThan(0);
  rmSync(join(directory.path, quarantined()[0]));
  expect((await round()).quarantined).toEqual([]);
});

test('damage found at the start: successor with higher numbers, users and alerts salvaged', async () => {
  const first = await openStore();
  await fill(first);
  const { incarnation } = first;
  const last_seq = first.durableSeq();
  await first.close();
  damageLog();
  const second = await openStore();
  expect(second.incarnation).not.toBe(incarnation);
  expect(second.predecessors).toEqual([incarnation]);
  expect(second.numbers_from).toBeGreaterThan(last_seq);
  expect(second.numbers_from).toBeLessThanOrEqual(last_seq + 2 * NUMBERS_TAKEN);
  expect(await second.documents.get('user', 'anna')).toEqual({ role: 'admin' });
  expect(await second.alerts({ state: 'all', limit: 10 })).toHaveLength(1);
  expect(await gaps(second)).toMatchObject([
    { reason: 'storage_lost', detail: expect.stringMatching(/1 alerts/) },
  ]);
  second.append(numberedReading(topology, 1, 7, T0 + 1000));
  await second.flush();
  expect((await second.readBatch(last_seq, 1, 1)).seq[0]).toBe(second.numbers_from);
  await second.close();
  const third = await openStore();
  expect(third.incarnation).toBe(second.incarnation);
  expect(third.predecessors).toEqual([incarnation]);
  expect(await gaps(third)).toHaveLength(1);
});

test('damage found while running: what was being written is in the new file', async () => {
  const store = await openStore();
  await fill(store);
  const { incarnation } = store;
  const other = new Database(file);
  other.exec("INSERT INTO documents VALUES ('test', 'forces', '1')");
  other.pragma('wal_checkpoint(TRUNCATE)');
  other.close();
  damageLog();
  for (let n = 0; n < 50; n++) store.append(numberedReading(topology, 2, n, T0 + 5000 + n));
  await store.flush();
  expect(store.predecessors).toEqual([incarnation]);
  const history = await historyOf(store, {
    pack_id: 'p03',
    from_ms: T0,
    to_ms: T0 + 10_000,
    max_points: 1000,
  });
  expect(history.reading_count).toBe(50);
  expect(store.stats()).toMatchObject({ fault: undefined, readings_dropped: 0 });
  expect(await store.documents.get('user', 'anna')).toEqual({ role: 'admin' });
});

test('a log whose file was removed goes on as its own successor; without its identity it is a new one', async () => {
  const first = await openStore();
  await fill(first);
  await first.close();
  const kept = readIdentity(file);
  expect(kept).toMatchObject({ incarnation: first.incarnation, predecessors: [] });
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  const second = await openStore();
  expect(second.predecessors).toEqual([first.incarnation]);
  await second.close();
  for (const name of readdirSync(directory.path)) rmSync(join(directory.path, name));
  const third = await openStore();
  expect(third).toMatchObject({ predecessors: [], numbers_from: 1 });
});

test('a damaged chunk costs its own readings and is reported once', async () => {
  const store = createSqliteStore(storeOptions(directory.path, { span_rows: 90 }));
  open.push(store);
  await store.open(topology);
  for (let n = 0; n < 180; n++) {
    store.append(numberedReading(topology, n % 3, n, T0 + n));
    if (n % 90 === 89) await store.flush();
  }
  await expect.poll(() => archivedChunks()).toBe(6);
  const card = new Database(file);
  card.exec(
    "UPDATE chunks SET body = CAST(substr(body, 1, 20) || x'a5a5' AS BLOB) WHERE pack_key = 2 AND first_seq = 2",
  );
  card.close();
  const history = () => historyOf(store, { pack_id: 'p02', from_ms: T0, to_ms: T0 + 1000, max_points: 1000 });
  expect((await history()).reading_count).toBe(30);
  expect((await history()).reading_count).toBe(30);
  expect(store.stats().parts_damaged).toBe(1);
  await expect.poll(() => store.documents.list('damage')).toHaveLength(1);
  await store.flush();
  expect(await gaps(store)).toMatchObject([{ reason: 'damaged', detail: expect.stringContaining('row 2') }]);
});

function archivedChunks(): number {
  const db = new Database(file, { readonly: true });
  const count = db.prepare<[], number>('SELECT count(*) FROM chunks').pluck().get() ?? 0;
  db.close();
  return count;
}

test('numbers are taken whole, however many bytes a commit has, so that the identity can be read again', () => {
  const writer = openWriter(file, 4096);
  const bytes = new BatchBuffer(new ArrayBuffer(NUMBERS_TAKEN * RECORD_HEADER_BYTES + 64));
  bytes.bytes.set(Buffer.from('{"n":1}'), bytes.bodyOffset);
  bytes.finish(LogKind.clock + 100, 0, T0, NUMBERS_TAKEN * RECORD_HEADER_BYTES + 7);
  writer.commit(bytes.buffer, bytes.used);
  expect(readIdentity(file)).toMatchObject({ incarnation: writer.describe().incarnation });
  expect(readIdentity(file)?.numbers_below).toBeGreaterThan(NUMBERS_TAKEN + 2);
  writer.close();
});
