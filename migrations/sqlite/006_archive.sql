-- A row of `log` is one record, or (kind 255) a block of all records of one commit: `seq` is that of its last record,
-- `pack_key` their number, `t_ms` the earliest time, `body` the records (daemon/store/block.ts).
-- A finished span moves into the archive: its readings become one chunk per pack, everything else but topologies
-- one block under pack_key 0, and its rows leave `log`.
ALTER TABLE spans ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
-- One bit for each width of steps whose rollups hold the span's readings.
ALTER TABLE spans ADD COLUMN rolled_up INTEGER NOT NULL DEFAULT 0;

CREATE TABLE chunks (
  -- Of the span.
  first_seq INTEGER NOT NULL,
  pack_key INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  min_t_ms INTEGER NOT NULL,
  max_t_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (first_seq, pack_key)
) STRICT;

-- Least, mean, highest and number of the good values of spans that are rolled up: sixty steps of `step_ms` from
-- `start_ms` on (daemon/store/rollup.ts).
CREATE TABLE rollups (
  step_ms INTEGER NOT NULL,
  pack_key INTEGER NOT NULL,
  start_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (step_ms, pack_key, start_ms)
) STRICT;
