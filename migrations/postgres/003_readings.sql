-- One row per pack and moment, cells as arrays: a fraction of the size and time of a row per cell.
-- Analysts read the view `readings` below. NULL: missing. Current is positive while charging.
-- Qualities are one letter per value: m missing, g good, s stale, u suspect; NULL: good wherever there is a value.
CREATE TABLE pack_readings (
  gateway_id text NOT NULL,
  pack_id text NOT NULL,
  ts timestamptz NOT NULL,
  -- Sequence number in the gateway's log.
  seq bigint NOT NULL,
  voltage_v real,
  current_a real,
  temperature_c real,
  soc_pct real,
  soh_pct real,
  cell_voltage_min_v real,
  cell_voltage_max_v real,
  cell_temperature_min_c real,
  cell_temperature_max_c real,
  charge_voltage_limit_v real,
  charge_current_limit_a real,
  discharge_current_limit_a real,
  discharge_voltage_limit_v real,
  capacity_full_ah real,
  capacity_remaining_ah real,
  cycle_count real,
  charge_enabled real,
  discharge_enabled real,
  -- One letter per pack quantity, in the order of the columns above.
  value_quality text,
  cell_count integer NOT NULL,
  -- One element and one letter per cell, in cell order.
  cell_voltage_v real[],
  cell_temperature_c real[],
  cell_soc_pct real[],
  cell_soh_pct real[],
  cell_balancing real[],
  cell_voltage_quality text,
  cell_temperature_quality text,
  cell_soc_quality text,
  cell_soh_quality text,
  cell_balancing_quality text,
  sensor_temperature_c real[],
  sensor_quality text,
  -- One letter per code in packs.device_alarms: n none, w warning, a alarm, u unknown; NULL: all unknown.
  device_alarms text
) PARTITION BY RANGE (ts);

CREATE INDEX pack_readings_by_pack ON pack_readings (gateway_id, pack_id, ts);
-- Tiny; finds a time span over all packs.
CREATE INDEX pack_readings_by_time ON pack_readings USING brin (ts);

-- Takes what no weekly partition takes: rows of a gateway whose clock is far off.
CREATE TABLE pack_readings_default PARTITION OF pack_readings DEFAULT;

-- Makes the weekly partition (Monday, UTC) that holds `at`, unless it is there. Rows that waited in the default
-- partition move into it. Returns true when it made one.
CREATE FUNCTION make_readings_partition(at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  monday timestamp := date_trunc('week', at AT TIME ZONE 'UTC');
  from_ts timestamptz := monday AT TIME ZONE 'UTC';
  to_ts timestamptz := (monday + interval '7 days') AT TIME ZONE 'UTC';
  partition_name text := 'pack_readings_' || to_char(monday, 'YYYYMMDD');
  home oid := (SELECT relnamespace FROM pg_class WHERE oid = 'pack_readings'::regclass);
BEGIN
  -- Looked up by query: after the wait for the lock a name lookup could still answer from its cache.
  PERFORM FROM pg_class WHERE relname = partition_name AND relnamespace = home;
  IF FOUND THEN
    RETURN false;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('bms_gateway.make_readings_partition'));
  PERFORM FROM pg_class WHERE relname = partition_name AND relnamespace = home;
  IF FOUND THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE pack_readings INCLUDING ALL)', partition_name);
  EXECUTE format(
    'WITH moved AS (DELETE FROM pack_readings_default WHERE ts >= $1 AND ts < $2 RETURNING *)
     INSERT INTO %I SELECT * FROM moved', partition_name) USING from_ts, to_ts;
  EXECUTE format('ALTER TABLE pack_readings ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                 partition_name, from_ts, to_ts);
  RETURN true;
END $$;

CREATE FUNCTION quality_name(letters text, letter_no integer, is_missing boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN is_missing THEN 'missing'
    WHEN letters IS NULL THEN 'good'
    ELSE CASE substr(letters, letter_no, 1) WHEN 'g' THEN 'good' WHEN 's' THEN 'stale' WHEN 'u' THEN 'suspect' ELSE 'missing' END
  END
$$;

-- Every cell's history as plain rows. In series cells the pack's current is each cell's current; state of charge
-- and of health are the pack's where the cell has none of its own. `quality` is that of `voltage`.
CREATE VIEW readings AS
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
    ELSE quality_name(r.cell_soh_quality, c.cell_no, false) END AS soh_quality
FROM cells c
JOIN pack_readings r ON r.gateway_id = c.gateway_id AND r.pack_id = c.pack_id AND c.cell_no <= r.cell_count;
