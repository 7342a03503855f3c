-- Alerts that the gateways raised; the newest state of each.
CREATE TABLE alerts (
  gateway_id text NOT NULL REFERENCES gateways,
  alert_id text NOT NULL,
  rule_id text NOT NULL,
  severity text NOT NULL,
  battery_id text NOT NULL,
  pack_id text NOT NULL,
  -- Counting from 1; NULL: the whole pack.
  cell_no integer,
  message text NOT NULL,
  value double precision,
  threshold double precision,
  unit text NOT NULL,
  state text NOT NULL CHECK (state IN ('active', 'cleared')),
  raised_at timestamptz NOT NULL,
  cleared_at timestamptz,
  PRIMARY KEY (gateway_id, alert_id)
);

CREATE INDEX alerts_by_time ON alerts (gateway_id, raised_at);
