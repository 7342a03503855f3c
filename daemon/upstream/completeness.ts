/** Completeness records of the log as rows of `completeness` at the centre. */
import type { RecordSink } from './record-sink.ts';

/** Of several records of one hour the last counts; hours outside PostgreSQL's years get the nearest. */
const UPSERT = `
  INSERT INTO completeness (gateway_id, pack_id, hour, expected, received, stored, repeated)
  SELECT DISTINCT ON (p.pack_id, hour) $1, p.pack_id,
         to_timestamp(least(greatest(r.hour_ms, 0), 253402214400000) / 1000.0) AS hour,
         p.expected, p.received, p.stored, coalesce(p.repeated, 0)
  FROM ROWS FROM (jsonb_to_recordset($2::jsonb) AS (hour_ms double precision, packs jsonb)) WITH ORDINALITY
         AS r(hour_ms, packs, position),
       jsonb_to_recordset(r.packs) AS p(pack_id text, expected integer, received integer, stored integer,
         repeated integer)
  ORDER BY p.pack_id, hour, r.position DESC
  ON CONFLICT (gateway_id, pack_id, hour) DO UPDATE SET
    expected = excluded.expected, received = excluded.received, stored = excluded.stored,
    repeated = excluded.repeated`;

export const storeCompleteness: RecordSink = async (client, gateway_id, records) => {
  await client.query(UPSERT, [gateway_id, JSON.stringify(records)]);
};
