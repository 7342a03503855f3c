/**
 * Writes the rows of a whole file as this program stores them today, table by table, and what is read of them. Every
 * later program must read the same, so a file that was committed is never made again; a new migration that changes rows
 * gets a file of its own:
 *
 *   node daemon/store/testing/make-golden-file.ts > daemon/store/testing/golden/file-<number of migrations>.json
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Reader } from '../read/reader.ts';
import { LogKind } from '../store.ts';
import { someAlert } from './fixtures.ts';
import { type GoldenFile, type GoldenTable, meaningOfFile } from './golden-file.ts';
import { archiveAll, commit, openWriter } from './writer-bench.ts';

const T0 = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
/** One span is archived, the next waits, the last is open. */
const SPAN_ROWS = 24;
const ROWS_PER_COMMIT = 8;

const directory = mkdtempSync(join(tmpdir(), 'golden-file-'));
const file = join(directory, 'gateway.db');
try {
  write();
  process.stdout.write(`${JSON.stringify(await golden())}\n`);
} finally {
  rmSync(directory, { recursive: true });
}

function write(): void {
  const writer = openWriter(file, SPAN_ROWS);
  const record = (kind: number, t_ms: number, body: object) => ({
    kind,
    pack_key: 0,
    t_ms,
    body: Buffer.from(JSON.stringify(body)).toString('latin1'),
  });
  const readings = (first: number) =>
    Array.from({ length: ROWS_PER_COMMIT }, (_, i) => ({
      pack: i % 3,
      n: first + i,
      t_ms: T0 + 1000 * (first + i),
    }));
  const readings_lost = {
    reason: 'queue_full',
    detail: 'the disk could not keep up',
    from_ms: T0,
    to_ms: T0 + 5000,
    first_seq: null,
    last_seq: null,
    readings: 3,
    packs: [{ pack_id: 'p01', readings: 3 }],
  };
  const hour = { hour_ms: T0, packs: [{ pack_id: 'p01', expected: 9, received: 8, stored: 8, repeated: 1 }] };
  const entry = {
    id: 'e1',
    t_ms: T0,
    actor: 'ada',
    action: 'login',
    outcome: 'done',
    target: null,
    address: '192.0.2.1',
    request_id: null,
  };
  const era = {
    reason: 'start',
    boot_id: 'boot-1',
    t_ms: T0,
    offset_ms: T0 - 60_000,
    step_ms: 0,
    trust: 'none',
  };
  const correction = {
    reason: 'correction',
    boot_id: 'boot-1',
    t_ms: T0 + HOUR_MS,
    first_seq: 2,
    last_seq: 9,
    offset_ms: 500,
    from_ms: T0,
    to_ms: T0 + 8000,
    trust: 'network',
  };
  commit(writer, [record(LogKind.clock, T0, era), ...readings(0)]);
  commit(writer, [...readings(100), record(LogKind.alert, T0 + 7, someAlert('raised', T0 + 7))]);
  commit(writer, readings(200));
  archiveAll(writer);
  commit(writer, [
    record(LogKind.gap, T0 + 8, readings_lost),
    record(LogKind.completeness, T0 + HOUR_MS, hour),
    record(LogKind.audit, T0 + 9, entry),
    record(LogKind.clock, T0 + HOUR_MS, correction),
    record(LogKind.alert, T0 + 10, someAlert('cleared', T0 + 10, T0 + 11)),
  ]);
  commit(writer, [...readings(300), ...readings(400), ...readings(500)]);
  commit(writer, readings(600));
  writer.put('setting', 'thresholds', '{"limit":3.5}');
  writer.close();
}

async function golden(): Promise<GoldenFile> {
  const db = new Database(file, { readonly: true });
  const names = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('schema_migrations') AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .pluck()
    .all();
  const tables: Record<string, GoldenTable> = {};
  for (const name of names) {
    const rows = db.prepare(`SELECT * FROM ${name}`);
    tables[name] = {
      columns: rows.columns().map(column => column.name),
      rows: rows
        .raw()
        .all()
        .map(row =>
          (row as unknown[]).map(value => (Buffer.isBuffer(value) ? { hex: value.toString('hex') } : value)),
        ),
    };
  }
  const migrations = db.prepare<[], number>('SELECT max(version) FROM schema_migrations').pluck().get() ?? 0;
  db.close();
  const reader = new Reader(file);
  const meaning = await meaningOfFile(reader);
  reader.close();
  return { migrations, tables, meaning };
}
