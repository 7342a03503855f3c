/** Records of the wall clock (LogKind.clock) as rows: which times are corrected, and which are uncertain. */
import type { Database } from 'better-sqlite3';
import type { ClockEra, ClockRecord, ClockState } from '../../../core/contract/clock.ts';
import { blockStart, ROLLUP_LEVELS } from '../format/rollup-block.ts';
import { LogKind } from '../store.ts';
import { Corrections } from './clock-corrections.ts';
import type { LogRows, Range } from './log-rows.ts';
import type { Renumbering } from './renumbering.ts';

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
 * there on are made again; earlier ones stay, as their readings may be gone. Of a span that lies across that moment
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

export function isEra(body: string): boolean {
  return (JSON.parse(body) as ClockRecord).reason !== 'correction';
}

/** The era in which row `seq` was made, reported again from there on; undefined when the log does not say. */
export function eraAt(db: Database, rows: LogRows, seq: number): ClockEra | undefined {
  const body = db
    .prepare<[number], string>(
      `SELECT body FROM clock_records WHERE seq <= ? AND body ->> 'reason' <> 'correction' ORDER BY seq DESC LIMIT 1`,
    )
    .pluck()
    .get(seq);
  if (body === undefined) return undefined;
  const era = JSON.parse(body) as ClockEra;
  let { t_ms } = era;
  rows.scan(seq - 1, seq, (_seq, _kind, _pack_key, row_ms) => {
    t_ms = row_ms;
    return false;
  });
  return { ...era, reason: 'trust', t_ms, step_ms: 0 };
}

/** A record that names rows by numbers they had, as what it says now: two when its rows no longer stand together. */
export function renumbered(body: string, numbers: Renumbering): [string, ...string[]] {
  const record = JSON.parse(body) as ClockRecord;
  if (record.reason !== 'correction') return [body];
  const ranges = numbers.rangesOf(record);
  if (ranges.length === 1 && ranges[0].first_seq === record.first_seq) return [body];
  const [first, ...others] = ranges.map(({ first_seq, last_seq }) =>
    JSON.stringify({ ...record, first_seq, last_seq }),
  );
  return [first, ...others];
}

/**
 * Rows got new numbers: the tables follow. `era` is that of the edge; it ends there, and begins again with the new
 * numbers. What lies between is not ours, so nothing more is to be said of it. What a correction says of a second
 * range is added by whoever has a number for it.
 */
export function renumberClock(db: Database, numbers: Renumbering, era: ClockEra | undefined): void {
  const { after_seq, first_new_seq } = numbers;
  const records = db
    .prepare<[number], { seq: number; boot_id: string; body: string }>(
      'SELECT seq, boot_id, body FROM clock_records WHERE seq > ? ORDER BY seq',
    )
    .all(after_seq);
  db.prepare('DELETE FROM clock_records WHERE seq > ?').run(after_seq);
  const insert = db.prepare('INSERT OR REPLACE INTO clock_records VALUES (?, ?, ?)');
  if (era) {
    const body = JSON.stringify(era);
    insert.run(after_seq + 1, era.boot_id, JSON.stringify({ ...era, trust: 'network' } satisfies ClockEra));
    insert.run(first_new_seq, era.boot_id, body);
  }
  // Where a record's own row is gone its number is that of the next one, and an era counts more.
  for (const { seq, boot_id, body } of [
    ...records.filter(({ body }) => !isEra(body)),
    ...records.filter(({ body }) => isEra(body)),
  ])
    insert.run(numbers.atOrAfter(seq), boot_id, renumbered(body, numbers)[0]);
  const corrections = db
    .prepare<[number], { log_seq: number; first_seq: number; last_seq: number; offset_ms: number }>(
      'SELECT log_seq, first_seq, last_seq, offset_ms FROM corrections WHERE log_seq > ?',
    )
    .all(after_seq);
  db.prepare('DELETE FROM corrections WHERE log_seq > ?').run(after_seq);
  const correct = db.prepare('INSERT INTO corrections VALUES (?, ?, ?, ?)');
  for (const { log_seq, offset_ms, ...range } of corrections) {
    const [{ first_seq, last_seq }] = numbers.rangesOf(range);
    correct.run(numbers.has(log_seq) ? numbers.atOrAfter(log_seq) : log_seq, first_seq, last_seq, offset_ms);
  }
  renumberUncertain(db, numbers);
}

function renumberUncertain(db: Database, numbers: Renumbering): void {
  const { after_seq, first_new_seq } = numbers;
  const uncertain = db
    .prepare<[number], { first_seq: number; last_seq: number | null }>(
      'SELECT first_seq, last_seq FROM uncertain_times WHERE coalesce(last_seq > ?, true)',
    )
    .all(after_seq);
  db.prepare('DELETE FROM uncertain_times WHERE coalesce(last_seq > ?, true)').run(after_seq);
  const insert = db.prepare('INSERT INTO uncertain_times VALUES (?, ?)');
  for (const range of uncertain)
    for (const { first_seq, last_seq } of numbers.rangesOf({
      first_seq: range.first_seq,
      last_seq: range.last_seq ?? first_new_seq - 1,
    })) {
      const goes_on = range.last_seq === null && first_seq >= first_new_seq;
      if (goes_on || last_seq >= first_seq) insert.run(first_seq, goes_on ? null : last_seq);
    }
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
