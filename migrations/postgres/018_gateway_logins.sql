-- Each gateway by a login of its own, which reads and writes the rows of its gateway alone. Such a login is told by its
-- name, `gateway.<gateway_id>`: no table says it that could be changed, and every node of a cluster knows it. Logins with
-- other names (the owner's, analysts') are of no gateway, and may do with all rows whatever they have been granted.

-- The gateway of whoever is logged in; NULL: of none. Within functions that act as their owner it is still the caller's.
CREATE FUNCTION gateway_of_login() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN session_user LIKE 'gateway.%' THEN substr(session_user::text, 9) END
$$;

CREATE FUNCTION refuse_other_gateway(gateway text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF gateway IS DISTINCT FROM coalesce(gateway_of_login(), gateway) OR gateway IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
      MESSAGE = format('login %I is of another gateway than %L', session_user, gateway);
  END IF;
END $$;

-- For every table with rows of gateways. The same as gateway_of_login, as a plain expression: a cluster sends it along.
CREATE FUNCTION isolate_gateways(of_table regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', of_table);
  EXECUTE format('DROP POLICY IF EXISTS own_rows ON %s', of_table);
  EXECUTE format($policy$CREATE POLICY own_rows ON %s
    USING (session_user NOT LIKE 'gateway.%%' OR gateway_id = substr(session_user::text, 9))$policy$, of_table);
END $$;

SELECT isolate_gateways(of_table::regclass)
FROM unnest('{gateways,gateway_incarnations,gaps,batteries,packs,cells,alerts,alert_events,completeness,undecodable_rows,
  pack_readings,pack_readings_15min,rollup_marks,audit_log,clock_corrections,clock_uncertain}'::text[]) AS of_table;

-- Whoever may log in at the gateway that asks, with its own batteries alone.
CREATE VIEW gateway_users WITH (security_barrier) AS
SELECT username, password_hash, role,
  CASE WHEN batteries IS NOT NULL THEN ARRAY(
    SELECT id FROM unnest(batteries) AS id
    WHERE id IS NULL OR strpos(id, '/') = 0 OR starts_with(id, substr(session_user::text, 9) || '/')) END AS batteries,
  disabled, created_at,
  CASE WHEN gateway_ids IS NOT NULL THEN ARRAY[substr(session_user::text, 9)] END AS gateway_ids
FROM users
WHERE session_user LIKE 'gateway.%' AND (gateway_ids IS NULL OR substr(session_user::text, 9) = ANY (gateway_ids));

-- COPY goes into no table with row security. So it goes into a table of the session, and from there by a function into
-- pack_readings. Both functions act as the owner of the tables, who owns the session's table as well: one that the caller
-- had made could be anything. All of it fits into one transaction, so that connections may be pooled by transaction.

-- The session's table, if it is there and nobody else's, with the columns of pack_readings.
CREATE FUNCTION incoming_readings_table() RETURNS regclass LANGUAGE plpgsql AS $$
DECLARE
  made pg_class;
BEGIN
  SELECT * INTO made FROM pg_class WHERE relname = 'incoming_readings' AND relnamespace = pg_my_temp_schema();
  IF made.oid IS NULL THEN
    RETURN NULL;
  END IF;
  IF made.relkind <> 'r' OR made.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
      MESSAGE = 'pg_temp.incoming_readings was not made by open_incoming_readings';
  END IF;
  IF (SELECT array_agg((attname, atttypid) ORDER BY attnum) FROM pg_attribute
      WHERE attrelid = made.oid AND attnum > 0 AND NOT attisdropped)
    IS DISTINCT FROM
     (SELECT array_agg((attname, atttypid) ORDER BY attnum) FROM pg_attribute
      WHERE attrelid = 'pack_readings'::regclass AND attnum > 0 AND NOT attisdropped) THEN
    EXECUTE 'DROP TABLE pg_temp.incoming_readings';
    RETURN NULL;
  END IF;
  RETURN made.oid;
END $$;

-- Makes the table pg_temp.incoming_readings for COPY, empty at the beginning of each transaction.
CREATE FUNCTION open_incoming_readings() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF incoming_readings_table() IS NOT NULL THEN
    RETURN;
  END IF;
  CREATE TEMPORARY TABLE incoming_readings (LIKE pack_readings INCLUDING DEFAULTS) ON COMMIT DELETE ROWS;
  EXECUTE format('GRANT INSERT ON pg_temp.incoming_readings TO %I', session_user);
END $$;

-- Moves what has been copied there, once a transaction; all of it must be of this gateway. Returns how many were stored.
CREATE FUNCTION store_incoming_readings(gateway text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  columns text;
  stored bigint;
BEGIN
  PERFORM refuse_other_gateway(gateway);
  IF incoming_readings_table() IS NULL THEN
    RAISE EXCEPTION 'nothing was copied: open_incoming_readings makes the table for it';
  END IF;
  IF EXISTS (SELECT FROM ONLY pg_temp.incoming_readings WHERE gateway_id IS DISTINCT FROM gateway) THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
      MESSAGE = format('there are readings among these that are not of gateway %L', gateway);
  END IF;
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
  WHERE attrelid = 'pack_readings'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
  EXECUTE format('INSERT INTO pack_readings (%s) SELECT %1$s FROM ONLY pg_temp.incoming_readings', columns);
  GET DIAGNOSTICS stored = ROW_COUNT;
  RETURN stored;
END $$;

-- What was there already, now for the caller's gateway alone.

ALTER FUNCTION roll_up_readings(text, timestamptz[], integer) RENAME TO roll_up_any_readings;

CREATE FUNCTION roll_up_readings(gateway text, leave timestamptz[] DEFAULT '{}', at_most integer DEFAULT 1)
RETURNS SETOF timestamptz LANGUAGE plpgsql AS $$
BEGIN
  PERFORM refuse_other_gateway(gateway);
  RETURN QUERY SELECT * FROM roll_up_any_readings(gateway, leave, at_most);
END $$;

ALTER FUNCTION make_readings_partition(timestamptz) RENAME TO make_any_readings_partition;

-- Gateways make partitions for times that a clock can show; rows of other times go into the default partition.
CREATE FUNCTION make_readings_partition(at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF gateway_of_login() IS NOT NULL AND at NOT BETWEEN '2019-12-01 00:00+00' AND now() + interval '50 days' THEN
    RETURN false;
  END IF;
  RETURN make_any_readings_partition(at);
END $$;

-- As before, and no statement calls what makes tables while it reads one: a cluster (Citus) allows it to none.
CREATE OR REPLACE FUNCTION drop_readings_before(before timestamptz)
RETURNS TABLE (dropped text, rows bigint, bytes bigint) LANGUAGE plpgsql AS $$
DECLARE
  all_marked text[] := ARRAY(SELECT DISTINCT gateway_id FROM rollup_marks WHERE quarter < before);
  marked text;
  young timestamptz[];
BEGIN
  FOREACH marked IN ARRAY all_marked LOOP
    young := ARRAY(SELECT quarter FROM rollup_marks WHERE gateway_id = marked AND quarter >= before);
    PERFORM roll_up_readings(marked, young, 1000000);
  END LOOP;
  RETURN QUERY SELECT * FROM drop_partitions_before('pack_readings', 'ts', before);
END $$;

-- As before, for the caller's gateway alone; and what moves times is IMMUTABLE, as a cluster (Citus) asks of what it
-- evaluates beside the rows: `timestamptz + interval` is not, since days can have 23 hours.
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
      -- Quarters that readings have left or entered are summed up anew.
      DELETE FROM pack_readings_15min WHERE gateway_id = gateway AND quarter = ANY (left_behind);
      INSERT INTO rollup_marks SELECT DISTINCT gateway, q FROM unnest(entered || left_behind) AS q ON CONFLICT DO NOTHING;
      UPDATE alert_events SET at = to_timestamp(extract(epoch FROM at - timestamptz 'epoch') + later_s)
      WHERE gateway_id = gateway AND seq BETWEEN from_seq AND to_seq;
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

-- Gives the login of a gateway what it needs, and nothing beyond: columns to UPDATE by name, since who may update a whole
-- table may lock it too.
CREATE FUNCTION grant_gateway(login regrole) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  home regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = 'pack_readings'::regclass);
  updated text;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', home, login);
  EXECUTE format('GRANT SELECT ON schema_migrations, gateway_users, gateways, gateway_incarnations, gaps, batteries, packs, cells,
    alerts, alert_events, completeness, clock_corrections, pack_readings TO %s', login);
  EXECUTE format('GRANT INSERT ON gateways, gateway_incarnations, gaps, batteries, packs, cells, alerts, alert_events,
    completeness, undecodable_rows, rollup_marks, audit_log TO %s', login);
  FOREACH updated IN ARRAY '{gateways,batteries,packs,alerts,completeness}'::text[] LOOP
    EXECUTE (
      SELECT format('GRANT UPDATE (%s) ON %I TO %s', string_agg(quote_ident(attname), ', '), updated, login)
      FROM pg_attribute
      WHERE attrelid = updated::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'gateway_id');
  END LOOP;
  EXECUTE format('GRANT EXECUTE ON FUNCTION make_readings_partition(timestamptz), open_incoming_readings(),
    store_incoming_readings(text), roll_up_readings(text, timestamptz[], integer), store_clock(text, jsonb) TO %s', login);
END $$;

-- Makes the login of a gateway and returns its database URL, which is shown this once. By the owner of the tables, who needs
-- CREATEROLE, or by a superuser. Without a password it gets one of 122 random bits.
CREATE FUNCTION add_gateway(gateway text, password text DEFAULT replace(gen_random_uuid()::text, '-', '')) RETURNS text
LANGUAGE plpgsql SET password_encryption = 'scram-sha-256' AS $$
DECLARE
  login text := 'gateway.' || gateway;
  home regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = 'pack_readings'::regclass);
BEGIN
  IF (gateway ~ '^[A-Za-z0-9][A-Za-z0-9_.-]*$' AND length(login) <= 63) IS NOT TRUE THEN
    RAISE EXCEPTION 'gateway_id: found %, expected 1 to 55 letters, digits, points, dashes and underscores',
      coalesce(quote_literal(gateway), 'NULL');
  END IF;
  IF length(password) < 12 IS NOT FALSE THEN
    RAISE EXCEPTION 'password: expected at least 12 characters';
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_object', MESSAGE = format('role %I is there already', login),
      HINT = format('Another password: ALTER ROLE %I PASSWORD ''…''; its rights in this database: SELECT grant_gateway(''%1$I'').', login);
  END IF;
  EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 8 PASSWORD %L', login, password);
  PERFORM grant_gateway(quote_ident(login)::regrole);
  IF has_schema_privilege(login, home, 'CREATE') THEN
    RAISE EXCEPTION USING MESSAGE = format('everybody may create in schema %s, so gateways could put functions of their own there', home),
      HINT = format('As a superuser: REVOKE CREATE ON SCHEMA %s FROM PUBLIC;', home);
  END IF;
  RETURN format('postgres://%s:%s@%s:%s/%s', login, password, coalesce(host(inet_server_addr()), 'HOST'),
                current_setting('port'), current_database());
END $$;

-- After `old_table` was replaced by `new_table`, say pack_readings by a hypertable of that name: views, rights and row
-- security of the old one go over to the new one. The columns must be the same.
CREATE FUNCTION adopt_table(old_table regclass, new_table regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  old_name text := (SELECT relname FROM pg_class WHERE oid = old_table);
  new_name text := (SELECT quote_ident(relname) FROM pg_class WHERE oid = new_table);
  reader regclass;
  entitled record;
BEGIN
  FOR reader IN
    SELECT DISTINCT ev_class::regclass FROM pg_depend
    JOIN pg_rewrite ON pg_rewrite.oid = objid AND classid = 'pg_rewrite'::regclass
    JOIN pg_class ON pg_class.oid = ev_class AND relkind = 'v'
    WHERE refclassid = 'pg_class'::regclass AND refobjid = old_table
  LOOP
    EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', reader,
                   regexp_replace(pg_get_viewdef(reader), '\m' || old_name || '\M', new_name, 'g'));
  END LOOP;
  FOR entitled IN
    SELECT grantee::regrole AS role, privilege_type FROM pg_class, aclexplode(relacl)
    WHERE oid = old_table AND grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('GRANT %s ON %s TO %s', entitled.privilege_type, new_table, entitled.role);
  END LOOP;
  PERFORM isolate_gateways(new_table);
END $$;

-- Each function finds the tables it stands beside, whatever the caller's search path says. Those for gateways act as the
-- owner of the tables; the others are for the owner.
DO $$
DECLARE
  home text;
  owner text;
  name text;
  writer regrole;
BEGIN
  SELECT nspname, relowner::regrole INTO home, owner FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid
  WHERE pg_class.oid = 'pack_readings'::regclass;
  FOREACH name IN ARRAY '{refuse_other_gateway,isolate_gateways,incoming_readings_table,open_incoming_readings,
    store_incoming_readings,roll_up_readings,make_readings_partition,drop_readings_before,drop_rollups_before,
    drop_partitions_before,store_clock,grant_gateway,add_gateway,adopt_table}'::text[] LOOP
    EXECUTE format('ALTER FUNCTION %I SET search_path = %I, pg_temp', name, home);
    EXECUTE format('ALTER FUNCTION %I OWNER TO %s', name, owner);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I FROM PUBLIC', name);
  END LOOP;
  FOREACH name IN ARRAY '{open_incoming_readings,store_incoming_readings,roll_up_readings,make_readings_partition,
    store_clock}'::text[] LOOP
    EXECUTE format('ALTER FUNCTION %I SECURITY DEFINER', name);
  END LOOP;
  EXECUTE format('ALTER FUNCTION gateway_of_login SET search_path = %I, pg_temp', home);
  EXECUTE format('ALTER FUNCTION gateway_of_login OWNER TO %s', owner);
  EXECUTE format('ALTER VIEW gateway_users OWNER TO %s', owner);
  -- Who could write readings goes on: by the functions, since COPY is refused to all but the owner now.
  FOR writer IN
    SELECT DISTINCT acl.grantee::regrole FROM pg_class, aclexplode(relacl) AS acl
    WHERE oid = 'pack_readings'::regclass AND acl.privilege_type = 'INSERT' AND acl.grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION roll_up_any_readings, make_any_readings_partition FROM %s', writer);
    EXECUTE format('GRANT EXECUTE ON FUNCTION make_readings_partition(timestamptz), open_incoming_readings(),
      store_incoming_readings(text), roll_up_readings(text, timestamptz[], integer), store_clock(text, jsonb) TO %s', writer);
  END LOOP;
END $$;
