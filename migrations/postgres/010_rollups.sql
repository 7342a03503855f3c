-- Quarters of an hour: lowest, mean and highest of the good values and how many there were, one row per pack, cells
-- as arrays. Made from pack_readings by roll_up_readings; whole quarters, so that late rows only mean: once more.
CREATE TABLE pack_readings_15min (
  gateway_id text NOT NULL,
  pack_id text NOT NULL,
  -- Its beginning; quarters begin at :00, :15, :30 and :45.
  quarter timestamptz NOT NULL,
  readings integer NOT NULL,
  voltage_min_v real,
  voltage_mean_v real,
  voltage_max_v real,
  voltage_good integer NOT NULL,
  current_min_a real,
  current_mean_a real,
  current_max_a real,
  current_good integer NOT NULL,
  temperature_min_c real,
  temperature_mean_c real,
  temperature_max_c real,
  temperature_good integer NOT NULL,
  soc_min_pct real,
  soc_mean_pct real,
  soc_max_pct real,
  soc_good integer NOT NULL,
  -- What went in and what came out, each as a mean over the good readings of the quarter and never negative.
  charge_mean_a real,
  discharge_mean_a real,
  charge_mean_w real,
  discharge_mean_w real,
  cell_count integer NOT NULL,
  cell_voltage_min_v real[],
  cell_voltage_mean_v real[],
  cell_voltage_max_v real[],
  cell_voltage_good integer[],
  cell_temperature_min_c real[],
  cell_temperature_mean_c real[],
  cell_temperature_max_c real[],
  cell_temperature_good integer[],
  -- The pack's where the cell had none of its own; NULL: no cell had.
  cell_soc_min_pct real[],
  cell_soc_mean_pct real[],
  cell_soc_max_pct real[],
  cell_soc_good integer[],
  PRIMARY KEY (gateway_id, pack_id, quarter)
) PARTITION BY RANGE (quarter);

CREATE TABLE pack_readings_15min_default PARTITION OF pack_readings_15min DEFAULT;

-- Quarters that have got readings since they were last rolled up. The batch that stores readings writes them.
CREATE TABLE rollup_marks (
  gateway_id text NOT NULL REFERENCES gateways,
  quarter timestamptz NOT NULL,
  PRIMARY KEY (gateway_id, quarter)
);

CREATE FUNCTION is_good(letters text, letter_no integer) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT letters IS NULL OR substr(letters, letter_no, 1) = 'g'
$$;

CREATE VIEW readings_15min AS
SELECT
  c.gateway_id,
  c.cell_id,
  r.quarter,
  r.cell_voltage_min_v[c.cell_no] AS voltage_min,
  r.cell_voltage_mean_v[c.cell_no] AS voltage_mean,
  r.cell_voltage_max_v[c.cell_no] AS voltage_max,
  r.cell_voltage_good[c.cell_no] AS voltage_good,
  r.current_min_a AS current_min,
  r.current_mean_a AS current_mean,
  r.current_max_a AS current_max,
  r.current_good,
  r.cell_temperature_min_c[c.cell_no] AS temperature_min,
  r.cell_temperature_mean_c[c.cell_no] AS temperature_mean,
  r.cell_temperature_max_c[c.cell_no] AS temperature_max,
  r.cell_temperature_good[c.cell_no] AS temperature_good,
  CASE WHEN r.cell_soc_good IS NULL THEN r.soc_min_pct ELSE r.cell_soc_min_pct[c.cell_no] END AS soc_min,
  CASE WHEN r.cell_soc_good IS NULL THEN r.soc_mean_pct ELSE r.cell_soc_mean_pct[c.cell_no] END AS soc_mean,
  CASE WHEN r.cell_soc_good IS NULL THEN r.soc_max_pct ELSE r.cell_soc_max_pct[c.cell_no] END AS soc_max,
  CASE WHEN r.cell_soc_good IS NULL THEN r.soc_good ELSE r.cell_soc_good[c.cell_no] END AS soc_good
FROM cells c
JOIN pack_readings_15min r ON r.gateway_id = c.gateway_id AND r.pack_id = c.pack_id AND c.cell_no <= r.cell_count;

