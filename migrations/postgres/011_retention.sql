-- Drops the partitions of a table that end before a moment, and deletes older rows of its default partition: all or,
-- where something is in use for more than two seconds, nothing. While it waits, gateways and analysts wait behind it.
CREATE FUNCTION drop_partitions_before(parent regclass, moment_column name, before timestamptz)
RETURNS TABLE (dropped text, rows bigint, bytes bigint) LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
  part regclass;
BEGIN
  -- The default partition; the table itself where somebody has replaced it by one without partitions of this kind.
  SELECT coalesce((SELECT partdefid::regclass FROM pg_partitioned_table WHERE partrelid = parent), parent) INTO part;
  EXECUTE format('DELETE FROM %s WHERE %I < $1', part, moment_column) USING before;
  GET DIAGNOSTICS rows = ROW_COUNT;
  IF rows > 0 THEN
    dropped := part;
    RETURN NEXT;
  END IF;
  rows := NULL;
  FOR part IN
    SELECT oid::regclass FROM pg_inherits JOIN pg_class ON oid = inhrelid
    WHERE inhparent = parent AND relispartition
      AND substring(pg_get_expr(relpartbound, oid) FROM 'TO \(''([^'']+)''\)')::timestamptz <= before
    ORDER BY oid::regclass::text
  LOOP
    dropped := part;
    bytes := pg_total_relation_size(part);
    EXECUTE format('DROP TABLE %s', part);
    RETURN NEXT;
  END LOOP;
EXCEPTION WHEN lock_not_available THEN
  RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = format('nothing is dropped: %s is in use', part),
    HINT = 'Try again when no long query runs.';
END $$;

-- Readings older than `before`, by whole weeks. Their rollups stay, and are made first where that is still to be done.
CREATE FUNCTION drop_readings_before(before timestamptz)
RETURNS TABLE (dropped text, rows bigint, bytes bigint) LANGUAGE plpgsql AS $$
DECLARE
  marked text;
BEGIN
  FOR marked IN SELECT DISTINCT gateway_id FROM rollup_marks WHERE quarter < before LOOP
    PERFORM roll_up_readings(marked, ARRAY(SELECT quarter FROM rollup_marks WHERE gateway_id = marked AND quarter >= before),
                             1000000);
  END LOOP;
  RETURN QUERY SELECT * FROM drop_partitions_before('pack_readings', 'ts', before);
END $$;

-- Rollups older than `before`, by whole months.
CREATE FUNCTION drop_rollups_before(before timestamptz)
RETURNS TABLE (dropped text, rows bigint, bytes bigint) LANGUAGE sql AS $$
  SELECT * FROM drop_partitions_before('pack_readings_15min', 'quarter', before)
$$;

REVOKE EXECUTE ON FUNCTION drop_partitions_before(regclass, name, timestamptz) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION drop_readings_before(timestamptz) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION drop_rollups_before(timestamptz) FROM PUBLIC;
