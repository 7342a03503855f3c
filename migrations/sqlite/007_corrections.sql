-- What the log tells of the wall clock (core/contract/clock.ts), with each record's number in it.
CREATE TABLE clock_records (
  seq INTEGER PRIMARY KEY,
  boot_id TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;

-- Readings of these rows are so much later than their time in the log says. What overlaps adds up.
CREATE TABLE corrections (
  log_seq INTEGER PRIMARY KEY,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  offset_ms INTEGER NOT NULL
) STRICT;

-- Nobody vouches for the times of these rows. NULL: of all from there on.
CREATE TABLE uncertain_times (
  first_seq INTEGER PRIMARY KEY,
  last_seq INTEGER
) STRICT;
