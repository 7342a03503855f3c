-- Rows of gateways' logs that could not be understood: kept as they came, so that they can be read later.
CREATE TABLE undecodable_rows (
  gateway_id text NOT NULL REFERENCES gateways,
  -- Number, kind and time in the gateway's log, and the pack if it concerns one.
  seq bigint NOT NULL,
  kind smallint NOT NULL,
  pack_id text,
  t_ms double precision NOT NULL,
  reason text NOT NULL,
  body bytea NOT NULL,
  arrived_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (gateway_id, seq)
);
