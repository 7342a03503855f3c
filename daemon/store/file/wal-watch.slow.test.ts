/** A reader that does not end makes the write-ahead log grow: it is named, commits go on, and the log is cut after it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../../core/log.ts';
import { Reader } from '../read/reader.ts';
import { createSqliteStore, STORE_FILE } from '../sqlite-store.ts';
import { LogKind } from '../store.ts';
import { numberedReading, smallTopology, storeOptions, temporaryDirectory } from '../testing/fixtures.ts';
import { archiveAll, commit, openWriter, readAll } from '../testing/writer-bench.ts';
import { walBytes } from './wal-watch.ts';

const T0 = Date.UTC(2026, 0, 1);
const BOUND_BYTES = 4 << 20;
const roomy = {
  now_ms: T0,
  before_ms: 0,
  synced_seq: 0,
  keep_free_bytes: 0,
  max_bytes: Number.MAX_SAFE_INTEGER,
};
let directory: ReturnType<typeof temporaryDirectory>;
let file: string;
let stranger: ChildProcess | undefined;

beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory.path, STORE_FILE);
});
afterEach(async () => {
  await endStranger();
  directory.remove();
});

/** Another process that begins to read the file and does not end. */
async function readForLong(): Promise<number> {
  const sqlite = createRequire(import.meta.url).resolve('better-sqlite3');
  const program = `const db = require(${JSON.stringify(sqlite)})(${JSON.stringify(file)}, { readonly: true });
    db.exec('BEGIN'); db.prepare('SELECT count(*) FROM log').get(); console.log('reads'); setInterval(() => {}, 1e6);`;
  stranger = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(stranger.stdout!, 'data');
  return stranger.pid!;
}

async function endStranger(): Promise<void> {
  const ended = stranger && once(stranger, 'exit');
  stranger?.kill('SIGKILL');
  stranger = undefined;
  await ended;
}

/** Not to be made smaller by compression. */
const record = (n: number) => ({
  kind: LogKind.gap,
  pack_key: 0,
  t_ms: T0 + n,
  body: Array.from({ length: 200 }, (_, i) => ((n * 7919 + i * 104_729) ** 2 % 1e9).toString(36)).join(''),
});

function fillWal(writer: ReturnType<typeof openWriter>): number {
  let n = 0;
  while (walBytes(file) <= 1.5 * BOUND_BYTES)
    commit(
      writer,
      Array.from({ length: 400 }, () => record(n++)),
    );
  return n;
}

test.runIf(process.platform === 'linux')(
  'who keeps the log from being written back is named, nothing stops, and it is cut when that one has ended',
  async () => {
    const writer = openWriter(file, 1e6);
    commit(writer, [{ pack: 0, n: 1, t_ms: T0 }]);
    const pid = await readForLong();
    const rows = fillWal(writer);
    expect(writer.retain(roomy)).toMatchObject({ wal_held: undefined });
    const held = writer.retain(roomy);
    expect(held.wal_held).toBe(
      `cannot be written back into the database, as process ${pid} (node) does not end a reading of it: ` +
        'end that one, or let it read a copy',
    );
    expect(held.wal_bytes).toBe(walBytes(file));
    expect(commit(writer, [record(rows)])).toHaveLength(1);
    expect(writer.retain(roomy).wal_held).toBe(held.wal_held);
    await endStranger();
    const after = writer.retain(roomy);
    expect(after).toMatchObject({ wal_held: undefined, wal_bytes: 0 });
    expect(walBytes(file)).toBe(0);
    const reader = new Reader(file);
    expect(readAll(reader, 0, 1000)).toHaveLength(1 + 1 + rows + 1);
    reader.close();
    writer.close();
  },
);

