-- The one ordered log and what is needed to read it.
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Stable number of each pack id ever configured; dense indices differ from run to run.
CREATE TABLE packs (
  pack_key INTEGER PRIMARY KEY,
  pack_id TEXT NOT NULL UNIQUE
) STRICT;

-- Sequence numbers are never used twice: the newest row is never deleted.
-- No further index: it would multiply the bytes written to the card.
CREATE TABLE log (
  seq INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  pack_key INTEGER NOT NULL,
  t_ms INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;

-- Time span of each finished run of rows, so that a time is found although the wall clock may step.
-- Rows after the last span are not in one yet.
CREATE TABLE spans (
  first_seq INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  min_t_ms INTEGER NOT NULL,
  max_t_ms INTEGER NOT NULL
) STRICT;
