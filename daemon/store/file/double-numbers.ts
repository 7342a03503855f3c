/**
 * A log that two processes wrote at once: each counted by itself, so one number stands for two rows. The lock on the
 * directory prevents it; a log of a version before the lock may be so, or one on a file system without locks.
 */
import type { Database } from 'better-sqlite3';
import { GatewayError } from '../../../core/errors.ts';
import { BLOCK_KIND } from '../format/block.ts';
import { LogKind } from '../store.ts';

/** By the numbers of spans and of what is not in the archive; those within one archived span show when it is read. */
const FIRST_DOUBLE = `
  WITH loose AS (SELECT seq AS last_seq, iif(kind = ${BLOCK_KIND}, seq - pack_key + 1, seq) AS first_seq, kind FROM log)
  SELECT min(seq) FROM (
    SELECT first_seq AS seq FROM
      (SELECT first_seq, lag(last_seq) OVER (ORDER BY last_seq) AS before FROM loose) WHERE first_seq <= before
    UNION ALL
    SELECT first_seq FROM
      (SELECT first_seq, max(last_seq) OVER (ORDER BY first_seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
         AS before FROM spans) WHERE first_seq <= before
    UNION ALL
    SELECT loose.first_seq FROM loose JOIN spans ON spans.first_seq =
        (SELECT max(first_seq) FROM spans AS s WHERE s.first_seq <= loose.last_seq)
      WHERE loose.kind <> ${LogKind.topology} AND spans.archived = 1 AND spans.last_seq >= loose.first_seq)`;

/** @throws GatewayError STORE_CORRUPT: the numbers of this log say nothing any more. */
export function refuseDoubleNumbers(db: Database): void {
  const seq = db.prepare<[], number | null>(FIRST_DOUBLE).pluck().get();
  if (seq)
    throw new GatewayError(
      'STORE_CORRUPT',
      `two processes wrote into it at once: from row ${seq} on numbers stand for two rows`,
    );
}

/** What SQLite says of a number that is taken already: nobody else may give them. */
export function isDoubleNumber(error: Error): boolean {
  return /UNIQUE constraint failed: (log\.seq|spans\.first_seq|chunks\.first_seq)/.test(error.message);
}
