-- Every change of an alert, in the order of the gateway's log; `alerts` has the newest state alone.
CREATE TABLE alert_events (
  gateway_id text NOT NULL REFERENCES gateways,
  -- Sequence number in the gateway's log.
  seq bigint NOT NULL,
  alert_id text NOT NULL,
  at timestamptz NOT NULL,
  state text NOT NULL,
  severity text NOT NULL,
  message text NOT NULL,
  value double precision,
  PRIMARY KEY (gateway_id, seq)
);

CREATE INDEX alert_events_by_alert ON alert_events (gateway_id, alert_id);

-- So that gateways need no right to make tables: the function acts as its owner, on the tables it stands beside.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION make_readings_partition(timestamptz) SECURITY DEFINER SET search_path = %I, pg_temp',
                 (SELECT nspname FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid
                  WHERE pg_class.oid = 'pack_readings'::regclass));
END $$;
REVOKE EXECUTE ON FUNCTION make_readings_partition(timestamptz) FROM PUBLIC;
