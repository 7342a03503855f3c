-- What of each hour was expected, received and stored, by pack. Written with the same record of the log.
CREATE TABLE completeness (
  hour_ms INTEGER NOT NULL,
  pack_key INTEGER NOT NULL,
  expected INTEGER NOT NULL,
  received INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  -- Number of the record in the log: once the centre has it, it has the readings of the hour.
  log_seq INTEGER NOT NULL,
  PRIMARY KEY (hour_ms, pack_key)
) STRICT, WITHOUT ROWID;
