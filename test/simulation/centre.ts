/** What the centre holds of one gateway, against what it must. */
import type pg from 'pg';
import type { AlertChange } from '../../core/alerts/alert.ts';
import { lifecycleOf } from '../../core/alerts/lifecycle.ts';
import type { AuditEntry } from '../../core/contract/access.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { alertOf } from './alert-records.ts';
import type { LogModel, Row } from './log-model.ts';
import { readingText } from './reads.ts';

interface StoredReading {
  readonly seq: number;
  readonly pack_id: string;
  readonly t_ms: number;
  readonly number: number;
  readonly certain: boolean;
}

export interface CentreState {
  readonly last_seq: number;
  readonly readings: readonly StoredReading[];
  /** What the record was, in one text. */
  readonly alert_events: readonly (readonly [seq: number, text: string])[];
  readonly alerts: readonly string[];
  readonly audit: readonly string[];
}

/** One statement, so one state. */
const READ_ALL = `
  SELECT coalesce((SELECT last_seq FROM gateways WHERE gateway_id = $1), 0)::int AS last_seq,
    (SELECT coalesce(json_agg(json_build_object('seq', seq, 'pack_id', pack_id,
       't_ms', round(extract(epoch FROM ts) * 1000), 'number', round(voltage_v * 100),
       'certain', NOT EXISTS (SELECT FROM clock_uncertain u WHERE u.gateway_id = $1
         AND u.first_seq <= r.seq AND coalesce(u.last_seq >= r.seq, true))) ORDER BY seq), '[]')
     FROM pack_readings r WHERE gateway_id = $1) AS readings,
    (SELECT coalesce(json_agg(json_build_array(seq, concat_ws('|', alert_id, change, state, severity,
       coalesce(changed_by, '-'), coalesce(note, '-'), round(extract(epoch FROM at) * 1000))) ORDER BY seq), '[]')
     FROM alert_events WHERE gateway_id = $1) AS alert_events,
    (SELECT coalesce(json_agg(concat_ws('|', alert_id, state, lifecycle, severity, occurrences, message,
       coalesce(acknowledged_by, '-'), coalesce(acknowledged_note, '-'), coalesce(shelved_by, '-'),
       coalesce(shelved_reason, '-'), coalesce(suppressed_by, '-'), unknown_since IS NOT NULL,
       round(extract(epoch FROM raised_at) * 1000), round(extract(epoch FROM occurred_at) * 1000),
       coalesce(round(extract(epoch FROM cleared_at) * 1000)::text, '-'),
       coalesce(round(extract(epoch FROM acknowledged_at) * 1000)::text, '-')) ORDER BY alert_id), '[]')
     FROM alerts WHERE gateway_id = $1) AS alerts,
    (SELECT coalesce(json_agg(entry_id ORDER BY entry_id), '[]') FROM audit_log WHERE gateway_id = $1) AS audit`;

export async function readCentre(client: pg.Client, gateway_id: string): Promise<CentreState> {
  return (await client.query<CentreState>({ name: 'read_all', text: READ_ALL, values: [gateway_id] }))
    .rows[0];
}

/** `numberOf` gives the number within a reading of the log. */
export interface Naming {
  packId(pack_key: number): string | undefined;
  numberOf(row: Row): number;
}

/**
 * At every moment the centre has the log up to its `last_seq`, row for row, and nothing behind it: so nothing is
 * lost, nothing double, and all came in order. Throws with the first difference. `is_newest`: no more came after it,
 * so the state of each alert can be known.
 */
