/** Topologies and alerts of the log as upserts at the centre, a few statements whatever their number. */
import type { Alert } from '../../core/alerts/alert.ts';
import { lifecycleOf } from '../../core/alerts/lifecycle.ts';
import { cellId, type Topology } from '../../core/topology/topology.ts';
import type { Queryable } from './transaction.ts';

const UPSERT_BATTERIES = `
  INSERT INTO batteries (gateway_id, battery_id, name, chemistry)
  SELECT $1, battery_id, name, chemistry
  FROM jsonb_to_recordset($2::jsonb) AS b(battery_id text, name text, chemistry text)
  ON CONFLICT (gateway_id, battery_id) DO UPDATE SET name = excluded.name, chemistry = excluded.chemistry`;

const UPSERT_PACKS = `
  INSERT INTO packs (gateway_id, pack_id, battery_id, name, profile_id, connection_id, address, cell_count,
                     sensor_count, device_alarms)
  SELECT $1, pack_id, battery_id, name, profile_id, connection_id, address, cell_count, sensor_count,
         ARRAY(SELECT jsonb_array_elements_text(device_alarms))
  FROM jsonb_to_recordset($2::jsonb) AS p(pack_id text, battery_id text, name text, profile_id text,
       connection_id text, address integer, cell_count integer, sensor_count integer, device_alarms jsonb)
  ON CONFLICT (gateway_id, pack_id) DO UPDATE SET
    battery_id = excluded.battery_id, name = excluded.name, profile_id = excluded.profile_id,
    connection_id = excluded.connection_id, address = excluded.address, cell_count = excluded.cell_count,
    sensor_count = excluded.sensor_count, device_alarms = excluded.device_alarms`;

const INSERT_CELLS = `
  INSERT INTO cells (gateway_id, cell_id, pack_id, cell_no)
  SELECT $1, cell_id, pack_id, cell_no
  FROM unnest($2::text[], $3::text[], $4::integer[]) AS c(cell_id, pack_id, cell_no)
  ON CONFLICT (gateway_id, cell_id) DO NOTHING`;

/** As its newest event has it, which may have been put right since (see clock.ts); `given` where that is another change. */
const momentOf = (change: string, among: string, given: string) =>
  `coalesce((SELECT CASE WHEN e.change IN (${change}) THEN e.at END FROM alert_events e
     WHERE e.gateway_id = $1 AND e.alert_id = a.id AND e.change IN (${among}) ORDER BY seq DESC LIMIT 1), ${given})`;
const ACKNOWLEDGED = `to_timestamp((acknowledged ->> 'at_ms')::double precision / 1000)`;
const BEGINS = `'raised', 'recurred'`;

/** After the events. */
const UPSERT_ALERTS = `
  INSERT INTO alerts (gateway_id, alert_id, rule_id, severity, battery_id, pack_id, connection_id, cell_no, message,
                      value, threshold, unit, state, raised_at, cleared_at, lifecycle, occurrences, occurred_at,
                      earlier_occurrences, acknowledged_by, acknowledged_at, acknowledged_note, shelved_by,
                      shelved_until, shelved_reason, unknown_since, suppressed_by)
  SELECT $1, id, rule_id, severity, battery_id, pack_id, connection_id, cell_no, message, value, threshold, unit, state,
         to_timestamp(raised_ms / 1000),
         CASE WHEN cleared_ms IS NOT NULL
              THEN ${momentOf(`'cleared'`, `${BEGINS}, 'cleared'`, 'to_timestamp(cleared_ms / 1000)')} END,
         lifecycle, occurrences, ${momentOf(BEGINS, BEGINS, 'to_timestamp(occurred_ms / 1000)')},
         earlier_occurrences, acknowledged ->> 'by',
         CASE WHEN acknowledged ->> 'by' IS NOT NULL
              THEN ${momentOf(`'acknowledged'`, `'acknowledged'`, ACKNOWLEDGED)} END,
         acknowledged ->> 'note', shelved ->> 'by',
         to_timestamp((shelved ->> 'until_ms')::double precision / 1000), shelved ->> 'reason',
         to_timestamp(unknown_since_ms / 1000), suppressed_by
  FROM jsonb_to_recordset($2::jsonb) AS a(id text, rule_id text, severity text, battery_id text, pack_id text,
       connection_id text, cell_no integer, message text, value double precision, threshold double precision, unit text,
       state text, raised_ms double precision, cleared_ms double precision, lifecycle text, occurrences integer,
       occurred_ms double precision, earlier_occurrences integer, acknowledged jsonb, shelved jsonb,
       unknown_since_ms double precision, suppressed_by text)
  ON CONFLICT (gateway_id, alert_id) DO UPDATE SET
    state = excluded.state, cleared_at = excluded.cleared_at, message = excluded.message,
    severity = excluded.severity, lifecycle = excluded.lifecycle, occurrences = excluded.occurrences,
    occurred_at = excluded.occurred_at, acknowledged_by = excluded.acknowledged_by,
    acknowledged_at = excluded.acknowledged_at, acknowledged_note = excluded.acknowledged_note,
    shelved_by = excluded.shelved_by, shelved_until = excluded.shelved_until, shelved_reason = excluded.shelved_reason,
    unknown_since = excluded.unknown_since, suppressed_by = excluded.suppressed_by`;

