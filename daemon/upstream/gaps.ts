/** Gap records of the log as rows of `gaps` at the centre. */
import type { GapReason, GapRecord } from '../../core/contract/gap.ts';
import type { RecordSink } from './record-sink.ts';

/** Times outside PostgreSQL's years get the nearest. */
const INSERT = `
  INSERT INTO gaps (gateway_id, seq, reason, detail, from_ts, to_ts, first_seq, last_seq, readings, packs)
  SELECT $1, seq, reason, detail,
         CASE WHEN from_ms IS NOT NULL THEN to_timestamp(least(greatest(from_ms, 0), 253402214400000) / 1000.0) END,
         CASE WHEN to_ms IS NOT NULL THEN to_timestamp(least(greatest(to_ms, 0), 253402214400000) / 1000.0) END,
         first_seq, last_seq, readings, coalesce(packs, '[]')
  FROM ROWS FROM (
         jsonb_to_recordset($2::jsonb) AS (reason text, detail text, from_ms double precision,
           to_ms double precision, first_seq bigint, last_seq bigint, readings bigint, packs jsonb),
         unnest($3::bigint[])
       ) AS g(reason, detail, from_ms, to_ms, first_seq, last_seq, readings, packs, seq)`;

/** What the records of older versions say: bytes of the log stay as they are. */
const OLDER_REASONS: Readonly<Record<string, GapReason>> = { set_back: 'older_copy' };

export const storeGaps: RecordSink = async (client, gateway_id, records, seqs) => {
  const named = (records as readonly GapRecord[]).map(gap => ({
    ...gap,
    reason: OLDER_REASONS[gap.reason] ?? gap.reason,
  }));
  await client.query(INSERT, [gateway_id, JSON.stringify(named), seqs]);
};
