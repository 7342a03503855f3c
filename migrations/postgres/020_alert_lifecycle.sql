-- The lifecycle of alerts (core/alerts/lifecycle.ts): who has acknowledged or shelved one, how often it came back, and
-- whether its condition is known. NULL: a gateway of an earlier version sent it.
ALTER TABLE alerts
  DROP CONSTRAINT alerts_state_check,
  ADD CONSTRAINT alerts_state_check CHECK (state IN ('active', 'cleared', 'out_of_service')),
  -- Set, where all packs of a connection are silent.
  ADD COLUMN connection_id text,
  -- In the words of ISA-18.2.
  ADD COLUMN lifecycle text CHECK (lifecycle IN ('active_unacknowledged', 'active_acknowledged', 'returned_unacknowledged',
    'normal', 'shelved', 'suppressed', 'out_of_service')),
  ADD COLUMN occurrences integer,
  ADD COLUMN occurred_at timestamptz,
  ADD COLUMN earlier_occurrences integer,
  ADD COLUMN acknowledged_by text,
  ADD COLUMN acknowledged_at timestamptz,
  ADD COLUMN acknowledged_note text,
  ADD COLUMN shelved_by text,
  ADD COLUMN shelved_until timestamptz,
  ADD COLUMN shelved_reason text,
  ADD COLUMN unknown_since timestamptz,
  -- `alert_id` of the one that says the cause.
  ADD COLUMN suppressed_by text;

ALTER TABLE alert_events
  ADD COLUMN change text,
  -- NULL: the gateway itself.
  ADD COLUMN changed_by text,
  ADD COLUMN note text;

-- Logins that may change alerts may change these columns as well.
DO $$
DECLARE
  login text;
BEGIN
  FOR login IN
    SELECT DISTINCT grantee::regrole::text FROM pg_attribute, aclexplode(attacl)
    WHERE attrelid = 'alerts'::regclass AND attname = 'state' AND privilege_type = 'UPDATE' AND grantee <> 0
  LOOP
    EXECUTE format('GRANT UPDATE (connection_id, lifecycle, occurrences, occurred_at, earlier_occurrences, acknowledged_by,
      acknowledged_at, acknowledged_note, shelved_by, shelved_until, shelved_reason, unknown_since, suppressed_by)
      ON alerts TO %s', login);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION store_clock(gateway text, records jsonb) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
  r jsonb;
  at_seq bigint;
  from_seq bigint;
  to_seq bigint;
  from_at timestamptz;
  to_at timestamptz;
  later_s numeric;
  moved bigint;
  entered timestamptz[];
  left_behind timestamptz[];
