/** Compares what has arrived at the centre with the ledger of the box, row for row. */
import type pg from 'pg';
import { CELL_METRICS, PACK_METRICS } from '../../../core/metrics.ts';
import { ReadingDecoder } from '../../../core/reading/codec.ts';
import { type PackReading, PackReading as Reading } from '../../../core/reading/pack-reading.ts';
import { Quality, qualityLetters } from '../../../core/reading/quality.ts';
import { LogKind } from '../../../daemon/store/store.ts';
import {
  alertOf,
  auditOf,
  completenessOf,
  contentNumber,
  encodeReading,
  fillContent,
  GATEWAY_ID,
  jsonDigest,
  loadSettings,
  NUMBERS_PER_CYCLE,
  rowDigest,
  topologyOf,
} from './content.ts';
import type { Ledger } from './ledger.ts';

const PAGE_ROWS = 2000;
const CELL_COLUMNS = [
  'voltage',
  'temperature',
  'soc',
  'soh',
  'balancing',
  'estimated_soc',
  'estimated_soc_sd',
  'estimated_soh',
  'estimated_soh_sd',
  'estimated_resistance',
] as const;
const CELL_ARRAYS = [
  'cell_voltage_v',
  'cell_temperature_c',
  'cell_soc_pct',
  'cell_soh_pct',
  'cell_balancing',
  'cell_estimated_soc_pct',
  'cell_estimated_soc_sd_pct',
  'cell_estimated_soh_pct',
  'cell_estimated_soh_sd_pct',
  'cell_estimated_resistance_mohm',
] as const;

type Row = Record<string, unknown>;

export interface CentreCounts {
  readonly readings: number;
  readonly alert_events: number;
  readonly audit_entries: number;
  readonly completeness_records: number;
}

/** How far the centre has the log; 0 when it does not know the box yet. */
export async function centreSeq(client: pg.Client): Promise<number> {
  const known = await client.query<{ known: boolean }>(`SELECT to_regclass('gateways') IS NOT NULL AS known`);
  if (!known.rows[0].known) return 0;
  const { rows } = await client.query<{ last_seq: string }>(
    'SELECT last_seq FROM gateways WHERE gateway_id = $1',
    [GATEWAY_ID],
  );
  return Number(rows[0]?.last_seq ?? 0);
}

/** Writes each difference into the ledger's violations. */
export async function compareCentre(client: pg.Client, ledger: Ledger, seed: number): Promise<CentreCounts> {
  const last_seq = await centreSeq(client);
  if (last_seq !== ledger.known_to)
    ledger.violation(`the centre says it has rows up to ${last_seq}; the log ends at ${ledger.known_to}`);
  const readings = await compareReadings(client, ledger, seed);
  const alert_events = await compareAlerts(client, ledger);
  const audit_entries = await compareUnnumbered(client, ledger, LogKind.audit, AUDIT, row => {
    const entry = auditOf(Number(row.n), Number(row.t_ms));
    return jsonDigest(LogKind.audit, entry.t_ms, entry);
  });
  const completeness_records = await compareUnnumbered(client, ledger, LogKind.completeness, HOURS, row => {
    const record = completenessOf(Number(row.n));
    return jsonDigest(LogKind.completeness, record.hour_ms + 3_600_000, record);
  });
  return { readings, alert_events, audit_entries, completeness_records };
}

const AUDIT = `SELECT right(entry_id::text, 12)::bigint AS n, (extract(epoch FROM at) * 1000)::bigint AS t_ms
  FROM audit_log WHERE gateway_id = $1`;
const HOURS = `SELECT expected AS n FROM completeness
  WHERE gateway_id = $1 AND expected = received AND expected = stored AND pack_id = 'p01'
  AND extract(epoch FROM hour) = expected::bigint * 3600`;

/** Visits rows in order of `seq`; says which rows of this kind the ledger has and the centre has not, and twice. */
async function visit(
  client: pg.Client,
  ledger: Ledger,
  table: string,
  kind: number,
  judge: (row: Row, seq: number) => string | undefined,
): Promise<number> {
  let expected_seq = nextOfKind(ledger, kind, 0);
  let before_seq = 0;
  let count = 0;
  await client.query('BEGIN');
  await client.query(
    `DECLARE rows NO SCROLL CURSOR FOR
     SELECT *, (extract(epoch FROM ${table === 'alert_events' ? 'at' : 'ts'}) * 1000)::bigint AS t_ms
     FROM ${table} WHERE gateway_id = '${GATEWAY_ID}' ORDER BY seq`,
  );
  for (;;) {
    const { rows } = await client.query<Row>(`FETCH ${PAGE_ROWS} FROM rows`);
    for (const row of rows) {
      const seq = Number(row.seq);
      count++;
      if (seq === before_seq) ledger.violation(`${table}: row ${seq} is there twice`);
      for (; expected_seq < seq; expected_seq = nextOfKind(ledger, kind, expected_seq))
        ledger.violation(`${table}: row ${expected_seq} is missing`);
      if (expected_seq > seq && seq !== before_seq)
        ledger.violation(`${table}: row ${seq} is in no log (kind ${ledger.kindOf(seq)})`);
      const wrong = judge(row, seq);
      if (wrong) ledger.violation(`${table}: row ${seq} differs: ${wrong}`);
      if (expected_seq === seq) expected_seq = nextOfKind(ledger, kind, seq);
      before_seq = seq;
    }
    if (rows.length < PAGE_ROWS) break;
  }
  await client.query('COMMIT');
  for (; expected_seq <= ledger.known_to; expected_seq = nextOfKind(ledger, kind, expected_seq))
    ledger.violation(`${table}: row ${expected_seq} is missing`);
  return count;
}

