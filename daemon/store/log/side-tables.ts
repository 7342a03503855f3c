/** What of the log is also kept where it is found by other things than its number: alerts, audit, completeness, the clock. */
import type { Database, Statement } from 'better-sqlite3';
import { type Alert, type AlertChange, storedAlert } from '../../../core/alerts/alert.ts';
import type { AuditEntry } from '../../../core/contract/access.ts';
import type { CompletenessRecord } from '../../../core/contract/completeness.ts';
import { LogKind } from '../store.ts';
import { storeClock } from './clock-records.ts';

/** Entries of the audit log that stay here; the centre keeps all. About 400 bytes each. */
const AUDIT_ROWS: Record<AuditEntry['outcome'], number> = { done: 100_000, refused: 20_000 };

/** Changes that figures of alert performance are made of. */
const COUNTED: ReadonlySet<AlertChange> = new Set(['raised', 'recurred', 'cleared', 'acknowledged']);

function alertEventColumns({ changed_ms, id, rule_id, battery_id, pack_id, severity, change }: Alert) {
  return { changed_ms, id, rule_id, battery_id, pack_id, severity, change };
}

export class SideTables {
  readonly #db: Database;
  readonly #upsertAlert: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#upsertAlert = db.prepare(
      `INSERT INTO alerts (alert_id, state, raised_ms, cleared_ms, body) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (alert_id) DO UPDATE SET state = excluded.state, cleared_ms = excluded.cleared_ms, body = excluded.body`,
    );
  }

  /** Within the commit that brings the record under number `log_seq`. */
  store(kind: number, t_ms: number, body: string, log_seq: number): void {
    if (kind === LogKind.alert) this.#storeAlert(body, log_seq);
    else if (kind === LogKind.audit) this.#storeAudit(t_ms, body);
    else if (kind === LogKind.completeness) this.#storeCompleteness(body, log_seq);
    else if (kind === LogKind.clock) storeClock(this.#db, log_seq, body);
  }

  #storeAlert(body: string, log_seq: number): void {
    const alert = storedAlert(JSON.parse(body));
    this.#upsertAlert.run(alert.id, alert.state, alert.raised_ms, alert.cleared_ms, body);
    // What is out of service calls nobody.
    const isCalling = alert.change === 'raised' || alert.change === 'recurred';
    if (!COUNTED.has(alert.change) || (isCalling && alert.out_of_service)) return;
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO alert_events
         VALUES (:log_seq, :changed_ms, :id, :rule_id, :battery_id, :pack_id, :severity, :change)`,
      )
      .run({ log_seq, ...alertEventColumns(alert) });
  }

  #storeCompleteness(body: string, log_seq: number): void {
    const { hour_ms, packs } = JSON.parse(body) as CompletenessRecord;
    this.#db
      .prepare(
        `INSERT INTO completeness (hour_ms, pack_key, expected, received, stored, repeated, log_seq)
         SELECT :hour_ms, pack_key, value ->> 'expected', value ->> 'received', value ->> 'stored',
           coalesce(value ->> 'repeated', 0), :log_seq
         FROM json_each(:packs) JOIN packs ON pack_id = value ->> 'pack_id' WHERE true
         ON CONFLICT DO UPDATE SET expected = excluded.expected, received = excluded.received,
           stored = excluded.stored, repeated = excluded.repeated, log_seq = excluded.log_seq`,
      )
      .run({ hour_ms, packs: JSON.stringify(packs), log_seq });
  }

  #storeAudit(t_ms: number, body: string): void {
    const { actor, action, outcome } = JSON.parse(body) as AuditEntry;
    this.#db
      .prepare('INSERT INTO audit (t_ms, actor, action, outcome, body) VALUES (?, ?, ?, ?, ?)')
      .run(t_ms, actor, action, outcome, body);
  }

  /** By number: the clock of a box may be years off for a while. */
  retainAudit(): void {
    const remove = this.#db.prepare(
      `DELETE FROM audit WHERE outcome = :outcome AND audit_no <=
         (SELECT audit_no FROM audit WHERE outcome = :outcome ORDER BY audit_no DESC LIMIT 1 OFFSET :rows)`,
    );
    for (const [outcome, rows] of Object.entries(AUDIT_ROWS)) remove.run({ outcome, rows });
  }
}
