-- Readings whose times nobody vouches for, by their numbers in the gateway's log. NULL: all from there on.
CREATE TABLE clock_uncertain (
  gateway_id text NOT NULL REFERENCES gateways,
  first_seq bigint NOT NULL,
  last_seq bigint,
  PRIMARY KEY (gateway_id, first_seq)
);

-- Readings that were moved to the time they really were of, once the gateway had learned it. What overlaps adds up.
CREATE TABLE clock_corrections (
  gateway_id text NOT NULL REFERENCES gateways,
  -- Of the record in the gateway's log.
  seq bigint NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  -- By how much they are later now.
  offset_ms bigint NOT NULL,
  readings bigint NOT NULL,
  -- Who vouches for the time: plausible, hardware, network.
  trust text NOT NULL,
  PRIMARY KEY (gateway_id, seq)
);

-- Takes records of the wall clock (core/contract/clock.ts), each with its number `seq`, in the log's order.
CREATE FUNCTION store_clock(gateway text, records jsonb) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
  r jsonb;
  at_seq bigint;
  from_seq bigint;
  to_seq bigint;
  from_at timestamptz;
  to_at timestamptz;
  later interval;
  moved bigint;
  entered timestamptz[];
  left_behind timestamptz[];
BEGIN
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
      later := (r ->> 'offset_ms')::bigint * interval '1 millisecond';
      -- PostgreSQL's years; what is outside of them was stored at their edge.
      from_at := to_timestamp(least(greatest((r ->> 'from_ms')::float8, 0), 253402214400000) / 1000);
      to_at := to_timestamp(least(greatest((r ->> 'to_ms')::float8, 0), 253402214400000) / 1000);
      -- By pack, through the index; the numbers alone are in none.
      WITH rows AS (
        UPDATE pack_readings SET ts = ts + later
        WHERE gateway_id = gateway AND pack_id = ANY (ARRAY(SELECT pack_id FROM packs WHERE gateway_id = gateway))
          AND ts BETWEEN from_at AND to_at AND seq BETWEEN from_seq AND to_seq
        RETURNING ts
      )
      SELECT count(*), array_agg(DISTINCT date_bin('15 minutes', ts, '2000-01-01 00:00+00')),
        array_agg(DISTINCT date_bin('15 minutes', ts - later, '2000-01-01 00:00+00'))
      INTO moved, entered, left_behind FROM rows;
      -- Quarters that readings have left or entered are summed up anew.
      DELETE FROM pack_readings_15min WHERE gateway_id = gateway AND quarter = ANY (left_behind);
      INSERT INTO rollup_marks SELECT DISTINCT gateway, q FROM unnest(entered || left_behind) AS q ON CONFLICT DO NOTHING;
      UPDATE alert_events SET at = at + later WHERE gateway_id = gateway AND seq BETWEEN from_seq AND to_seq;
      UPDATE alerts a SET raised_at = e.at
      FROM alert_events e
      WHERE a.gateway_id = gateway AND e.gateway_id = gateway AND a.alert_id = e.alert_id
        AND e.seq BETWEEN from_seq AND to_seq AND e.state = 'active';
      UPDATE alerts a SET cleared_at = e.at
      FROM alert_events e
      WHERE a.gateway_id = gateway AND e.gateway_id = gateway AND a.alert_id = e.alert_id
        AND e.seq BETWEEN from_seq AND to_seq AND e.state = 'cleared' AND a.state = 'cleared';
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

-- The same columns, and then what is to be known of `ts`.
CREATE OR REPLACE VIEW readings AS
SELECT
  c.gateway_id,
  c.cell_id,
  r.ts,
  r.cell_voltage_v[c.cell_no] AS voltage,
  r.current_a AS current,
  r.cell_temperature_c[c.cell_no] AS temperature,
  coalesce(r.cell_soc_pct[c.cell_no], r.soc_pct) AS soc,
  coalesce(r.cell_soh_pct[c.cell_no], r.soh_pct) AS soh,
  quality_name(r.cell_voltage_quality, c.cell_no, r.cell_voltage_v[c.cell_no] IS NULL) AS quality,
  quality_name(r.value_quality, 2, r.current_a IS NULL) AS current_quality,
  quality_name(r.cell_temperature_quality, c.cell_no, r.cell_temperature_c[c.cell_no] IS NULL) AS temperature_quality,
  CASE WHEN r.cell_soc_pct[c.cell_no] IS NULL
    THEN quality_name(r.value_quality, 4, r.soc_pct IS NULL)
    ELSE quality_name(r.cell_soc_quality, c.cell_no, false) END AS soc_quality,
  CASE WHEN r.cell_soh_pct[c.cell_no] IS NULL
    THEN quality_name(r.value_quality, 5, r.soh_pct IS NULL)
    ELSE quality_name(r.cell_soh_quality, c.cell_no, false) END AS soh_quality,
  -- False: nobody vouches for `ts`.
  NOT EXISTS (SELECT FROM clock_uncertain u
              WHERE u.gateway_id = r.gateway_id AND u.first_seq <= r.seq AND coalesce(u.last_seq >= r.seq, true)) AS time_certain,
  -- How much later `ts` is than the gateway's clock showed then.
  (SELECT coalesce(sum(k.offset_ms), 0) FROM clock_corrections k
   WHERE k.gateway_id = r.gateway_id AND k.first_seq <= r.seq AND k.last_seq >= r.seq)::bigint AS time_corrected_ms
FROM cells c
JOIN pack_readings r ON r.gateway_id = c.gateway_id AND r.pack_id = c.pack_id AND c.cell_no <= r.cell_count;

-- So that gateways need no right to change readings: the function acts as its owner, on the tables it stands beside.
DO $$
DECLARE
  writer regrole;
BEGIN
  EXECUTE format('ALTER FUNCTION store_clock(text, jsonb) SECURITY DEFINER SET search_path = %I, pg_temp',
                 (SELECT nspname FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid
                  WHERE pg_class.oid = 'pack_readings'::regclass));
  REVOKE EXECUTE ON FUNCTION store_clock(text, jsonb) FROM PUBLIC;
  -- Who could write readings goes on.
  FOR writer IN
    SELECT DISTINCT acl.grantee::regrole FROM pg_class, aclexplode(relacl) AS acl
    WHERE oid = 'pack_readings'::regclass AND acl.privilege_type = 'INSERT' AND acl.grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION store_clock(text, jsonb) TO %s', writer);
  END LOOP;
END $$;
