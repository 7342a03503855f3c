/**
 * Storage: readings through encoder, queue and commit, against bare better-sqlite3 inserts of blobs of the same
 * size in the same run; the bytes that the default fleet writes to the card, and keeps; and how long its history takes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { encodeInto, maxEncodedBytes, ReadingDecoder } from '../core/reading/codec.ts';
import { createSqliteStore, STORE_FILE } from '../daemon/store/sqlite-store.ts';
import type { Store } from '../daemon/store/store.ts';
import {
  fillNumbered,
  historyOf,
  numberedReading,
  smallTopology,
  storeOptions,
  temporaryDirectory,
} from '../daemon/store/testing/fixtures.ts';
import { perSecond, ratio } from './rate.ts';
import { simulateFleet } from './simulated-rows.ts';

const CELLS_PER_PACK = 10;
const GOAL_RATIO = 0.2;
const ROWS = 400_000;
const ROWS_PER_TRANSACTION = 10_000;
/** Two hours: eight spans, so that rollups are written as well. */
const DISK_MOMENTS = 3600;
const HISTORY_PACKS = 20;
const DAY_MS = 86_400_000;
const topology = smallTopology(100, CELLS_PER_PACK);
const reading = numberedReading(topology, 0, 1, Date.UTC(2026, 0, 1));
const view = new DataView(new ArrayBuffer(maxEncodedBytes(reading.shape)));
const body_bytes = encodeInto(reading, view, 0);

