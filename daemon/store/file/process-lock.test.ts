/** One process per directory: who comes second is shown who is there, and who dies by force leaves no lock behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Reader } from '../read/reader.ts';
import { createSqliteStore, STORE_FILE } from '../sqlite-store.ts';
import { numberedReading, smallTopology, storeOptions, temporaryDirectory } from '../testing/fixtures.ts';
import { ProcessLock } from './process-lock.ts';

const CHILD = fileURLToPath(new URL('../testing/lock-child.ts', import.meta.url));
let directory: ReturnType<typeof temporaryDirectory>;
let child: ChildProcess | undefined;

beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(async () => {
  await end(child);
  child = undefined;
  directory.remove();
});

async function end(process: ChildProcess | undefined): Promise<void> {
  if (!process || process.exitCode !== null || process.signalCode !== null) return;
  const ended = once(process, 'exit');
  process.kill('SIGKILL');
  await ended;
}

async function lockedByAnother(file: string): Promise<ChildProcess> {
  const holder = spawn(process.execPath, [CHILD, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  child = holder;
  await once(createInterface(holder.stdout), 'line');
  return holder;
}

const taking = (file: string) => () => ProcessLock.take(file, 'the box', 'stop that one').release();

test('a lock is held as long as its process lives, also while that is stopped, and ends with it', async () => {
  const file = join(directory.path, 'a.lock');
  const holder = await lockedByAnother(file);
  const refused = {
    code: 'STORE_IN_USE',
    message: `the box is in use by process ${holder.pid}; stop that one`,
  };
  expect(taking(file)).toThrow(expect.objectContaining(refused));
  holder.kill('SIGSTOP');
  expect(taking(file)).toThrow(expect.objectContaining(refused));
  await end(holder);
  expect(taking(file)).not.toThrow();
});

test('within one process a lock is held once, until it is released', () => {
  const file = join(directory.path, 'a.lock');
  const lock = ProcessLock.take(file, 'the box', 'stop that one');
  expect(taking(file)).toThrow(`the box is in use by process ${process.pid}`);
  expect(taking(file)).toThrow(`the box is in use by process ${process.pid}`);
  lock.release();
  lock.release();
  expect(taking(file)).not.toThrow();
});

test('a directory where no lock can be made is reported', () => {
  expect(taking(join('/dev/null', 'a.lock'))).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
});

test('a second store in one directory is refused; the first, and who only reads, go on', async () => {
  const topology = smallTopology(1);
  const first = createSqliteStore(storeOptions(directory.path));
  await first.open(topology);
  const second = createSqliteStore(storeOptions(directory.path));
  await expect(second.open(topology)).rejects.toMatchObject({
    code: 'STORE_IN_USE',
    message: expect.stringMatching(
      `^${directory.path} is in use by process ${process.pid}; .*another state directory`,
    ),
  });
  await second.close();
  first.append(numberedReading(topology, 0, 1, 1000));
  await first.flush();
  const reader = new Reader(join(directory.path, STORE_FILE));
  expect(reader.readBatch(0, 10, 1 << 16).count).toBe(2);
  reader.close();
  await first.close();
  const third = createSqliteStore(storeOptions(directory.path));
  await third.open(topology);
  expect(third.durableSeq()).toBe(2);
  await third.close();
});

test('a store whose directory another process has is refused before anything is made there', async () => {
  const file = join(directory.path, `${STORE_FILE}.lock`);
  const holder = await lockedByAnother(file);
  const store = createSqliteStore(storeOptions(directory.path));
  await expect(store.open(smallTopology(1))).rejects.toThrow(`in use by process ${holder.pid}`);
  expect(() => new Reader(join(directory.path, STORE_FILE))).toThrow();
  await store.close();
});
