-- Who did what, newest last. Written with the same row of the log, in one commit. A row is never changed, and goes
-- only when there are too many of its outcome: refusals, which anybody can cause, never push out what was done.
CREATE TABLE audit (
  audit_no INTEGER PRIMARY KEY AUTOINCREMENT,
  t_ms INTEGER NOT NULL,
  actor TEXT,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_outcome ON audit (outcome, audit_no);

CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