export function checkCentre(centre: CentreState, model: LogModel, naming: Naming, is_newest = true): void {
  const { last_seq } = centre;
  if (last_seq > model.lastSeq)
    throw new Error(`the centre has rows up to ${last_seq}, of a log that ends at ${model.lastSeq}`);
  const sent = model.rows.slice(0, last_seq);
  const times = model.times(last_seq);
  const updatedMs = (row: Row, t_ms = row.t_ms) => t_ms + times[row.seq - 1].later_ms;
  const text = (row: Row) =>
    `${naming.packId(row.pack_key)}: ${readingText(naming.numberOf(row), updatedMs(row), times[row.seq - 1].trust !== 'none')}`;
  sameRows(
    'reading',
    centre.readings.map(({ seq, pack_id, t_ms, number, certain }) => [
      seq,
      `${pack_id}: ${readingText(number, t_ms, certain)}`,
    ]),
    sent.filter(row => row.kind === LogKind.reading).map(row => [row.seq, text(row)]),
    model,
  );
  const alerts = sent.filter(row => row.kind === LogKind.alert);
  sameRows(
    'event of an alert',
    centre.alert_events,
    alerts.map(row => {
      const { id, change, state, severity, changed_by, changed_ms } = alertOf(row);
      const at_ms = updatedMs(row, changed_ms);
      return [row.seq, [id, change, state, severity, changed_by ?? '-', noteIn(row), at_ms].join('|')];
    }),
    model,
  );
  const is_whole = ![...model.gone_unsynced].some(seq => seq <= last_seq);
  if (!is_whole || !is_newest) return;
  sameSet('alert', centre.alerts, alertTexts(alerts, updatedMs));
  const entries = sent.filter(row => row.kind === LogKind.audit);
  sameSet(
    'audit entry',
    centre.audit,
    entries.map(row => (JSON.parse(row.body) as AuditEntry).id),
  );
}

/** What somebody wrote with a change. */
function noteIn(row: Row): string {
  const { change, acknowledged, shelved, notes } = alertOf(row);
  if (change === 'acknowledged') return acknowledged?.note ?? '-';
  if (change === 'shelved') return shelved?.reason ?? '-';
  return change === 'noted' ? (notes.at(-1)?.text ?? '-') : '-';
}

const BEGINS = ['raised', 'recurred'] as const;
const ENDS: readonly AlertChange[] = [...BEGINS, 'cleared'];

/** Of each alert the newest state, with times as they are known by now. */
function alertTexts(rows: readonly Row[], updatedMs: (row: Row, t_ms: number) => number): string[] {
  const by_id = Map.groupBy(rows, row => alertOf(row).id);
  return [...by_id].map(([id, of_alert]) => {
    const newest = alertOf(of_alert[of_alert.length - 1]);
    /** By the newest record of such a change. */
    const when = (is_so: boolean, ...changes: readonly AlertChange[]) => {
      const row = of_alert.findLast(one => changes.includes(alertOf(one).change));
      return is_so && row ? updatedMs(row, alertOf(row).changed_ms) : '-';
    };
    // One that was kept active until it was acknowledged was over before that.
    const is_latched = of_alert.findLast(one => ENDS.includes(alertOf(one).change));
    const cleared =
      newest.cleared_ms !== null && (!is_latched || alertOf(is_latched).change !== 'cleared')
        ? newest.cleared_ms
        : when(newest.cleared_ms !== null, 'cleared');
    const { acknowledged, shelved } = newest;
    return [
      ...[id, newest.state, lifecycleOf(newest), newest.severity, newest.occurrences, newest.message],
      ...[acknowledged?.by ?? '-', acknowledged?.note ?? '-', shelved?.by ?? '-', shelved?.reason ?? '-'],
      ...[newest.suppressed_by ?? '-', newest.unknown_since_ms === null ? 'f' : 't'],
      ...[when(true, 'raised'), when(true, ...BEGINS), cleared, when(acknowledged !== null, 'acknowledged')],
    ].join('|');
  });
}

type SeqText = readonly [seq: number, text: string];

function sameRows(
  what: string,
  found: readonly SeqText[],
  expected: readonly SeqText[],
  model: LogModel,
): void {
  let at = 0;
  for (const [seq, text] of expected) {
    const next = found[at];
    if (next?.[0] === seq) {
      if (next[1] !== text)
        throw new Error(`${what} ${seq} at the centre is "${next[1]}" instead of "${text}"`);
      at++;
    } else if (next !== undefined && next[0] < seq) break;
    else if (!model.gone_unsynced.has(seq)) throw new Error(`${what} ${seq} is not at the centre: ${text}`);
  }
  if (at < found.length)
    throw new Error(`${what} ${found[at][0]} is too many at the centre: ${found[at][1]}`);
}

function sameSet(what: string, found: readonly string[], expected: readonly string[]): void {
  const lacking = expected.filter(text => !found.includes(text));
  if (lacking.length > 0)
    throw new Error(
      `${what} ${lacking[0]} is not at the centre, but ${found.filter(text => !expected.includes(text))[0]}`,
    );
  if (found.length !== expected.length)
    throw new Error(`the centre has ${found.length} of ${what}, expected ${expected.length}`);
}
