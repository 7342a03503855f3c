-- Who did what at which gateway: logins, users, keys, settings, configuration, actions. Gateways only add rows.
CREATE TABLE audit_log (
  gateway_id text NOT NULL REFERENCES gateways,
  entry_id uuid NOT NULL,
  at timestamptz NOT NULL,
  -- Name of a user, key:<name> of an API key, system of the gateway itself; NULL: nobody known.
  actor text,
  address text,
  action text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('done', 'refused')),
  -- What it was done to: a user, a key, a rule, …
  target text,
  -- Values before and after; secrets are hidden by the gateway.
  old_value jsonb,
  new_value jsonb,
  -- The same as in the gateway's own log.
  request_id text,
  PRIMARY KEY (gateway_id, entry_id)
);

CREATE INDEX audit_log_by_time ON audit_log (gateway_id, at);
