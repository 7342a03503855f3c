/**
 * Whether the log that the centre knows under this gateway's name is ours. A log that follows it is taken for it; one
 * that was restored from an older copy is distinguished from a copy that runs beside us, and goes on above what the
 * centre has.
 */
import { GatewayError } from '../../core/errors.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { ReadingDecoder } from '../../core/reading/codec.ts';
import { Quality } from '../../core/reading/quality.ts';
import { LogKind, type LogSource } from '../store/store.ts';
import { BatchRecords } from './batch-records.ts';
import { centreMs } from './copy-rows.ts';
import { json } from './hierarchy.ts';
import { bodyOf, rowDigest } from './row-digest.ts';
import { inTransaction, type Queryable } from './transaction.ts';

/** A log whose other copy was seen within this time is not taken for one that was restored from an older copy. */
export const SILENCE_MIN = 10;
const SEARCH_ROWS = 512;

export interface GatewayRow {
  readonly incarnation: string;
  readonly last_seq: string;
  readonly last_row_digest: string | null;
  readonly last_sync_at: Date | null;
  /** By the centre's clock. */
  readonly is_silent: boolean;
}

/** Says what does not agree, undefined when all does; what can be settled here is settled before. */
export async function settleContinuity(
  client: Queryable,
  gateway_id: string,
  source: LogSource,
  known: GatewayRow,
): Promise<string | undefined> {
  if (known.incarnation !== source.incarnation) {
    if (!source.predecessors.includes(known.incarnation))
      return 'it belongs to another storage: two gateways have the same gateway_id, or the storage of this one was replaced';
    await succeed(client, gateway_id, source, known);
    return undefined;
  }
  const last_seq = Number(known.last_seq);
  const what = await difference(source, last_seq, known.last_row_digest);
  if (what === undefined) return undefined;
  if (!known.is_silent)
    return `${what}: its storage was copied, or restored from an older copy. If it was restored, and no other gateway uses it, the sync goes on by itself after ${SILENCE_MIN} minutes of silence there`;
  const reading_seq = await lastCommonReading(client, gateway_id, source, last_seq);
  await source.fork(await lastCommonRow(client, gateway_id, source, reading_seq, last_seq), last_seq);
  await succeed(client, gateway_id, source, known);
  return undefined;
}

async function difference(
  source: LogSource,
  last_seq: number,
  digest: string | null,
): Promise<string | undefined> {
  if (last_seq > source.durableSeq())
    return `the centre has rows up to ${last_seq} of this log, which ends at ${source.durableSeq()}`;
  const last = last_seq > 0 ? await source.readBatch(last_seq - 1, 1, 1) : undefined;
  const is_there = last !== undefined && last.count > 0 && last.seq[0] === last_seq;
  return is_there && digest !== null && rowDigest(last, 0) !== digest
    ? `row ${last_seq} differs from ours`
    : undefined;
}

async function succeed(
  client: Queryable,
  gateway_id: string,
  source: LogSource,
  known: GatewayRow,
): Promise<void> {
  await inTransaction(client, () => replaceIncarnation(client, gateway_id, source, known));
}

