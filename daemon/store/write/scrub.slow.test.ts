/** The scrub: everything is checked once in so many days, bounded each minute, from where it was; damage is reported. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { type CheckedParts, PartsCheck, type PartsPosition } from '../log/check-parts.ts';
import { Reader } from '../read/reader.ts';
import { createSqliteStore, STORE_FILE } from '../sqlite-store.ts';
import { LogKind, type LogSource, type Store } from '../store.ts';
import { smallTopology, storeOptions, temporaryDirectory } from '../testing/fixtures.ts';
import { archiveAll, commit, openWriter } from '../testing/writer-bench.ts';
import { Scrub, type ScrubOptions } from './scrub.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const T0 = Date.UTC(2026, 0, 7);
let directory: ReturnType<typeof temporaryDirectory>;
let file: string;

beforeEach(() => {
  directory = temporaryDirectory();
  file = join(directory.path, STORE_FILE);
});
afterEach(() => directory.remove());

/** Blocks, chunks with and without readings, rollups of both widths. */
function makeParts(): { log: number; chunks: number; rollups: number; bytes: number } {
  const writer = openWriter(file, 450);
  for (let n = 0; n < 1500; n += 50)
    commit(writer, [
      ...Array.from({ length: 50 }, (_, i) => i).flatMap(i =>
        [0, 1, 2].map(pack => ({ pack, n: n + i, t_ms: T0 + (n + i) * 2000 })),
      ),
      { kind: LogKind.gap, pack_key: 0, t_ms: T0 + n * 2000, body: JSON.stringify({ reason: 'test', n }) },
    ]);
  archiveAll(writer);
  commit(writer, [{ pack: 0, n: 9000, t_ms: T0 + 9000 * 2000 }]);
  writer.close();
  const db = new Database(file, { readonly: true });
  const count = (sql: string) => db.prepare<[], number>(sql).pluck().get() as number;
  const counts = {
    log: count('SELECT count(*) FROM log'),
    chunks: count('SELECT count(*) FROM chunks'),
    rollups: count('SELECT count(*) FROM rollups'),
    bytes: ['log', 'chunks', 'rollups'].reduce(
      (sum, table) => sum + count(`SELECT sum(length(body)) FROM ${table}`),
      0,
    ),
  };
  db.close();
  expect(Math.min(counts.log, counts.chunks, counts.rollups)).toBeGreaterThan(1);
  return counts;
}

/** Changes a byte in the middle of the body of one row, behind the back of everybody. */
function damage(table: string, rowid: number): void {
  const db = new Database(file);
  const body = db.prepare<[number], Buffer>(`SELECT body FROM ${table} WHERE rowid = ?`).pluck().get(rowid);
  if (!body) throw new Error(`${table} has no row ${rowid}`);
  body[Math.floor(body.length / 2)] ^= 0x40;
  db.prepare(`UPDATE ${table} SET body = ? WHERE rowid = ?`).run(body, rowid);
  db.close();
}

test('every part is checked once, however little at a time, also while the position is kept as JSON', () => {
  const { bytes } = makeParts();
  const reader = new Reader(file, () => expect.unreachable());
  for (const at_least of [1, 700, 1 << 30]) {
    let sum = 0;
    let position: PartsPosition | undefined;
    const seen = new Set<string>();
    do {
      const checked = reader.checkParts(position, at_least);
      sum += checked.bytes;
      position = checked.position && JSON.parse(JSON.stringify(checked.position));
      expect(seen.has(JSON.stringify(position))).toBe(false);
      seen.add(JSON.stringify(position));
    } while (position);
    expect(sum).toBe(bytes);
  }
  reader.close();
});

test('damage in any of them is found, under the name that reading gives it', () => {
  makeParts();
  const db = new Database(file, { readonly: true });
  const [{ rowid: others }] = db
    .prepare<[], { rowid: number }>('SELECT rowid FROM chunks WHERE pack_key = 0')
    .all();
  const [{ rowid: readings }] = db
    .prepare<[], { rowid: number }>('SELECT rowid FROM chunks WHERE pack_key = 2')
    .all();
  const last_seq = db.prepare<[], number>('SELECT max(seq) FROM log').pluck().get() as number;
  db.close();
  damage('chunks', others);
  damage('chunks', readings);
  damage('rollups', 1);
  damage('log', last_seq);
  const found: string[] = [];
  const reader = new Reader(file, what => found.push(what));
  reader.checkParts(undefined, 1 << 30);
  expect(found.map(what => what.replace(/: .*/, '').replace(/\d[\d:.TZ-]*/g, 'N'))).toEqual([
    'block of rows up to N',
    'records from row N on',
    'chunk of pack key N from row N on',
    'rollup of pack key N from N on',
  ]);
  const by_scrub = [...found];
  found.length = 0;
  reader.readBatch(0, 1 << 20, 1 << 30);
  // Rollups are read by histories.
  expect(found).toEqual(expect.arrayContaining(by_scrub.slice(1, 3)));
  expect(found).toContain(by_scrub[0]);
  reader.close();
});

test('pages that cannot be read are reported, and the next table follows', () => {
  makeParts();
  const db = new Database(file);
  const sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'chunks'";
  const root = db.prepare<[], number>(sql).pluck().get() as number;
  const page_bytes = db.pragma('page_size', { simple: true }) as number;
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  const raw = openSync(file, 'r+');
  writeSync(raw, Buffer.alloc(page_bytes, 0xa5), 0, page_bytes, (root - 1) * page_bytes);
  closeSync(raw);
  const found: string[] = [];
  const broken = new Database(file, { readonly: true });
  const parts = new PartsCheck(
    broken,
    ({ name }) => found.push(name),
    what => found.push(what),
  );
  expect(parts.check(undefined, 1 << 30).position).toBeUndefined();
  expect(found).toEqual([expect.stringMatching(/^table chunks: .*malformed/)]);
  broken.close();
});

