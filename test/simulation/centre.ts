/** What the centre holds of one gateway, against what it must. */
import type pg from 'pg';
import type { Alert } from '../../core/alerts/alert.ts';
import type { AuditEntry } from '../../core/contract/access.ts';
import { LogKind } from '../../daemon/store/store.ts';
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
  readonly alert_events: readonly (readonly [seq: number, alert_id: string, state: string, at_ms: number])[];
  readonly alerts: readonly (readonly [alert_id: string, state: string])[];
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
    (SELECT coalesce(json_agg(json_build_array(seq, alert_id, state,
       round(extract(epoch FROM at) * 1000)) ORDER BY seq), '[]')
     FROM alert_events WHERE gateway_id = $1) AS alert_events,
    (SELECT coalesce(json_agg(json_build_array(alert_id, state) ORDER BY alert_id), '[]')
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
    centre.alert_events.map(([seq, id, state, at_ms]) => [seq, `${id} ${state} at ${at_ms}`]),
    alerts.map(row => {
      const { id, state, cleared_ms, raised_ms } = alertOf(row);
      return [row.seq, `${id} ${state} at ${updatedMs(row, cleared_ms ?? raised_ms)}`];
    }),
    model,
  );
  const is_whole = ![...model.gone_unsynced].some(seq => seq <= last_seq);
  if (!is_whole || !is_newest) return;
  const states = new Map(alerts.map(row => [alertOf(row).id, alertOf(row).state]));
  sameSet('alert', centre.alerts.map(String), [...states].map(String));
  const entries = sent.filter(row => row.kind === LogKind.audit);
  sameSet(
    'audit entry',
    centre.audit,
    entries.map(row => (JSON.parse(row.body) as AuditEntry).id),
  );
}

const alertOf = (row: Row) => JSON.parse(row.body) as Alert;

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
  if (lacking.length > 0) throw new Error(`${what} ${lacking[0]} is not at the centre`);
  if (found.length !== expected.length)
    throw new Error(`the centre has ${found.length} of ${what}, expected ${expected.length}`);
}
