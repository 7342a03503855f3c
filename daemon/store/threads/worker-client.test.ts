/** How a thread of the store is ended: between two calls, so that nothing native is torn; by force only when it hangs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { temporaryDirectory } from '../testing/fixtures.ts';
import { END, type WorkerSetup } from '../worker-messages.ts';
import { WorkerClient } from './worker-client.ts';

/** Counts calls begun, calls done and being asked to end. */
const SCRIPT = `
  import { pbkdf2Sync } from 'node:crypto';
  import { parentPort, workerData } from 'node:worker_threads';
  const counts = new Int32Array(workerData.counts);
  parentPort.on('message', ({ method }) => {
    if (method === '${END}') { Atomics.add(counts, 2, 1); process.exit(); }
    Atomics.add(counts, 0, 1);
    Atomics.notify(counts, 0);
    if (method === 'hang') for (;;) ;
    for (let i = 0; i < 20; i++) pbkdf2Sync('native', 'work', 5000, 32, 'sha256');
    Atomics.add(counts, 1, 1);
  });`;

let directory: ReturnType<typeof temporaryDirectory>;
let counts: Int32Array;
let clock: ManualClock;
let client: WorkerClient<{ work: [null, null]; hang: [null, null] }>;

beforeEach(() => {
  directory = temporaryDirectory();
  const script = join(directory.path, 'worker.mjs');
  writeFileSync(script, SCRIPT);
  counts = new Int32Array(new SharedArrayBuffer(12));
  clock = new ManualClock();
  const setup = { counts: counts.buffer } as unknown as WorkerSetup;
  client = new WorkerClient('worker', pathToFileURL(script), setup, clock);
});
afterEach(() => directory.remove());

const begun = () => Atomics.waitAsync(counts, 0, 0).value;

test('it ends after the call it is at, by itself, and whoever waits is answered at once', async () => {
  const call = client.call('work', null, undefined);
  await begun();
  const ending = client.end(5000);
  await expect(call).rejects.toMatchObject({ code: 'STORE_FAILED' });
  await ending;
  expect([...counts]).toEqual([1, 1, 1]);
  expect(clock.pendingTimers).toBe(0);
  await client.end(5000);
});

test('one that hangs is ended by force when its time is over', async () => {
  client.call('hang', null, undefined).catch(() => {});
  await begun();
  const ending = client.end(5000);
  clock.advance(5000);
  await ending;
  expect([...counts]).toEqual([1, 0, 0]);
});
