-- What the gateway estimates itself, of packs and cells, with standard deviations: docs/estimates.md. It stands in the
-- first reading of each minute; NULL: nothing can be said, or another reading of that minute has it.
ALTER TABLE pack_readings
  ADD COLUMN estimated_soc_pct real,
  ADD COLUMN estimated_soc_sd_pct real,
  ADD COLUMN estimated_soh_pct real,
  ADD COLUMN estimated_soh_sd_pct real,
  ADD COLUMN cell_estimated_soc_pct real[],
  ADD COLUMN cell_estimated_soc_sd_pct real[],
  ADD COLUMN cell_estimated_soh_pct real[],
  ADD COLUMN cell_estimated_soh_sd_pct real[],
  -- At 25 °C and half charge, of a step of some seconds.
  ADD COLUMN cell_estimated_resistance_mohm real[],
  ADD COLUMN cell_estimated_soc_quality text,
  ADD COLUMN cell_estimated_soc_sd_quality text,
  ADD COLUMN cell_estimated_soh_quality text,
  ADD COLUMN cell_estimated_soh_sd_quality text,
  ADD COLUMN cell_estimated_resistance_quality text;

-- The same columns, then whose figures they are, and the gateway's own.
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
  r.is_repeated,
  -- Whose figures `soc` and `soh` are, both as the device reports them.
  CASE WHEN r.cell_soc_pct[c.cell_no] IS NOT NULL THEN 'cell' WHEN r.soc_pct IS NOT NULL THEN 'pack' END AS soc_source,
  CASE WHEN r.cell_soh_pct[c.cell_no] IS NOT NULL THEN 'cell' WHEN r.soh_pct IS NOT NULL THEN 'pack' END AS soh_source,
  -- The gateway's own, of this cell.
  r.cell_estimated_soc_pct[c.cell_no] AS estimated_soc,
  r.cell_estimated_soc_sd_pct[c.cell_no] AS estimated_soc_sd,
  r.cell_estimated_soh_pct[c.cell_no] AS estimated_soh,
  r.cell_estimated_soh_sd_pct[c.cell_no] AS estimated_soh_sd,
  r.cell_estimated_resistance_mohm[c.cell_no] AS estimated_resistance_mohm
FROM cells c
JOIN pack_readings r ON r.gateway_id = c.gateway_id AND r.pack_id = c.pack_id AND c.cell_no <= r.cell_count;
