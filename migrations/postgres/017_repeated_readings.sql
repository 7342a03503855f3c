-- Of the readings stored in the gateway's log: those of a pack that had reported nothing since the one before.
ALTER TABLE completeness ADD COLUMN repeated integer NOT NULL DEFAULT 0;

CREATE OR REPLACE VIEW completeness_synced AS
SELECT c.gateway_id, c.pack_id, c.hour, c.expected, c.received, c.stored,
  (SELECT count(*) FROM pack_readings r
   WHERE r.gateway_id = c.gateway_id AND r.pack_id = c.pack_id
     AND r.ts >= c.hour AND r.ts < c.hour + interval '1 hour') AS synced,
  c.repeated
FROM completeness c;
