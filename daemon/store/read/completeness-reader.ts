/** The completeness table: rows of a span of hours, with what of each hour the centre has. */
import type { Database } from 'better-sqlite3';
import type { CompletenessRow, ReadingCount } from '../store.ts';

interface Row {
  readonly hour_ms: number;
  readonly pack_id: string;
  readonly expected: number;
  readonly received: number;
  readonly stored: number;
  readonly repeated: number;
  readonly log_seq: number;
}

/** `count` gives the readings of a span with at most that sequence number, by pack id. */
export async function readCompleteness(
  db: Database,
  { from_ms, to_ms, synced_seq }: { from_ms: number; to_ms: number; synced_seq: number | null },
  count: (from_ms: number, to_ms: number, up_to_seq: number) => Promise<Record<string, ReadingCount>>,
): Promise<CompletenessRow[]> {
  const rows = db
    .prepare<[number, number], Row>(
      `SELECT hour_ms, pack_id, expected, received, stored, repeated, log_seq
       FROM completeness JOIN packs USING (pack_key)
       WHERE hour_ms >= ? AND hour_ms < ? ORDER BY hour_ms, pack_key`,
    )
    .all(from_ms, to_ms);
  const partly = new Map<number, Record<string, ReadingCount>>();
  if (synced_seq !== null) {
    // Those after the second hour whose record is not there yet have not begun to arrive.
    const behind = [...new Set(rows.filter(row => row.log_seq > synced_seq).map(row => row.hour_ms))];
    for (const hour_ms of behind.slice(0, 2))
      partly.set(hour_ms, await count(hour_ms, hour_ms + 3_600_000, synced_seq));
  }
  return rows.map(({ log_seq, ...row }) => ({
    ...row,
    synced:
      synced_seq === null
        ? null
        : log_seq <= synced_seq
          ? row.stored
          : (partly.get(row.hour_ms)?.[row.pack_id]?.readings ?? 0),
  }));
}
