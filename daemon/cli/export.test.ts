/** `export` on a storage that is there, on one that is not, and command lines that cannot be. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createSqliteStore } from '../store/sqlite-store.ts';
import type { LogSource, Store } from '../store/store.ts';
import { numberedReading, smallTopology, storeOptions } from '../store/testing/fixtures.ts';
import { main } from './main.ts';

const T0 = Date.UTC(2026, 0, 7);
const topology = smallTopology(2, 3);
const directory = mkdtempSync(join(tmpdir(), 'bms-export-'));
let store: Store & LogSource;

beforeAll(async () => {
  store = createSqliteStore(storeOptions(directory));
  await store.open(topology);
  for (let n = 0; n < 10; n++)
    for (const pack of [0, 1]) store.append(numberedReading(topology, pack, n, T0 + n * 1000));
  await store.flush();
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});
afterEach(() => vi.restoreAllMocks());

async function run(...args: string[]): Promise<{ code: number; output: string }> {
  let output = '';
  vi.spyOn(process.stderr, 'write').mockImplementation(text => {
    output += text;
    return true;
  });
  return { code: await main(['export', '--state-dir', directory, ...args], {}), output };
}

test('a span of one pack goes into a file, beside the store that is open; nothing is written over', async () => {
  const file = join(directory, 'out.csv');
  const span = ['--from', '2026-01-07T00:00:02Z', '--to', '2026-01-07T00:00:05Z', '--output', file];
  const { code, output } = await run(...span, '--pack', 'p02');
  expect([code, output]).toEqual([0, expect.stringContaining('3 readings of 2026-01-07T00:00:02.000Z')]);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\r\n');
  expect(lines).toHaveLength(1 + 3 * 3);
  expect(lines[1]).toMatch(/^2026-01-07T00:00:02.000Z,\d+,p02,p02\/c01,-12.5,/);
  const again = await run(...span);
  expect([again.code, again.output]).toEqual([1, expect.stringContaining('cannot be written')]);
});

test.each([
  [[], 2, /needs --from/],
  [['--from', 'yesterday'], 2, /--from: found "yesterday", expected a time such as/],
  [['--from', '2026-01-07', '--to', '2026-01-06'], 2, /expected a moment before --to/],
  [['--from', '1h', '--rows', 'site'], 2, /--rows: found "site", expected cell or pack/],
  [['--from', '1h', '--format', 'xml'], 2, /--format: found "xml", expected csv or ndjson/],
  [['--from', '1h', '--pack', 'p9'], 2, /--pack: found "p9", expected one of p01, p02/],
  [
    ['--from', '1h', '--state-dir', '/nowhere'],
    1,
    /gateway.db is not there; name the gateway's state directory/,
  ],
] as const)('wrong: %j', async (args, code, message) => {
  const outcome = await run(...args);
  expect(outcome).toEqual({ code, output: expect.stringMatching(message) });
});
