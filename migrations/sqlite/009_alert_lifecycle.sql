-- Alerts have a lifecycle: one whose rule or pack is gone ends out of service, and one that is cleared stays open until
-- somebody has acknowledged it. Before, what was cleared was over.
CREATE TABLE alerts_with_lifecycle (
  alert_id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('active', 'cleared', 'out_of_service')),
  raised_ms INTEGER NOT NULL,
  cleared_ms INTEGER,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO alerts_with_lifecycle SELECT alert_id, state, raised_ms, cleared_ms, body FROM alerts;
DROP TABLE alerts;
ALTER TABLE alerts_with_lifecycle RENAME TO alerts;
CREATE INDEX alerts_by_time ON alerts (raised_ms);
CREATE INDEX alerts_open ON alerts (raised_ms) WHERE coalesce(body ->> 'is_open', state = 'active');
