/** Rows that were written and are gone at the next start, or cannot be read there: found, reported, shown. */
import { cpSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import type { GapRecord } from '../../../core/contract/gap.ts';
import { createSqliteStore, STORE_FILE } from '../sqlite-store.ts';
import type { SqliteStoreOptions } from '../sqlite-store-options.ts';
import { LogKind, type LogSource, type Store } from '../store.ts';
import { numberedReading, smallTopology, storeOptions, temporaryDirectory } from '../testing/fixtures.ts';
import { readIdentity } from './log-identity.ts';

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
  const store = createSqliteStore(storeOptions(directory.path, { keep_unsynced: true, ...more }));
  open.push(store);
  await store.open(topology);
  return store;
}

async function fill(store: Store, readings = 300): Promise<void> {
  for (let n = 0; n < readings; n++) store.append(numberedReading(topology, n % 3, n, T0 + n));
  await store.flush();
}

async function gaps(store: Store & LogSource): Promise<GapRecord[]> {
  await store.flush();
  const batch = await store.readBatch(0, 10_000, 1 << 20);
  return [...batch.kind.keys()]
    .filter(i => batch.kind[i] === LogKind.gap)
    .map(i => JSON.parse(Buffer.from(batch.bytes.subarray(batch.end[i - 1] ?? 0, batch.end[i])).toString()));
}

const LOSSES = {
  'the file deleted': () => {
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
  },
  'the file emptied': () => {
    truncateSync(file, 0);
    for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true });
  },
};

for (const [what, lose] of Object.entries(LOSSES))
  test(`${what} between two runs is a loss that is reported, not a first start`, async () => {
    const first = await openStore();
    await fill(first);
    first.markSynced(100);
    const last_seq = first.durableSeq();
    await first.close();
    const { numbers_below } = readIdentity(file) ?? { numbers_below: 0 };
    lose();
    const second = await openStore();
    const expected = {
      reason: 'storage_lost',
      first_seq: 101,
      last_seq: numbers_below - 1,
      readings: null,
      detail: expect.stringMatching(
        `^${file}: is empty or was removed, although its log had rows up to ${last_seq}; the centre had those up to 100; .*users`,
      ),
    };
    expect(await gaps(second)).toMatchObject([expected]);
    expect(second.stats().lost).toEqual(expected.detail);
    expect(second.predecessors).toEqual([first.incarnation]);
    expect(second.durableSeq()).toBeGreaterThan(numbers_below);
    await second.close();
    const third = await openStore();
    expect(await gaps(third)).toHaveLength(1);
    expect(third.stats().lost).toBeUndefined();
  });

test('the WAL deleted after a kill: what was in it is reported, and its numbers are not used again', async () => {
  const clock = new ManualClock(T0);
  const first = await openStore({ clock, batch_bytes: 1 << 16 });
  await fill(first, 1500);
  clock.advance(60_000);
  await expect.poll(() => readIdentity(file)?.last_seq).toBe(first.durableSeq());
  const durable_seq = first.durableSeq();
  const killed = temporaryDirectory();
  cpSync(directory.path, killed.path, { recursive: true });
  await first.close();
  rmSync(join(killed.path, `${STORE_FILE}-wal`));
  const second = createSqliteStore(storeOptions(killed.path));
  open.push(second);
  await second.open(topology);
  expect(second.durableSeq()).toBeGreaterThan(durable_seq);
  expect(await gaps(second)).toMatchObject([
    { reason: 'storage_lost', detail: expect.stringContaining(`rows up to ${durable_seq}`) },
  ]);
  expect(second.stats().lost).toContain(`rows up to ${durable_seq}`);
  await fill(second);
  const batch = await second.readBatch(durable_seq, 10_000, 1 << 20);
  expect(batch.count).toBeGreaterThanOrEqual(300);
  await second.close();
  killed.remove();
});

test('an older copy of the database beside the newer identity: its rows stay, the missing ones are reported', async () => {
  const first = await openStore();
  await fill(first);
  const copied_seq = first.durableSeq();
  await first.close();
  const copy = `${directory.path}/copy`;
  cpSync(file, copy);
  const second = await openStore();
  await fill(second);
  second.markSynced(copied_seq + 10);
  const last_seq = second.durableSeq();
  await second.close();
  cpSync(copy, file);
  const third = await openStore();
  expect(third.incarnation).toBe(first.incarnation);
  expect(await gaps(third)).toMatchObject([
    {
      reason: 'storage_lost',
      first_seq: copied_seq + 11,
      detail: expect.stringContaining(`row ${copied_seq},`),
    },
  ]);
  expect(third.stats().lost).toContain(`ends at row ${copied_seq}`);
  expect((await third.readBatch(0, 10_000, 1 << 20)).count).toBe(copied_seq + 1);
  expect(third.durableSeq()).toBeGreaterThan(last_seq);
});

test('nothing is reported of a log that was stopped, or killed, and has all its rows', async () => {
  for (let run = 0; run < 3; run++) {
    const store = await openStore();
    await fill(store);
    expect(store.stats().lost).toBeUndefined();
    expect(await gaps(store)).toEqual([]);
    const killed = temporaryDirectory();
    cpSync(directory.path, killed.path, { recursive: true });
    await store.close();
    for (const name of readdirSync(killed.path)) cpSync(join(killed.path, name), join(directory.path, name));
    killed.remove();
  }
});

test('after a restart without a centre, what it has goes first, and nothing of it is reported as lost', async () => {
  const first = await openStore({ span_rows: 50 });
  for (let n = 0; n < 10; n++) await fill(first, 50);
  first.markSynced(225);
  await first.close();
  expect(readIdentity(file)?.synced_seq).toBe(225);
  const second = await openStore({ span_rows: 50, max_bytes: 1, retain_every_ms: 5 });
  await expect.poll(() => second.stats().readings_removed_unsynced, { timeout: 20_000 }).toBeGreaterThan(200);
  const reported = await gaps(second);
  expect(reported.map(({ reason }) => reason)).toEqual(reported.map(() => 'no_room'));
  expect(Math.min(...reported.map(({ first_seq }) => first_seq ?? 0))).toBe(226);
  const last_seq = Math.max(...reported.map(gap => gap.last_seq ?? 0));
  expect(reported.reduce((sum, { readings }) => sum + (readings ?? 0), 0)).toBe(last_seq - 225);
  second.markSynced(150);
  await second.close();
  expect(readIdentity(file)?.synced_seq).toBe(150);
});

test('damage found while the store opens is reported once, and shown at every start', async () => {
  const first = await openStore();
  await fill(first, 30);
  await fill(first, 30);
  await first.close();
  const card = new Database(file);
  const { changes } = card
    .prepare(
      "UPDATE log SET body = CAST(substr(body, 1, 20) || x'a5a5' AS BLOB) WHERE kind = 255 AND seq = 31",
    )
    .run();
  card.close();
  expect(changes).toBe(1);
  for (let start = 0; start < 2; start++) {
    const store = await openStore();
    expect(store.stats().parts_damaged).toBe(1);
    await expect.poll(() => store.documents.list('damage')).toHaveLength(1);
    expect(await gaps(store)).toMatchObject([
      { reason: 'damaged', detail: expect.stringContaining('rows up to 31') },
    ]);
    await store.close();
  }
});
