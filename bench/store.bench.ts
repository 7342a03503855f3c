/**
 * Storage: readings through encoder, queue and commit, against bare better-sqlite3 inserts of blobs of the same
 * size in the same run; and the bytes that the default fleet writes to the card.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { encodeInto, maxEncodedBytes } from '../core/reading/codec.ts';
import { createSqliteStore } from '../daemon/store/sqlite-store.ts';
import {
  fillNumbered,
  numberedReading,
  smallTopology,
  storeOptions,
  temporaryDirectory,
} from '../daemon/store/testing.ts';
import { perSecond, ratio } from './rate.ts';

const CELLS_PER_PACK = 10;
const GOAL_RATIO = 0.2;
const ROWS = 400_000;
const ROWS_PER_TRANSACTION = 10_000;
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

/** 100 packs every 2 s, one commit per round; bytes handed to the file system, WAL and checkpoints included. */
async function bytesWrittenPerDay(): Promise<number> {
  const { path, remove } = temporaryDirectory();
  const store = createSqliteStore(storeOptions(path));
  await store.open(topology);
  const rounds = 600;
  const before = bytesWritten();
  for (let round = 0; round < rounds; round++) {
    for (let pack = 0; pack < topology.packs.length; pack++) {
      reading.pack = pack;
      fillNumbered(reading, round, Date.UTC(2026, 0, 1) + round * 2000);
      store.append(reading);
    }
    await store.flush();
  }
  await store.close();
  const written = bytesWritten() - before;
  remove();
  return (written / rounds) * 43_200;
}

/** Linux only; elsewhere NaN. */
function bytesWritten(): number {
  try {
    return Number(/wchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  } catch {
    return Number.NaN;
  }
}

export async function benchStore(): Promise<string[]> {
  const raw = rawRowsPerSecond();
  const stored = await storeRowsPerSecond();
  const per_day = await bytesWrittenPerDay();
  return [
    `body of a ${CELLS_PER_PACK}-cell reading: ${body_bytes} bytes`,
    `raw better-sqlite3 inserts: ${perSecond(raw, 'rows')}`,
    `appended and committed: ${perSecond(stored, 'rows')}, ${perSecond(stored * CELLS_PER_PACK, 'cell readings')}`,
    ratio(stored, raw, GOAL_RATIO),
    `default fleet at 2 s writes ${(per_day / 1e9).toFixed(2)} GB/day (goal 1)`,
  ];
}
