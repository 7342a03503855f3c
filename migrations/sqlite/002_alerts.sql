-- Newest state of each alert; its way there is in the log.
CREATE TABLE alerts (
  alert_id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('active', 'cleared')),
  raised_ms INTEGER NOT NULL,
  cleared_ms INTEGER,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX alerts_by_time ON alerts (raised_ms);
