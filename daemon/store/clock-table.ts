/** Records of the wall clock (LogKind.clock) as rows: which times are corrected, and which are uncertain. */
import type { Database } from 'better-sqlite3';
import type { ClockRecord, ClockState } from '../../core/contract/clock.ts';
import { Corrections } from './corrections.ts';
import type { LogRows, Range } from './log-rows.ts';
import { blockStart, ROLLUP_LEVELS } from './rollup.ts';
import { LogKind } from './store.ts';

/**
 * SQL, of a row of `spans`: some of its times are uncertain, and their boot may yet learn the time. Rollups wait for
 * it, as a value cannot be taken out of one again.
 */
export const MAY_BE_CORRECTED = `EXISTS (
  SELECT 1 FROM uncertain_times u
  WHERE u.first_seq <= spans.last_seq AND coalesce(u.last_seq, spans.first_seq) >= spans.first_seq
    AND u.first_seq >= (SELECT min(seq) FROM clock_records WHERE boot_id =
      (SELECT boot_id FROM clock_records ORDER BY seq DESC LIMIT 1)))`;

/** Within the commit that gave the record its number. */
export function storeClock(db: Database, seq: number, body: string): void {
  const record = JSON.parse(body) as ClockRecord;
  const before = Corrections.load(db);
  db.prepare('INSERT INTO clock_records VALUES (?, ?, ?)').run(seq, record.boot_id, body);
  if (record.reason === 'correction') {
    const { first_seq, last_seq, offset_ms } = record;
    if (offset_ms !== 0) {
      db.prepare('INSERT INTO corrections VALUES (?, ?, ?, ?)').run(seq, first_seq, last_seq, offset_ms);
      forgetRollups(db, { first_seq, last_seq }, before);
    }
    // Eras are corrected in order, so what is left of a span is its end.
    db.prepare('DELETE FROM uncertain_times WHERE first_seq BETWEEN ? AND ? AND last_seq <= ?').run(
      first_seq,
      last_seq,
      last_seq,
    );
    db.prepare('UPDATE uncertain_times SET first_seq = ? WHERE first_seq BETWEEN ? AND ?').run(
      last_seq + 1,
      first_seq,
      last_seq,
    );
    return;
  }
  if (record.reason === 'continued') return;
  db.prepare('UPDATE uncertain_times SET last_seq = ? WHERE last_seq IS NULL').run(seq - 1);
  if (record.trust === 'none') db.prepare('INSERT INTO uncertain_times VALUES (?, NULL)').run(seq);
}

/**
 * A time that was believed was wrong after all, which is rare. As no value can be taken out of a rollup, those from
 * there on are made anew; earlier ones stay, as their readings may be gone. Of a span that lies across that moment
 * the new ones hold nothing.
 */
function forgetRollups(db: Database, touched: Range, before: Corrections): void {
  const after = before.current(db);
  const spans = db
    .prepare<[], Range & { min_t_ms: number }>(
      'SELECT first_seq, last_seq, min_t_ms FROM spans WHERE rolled_up > 0',
    )
    .all()
    .map(span => ({ ...span, from_ms: span.min_t_ms + before.leastShift(span) }));
  const moments = spans
    .filter(span => span.first_seq <= touched.last_seq && span.last_seq >= touched.first_seq)
    .map(span => Math.min(span.from_ms, span.min_t_ms + after.leastShift(span)));
  if (moments.length === 0) return;
  const widest_ms = Math.max(...ROLLUP_LEVELS.map(({ step_ms }) => step_ms));
  const cut_ms = blockStart(Math.min(...moments), widest_ms);
  db.prepare('DELETE FROM rollups WHERE start_ms >= ?').run(cut_ms);
  const reset = db.prepare('UPDATE spans SET rolled_up = 0 WHERE first_seq = ?');
  for (const { first_seq, from_ms } of spans) if (from_ms >= cut_ms) reset.run(first_seq);
}

/** What concerns only rows that are no longer there; of the newest boot all records stay. */
export function forgetClock(db: Database, first_seq: number): void {
  db.prepare('DELETE FROM corrections WHERE last_seq < ?').run(first_seq);
  db.prepare('DELETE FROM uncertain_times WHERE last_seq < ?').run(first_seq);
  db.prepare(
    `DELETE FROM clock_records WHERE seq < ?
       AND boot_id <> (SELECT boot_id FROM clock_records ORDER BY seq DESC LIMIT 1)`,
  ).run(first_seq);
}

export function readClockState(db: Database, rows: LogRows, boot_id: string): ClockState {
  const records = db
    .prepare<[string], { seq: number; body: string }>(
      'SELECT seq, body FROM clock_records WHERE boot_id = ? ORDER BY seq',
    )
    .all(boot_id)
    .map(({ seq, body }) => ({ seq, record: JSON.parse(body) as ClockRecord }));
  const corrections = Corrections.load(db);
  const up_to_seq = corrections.newestCertain();
  const spans = db
    .prepare<[number], Range>(
      'SELECT first_seq, last_seq FROM spans WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1',
    )
    .all(up_to_seq);
  let newest_ms: number | null = null;
  for (const { first_seq, last_seq } of [rows.tail(), ...spans]) {
    rows.scan(first_seq - 1, Math.min(last_seq, up_to_seq), (seq, kind, _pack_key, t_ms) => {
      if (kind === LogKind.reading) newest_ms = corrections.correct(seq, t_ms);
      return true;
    });
    if (newest_ms !== null) break;
  }
  return { records, newest_ms };
}
