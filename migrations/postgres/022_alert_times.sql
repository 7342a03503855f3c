-- Times of an alert that has changed since are those of its newest events: a correction of earlier rows alone set them back.
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
      -- Each time by the newest event that it is of, also where that is no longer among the corrected ones; gateways without a
      -- lifecycle of alerts send no `change`.
      UPDATE alerts a SET
        raised_at = coalesce((
          SELECT e.at FROM alert_events e WHERE e.gateway_id = gateway AND e.alert_id = a.alert_id
            AND e.state = 'active' AND coalesce(e.change, 'raised') = 'raised' ORDER BY e.seq LIMIT 1), a.raised_at),
        occurred_at = CASE WHEN a.occurred_at IS NOT NULL THEN coalesce((
          SELECT e.at FROM alert_events e WHERE e.gateway_id = gateway AND e.alert_id = a.alert_id
            AND e.change IN ('raised', 'recurred') ORDER BY e.seq DESC LIMIT 1), a.occurred_at) END,
        cleared_at = CASE WHEN a.state = 'cleared' THEN coalesce((
          SELECT CASE WHEN e.state = 'cleared' THEN e.at END FROM alert_events e
          WHERE e.gateway_id = gateway AND e.alert_id = a.alert_id
            AND (e.change IS NULL OR e.change IN ('raised', 'recurred', 'cleared'))
          ORDER BY e.seq DESC LIMIT 1), a.cleared_at) ELSE a.cleared_at END,
        acknowledged_at = CASE WHEN a.acknowledged_at IS NOT NULL THEN coalesce((
          SELECT e.at FROM alert_events e WHERE e.gateway_id = gateway AND e.alert_id = a.alert_id
            AND e.change = 'acknowledged' ORDER BY e.seq DESC LIMIT 1), a.acknowledged_at) END
      WHERE a.gateway_id = gateway AND a.alert_id IN (
        SELECT e.alert_id FROM alert_events e WHERE e.gateway_id = gateway AND e.seq BETWEEN from_seq AND to_seq);
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
