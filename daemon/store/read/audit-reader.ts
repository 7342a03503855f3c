/** Pages of the audit table, newest first. */
import type Database from 'better-sqlite3';
import type { AuditEntry, AuditReply } from '../../../core/contract/access.ts';
import type { AuditRequest } from '../store.ts';

export function readAudit(db: Database.Database, request: AuditRequest): AuditReply {
  const { actor, action, from_ms = 0, to_ms, cursor, limit } = request;
  const wanted: [sql: string, ...values: unknown[]][] = [['t_ms >= ?', from_ms]];
  if (to_ms !== undefined) wanted.push(['t_ms <= ?', to_ms]);
  if (cursor !== undefined) wanted.push(['audit_no < ?', Number(cursor)]);
  if (actor !== undefined) wanted.push(['actor = ?', actor]);
  // `user` stands for user.create, user.change, …
  if (action !== undefined)
    wanted.push(['(action = ? OR substr(action, 1, ?) = ?)', action, action.length + 1, `${action}.`]);
  const rows = db
    .prepare<unknown[], { audit_no: number; body: string }>(
      `SELECT audit_no, body FROM audit WHERE ${wanted.map(([sql]) => sql).join(' AND ')}
       ORDER BY audit_no DESC LIMIT ?`,
    )
    .all(...wanted.flatMap(([, ...values]) => values), limit + 1);
  const page = rows.slice(0, limit);
  return {
    entries: page.map(({ body }) => JSON.parse(body) as AuditEntry),
    next: rows.length > limit ? String(page.at(-1)!.audit_no) : null,
  };
}
