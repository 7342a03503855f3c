/** Audit entries of the log as rows of `audit_log` at the centre. */
import type { RecordSink } from './record-sink.ts';

/** The moment is the gateway's own, however far its clock is off; one outside PostgreSQL's years gets the nearest. */
const INSERT = `
  INSERT INTO audit_log
    (gateway_id, entry_id, at, actor, address, action, outcome, target, old_value, new_value, request_id)
  SELECT $1, e.id, to_timestamp(least(greatest(e.t_ms, 0), 253402214400000) / 1000.0), e.actor, e.address, e.action,
         e.outcome, e.target, e.old, e.new, e.request_id
  FROM jsonb_to_recordset($2::jsonb) AS e
    (id uuid, t_ms double precision, actor text, address text, action text, outcome text, target text,
     old jsonb, new jsonb, request_id text)
  ON CONFLICT DO NOTHING`;

export const storeAudit: RecordSink = async (client, gateway_id, entries) => {
  await client.query(INSERT, [gateway_id, JSON.stringify(entries)]);
};