async function replaceIncarnation(
  client: Queryable,
  gateway_id: string,
  source: LogSource,
  known: GatewayRow,
): Promise<void> {
  const changed = await client.query(
    `UPDATE gateways SET incarnation = $3, last_row_digest = NULL WHERE gateway_id = $1 AND incarnation = $2
     RETURNING gateway_id`,
    [gateway_id, known.incarnation, source.incarnation],
  );
  if (changed.rows.length !== 1)
    throw new GatewayError(
      'UPSTREAM_REFUSED',
      `gateway "${gateway_id}" was changed by somebody else just now`,
    );
  await client.query(
    `INSERT INTO gateway_incarnations (gateway_id, incarnation, last_seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [gateway_id, known.incarnation, known.last_seq],
  );
}

/**
 * The newest row that is here and there, from the newest such reading on: events of alerts, gaps and corrections of
 * times would be stored twice. Of other records the last one counts, or each has a name of its own.
 */
async function lastCommonRow(
  client: Queryable,
  gateway_id: string,
  source: LogSource,
  reading_seq: number,
  last_seq: number,
): Promise<number> {
  let common_seq = reading_seq;
  for (let seq = reading_seq; seq < last_seq; ) {
    const batch = await source.readBatch(seq, SEARCH_ROWS, 1 << 20);
    const reading = batch.kind.indexOf(LogKind.reading);
    const end_seq = Math.min(reading < 0 ? Number.POSITIVE_INFINITY : batch.seq[reading], last_seq + 1);
    const all = new BatchRecords(batch);
    const records = STORED_TWICE.flatMap(kind => {
      const { records, seqs } = all.of(kind);
      return records.map((record, i) => ({ ...record, kind, seq: seqs[i] }));
    }).filter(record => record.seq < end_seq);
    if (records.length > 0) {
      const { rows } = await client.query<{ seq: string | null }>(NEWEST_AT_CENTRE, [
        gateway_id,
        json(records),
      ]);
      common_seq = Math.max(common_seq, Number(rows[0].seq));
    }
    if (batch.count === 0 || reading >= 0) break;
    seq = batch.seq[batch.count - 1];
  }
  return common_seq;
}

/** SQL: by how much times of this row have been moved at the centre. */
const later = (seq: string) => `interval '1 millisecond' * (SELECT coalesce(sum(k.offset_ms), 0)
  FROM clock_corrections k WHERE k.gateway_id = $1 AND k.first_seq <= ${seq} AND k.last_seq >= ${seq})`;

const STORED_TWICE = [LogKind.alert, LogKind.gap, LogKind.clock];

const NEWEST_AT_CENTRE = `
  SELECT max(r.seq) AS seq
  FROM jsonb_to_recordset($2::jsonb) AS r(seq bigint, kind integer, id text, state text, reason text, detail text,
    first_seq bigint, last_seq bigint, offset_ms bigint, raised_ms float8, cleared_ms float8)
  WHERE CASE kind
    WHEN ${LogKind.alert} THEN EXISTS (SELECT FROM alert_events e
      WHERE e.gateway_id = $1 AND e.seq = r.seq AND e.alert_id = r.id AND e.state = r.state
        AND e.at = to_timestamp(coalesce(r.cleared_ms, r.raised_ms) / 1000) + ${later('r.seq')})
    WHEN ${LogKind.gap} THEN EXISTS (SELECT FROM gaps g
      WHERE g.gateway_id = $1 AND g.seq = r.seq AND g.reason = r.reason AND g.detail = r.detail)
    ELSE EXISTS (SELECT FROM clock_corrections c
      WHERE c.gateway_id = $1 AND c.seq = r.seq AND c.first_seq = r.first_seq AND c.last_seq = r.last_seq
        AND c.offset_ms = r.offset_ms) END`;

/** The newest reading that is here and there: what was written after it, here or there, is different. */
async function lastCommonReading(
  client: Queryable,
  gateway_id: string,
  source: LogSource,
  last_seq: number,
): Promise<number> {
  let low = 0;
  let high = Math.min(last_seq, source.durableSeq());
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const reading = await firstReading(source, middle, high);
    if (reading && (await isAtCentre(client, gateway_id, reading))) low = reading.seq;
    else high = middle - 1;
  }
  return low;
}

interface Reading {
  readonly seq: number;
  readonly pack_id: string;
  readonly t_ms: number;
  readonly voltage_v: number | null;
  readonly cells_v: readonly (number | null)[];
}

const decoder = new ReadingDecoder();

async function firstReading(
  source: LogSource,
  from_seq: number,
  to_seq: number,
): Promise<Reading | undefined> {
  for (let seq = from_seq - 1; seq < to_seq; ) {
    const batch = await source.readBatch(seq, SEARCH_ROWS, 1 << 20);
    if (batch.count === 0) return undefined;
    for (let i = 0; i < batch.count && batch.seq[i] <= to_seq; i++) {
      const pack_id = source.packId(batch.pack_key[i]);
      if (batch.kind[i] === LogKind.reading && pack_id !== undefined)
        return { seq: batch.seq[i], pack_id, t_ms: batch.t_ms[i], ...measured(bodyOf(batch, i)) };
    }
    seq = batch.seq[batch.count - 1];
  }
  return undefined;
}

/** A clock without a battery can show the same times again, and numbers repeat: what was measured is compared as well. */
function measured(body: Buffer): Pick<Reading, 'voltage_v' | 'cells_v'> {
  const reading = decoder.decode(new DataView(body.buffer, body.byteOffset, body.length), 0, body.length);
  if (typeof reading === 'number') return { voltage_v: null, cells_v: [] };
  const known = (value: number) => (Number.isNaN(value) ? null : value);
  const is_missing = reading
    .columnQuality(CellMetric.voltage_v)
    .every(quality => quality === Quality.missing);
  return {
    voltage_v: known(reading.values[PackMetric.voltage_v]),
    cells_v: is_missing ? [] : Array.from(reading.column(CellMetric.voltage_v), known),
  };
}

async function isAtCentre(
  client: Queryable,
  gateway_id: string,
  { seq, pack_id, t_ms, voltage_v, cells_v }: Reading,
): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM pack_readings
       WHERE gateway_id = $1 AND pack_id = $2 AND seq = $4
         AND ts = to_timestamp($3 / 1000.0) + ${later('$4')}
         AND voltage_v IS NOT DISTINCT FROM $5::real
         AND coalesce(cell_voltage_v, '{}') = $6::real[]) AS found`,
    [gateway_id, pack_id, centreMs(t_ms), seq, voltage_v, cells_v],
  );
  return rows[0].found;
}