const INSERT_ALERT_EVENTS = `
  INSERT INTO alert_events (gateway_id, seq, alert_id, at, state, severity, message, value, change, changed_by, note)
  SELECT $1, seq, id, to_timestamp(changed_ms / 1000), state, severity, message, value, change, changed_by, note
  FROM jsonb_to_recordset($2::jsonb) AS e(seq bigint, id text, changed_ms double precision, state text, severity text,
       message text, value double precision, change text, changed_by text, note text)`;

export async function storeTopology(
  client: Queryable,
  gateway_id: string,
  topology: Topology,
): Promise<void> {
  const { site, batteries, packs } = topology;
  await client.query('UPDATE gateways SET site_id = $2, site_name = $3 WHERE gateway_id = $1', [
    gateway_id,
    site.id,
    site.name,
  ]);
  const battery_rows = batteries.map(({ id, name, chemistry }) => ({ battery_id: id, name, chemistry }));
  await client.query(UPSERT_BATTERIES, [gateway_id, json(battery_rows)]);
  const pack_rows = packs.map(({ id, name, battery_id, profile_id, connection_id, address, shape }) => ({
    pack_id: id,
    name,
    battery_id,
    profile_id,
    connection_id,
    address: address ?? null,
    ...shape,
  }));
  await client.query(UPSERT_PACKS, [gateway_id, json(pack_rows)]);
  const cell_ids: string[] = [];
  const pack_ids: string[] = [];
  const cell_nos: number[] = [];
  for (const { id, shape } of packs)
    for (let cell_no = 1; cell_no <= shape.cell_count; cell_no++) {
      cell_ids.push(cellId(id, cell_no));
      pack_ids.push(id);
      cell_nos.push(cell_no);
    }
  await client.query(INSERT_CELLS, [gateway_id, cell_ids, pack_ids, cell_nos]);
}

/** In log order, under the numbers of their rows: each as an event, and of each alert the last as its state. */
export async function storeAlerts(
  client: Queryable,
  gateway_id: string,
  alerts: readonly Alert[],
  seqs: readonly number[],
): Promise<void> {
  const rows = alerts.map((alert, i) => ({
    ...alert,
    seq: seqs[i],
    lifecycle: lifecycleOf(alert),
    note: noteOf(alert),
  }));
  await client.query(INSERT_ALERT_EVENTS, [gateway_id, json(rows)]);
  const newest = new Map(rows.map(alert => [alert.id, alert]));
  await client.query(UPSERT_ALERTS, [gateway_id, json([...newest.values()])]);
}

/** What somebody wrote with this change. */
function noteOf({ change, acknowledged, shelved, out_of_service, notes }: Alert): string | null {
  if (change === 'acknowledged') return acknowledged?.note ?? null;
  if (change === 'shelved') return shelved?.reason ?? null;
  if (change === 'out_of_service') return out_of_service?.reason ?? null;
  return change === 'noted' ? (notes.at(-1)?.text ?? null) : null;
}

/** PostgreSQL's text knows no zero character. */
export function json(rows: readonly object[]): string {
  return JSON.stringify(rows, (_, value: unknown) =>
    typeof value === 'string' ? value.replaceAll('\0', '') : value,
  );
}
