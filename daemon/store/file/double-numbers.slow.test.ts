/** A log that two processes wrote at once, before there was a lock: quarantined and reported, and the sync goes on. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogRows } from '../log/log-rows.ts';
import { createSqliteStore, STORE_FILE } from '../sqlite-store.ts';
import { LogKind, type LogSource, type Store } from '../store.ts';
import { numberedReading, smallTopology, storeOptions, temporaryDirectory } from '../testing/fixtures.ts';
import { archiveAll, commit, openWriter } from '../testing/writer-bench.ts';
import type { Writer } from '../write/writer.ts';
import { SQLITE_MIGRATIONS } from './migration-files.ts';
import { openDatabase } from './open-database.ts';

const T0 = Date.UTC(2026, 0, 1);
const topology = smallTopology(3);
let directory: ReturnType<typeof temporaryDirectory>;
let file: string;
let store: (Store & LogSource) | undefined;

beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory.path, STORE_FILE);
});
afterEach(async () => {
  await store?.close();
  store = undefined;
  directory.remove();
});

const add = (writer: Writer, count: number) =>
  commit(
    writer,
    Array.from({ length: count }, (_, n) => ({ pack: n % 3, n, t_ms: T0 + n })),
  );

async function opened() {
  store = createSqliteStore(storeOptions(directory.path, { keep_unsynced: true }));
  await store.open(topology);
  await store.flush();
  const batch = await store.readBatch(0, 10_000, 1 << 20);
  const gaps = [...batch.kind.keys()]
    .filter(i => batch.kind[i] === LogKind.gap)
    .map(i => JSON.parse(Buffer.from(batch.bytes.subarray(batch.end[i - 1] ?? 0, batch.end[i])).toString()));
  return { store, gaps };
}

const WAYS: Record<string, (first: Writer, second: Writer) => void> = {
  'blocks that overlap': (first, second) => {
    add(first, 10);
    add(second, 7);
  },
  'a block within another': (first, second) => {
    add(second, 3);
    add(second, 2);
    add(first, 9);
  },
  'a block that overlaps the archive': (first, second) => {
    add(first, 40);
    archiveAll(first);
    add(second, 5);
  },
  'spans that overlap': (first, second) => {
    add(first, 40);
    add(second, 5);
    add(second, 60);
    add(second, 2);
  },
};

for (const [what, write] of Object.entries(WAYS))
  test(`${what}: the file is quarantined, the log goes on above, and what may be missing is reported`, async () => {
    const first = openWriter(file, 30);
    add(first, 20);
    first.close(15);
    const [one, two] = [openWriter(file, 30), openWriter(file, 30)];
    const { incarnation } = one.describe();
    try {
      write(one, two);
    } catch {
      // Where both wanted the same number, the second got nothing written.
    }
    one.close();
    two.close();
    const { store, gaps } = await opened();
    expect(store.predecessors).toEqual([incarnation]);
    expect(store.numbers_from).toBeGreaterThan(100);
    expect(store.stats().quarantined).toHaveLength(1);
    expect(gaps).toMatchObject([
      {
        reason: 'storage_lost',
        first_seq: 16,
        last_seq: store.numbers_from - 1,
        detail: expect.stringMatching(/two processes wrote into it at once: from row 2\d on .*unreadable/),
      },
    ]);
    store.append(numberedReading(topology, 0, 1, T0));
    await store.flush();
  });

test('a number that is taken when it is to be written sets the file aside, and the readings are in the new one', async () => {
  openWriter(file, 30).close();
  const { store } = await opened();
  const before = store.durableSeq();
  const other = openWriter(file, 30, JSON.stringify(topology));
  const taken = other.describe().last_seq - before;
  add(other, 5);
  other.close();
  for (let n = 0; n < taken + 5; n++) store.append(numberedReading(topology, n % 3, n, T0 + n));
  await store.flush();
  expect(store.stats()).toMatchObject({ fault: undefined, readings_dropped: 0 });
  expect(store.stats().quarantined).toHaveLength(1);
  const counts = await store.readingCounts({ from_ms: T0, to_ms: T0 + 1000 });
  expect(Object.values(counts).reduce((sum, { readings }) => sum + readings, 0)).toBe(taken + 5);
});

test('doubles within the archive are reported when they are read', () => {
  const [one, two] = [openWriter(file, 30), openWriter(file, 30)];
  add(one, 10);
  add(two, 7);
  add(one, 25);
  archiveAll(one);
  one.close();
  two.close();
  const db = openDatabase(file, SQLITE_MIGRATIONS);
  const reported: string[] = [];
  new LogRows(db, what => reported.push(what)).scan(0, 1000, () => true);
  db.close();
  expect(reported).toEqual([
    expect.stringMatching(/two processes wrote them at once; 7 have the number of another/),
  ]);
});

test('a log of one process has no double, whatever became of its spans', async () => {
  for (let run = 0; run < 4; run++) {
    const writer = openWriter(file, 30, `Site ${run}`);
    for (let n = 0; n < 12; n++) add(writer, 7 + n);
    if (run % 2 === 0) archiveAll(writer);
    if (run === 2) {
      const short = { now_ms: T0, before_ms: 0, keep_free_bytes: 0, max_bytes: 1, synced_seq: 50 };
      for (let round = 0; round < 4; round++) writer.retain(short);
      writer.fork({ after_seq: writer.describe().last_seq - 20, above_seq: 5000, t_ms: T0 });
    }
    writer.close();
  }
  const { store } = await opened();
  expect(store.stats()).toMatchObject({ quarantined: [], parts_damaged: 0, lost: undefined });
});
