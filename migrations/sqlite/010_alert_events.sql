-- What called somebody, when it ended and when it was acknowledged: for figures of alert performance. The log and the centre
-- have every change as a whole.
CREATE TABLE alert_events (
  log_seq INTEGER PRIMARY KEY,
  t_ms INTEGER NOT NULL,
  alert_id TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  battery_id TEXT,
  pack_id TEXT,
  severity TEXT NOT NULL,
  change TEXT NOT NULL
) STRICT;
CREATE INDEX alert_events_by_time ON alert_events (t_ms);