-- Makes the monthly partition (UTC) that holds `at`, unless it is there or somebody holds the table too long: the
-- default partition takes its rows until then.
CREATE FUNCTION make_rollup_partition(at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first_day timestamp := date_trunc('month', at AT TIME ZONE 'UTC');
  from_at timestamptz := first_day AT TIME ZONE 'UTC';
  to_at timestamptz := (first_day + interval '1 month') AT TIME ZONE 'UTC';
  partition_name text := 'pack_readings_15min_' || to_char(first_day, 'YYYYMM');
  home oid := (SELECT relnamespace FROM pg_class WHERE oid = 'pack_readings_15min'::regclass);
BEGIN
  -- A clock that is far off, or a table that somebody has replaced by one without partitions of this kind.
  IF at < '2020-01-01 00:00+00' OR at > now() + interval '35 days'
    OR NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = 'pack_readings_15min'::regclass) THEN
    RETURN;
  END IF;
  PERFORM FROM pg_class WHERE relname = partition_name AND relnamespace = home;
  IF FOUND THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('bms_gateway.make_rollup_partition'));
  PERFORM FROM pg_class WHERE relname = partition_name AND relnamespace = home;
  IF FOUND THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE pack_readings_15min INCLUDING ALL)', partition_name);
  EXECUTE format(
    'WITH moved AS (DELETE FROM pack_readings_15min_default WHERE quarter >= $1 AND quarter < $2 RETURNING *)
     INSERT INTO %I SELECT * FROM moved', partition_name) USING from_at, to_at;
  EXECUTE format('ALTER TABLE pack_readings_15min ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                 partition_name, from_at, to_at);
EXCEPTION WHEN lock_not_available THEN
  RAISE NOTICE 'no partition for % now: somebody holds the table', at;
END $$;

-- Rolls up the oldest marked quarters of a gateway, at most so many, but not those in `leave`, which still grow.
-- Returns the quarters it did. Where readings have been dropped since (see drop_readings_before) the richer row stays.
-- Pack by pack through the index; the planner would take the index by time for each, which reads all packs.
CREATE FUNCTION roll_up_readings(gateway text, leave timestamptz[] DEFAULT '{}', at_most integer DEFAULT 1)
RETURNS SETOF timestamptz LANGUAGE plpgsql SET enable_bitmapscan = off SET enable_seqscan = off AS $$
DECLARE
  from_at timestamptz;
  to_at timestamptz;
  starts timestamptz[];
BEGIN
  -- Each batch of readings holds this row until it is done: none can slip in between mark and sums.
  PERFORM FROM gateways WHERE gateway_id = gateway FOR UPDATE;
  WITH due AS (
    SELECT quarter FROM rollup_marks WHERE gateway_id = gateway AND quarter <> ALL (leave) ORDER BY quarter LIMIT at_most
  ), gone AS (
    DELETE FROM rollup_marks m USING due WHERE m.gateway_id = gateway AND m.quarter = due.quarter RETURNING m.quarter
  )
  SELECT array_agg(quarter ORDER BY quarter) INTO starts FROM gone;
  FOREACH from_at IN ARRAY coalesce(starts, '{}') LOOP
    to_at := from_at + interval '15 minutes';
    PERFORM make_rollup_partition(from_at);
    DELETE FROM pack_readings_15min old USING packs p
    WHERE p.gateway_id = gateway AND old.gateway_id = gateway AND old.pack_id = p.pack_id AND old.quarter = from_at
      AND old.readings <= (SELECT count(*) FROM pack_readings r
        WHERE r.gateway_id = gateway AND r.pack_id = p.pack_id AND r.ts >= from_at AND r.ts < to_at);
    INSERT INTO pack_readings_15min
    SELECT gateway, p.pack_id, from_at, sums.*, cells.*
    FROM packs p
    CROSS JOIN LATERAL (
      SELECT count(*) AS readings,
        min(v), avg(v), max(v), count(v), min(i), avg(i), max(i), count(i), min(t), avg(t), max(t), count(t),
        min(s), avg(s), max(s), count(s),
        avg(greatest(i, 0)), avg(greatest(-i, 0)), avg(greatest(v * i, 0)), avg(greatest(-v * i, 0)),
        max(cells) AS cells
      FROM (
        SELECT r.cell_count AS cells,
          CASE WHEN is_good(r.value_quality, 1) THEN r.voltage_v END AS v,
          CASE WHEN is_good(r.value_quality, 2) THEN r.current_a END AS i,
          CASE WHEN is_good(r.value_quality, 3) THEN r.temperature_c END AS t,
          CASE WHEN is_good(r.value_quality, 4) THEN r.soc_pct END AS s
        FROM pack_readings r
        WHERE r.gateway_id = gateway AND r.pack_id = p.pack_id AND r.ts >= from_at AND r.ts < to_at
      ) AS good
    ) AS sums
    CROSS JOIN LATERAL (
      WITH kept AS MATERIALIZED (
        SELECT r.cell_count, r.cell_voltage_v, r.cell_voltage_quality, r.cell_temperature_c, r.cell_temperature_quality,
          r.cell_soc_pct, r.cell_soc_quality, CASE WHEN is_good(r.value_quality, 4) THEN r.soc_pct END AS soc_pct
        FROM pack_readings r
        WHERE r.gateway_id = gateway AND r.pack_id = p.pack_id AND r.ts >= from_at AND r.ts < to_at
      )
      SELECT array_agg(v_min ORDER BY no), array_agg(v_mean ORDER BY no), array_agg(v_max ORDER BY no),
        array_agg(v_good ORDER BY no),
        array_agg(t_min ORDER BY no), array_agg(t_mean ORDER BY no), array_agg(t_max ORDER BY no),
        array_agg(t_good ORDER BY no),
        array_agg(s_min ORDER BY no) FILTER (WHERE own_soc), array_agg(s_mean ORDER BY no) FILTER (WHERE own_soc),
        array_agg(s_max ORDER BY no) FILTER (WHERE own_soc), array_agg(s_good ORDER BY no) FILTER (WHERE own_soc)
      FROM (SELECT EXISTS (SELECT FROM kept WHERE cell_soc_pct IS NOT NULL) AS own_soc) AS own
      CROSS JOIN generate_series(1, sums.cells) AS no
      CROSS JOIN LATERAL (
        SELECT min(v) AS v_min, avg(v) AS v_mean, max(v) AS v_max, count(v)::integer AS v_good,
          min(t) AS t_min, avg(t) AS t_mean, max(t) AS t_max, count(t)::integer AS t_good
        FROM (
          SELECT CASE WHEN is_good(cell_voltage_quality, no) THEN cell_voltage_v[no] END AS v,
            CASE WHEN is_good(cell_temperature_quality, no) THEN cell_temperature_c[no] END AS t
          FROM kept
        ) AS good
      ) AS cell
      CROSS JOIN LATERAL (
        SELECT min(s) AS s_min, avg(s) AS s_mean, max(s) AS s_max, count(s)::integer AS s_good
        FROM (
          SELECT CASE WHEN cell_soc_pct[no] IS NULL THEN soc_pct WHEN is_good(cell_soc_quality, no) THEN cell_soc_pct[no] END AS s
          FROM kept WHERE own_soc AND no <= cell_count
        ) AS good
      ) AS soc
    ) AS cells
    WHERE p.gateway_id = gateway AND sums.readings > 0
    ON CONFLICT DO NOTHING;
    RETURN NEXT from_at;
  END LOOP;
END $$;

-- Gateways need no rights on the rollups: the functions act as their owner, on the tables they stand beside.
DO $$
DECLARE
  home text := (SELECT nspname FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid
                WHERE pg_class.oid = 'pack_readings'::regclass);
  writer regrole;
BEGIN
  EXECUTE format('ALTER FUNCTION roll_up_readings(text, timestamptz[], integer) SECURITY DEFINER SET search_path = %I, pg_temp', home);
  REVOKE EXECUTE ON FUNCTION roll_up_readings(text, timestamptz[], integer) FROM PUBLIC;
  REVOKE EXECUTE ON FUNCTION make_rollup_partition(timestamptz) FROM PUBLIC;
  -- Who could write readings goes on.
  FOR writer IN
    SELECT DISTINCT acl.grantee::regrole FROM pg_class, aclexplode(relacl) AS acl
    WHERE oid = 'pack_readings'::regclass AND acl.privilege_type = 'INSERT' AND acl.grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('GRANT INSERT ON rollup_marks TO %s', writer);
    EXECUTE format('GRANT EXECUTE ON FUNCTION roll_up_readings(text, timestamptz[], integer) TO %s', writer);
  END LOOP;
END $$;

-- What is there already: all quarters of its weeks, which costs less than to look which have readings.
INSERT INTO rollup_marks
SELECT gateway_id, quarter
FROM gateways
CROSS JOIN pg_inherits
JOIN pg_class ON pg_class.oid = inhrelid AND inhparent = 'pack_readings'::regclass AND relname ~ '^pack_readings_\d{8}$'
CROSS JOIN LATERAL (SELECT to_date(right(relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' AS monday) AS week
CROSS JOIN generate_series(monday, least(monday + interval '7 days' - interval '15 minutes', now()), interval '15 minutes') AS quarter
WHERE last_seq > 0
UNION
SELECT gateway_id, date_bin('15 minutes', ts, '2000-01-01 00:00+00') FROM pack_readings_default;