/** Parts of 1000 bytes, `count` of them. */
function madeUp(count: number, kept = new Map<string, unknown>()) {
  const clock = new ManualClock(T0);
  const checked: number[] = [];
  const check = async (position: PartsPosition | null, at_least_bytes: number): Promise<CheckedParts> => {
    let at = position?.key[0] ?? 0;
    let bytes = 0;
    while (at < count && bytes < at_least_bytes) {
      checked.push(at++);
      bytes += 1000;
    }
    return { position: at < count ? { table: 'chunks', key: [at] } : undefined, bytes };
  };
  const documents: ScrubOptions['documents'] = {
    get: async (kind, id) => kept.get(`${kind} ${id}`),
    put: async (kind, id, body) => void kept.set(`${kind} ${id}`, JSON.parse(JSON.stringify(body))),
  };
  const start = (days = 7) => new Scrub({ clock, log: silentLogger, days, documents, check });
  const minutes = async (scrub: Scrub, minutes: number) => {
    for (let n = 0; n < minutes; n++) {
      await scrub.round(count * 1000);
      clock.advance(MINUTE_MS);
    }
  };
  return { clock, checked, start, minutes };
}

test('a pass takes some days, an even share each minute; then it rests until the next is due', async () => {
  // 4 GB: 0.5 MB a minute.
  const { checked, start, minutes } = madeUp(4_000_000);
  const scrub = start();
  await minutes(scrub, 61);
  const of_an_hour = checked.length;
  expect(of_an_hour).toBeGreaterThan((4_000_000 / (7 * 24)) * 1.2);
  expect(of_an_hour).toBeLessThan((4_000_000 / (7 * 24)) * 1.4);
  expect(scrub.stats()).toEqual({ scrub_done_pct: 1, scrub_passes: 0, scrub_finished_ago_s: 0 });
  await minutes(scrub, 6 * 24 * 60);
  expect(checked.length).toBe(4_000_000);
  expect(scrub.stats()).toMatchObject({ scrub_done_pct: 100, scrub_passes: 1 });
  expect(scrub.stats().scrub_finished_ago_s).toBeGreaterThan(8 * 3600);
  await minutes(scrub, 24 * 60);
  expect(checked.length).toBeGreaterThan(4_000_000);
  expect(checked.slice(0, 4_000_000).every((part, i) => part === i)).toBe(true);
});

test('however large, no more than 16 MiB a minute, also after a long sleep; and none where it is turned off', async () => {
  const { clock, checked, start, minutes } = madeUp(10_000_000);
  const scrub = start(0.01);
  await minutes(scrub, 2);
  clock.advance(DAY_MS);
  checked.length = 0;
  await minutes(scrub, 1);
  expect(checked.length * 1000).toBeLessThan(2 * (16 << 20) + 300_000);
  checked.length = 0;
  await minutes(start(0), 10);
  expect(checked).toEqual([]);
});

test('after a restart it goes on where it was, within ten minutes of work', async () => {
  const kept = new Map<string, unknown>();
  const first = madeUp(100_000, kept);
  await first.minutes(first.start(), 60);
  const second = madeUp(100_000, kept);
  second.clock.advance(60 * MINUTE_MS);
  await second.minutes(second.start(), 2);
  const again = first.checked.length - second.checked[0];
  expect(again).toBeGreaterThanOrEqual(0);
  expect(again).toBeLessThanOrEqual((11 / 60) * first.checked.length);
});

test('what another version left is no fault, nor is a clock that was set back', async () => {
  const kept = new Map<string, unknown>([['scrub state', { position: 7 }]]);
  const { clock, checked, start, minutes } = madeUp(50, kept);
  const scrub = start();
  await minutes(scrub, 3);
  expect([checked.length, scrub.stats().scrub_passes]).toEqual([50, 1]);
  clock.stepWall(-30 * DAY_MS);
  await minutes(scrub, 2);
  expect(scrub.stats()).toMatchObject({ scrub_passes: 2, scrub_finished_ago_s: expect.any(Number) });
});

test('a store finds damage by itself: counted, and reported as a gap like any other', async () => {
  makeParts();
  damage('chunks', 2);
  const options = { retain_every_ms: 20, scrub_days: 0.0001, retention_days: 36_500 };
  const store: Store & LogSource = createSqliteStore(storeOptions(directory.path, options));
  await store.open(smallTopology(3));
  try {
    await expect.poll(() => store.stats().scrub_passes, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(store.stats()).toMatchObject({ parts_damaged: 1, fault: undefined });
    const reasons = async () => {
      const batch = await store.readBatch(0, 10_000, 1 << 24);
      return [...batch.kind].flatMap((kind, i) => {
        const body = Buffer.from(batch.bytes.subarray(i === 0 ? 0 : batch.end[i - 1], batch.end[i]));
        const { reason, detail } = kind === LogKind.gap ? JSON.parse(body.toString()) : { reason: undefined };
        return reason === 'damaged' ? [detail] : [];
      });
    };
    await expect
      .poll(reasons, { timeout: 20_000 })
      .toEqual([expect.stringMatching(/^(chunk|records) .*from row \d+ on: /)]);
  } finally {
    await store.close();
  }
});
