/** What a golden file of the whole storage holds: the rows of each table, and what is read of them. */
import type { Reader } from '../read/reader.ts';
import { readAll } from './writer-bench.ts';

export interface GoldenTable {
  readonly columns: readonly string[];
  /** Blobs as `{ hex }`. */
  readonly rows: readonly (readonly unknown[])[];
}

export interface GoldenFile {
  /** So many migrations had been applied. */
  readonly migrations: number;
  readonly tables: Readonly<Record<string, GoldenTable>>;
  readonly meaning: Awaited<ReturnType<typeof meaningOfFile>>;
}

const SPAN = { from_ms: 0, to_ms: 4e12 };

/** As the sync reads the log, row by row, and what stands beside it. */
export async function meaningOfFile(reader: Reader) {
  return {
    rows: readAll(reader, 0, 500).map(({ body, ...row }) => ({
      ...row,
      body: Buffer.from(body, 'latin1').toString('hex'),
    })),
    alerts: reader
      .alerts({ state: 'all', limit: 10 })
      .map(({ id, pack_id, raised_ms, cleared_ms }) => ({ id, pack_id, raised_ms, cleared_ms })),
    audit: reader.audit({ limit: 10 }),
    completeness: await reader.completeness({ ...SPAN, synced_seq: null }, async () => true),
    clock: reader.clockState('boot-1'),
    thresholds: reader.get('setting', 'thresholds'),
  };
}
