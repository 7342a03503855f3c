/** Backups of a store that is open: whole, checked, for the owner alone; or none at all. */

import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSqliteStore, STORE_FILE } from '../sqlite-store.ts';
import type { LogSource, Store } from '../store.ts';
import {
  numberedReading,
  smallTopology,
  someAlert,
  storeOptions,
  temporaryDirectory,
} from '../testing/fixtures.ts';
import { readAll } from '../testing/writer-bench.ts';
import { type BackupManifest, type BackupRequest, backUp } from './backup.ts';
import { Reader } from './reader.ts';

const T0 = Date.UTC(2026, 0, 7);
const topology = smallTopology(3);
let directory: ReturnType<typeof temporaryDirectory>;
let elsewhere: ReturnType<typeof temporaryDirectory>;
let store: Store & LogSource;
let request: BackupRequest;

beforeEach(async () => {
  directory = temporaryDirectory();
  elsewhere = temporaryDirectory();
  request = {
    database_file: join(directory.path, STORE_FILE),
    directory: join(elsewhere.path, 'copy'),
    t_ms: T0,
    version: '1.2.3',
    left_out: ['session', 'secret'],
    onStep: () => {},
  };
  store = await openIn(directory.path);
});
afterEach(async () => {
  await store.close();
  directory.remove();
  elsewhere.remove();
});

async function openIn(path: string): Promise<Store & LogSource> {
  const opened = createSqliteStore(storeOptions(path, { span_rows: 60 }));
  await opened.open(topology);
  return opened;
}

async function write(rounds: number, first = 0): Promise<void> {
  for (let n = first; n < first + rounds; n++) {
    for (const pack of [0, 1, 2]) store.append(numberedReading(topology, pack, n, T0 + n * 1000));
    if (n % 10 === 0) {
      store.appendAlert(someAlert(`a${n}`, T0 + n * 1000));
      await store.flush();
    }
  }
  await store.flush();
}

function rowsOf(file: string) {
  const reader = new Reader(file);
  try {
    return readAll(reader, 0, 500);
  } finally {
    reader.close();
  }
}

const copied = (name = STORE_FILE) => join(request.directory, name);

test('what was stored is in it, row for row; and a store that starts from it goes on from there', async () => {
  await write(100);
  await store.documents.put('settings', 'thresholds', { limit: 3.5 });
  const manifest = await backUp(request);
  const rows = rowsOf(request.database_file);
  expect(rowsOf(copied())).toEqual(rows);
  expect(manifest).toMatchObject({
    last_seq: rows.at(-1)?.seq,
    parts_damaged: [],
    made_by: 'bms-gateway 1.2.3',
  });
  await write(20, 100);
  const restored = await openIn(request.directory);
  try {
    expect(restored.incarnation).toBe(store.incarnation);
    expect(restored.durableSeq()).toBe(manifest.last_seq);
    expect(restored.stats()).toMatchObject({ lost: undefined, fault: undefined, parts_damaged: 0 });
    expect(await restored.documents.get('settings', 'thresholds')).toEqual({ limit: 3.5 });
    restored.append(numberedReading(topology, 0, 500, T0 + 500_000));
    await restored.flush();
    expect(restored.durableSeq()).toBe(manifest.last_seq + 1);
  } finally {
    await restored.close();
  }
});

test('it is for its owner alone, and lets nobody in', async () => {
  await write(10);
  const secret = 'bT9xQ2-signs-every-login';
  await store.documents.put('secret', 'jwt', { keys: [secret] });
  await store.documents.put('session', 's1', { token_hash: 'who-is-logged-in' });
  await store.documents.put('user', 'anna', { hash: 'argon' });
  await store.documents.put('user', 'gone', { hash: 'of-one-who-was-removed' });
  await store.documents.delete('user', 'gone');
  await backUp(request);
  const bytes = readFileSync(copied()).toString('latin1');
  for (const never of [secret, 'who-is-logged-in', 'of-one-who-was-removed'])
    expect(bytes).not.toContain(never);
  expect(bytes).toContain('argon');
  expect(statSync(request.directory).mode & 0o777).toBe(0o700);
  const names = readdirSync(request.directory).sort();
  expect(names).toEqual(['backup.json', STORE_FILE, `${STORE_FILE}.identity.json`]);
  for (const name of names) expect(statSync(copied(name)).mode & 0o777).toBe(0o600);
  const { files } = JSON.parse(readFileSync(copied('backup.json'), 'utf8')) as BackupManifest;
  expect(files).toHaveLength(2);
  for (const { name, bytes, sha256 } of files) {
    const content = readFileSync(copied(name));
    expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, sha256]);
  }
});

test('nothing is written over', async () => {
  await backUp(request);
  const before = readFileSync(copied('backup.json'), 'utf8');
  await expect(backUp({ ...request, t_ms: T0 + 1 })).rejects.toThrow(
    /copy is there already; name one that is to be made/,
  );
  expect(readFileSync(copied('backup.json'), 'utf8')).toBe(before);
  await expect(backUp({ ...request, directory: join(elsewhere.path, 'no', 'copy') })).rejects.toThrow(
    /cannot be made/,
  );
  await expect(backUp({ ...request, database_file: join(elsewhere.path, STORE_FILE) })).rejects.toThrow(
    /is not there/,
  );
});

test('a disk without room for it is left as it is', async () => {
  await write(10);
  await store.close();
  // Four terabytes, as its head says; there are none on the disk.
  const file = openSync(request.database_file, 'r+');
  const pages = 4_000_000_000;
  const head = Buffer.alloc(4);
  head.writeUInt32BE(pages);
  writeSync(file, head, 0, 4, 28);
  ftruncateSync(file, pages * 1024);
  closeSync(file);
  await expect(backUp(request)).rejects.toThrow(
    /copy: the disk has [\d.]+ MB free; needed are 40\d+\.\d MB for the copy and 134\.2 MB that stay free, as the/,
  );
  expect(readdirSync(elsewhere.path)).toEqual([]);
});

test('a chunk that is damaged in the original is copied as it is, and named', async () => {
  await write(100);
  const db = new Database(request.database_file);
  // Spans are archived one after the other, some time after they were closed.
  const count = db.prepare('SELECT count(*) FROM chunks').pluck();
  await expect.poll(() => count.get()).toBeGreaterThan(1);
  db.exec(
    "UPDATE chunks SET body = CAST(substr(body, 1, length(body) - 4) || x'00000000' AS BLOB) WHERE rowid = 2",
  );
  db.close();
  const { parts_damaged } = await backUp(request);
  expect(parts_damaged).toEqual([expect.stringMatching(/^chunk of pack key \d from row \d+ on: /)]);
});

test('a database that cannot be read leaves no half copy', async () => {
  await write(200);
  await store.close();
  const file = openSync(request.database_file, 'r+');
  const { size } = statSync(request.database_file);
  for (let at = 8192; at < size; at += 1024) writeSync(file, Buffer.alloc(1024, 0xa5), 0, 1024, at);
  closeSync(file);
  await expect(backUp(request)).rejects.toThrow(/cannot be copied as a whole: .*malformed/);
  expect(readdirSync(elsewhere.path)).toEqual([]);
});
