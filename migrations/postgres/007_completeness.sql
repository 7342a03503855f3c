-- What of each hour was expected, received and stored at the gateway, by pack.
CREATE TABLE completeness (
  gateway_id text NOT NULL REFERENCES gateways,
  pack_id text NOT NULL,
  hour timestamptz NOT NULL,
  -- Moments of the hour at which a reading was due, whether the gateway ran or not.
  expected integer NOT NULL,
  -- Readings taken, and those of them in the gateway's log when the hour was over.
  received integer NOT NULL,
  stored integer NOT NULL,
  PRIMARY KEY (gateway_id, pack_id, hour)
);

-- The same with what has arrived here. Name a gateway and a span of hours: each row counts its readings.
CREATE VIEW completeness_synced AS
SELECT c.gateway_id, c.pack_id, c.hour, c.expected, c.received, c.stored,
  (SELECT count(*) FROM pack_readings r
   WHERE r.gateway_id = c.gateway_id AND r.pack_id = c.pack_id
     AND r.ts >= c.hour AND r.ts < c.hour + interval '1 hour') AS synced
FROM completeness c;