function rawRowsPerSecond(): number {
  const { path, remove } = temporaryDirectory();
  const db = new Database(join(path, 'raw.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(
    'CREATE TABLE log (seq INTEGER PRIMARY KEY, kind INTEGER, pack_key INTEGER, t_ms INTEGER, body BLOB)',
  );
  const insert = db.prepare('INSERT INTO log VALUES (?, 1, 1, 1767225600000, ?)');
  const blob = Buffer.alloc(body_bytes, 7);
  const start_ms = performance.now();
  for (let row = 0; row < ROWS; ) {
    db.exec('BEGIN');
    for (const end = row + ROWS_PER_TRANSACTION; row < end; row++) insert.run(row + 1, blob);
    db.exec('COMMIT');
  }
  const rate = (ROWS / (performance.now() - start_ms)) * 1000;
  db.close();
  remove();
  return rate;
}

/** From append to durable, at the pace of the writer: nothing is dropped. */
async function storeRowsPerSecond(): Promise<number> {
  const { path, remove } = temporaryDirectory();
  const store = createSqliteStore(storeOptions(path, { commit_interval_ms: 1000 }));
  await store.open(topology);
  const start_ms = performance.now();
  for (let n = 0; n < ROWS; n++) {
    reading.pack = n % topology.packs.length;
    fillNumbered(reading, n % 1_000_000, Date.UTC(2026, 0, 1) + n);
    store.append(reading);
    if (n % 5000 !== 0) continue;
    do await new Promise(resolve => setImmediate(resolve));
    while (store.stats().queue_bytes > 8 << 20);
  }
  await store.flush();
  const rate = (ROWS / (performance.now() - start_ms)) * 1000;
  const { readings_committed, readings_dropped } = store.stats();
  if (readings_committed !== ROWS)
    throw new Error(`${readings_committed} committed, ${readings_dropped} dropped`);
  await store.close();
  remove();
  return rate;
}

/** What the default fleet writes to the card in a day, as the kernel counts it, and what of it stays for 30 days. */
async function diskOfDefaultFleet(): Promise<{ written_per_day: number; kept_30_days: number }> {
  const { pack_ids, interval_ms, moments } = await simulateFleet(450);
  // Not in memory: what a tmpfs takes is not counted.
  const { path, remove } = temporaryDirectory('/var/tmp');
  const store = createSqliteStore(storeOptions(path));
  await store.open({ ...topology, packs: topology.packs.map((pack, i) => ({ ...pack, id: pack_ids[i] })) });
  const decoder = new ReadingDecoder();
  const before = bytesWritten();
  for (let n = 0; n < DISK_MOMENTS; n++) {
    // Forth and back, so that values go on from where they were.
    const turn = n % (2 * moments.length);
    const moment = moments[turn < moments.length ? turn : 2 * moments.length - 1 - turn];
    for (const { pack, body } of moment) {
      const stored = decoder.decode(new DataView(body.buffer, body.byteOffset), 0, body.length);
      if (typeof stored === 'number') throw new Error('a simulated reading cannot be decoded');
      stored.pack = pack;
      stored.t_ms = Date.UTC(2026, 0, 1) + n * interval_ms;
      store.append(stored);
    }
    await store.flush();
  }
  await archived(store);
  await store.close();
  const written_per_day = ((bytesWritten() - before) / DISK_MOMENTS) * (DAY_MS / interval_ms);
  const db = new Database(join(path, STORE_FILE), { readonly: true });
  const kept = db
    .prepare<[], number>("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%chunks%' OR name LIKE '%rollups%'")
    .pluck();
  const kept_30_days = ((kept.get() ?? 0) / DISK_MOMENTS) * (DAY_MS / interval_ms) * 30;
  db.close();
  remove();
  return { written_per_day, kept_30_days };
}

async function archived(store: Store): Promise<void> {
  // The writer tells of its spans as they are done: a second without news is the end.
  for (let waiting = -1; store.stats().spans_waiting !== waiting || waiting > 0; ) {
    waiting = store.stats().spans_waiting;
    await new Promise(resolve => setTimeout(resolve, 1000));
  }
}

/** Linux only; elsewhere NaN. Whole pages, as they go to the device. */
function bytesWritten(): number {
  try {
    return Number(/write_bytes: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  } catch {
    return Number.NaN;
  }
}

/** The least of several times, in ms. */
async function quickest(times: number, work: () => Promise<unknown>): Promise<number> {
  let least_ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start_ms = performance.now();
    await work();
    least_ms = Math.min(least_ms, performance.now() - start_ms);
  }
  return least_ms;
}

/** A day at full resolution and a month in quarters of an hour, out of files that hold so much. */
async function historyTimes(): Promise<string[]> {
  const lines: string[] = [];
  for (const [what, interval_ms, span_ms, request] of [
    ['a day of one cell, every reading', 2000, DAY_MS, { max_points: 50_000, cell_no: 4 }],
    ['30 days of one cell by 15 min', 60_000, 30 * DAY_MS, { max_points: 2880, cell_no: 4 }],
    ['30 days of a pack and all its cells by 15 min', 60_000, 30 * DAY_MS, { max_points: 2880 }],
  ] as const) {
    const { path, remove } = temporaryDirectory('/var/tmp');
    const fleet = smallTopology(HISTORY_PACKS, CELLS_PER_PACK);
    const store = createSqliteStore(storeOptions(path, { retention_days: 3650 }));
    await store.open(fleet);
    const from_ms = Date.UTC(2026, 0, 1);
    for (let n = 0; n < span_ms / interval_ms; n++) {
      for (let pack = 0; pack < HISTORY_PACKS; pack++) {
        reading.pack = pack;
        fillNumbered(reading, n % 1_000_000, from_ms + n * interval_ms);
        store.append(reading);
      }
      if (n % 45 === 0) await store.flush();
    }
    await store.flush();
    await archived(store);
    const asked = { pack_id: fleet.packs[3].id, from_ms, to_ms: from_ms + span_ms, ...request };
    const { t_ms, reading_count } = await historyOf(store, asked);
    const took_ms = await quickest(10, () => store.history(asked, 'json'));
    lines.push(
      `${what}: ${took_ms.toFixed(0)} ms (goal 50), ${t_ms.length} points of ${reading_count} readings`,
    );
    await store.close();
    remove();
  }
  return lines;
}

export async function benchStore(): Promise<string[]> {
  const raw = rawRowsPerSecond();
  const stored = await storeRowsPerSecond();
  const { written_per_day, kept_30_days } = await diskOfDefaultFleet();
  return [
    `body of a ${CELLS_PER_PACK}-cell reading: ${body_bytes} bytes`,
    `raw better-sqlite3 inserts: ${perSecond(raw, 'rows')}`,
    `appended and committed: ${perSecond(stored, 'rows')}, ${perSecond(stored * CELLS_PER_PACK, 'cell readings')}`,
    ratio(stored, raw, GOAL_RATIO),
    `default fleet at 2 s writes ${(written_per_day / 1e9).toFixed(2)} GB/day (goal 1), the kernel's count`,
    `30 days of it at full resolution, and their rollups: ${(kept_30_days / 1e9).toFixed(2)} GB (goal 4)`,
    ...(await historyTimes()),
  ];
}
