/** What the virtual disk loses, and that the store has nothing to lose there. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { GatewayError } from '../../core/errors.ts';
import { identityFile } from '../../daemon/store/file/log-identity.ts';
import { SQLITE_MIGRATIONS } from '../../daemon/store/file/migration-files.ts';
import { BatchBuffer } from '../../daemon/store/format/batch-buffer.ts';
import { Reader } from '../../daemon/store/read/reader.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { temporaryDirectory } from '../../daemon/store/testing/fixtures.ts';
import { Writer } from '../../daemon/store/write/writer.ts';
import { Draw } from './draw.ts';
import { hasCompiler, VirtualDisk } from './virtual-disk.ts';

describe.skipIf(!hasCompiler() && !process.env.CI)('the virtual disk (needs gcc)', () => {
  const directory = temporaryDirectory();
  const file = join(directory.path, 'gateway.db');
  let disk: VirtualDisk;
  beforeAll(() => {
    disk = new VirtualDisk();
  });
  afterAll(() => directory.remove());
  beforeEach(() => {
    disk.format(1);
    rmSync(identityFile(file), { force: true });
  });

  function openWriter(): Writer {
    const writer = new Writer(file, SQLITE_MIGRATIONS);
    writer.open({ pack_ids: [], topology: '{}', t_ms: 0 });
    return writer;
  }

  function commit(writer: Writer, text: string): void {
    const body = Buffer.from(JSON.stringify(text));
    const batch = new BatchBuffer(new ArrayBuffer(10_000));
    batch.bytes.set(body, batch.bodyOffset);
    batch.finish(LogKind.reading, 0, 0, body.length);
    writer.commit(batch.buffer, batch.used);
  }

  function texts(): string[] {
    const reader = new Reader(file);
    const { bytes, end, count } = reader.readBatch(1, 1000, 1 << 20);
    reader.close();
    return Array.from({ length: count }, (_, i) =>
      JSON.parse(Buffer.from(bytes.subarray(i === 0 ? 0 : end[i - 1], end[i])).toString()),
    );
  }

  test('what was not synced is lost with the power, what was is not', () => {
    for (const [synchronous, rows] of [
      ['OFF', 0],
      ['FULL', 1],
    ] as const) {
      disk.format(1);
      const before = new Database(file);
      before.pragma('journal_mode = WAL');
      before.exec('CREATE TABLE t (a)');
      before.pragma('wal_checkpoint(TRUNCATE)');
      before.pragma(`synchronous = ${synchronous}`);
      before.exec('INSERT INTO t VALUES (1)');
      disk.powerCut('nothing');
      const after = new Database(file);
      expect(after.prepare('SELECT count(*) FROM t').pluck().get()).toBe(rows);
      after.close();
    }
  });

  test('an operation fails where it was asked to, and only so often', () => {
    const db = new Database(file);
    db.exec('CREATE TABLE t (a)');
    disk.fail({ op: 'write', skip: 0, count: 1, error: 'full', loses: false });
    expect(() => db.exec('INSERT INTO t VALUES (1)')).toThrow(/full/);
    db.exec('INSERT INTO t VALUES (2)');
    expect(db.prepare('SELECT a FROM t').pluck().all()).toEqual([2]);
    db.close();
  });

  test('a batch that the run before could not sync, but wrote, takes no later one with it', () => {
    const first = openWriter();
    commit(first, 'synced');
    disk.fail({ op: 'sync', skip: 0, count: 1, error: 'io', loses: true });
    expect(() => commit(first, 'written')).toThrow(/disk I\/O error/);
    disk.kill();
    const second = openWriter();
    expect(texts()).toEqual(['synced', 'written']);
    commit(second, 'later');
    disk.powerCut('nothing');
    openWriter().close();
    expect(texts()).toEqual(['synced', 'written', 'later']);
  });

  test('a read that fails says why, not that it ended the transaction', () => {
    openWriter().close();
    const writer = openWriter();
    const draw = new Draw(1, 1);
    for (let rows = 0; rows < 20; rows++) commit(writer, draw.hex(5000));
    const reader = new Reader(file);
    disk.fail({ op: 'read', skip: 8, count: 100, error: 'io', loses: false });
    expect(() => reader.readBatch(0, 1000, 1 << 20)).toThrow(/disk I\/O error/);
    disk.clearFaults();
    expect(reader.readBatch(0, 1000, 1 << 20).count).toBe(21);
    reader.close();
    writer.close();
  });

  test('a read that fails at the start is no reason to give the file up', () => {
    const writer = openWriter();
    commit(writer, 'kept');
    writer.close();
    const codes = new Set<string>();
    for (let skip = 0; skip < 80; skip++) {
      disk.fail({ op: 'read', skip, count: 1, error: 'io', loses: false });
      try {
        openWriter().close();
      } catch (error) {
        codes.add((error as GatewayError).code);
      }
      disk.kill();
    }
    disk.clearFaults();
    expect([...codes]).toEqual(['STORE_FAILED']);
    expect(texts()).toEqual(['kept']);
  });
});
