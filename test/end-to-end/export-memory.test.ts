/** `bms-gateway export` beside a running gateway: the memory it takes does not grow with what it exports. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { createSqliteStore } from '../../daemon/store/sqlite-store.ts';
import {
  fillNumbered,
  smallTopology,
  storeOptions,
  temporaryDirectory,
} from '../../daemon/store/testing/fixtures.ts';
import { PROGRAM } from '../support/program.ts';

const T0 = Date.UTC(2026, 0, 7);
const PACKS = 10;
const MOMENTS = 1800;
/** It takes about 90, of which 50 are Node's own, once more while sources are compiled. Whole batches as text took 330. */
const MAX_MB = 128;
/** The kernel's own account of the most that was resident. */
const PRELOAD = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync } from 'node:fs';
  process.on('exit', () => process.stderr.write(/VmHWM.*/.exec(readFileSync('/proc/self/status', 'utf8'))[0] + '\\n'));
`)}`;

const directory = temporaryDirectory();

beforeAll(async () => {
  const topology = smallTopology(PACKS, 100);
  const store = createSqliteStore(storeOptions(directory.path, { retention_days: 10_000 }));
  await store.open(topology);
  const readings = topology.packs.map(({ pack, shape }) => new PackReading(pack, shape));
  for (let n = 0; n < MOMENTS; n++) {
    for (const reading of readings) {
      fillNumbered(reading, n, T0 + n * 1000);
      store.append(reading);
    }
    if (n % 100 === 0) await store.flush();
  }
  await store.flush();
  await store.close();
});
afterAll(() => directory.remove());

test('1.8 million lines pass through the memory of a few', async () => {
  const args = ['export', '--state-dir', directory.path, '--from', '2026-01-07'];
  const child = spawn(process.execPath, ['--import', PRELOAD, PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  });
  let lines = 0;
  child.stdout.on('data', (bytes: Buffer) => {
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  });
  const [errors] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect(errors).toContain(`${PACKS * MOMENTS} readings of`);
  expect(lines).toBe(1 + PACKS * MOMENTS * 100);
  expect(Number(/VmHWM:\s+(\d+) kB/.exec(errors)?.[1]) / 1024).toBeLessThan(MAX_MB);
});
