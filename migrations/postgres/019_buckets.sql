-- One word for one thing: a span of a rollup is a bucket, also where the tables called it a quarter; and a file that was
-- restored from an older copy says so.
ALTER TABLE pack_readings_15min RENAME COLUMN quarter TO bucket;
ALTER TABLE rollup_marks RENAME COLUMN quarter TO bucket;
ALTER VIEW readings_15min RENAME COLUMN quarter TO bucket;

-- Made anew with the new name, as they are otherwise: owner, rights and settings stay.
DO $$
DECLARE
  home regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = 'pack_readings_15min'::regclass);
  definition text;
BEGIN
  FOR definition IN
    SELECT pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = home AND proname IN
      ('make_rollup_partition', 'roll_up_any_readings', 'drop_readings_before', 'drop_rollups_before', 'store_clock')
  LOOP
    EXECUTE regexp_replace(definition, '\mquarter(s?)\M', 'bucket\1', 'g');
  END LOOP;
END $$;

UPDATE gaps SET reason = 'older_copy' WHERE reason = 'set_back';
