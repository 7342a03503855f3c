-- Readings that were taken at a gateway and never reach this database, as the gateway told them.
CREATE TABLE gaps (
  gateway_id text NOT NULL REFERENCES gateways,
  -- Number of the record in the gateway's log.
  seq bigint NOT NULL,
  reason text NOT NULL,
  detail text NOT NULL,
  -- Between these times and numbers readings are missing; NULL: not known.
  from_ts timestamptz,
  to_ts timestamptz,
  first_seq bigint,
  last_seq bigint,
  readings bigint,
  -- [{"pack_id": …, "readings": …}], as far as it is known.
  packs jsonb NOT NULL,
  PRIMARY KEY (gateway_id, seq)
);

-- Names of the logs that a gateway had before its present one, in the order in which they ended.
CREATE TABLE gateway_incarnations (
  gateway_id text NOT NULL REFERENCES gateways,
  incarnation text NOT NULL,
  last_seq bigint NOT NULL,
  ended_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (gateway_id, incarnation)
);
