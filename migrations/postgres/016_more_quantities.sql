-- Quantities that devices report beside the first ones. Their letters in value_quality follow in this order.
ALTER TABLE pack_readings
  ADD COLUMN insulation_resistance_kohm real,
  ADD COLUMN energy_in_kwh real,
  ADD COLUMN energy_out_kwh real,
  ADD COLUMN charge_power_limit_w real,
  ADD COLUMN discharge_power_limit_w real,
  ADD COLUMN soe_pct real,
  ADD COLUMN energy_remaining_kwh real,
  ADD COLUMN balancing_current_a real,
  -- 0 off, 1 starting, 2 standby, 3 active, 4 fault, 5 shutting down, 6 sleeping, 7 service.
  ADD COLUMN device_status real,
  -- How long before ts the newest and the oldest of the good values were reported, in steps of 10 ms. NULL: not known,
  -- or nothing was good. Below zero: after ts.
  ADD COLUMN newest_age_ms integer,
  ADD COLUMN oldest_age_ms integer,
  -- The pack reported nothing since its reading before: the same values once more.
  ADD COLUMN is_repeated boolean NOT NULL DEFAULT false;

-- The same columns, and then how old the values were.
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
   WHERE k.gateway_id = r.gateway_id AND k.first_seq <= r.seq AND k.last_seq >= r.seq)::bigint AS time_corrected_ms,
  r.newest_age_ms,
  r.oldest_age_ms,
  r.is_repeated
FROM cells c
JOIN pack_readings r ON r.gateway_id = c.gateway_id AND r.pack_id = c.pack_id AND c.cell_no <= r.cell_count;
