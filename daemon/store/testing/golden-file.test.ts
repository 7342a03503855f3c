/** A file that an earlier program wrote, with rows of every kind, is read by this one: row by row, byte by byte. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SQLITE_MIGRATIONS } from '../file/migration-files.ts';
import { openDatabase } from '../file/open-database.ts';
import { Reader } from '../read/reader.ts';
import { LogKind } from '../store.ts';
import { type GoldenFile, meaningOfFile } from './golden-file.ts';
import { archiveAll, openWriter } from './writer-bench.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const files = readdirSync(GOLDEN).filter(name => /^file-\d+\.json$/.test(name));

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'golden-file-'));
  file = join(directory, 'gateway.db');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** As it was: the migrations of then, and the rows. */
function restore({ migrations, tables }: GoldenFile): void {
  const of_then = join(directory, 'migrations');
  mkdirSync(of_then);
  const names = readdirSync(SQLITE_MIGRATIONS).filter(name => name.endsWith('.sql'));
  for (const name of names.sort().slice(0, migrations))
    cpSync(join(SQLITE_MIGRATIONS, name), join(of_then, name));
  const db = openDatabase(file, of_then);
  for (const [name, { columns, rows }] of Object.entries(tables)) {
    db.exec(`DELETE FROM ${name}`);
    const insert = db.prepare(`INSERT INTO ${name} (${columns}) VALUES (${columns.map(() => '?')})`);
    for (const row of rows)
      insert.run(
        row.map(value =>
          typeof value === 'object' && value !== null
            ? Buffer.from((value as { hex: string }).hex, 'hex')
            : value,
        ),
      );
  }
  db.close();
}

async function meaning() {
  const damage: string[] = [];
  const reader = new Reader(file, what => damage.push(what));
  try {
    return { meaning: await meaningOfFile(reader), damage, checked: reader.checkParts(undefined, 1e9) };
  } finally {
    reader.close();
  }
}

describe.each(files)('%s', name => {
  const golden: GoldenFile = JSON.parse(readFileSync(join(GOLDEN, name), 'utf8'));

  test('there are rows of every kind, in the archive, in a block, and alone', () => {
    const kinds = new Set(golden.meaning.rows.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(Object.values(LogKind)));
    for (const table of ['chunks', 'log', 'spans', 'alerts', 'audit', 'completeness', 'clock_records'])
      expect(golden.tables[table].rows.length, table).toBeGreaterThan(0);
  });

  test('is read as it was', async () => {
    restore(golden);
    openDatabase(file, SQLITE_MIGRATIONS).close();
    const { meaning: is, damage, checked } = await meaning();
    expect(is).toEqual(golden.meaning);
    expect(damage).toEqual([]);
    expect(checked.position).toBeUndefined();
  });

  test('is read as it was once this program has archived the rest of it', async () => {
    restore(golden);
    const writer = openWriter(file, 24);
    archiveAll(writer);
    writer.close();
    const { meaning: is, damage } = await meaning();
    expect(is).toEqual(golden.meaning);
    expect(damage).toEqual([]);
  });
});