test('for want of room on the disk nothing goes while removing it makes no room', async () => {
  const writer = openWriter(file, 100);
  for (let n = 0; n < 6; n++)
    commit(
      writer,
      Array.from({ length: 100 }, (_, i) => ({ pack: 0, n: i, t_ms: T0 + 100 * n + i })),
    );
  await readForLong();
  fillWal(writer);
  const short = { ...roomy, keep_free_bytes: Number.MAX_SAFE_INTEGER };
  writer.retain(roomy);
  expect(writer.retain(short)).toMatchObject({ lost: null, wal_held: expect.any(String) });
  await endStranger();
  expect(writer.retain(short).lost).toMatchObject({ reason: 'no_room', readings: 600 });
  writer.close();
});

test('a large log that somebody reads in turns, or that was large once, is held by nobody', () => {
  const writer = openWriter(file, 1e6);
  const reader = new Database(file, { readonly: true });
  for (let turn = 0; turn < 4; turn++) {
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM log').get();
    fillWal(writer);
    expect(writer.retain(roomy).wal_held).toBeUndefined();
    reader.exec('COMMIT');
    commit(writer, [record(turn)]);
    expect(writer.retain(roomy).wal_held).toBeUndefined();
  }
  reader.close();
  writer.close();
});

test('no reading of ours keeps the log from being cut, wherever it waits', async () => {
  const writer = openWriter(file, 30);
  for (let n = 0; n < 40; n++)
    commit(
      writer,
      Array.from({ length: 30 }, (_, i) => ({ pack: i % 3, n: i, t_ms: T0 + 2000 * (30 * n + i) })),
    );
  archiveAll(writer);
  const reader = new Reader(file);
  const other = new Database(file);
  let cuts = 0;
  const cut = async () => {
    commit(writer, [record(++cuts)]);
    expect(other.pragma('wal_checkpoint(TRUNCATE)')).toMatchObject([{ busy: 0 }]);
    return true;
  };
  const span = { from_ms: T0, to_ms: T0 + 86_400_000 };
  await reader.history({ ...span, pack_id: 'p01', max_points: 5000 }, 'json', cut);
  await reader.history({ ...span, pack_id: 'p01', max_points: 10 }, 'json', cut);
  await reader.readingCounts(T0 + 1, span.to_ms, 700, cut);
  await reader.completeness({ ...span, synced_seq: 5 }, cut);
  for (let after_seq: number | null = 0; after_seq !== null; await cut()) {
    const form = { rows: 'cell', format: 'csv' } as const;
    after_seq = reader.exportChunk({ ...span, pack_ids: ['p01', 'p02'], form, after_seq }).next_seq;
  }
  for (let seq = 0; seq < 1000; seq += 100) {
    reader.readBatch(seq, 100, 1 << 16);
    await cut();
  }
  expect(cuts).toBeGreaterThan(15);
  other.close();
  reader.close();
  writer.close();
});

test('the log says it once, when it begins and when it ends', async () => {
  const lines: string[] = [];
  const note = (_: object, line: string) => void (line.includes('-wal') && lines.push(line));
  const log = { ...silentLogger, warn: note, info: note };
  const store = createSqliteStore(storeOptions(directory.path, { log, retain_every_ms: 20 }));
  const topology = smallTopology(3);
  await store.open(topology);
  store.append(numberedReading(topology, 0, 1, T0));
  await store.flush();
  await readForLong();
  let n = 0;
  const until = async (isSo: () => boolean) => {
    while (!isSo()) {
      for (let i = 0; i < 400; i++) store.appendRecord(LogKind.gap, T0, { n: record(n++).body });
      await store.flush();
    }
  };
  await until(() => store.stats().wal_held !== undefined && walBytes(file) > 2 * BOUND_BYTES);
  expect(store.stats().fault).toBeUndefined();
  await endStranger();
  await until(() => store.stats().wal_held === undefined);
  await store.close();
  expect(lines).toEqual([
    expect.stringMatching(/gateway\.db-wal: grows, and cannot be written back .*: end that one/),
    expect.stringMatching(/gateway\.db-wal: is written back again$/),
  ]);
});