function nextOfKind(ledger: Ledger, kind: number, after_seq: number): number {
  let seq = after_seq + 1;
  while (seq <= ledger.known_to && ledger.kindOf(seq) !== kind) seq++;
  return seq;
}

function compareReadings(client: pg.Client, ledger: Ledger, seed: number): Promise<number> {
  const decoder = new ReadingDecoder();
  return visit(client, ledger, 'pack_readings', LogKind.reading, (row, seq) => {
    const n = contentNumber(Number(row.voltage_v), Number(row.cycle_count));
    const topology = topologyOf(loadSettings(seed, Math.floor(n / NUMBERS_PER_CYCLE)));
    const pack = topology.packs.find(({ id }) => id === row.pack_id);
    if (!pack) return `no pack ${row.pack_id} in the cycle of number ${n}`;
    const written = new Reading(pack.pack, pack.shape);
    fillContent(written, n, Number(row.t_ms));
    const body = encodeReading(written);
    if (!rowDigest(LogKind.reading, pack.id, written.t_ms, body).equals(ledger.digestOf(seq)))
      return `it is not what the box wrote (number ${n})`;
    const decoded = decoder.decode(new DataView(body.buffer, body.byteOffset, body.length), 0, body.length);
    return typeof decoded === 'number' ? `fault ${decoded}` : differenceOf(row, decoded);
  });
}

/** The first column that does not say what the reading says. */
function differenceOf(row: Row, reading: PackReading): string | undefined {
  const expected: Row = {
    value_quality: letters(reading.value_quality),
    cell_count: reading.shape.cell_count,
    sensor_temperature_c: numbers(reading.sensors, reading.sensor_quality),
    sensor_quality: letters(reading.sensor_quality),
    device_alarms: Array.from(reading.device_alarm_level, level => 'nwa'[level] ?? 'u').join(''),
  };
  PACK_METRICS.forEach(({ name }, m) => {
    expected[name] = real(reading.values[m]);
  });
  CELL_METRICS.forEach((_, m) => {
    expected[CELL_ARRAYS[m]] = numbers(reading.column(m), reading.columnQuality(m));
    expected[`cell_${CELL_COLUMNS[m]}_quality`] = letters(reading.columnQuality(m));
  });
  for (const [column, value] of Object.entries(expected)) {
    const found = row[column];
    const rounded = Array.isArray(found) ? found.map(real) : typeof found === 'number' ? real(found) : found;
    if (JSON.stringify(rounded) !== JSON.stringify(value))
      return `${column}: expected ${JSON.stringify(value)}, found ${JSON.stringify(rounded)}`;
  }
  return undefined;
}

/** NULL where all that is there is good. */
function letters(quality: Uint8Array): string | null {
  const is_plain = quality.every(one => one === Quality.good || one === Quality.missing);
  return is_plain ? null : qualityLetters(quality);
}

function numbers(values: Float32Array, quality: Uint8Array): (number | null)[] | null {
  return quality.every(one => one === Quality.missing) ? null : Array.from(values, real);
}

function real(value: number | null): number | null {
  return value === null || Number.isNaN(value) ? null : Math.fround(value);
}

async function compareAlerts(client: pg.Client, ledger: Ledger): Promise<number> {
  const newest = new Map<string, Row>();
  const raised_ms = new Map<string, number>();
  const count = await visit(client, ledger, 'alert_events', LogKind.alert, (row, seq) => {
    const t_ms = Number(row.t_ms);
    const id = String(row.alert_id);
    newest.set(id, row);
    if (row.state === 'active') raised_ms.set(id, t_ms);
    const alert = alertOf(Number(row.value), raised_ms.get(id) ?? 0, row.state === 'active' ? null : t_ms);
    if (alert.id !== id) return `expected ${alert.id}, found ${id}`;
    const digest = jsonDigest(LogKind.alert, t_ms, alert);
    return digest.equals(ledger.digestOf(seq)) ? undefined : 'it is not what the box wrote';
  });
  const { rows } = await client.query<Row>('SELECT alert_id, state FROM alerts WHERE gateway_id = $1', [
    GATEWAY_ID,
  ]);
  if (rows.length !== newest.size)
    ledger.violation(`alerts: expected ${newest.size} alerts, found ${rows.length}`);
  for (const { alert_id, state } of rows)
    if (newest.get(String(alert_id))?.state !== state)
      ledger.violation(
        `alerts: ${alert_id} is ${state}, its newest event ${newest.get(String(alert_id))?.state}`,
      );
  return count;
}

/** Tables that do not keep the log's numbers: as a set. */
async function compareUnnumbered(
  client: pg.Client,
  ledger: Ledger,
  kind: number,
  sql: string,
  digestOf: (row: Row) => Buffer,
): Promise<number> {
  const missing = new Set<string>();
  for (let seq = nextOfKind(ledger, kind, 0); seq <= ledger.known_to; seq = nextOfKind(ledger, kind, seq))
    missing.add(ledger.digestOf(seq).toString('hex'));
  const { rows } = await client.query<Row>(sql, [GATEWAY_ID]);
  for (const row of rows)
    if (!missing.delete(digestOf(row).toString('hex')))
      ledger.violation(`kind ${kind}: number ${row.n} is at the centre, but is in no log or is there twice`);
  if (missing.size > 0) ledger.violation(`kind ${kind}: ${missing.size} rows are not at the centre`);
  return rows.length;
}