BEGIN
  PERFORM refuse_other_gateway(gateway);
  FOR r IN SELECT value FROM jsonb_array_elements(records) WITH ORDINALITY AS e ORDER BY e.ordinality LOOP
    at_seq := (r ->> 'seq')::bigint;
    IF r ->> 'reason' = 'correction' THEN
      from_seq := (r ->> 'first_seq')::bigint;
      to_seq := (r ->> 'last_seq')::bigint;
      -- Eras are corrected in order, so what is left of an uncertain span is its end.
      DELETE FROM clock_uncertain
      WHERE gateway_id = gateway AND first_seq BETWEEN from_seq AND to_seq AND last_seq <= to_seq;
      UPDATE clock_uncertain SET first_seq = to_seq + 1
      WHERE gateway_id = gateway AND first_seq BETWEEN from_seq AND to_seq;
      CONTINUE WHEN (r ->> 'offset_ms')::bigint = 0;
      later_s := (r ->> 'offset_ms')::bigint / 1000.0;
      -- PostgreSQL's years; what is outside of them was stored at their edge.
      from_at := to_timestamp(least(greatest((r ->> 'from_ms')::float8, 0), 253402214400000) / 1000);
      to_at := to_timestamp(least(greatest((r ->> 'to_ms')::float8, 0), 253402214400000) / 1000);
      -- By pack, through the index; the numbers alone are in none.
      WITH rows AS (
        UPDATE pack_readings SET ts = to_timestamp(extract(epoch FROM ts - timestamptz 'epoch') + later_s)
        WHERE gateway_id = gateway AND pack_id = ANY (ARRAY(SELECT pack_id FROM packs WHERE gateway_id = gateway))
          AND ts BETWEEN from_at AND to_at AND seq BETWEEN from_seq AND to_seq
        RETURNING ts
      )
      SELECT count(*), array_agg(DISTINCT date_bin('15 minutes', ts, '2000-01-01 00:00+00')),
        array_agg(DISTINCT date_bin('15 minutes', to_timestamp(extract(epoch FROM ts - timestamptz 'epoch') - later_s), '2000-01-01 00:00+00'))
      INTO moved, entered, left_behind FROM rows;
      -- Buckets that readings have left or entered are summed up anew.
      DELETE FROM pack_readings_15min WHERE gateway_id = gateway AND bucket = ANY (left_behind);
      INSERT INTO rollup_marks SELECT DISTINCT gateway, q FROM unnest(entered || left_behind) AS q ON CONFLICT DO NOTHING;
      UPDATE alert_events SET at = to_timestamp(extract(epoch FROM at - timestamptz 'epoch') + later_s)
      WHERE gateway_id = gateway AND seq BETWEEN from_seq AND to_seq;
      -- By the event that each time is of; gateways without a lifecycle of alerts send no `change`.
      UPDATE alerts a SET raised_at = e.at
      FROM alert_events e
      WHERE a.gateway_id = gateway AND e.gateway_id = gateway AND a.alert_id = e.alert_id
        AND e.seq BETWEEN from_seq AND to_seq AND e.state = 'active' AND coalesce(e.change, 'raised') = 'raised';
      UPDATE alerts a SET occurred_at = e.at
      FROM (SELECT alert_id, max(at) AS at FROM alert_events
            WHERE gateway_id = gateway AND seq BETWEEN from_seq AND to_seq AND change IN ('raised', 'recurred')
            GROUP BY alert_id) e
      WHERE a.gateway_id = gateway AND a.alert_id = e.alert_id AND a.occurred_at IS NOT NULL;
      UPDATE alerts a SET cleared_at = e.at
      FROM (SELECT alert_id, max(at) AS at FROM alert_events
            WHERE gateway_id = gateway AND seq BETWEEN from_seq AND to_seq AND state = 'cleared'
              AND coalesce(change, 'cleared') = 'cleared'
            GROUP BY alert_id) e
      WHERE a.gateway_id = gateway AND a.alert_id = e.alert_id AND a.state = 'cleared';
      UPDATE alerts a SET acknowledged_at = e.at
      FROM (SELECT alert_id, max(at) AS at FROM alert_events
            WHERE gateway_id = gateway AND seq BETWEEN from_seq AND to_seq AND change = 'acknowledged'
            GROUP BY alert_id) e
      WHERE a.gateway_id = gateway AND a.alert_id = e.alert_id AND a.acknowledged_at IS NOT NULL;
      INSERT INTO clock_corrections
      VALUES (gateway, at_seq, from_seq, to_seq, (r ->> 'offset_ms')::bigint, moved, r ->> 'trust');
    ELSE
      IF r ->> 'reason' = 'start' THEN
        -- Of a log that was here before this one.
        DELETE FROM clock_uncertain WHERE gateway_id = gateway AND first_seq >= at_seq;
        DELETE FROM clock_corrections WHERE gateway_id = gateway AND seq >= at_seq;
      END IF;
      IF r ->> 'reason' <> 'continued' THEN
        UPDATE clock_uncertain SET last_seq = at_seq - 1 WHERE gateway_id = gateway AND last_seq IS NULL;
      END IF;
      INSERT INTO clock_uncertain SELECT gateway, at_seq, NULL
      WHERE r ->> 'trust' = 'none'
        AND NOT EXISTS (SELECT FROM clock_uncertain WHERE gateway_id = gateway AND last_seq IS NULL);
    END IF;
  END LOOP;
END $$;

-- A function that is replaced loses what was set of it.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION store_clock(text, jsonb) SECURITY DEFINER SET search_path = %I, pg_temp',
                 (SELECT nspname FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid
                  WHERE pg_class.oid = 'pack_readings'::regclass));
END $$;
