/** Records of the wall clock at the centre: readings move to the time they were of, what is uncertain is marked. */
import type { ClockCorrection, ClockRecord } from '../../core/contract/clock.ts';
import { type LogBatch, LogKind } from '../store/store.ts';
import type { RecordSink } from './record-sink.ts';

const DAY_MS = 86_400_000;

export const storeClock: RecordSink = async (client, gateway_id, records, seqs) => {
  const numbered = records.map((record, i) => ({ ...record, seq: seqs[i] }));
  const { rows } = await client.query<{ seq: string }>(KNOWN, [gateway_id, JSON.stringify(numbered)]);
  const known = new Set(rows.map(({ seq }) => Number(seq)));
  const others = numbered.filter(({ seq }) => !known.has(seq));
  await client.query('SELECT store_clock($1, $2::jsonb)', [gateway_id, JSON.stringify(others)]);
};

/**
 * Corrections that have moved their readings already, reported under another number: after a restore whatever follows
 * the first reading that the centre does not have is sent again, and it may have what came later.
 */
const KNOWN = `
  SELECT r.seq
  FROM jsonb_to_recordset($2::jsonb) AS r(seq bigint, reason text, first_seq bigint, last_seq bigint, offset_ms bigint,
    trust text)
  JOIN clock_corrections c ON c.gateway_id = $1 AND c.seq < r.seq AND c.first_seq = r.first_seq
    AND c.last_seq = r.last_seq AND c.offset_ms = r.offset_ms AND c.trust = r.trust
  WHERE r.reason = 'correction'`;

/** The batch as far as its first record that moves readings: each of these gets a transaction of its own. */
export function endAtCorrection(batch: LogBatch): LogBatch {
  const at = batch.kind.findIndex((_, i) => correctionAt(batch, i) !== undefined);
  if (at < 0 || at === batch.count - 1) return batch;
  const count = at + 1;
  return {
    ...batch,
    count,
    seq: batch.seq.subarray(0, count),
    kind: batch.kind.subarray(0, count),
    pack_key: batch.pack_key.subarray(0, count),
    t_ms: batch.t_ms.subarray(0, count),
    end: batch.end.subarray(0, count),
  };
}

/** Times of the batch's rows, and a time of every day to which a correction in it moves readings. */
export function timesAfter(batch: LogBatch): Float64Array {
  const correction = correctionAt(batch, batch.count - 1);
  if (!correction) return batch.t_ms;
  const { from_ms, to_ms, offset_ms } = correction;
  const days = Math.min(3650, Math.ceil((to_ms - from_ms) / DAY_MS));
  const moved = Array.from(
    { length: days + 1 },
    (_, day) => Math.min(from_ms + day * DAY_MS, to_ms) + offset_ms,
  );
  return Float64Array.from([...batch.t_ms, ...moved]);
}

/** What row `i` moves readings by, if it does. */
function correctionAt(batch: LogBatch, i: number): ClockCorrection | undefined {
  if (batch.kind[i] !== LogKind.clock) return undefined;
  const start = i === 0 ? 0 : batch.end[i - 1];
  const body = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset + start, batch.end[i] - start);
  try {
    const record = JSON.parse(body.toString('utf8')) as ClockRecord;
    return record.reason === 'correction' && record.offset_ms !== 0 ? record : undefined;
  } catch {
    // What cannot be read moves nothing; whoever stores it says so.
    return undefined;
  }
}
