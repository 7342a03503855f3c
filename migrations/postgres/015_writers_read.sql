-- A gateway looks what the centre has already after its storage was set back, and before it moves readings.
DO $$
DECLARE
  writer regrole;
BEGIN
  FOR writer IN
    SELECT DISTINCT acl.grantee::regrole FROM pg_class, aclexplode(relacl) AS acl
    WHERE oid = 'pack_readings'::regclass AND acl.privilege_type = 'INSERT' AND acl.grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('GRANT SELECT ON pack_readings, alert_events, clock_corrections TO %s', writer);
  END LOOP;
END $$;
