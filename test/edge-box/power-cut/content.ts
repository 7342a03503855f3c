/**
 * What the load writes, described by numbers: from a seed, a cycle and a number everybody makes the same reading, alert
 * or record again. So the outside can say of each row at the centre what it must be, byte for byte.
 */
import { hash } from 'node:crypto';
import { type Alert, storedAlert } from '../../../core/alerts/alert.ts';
import type { AuditEntry } from '../../../core/contract/access.ts';
import type { CompletenessRecord } from '../../../core/contract/completeness.ts';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { encodeInto, maxEncodedBytes } from '../../../core/reading/codec.ts';
import type { PackReading } from '../../../core/reading/pack-reading.ts';
import { Quality } from '../../../core/reading/quality.ts';
import type { Topology } from '../../../core/topology/topology.ts';
import { fillNumbered, smallTopology } from '../../../daemon/store/testing/fixtures.ts';

export const GATEWAY_ID = 'power-cut';
/** Numbers of one cycle's contents: from `cycle * NUMBERS_PER_CYCLE`; so none is ever written twice. */
export const NUMBERS_PER_CYCLE = 100_000;
/** Wall time of the box runs faster, so that rows grow old enough to be removed: an hour per cycle. */
export const WALL_START_MS = Date.UTC(2026, 0, 5);
/** Defined here: its contract's module loads the whole of a schema library, which takes the box a second. */
export const HOUR_MS = 3_600_000;
export const CYCLE_WALL_MS = HOUR_MS;
export const RETENTION_CYCLES = 4;
export const DOCUMENT_IDS = ['alice', 'bob', 'thresholds'] as const;
export const DOCUMENT_KIND = 'power-cut';
/** Every so many changes of a document one is its removal. */
export const REMOVE_EVERY = 5;

export interface LoadSettings {
  readonly packs: number;
  readonly cells: number;
  readonly readings_per_s: number;
  readonly alerts_per_s: number;
  readonly records_per_s: number;
  readonly commit_interval_ms: number;
  readonly batch_rows: number;
  readonly retain_every_ms: number;
  readonly span_rows: number;
}

/** Random numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function loadSettings(seed: number, cycle: number): LoadSettings {
  const random = randomFrom(seed * 7919 + cycle);
  const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)];
  // Fleets of different shape: another one than before also writes a new topology into the log.
  const fleet = oneOf([
    { packs: 4, cells: 10 },
    { packs: 2, cells: 96 },
    { packs: 8, cells: 4 },
  ]);
  return {
    ...fleet,
    readings_per_s: oneOf([50, 400, 1500, 3000]),
    alerts_per_s: oneOf([2, 20, 100]),
    records_per_s: oneOf([2, 20]),
    commit_interval_ms: oneOf([10, 20, 100, 1000]),
    batch_rows: oneOf([40, 500, 5000]),
    retain_every_ms: oneOf([150, 600]),
    span_rows: oneOf([64, 512, 4096]),
  };
}

export function topologyOf({ packs, cells }: LoadSettings): Topology {
  return smallTopology(packs, cells, GATEWAY_ID);
}

/** Voltage and cycle count encode `n`. Some values are missing, old or doubtful. */
export function fillContent(reading: PackReading, n: number, t_ms: number): void {
  fillNumbered(reading, n % 50_000, t_ms);
  reading.values[PackMetric.cycle_count] = Math.floor(n / 50_000);
  reading.value_quality[PackMetric.cycle_count] = Quality.good;
  const random = randomFrom(n);
  const cell = Math.floor(random() * reading.shape.cell_count);
  const kind = random();
  if (kind < 0.2) {
    reading.column(CellMetric.voltage_v)[cell] = Number.NaN;
    reading.columnQuality(CellMetric.voltage_v)[cell] = Quality.missing;
  } else if (kind < 0.4) {
    reading.column(CellMetric.temperature_c)[cell] = 1000 * random();
    reading.columnQuality(CellMetric.temperature_c)[cell] = Quality.suspect;
  } else if (kind < 0.5) {
    reading.value_quality[PackMetric.soc_pct] = Quality.stale;
    reading.device_alarm_level[0] = 2;
  }
}

export function contentNumber(voltage_v: number, cycle_count: number): number {
  return 50_000 * cycle_count + Math.round(voltage_v * 100);
}

export function alertOf(n: number, raised_ms: number, cleared_ms: number | null): Alert {
  return storedAlert({
    id: `alert-${n}`,
    rule_id: 'cell_over_voltage',
    severity: n % 3 === 0 ? 'critical' : 'warning',
    battery_id: 'b1',
    pack_id: 'p01',
    cell_no: 1 + (n % 4),
    message: `Cell voltage is too high (${n})`,
    value: n,
    threshold: 3.65,
    unit: 'V',
    state: cleared_ms === null ? 'active' : 'cleared',
    raised_ms,
    cleared_ms,
  });
}

export function auditOf(n: number, t_ms: number): AuditEntry {
  return {
    id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    t_ms,
    actor: 'alice',
    address: '192.0.2.7',
    action: 'settings.change',
    outcome: n % 4 === 0 ? 'refused' : 'done',
    target: `rule ${n}`,
    old: n - 1,
    new: n,
    request_id: null,
  };
}

/** Each of an hour of its own, so that none replaces another. */
export function completenessOf(n: number): CompletenessRecord {
  return { hour_ms: n * HOUR_MS, packs: [{ pack_id: 'p01', expected: n, received: n, stored: n }] };
}

export const DIGEST_BYTES = 8;

/** Distinguishes a row of the log from any other: the kind, then the beginning of a hash. */
export function rowDigest(kind: number, pack_id: string, t_ms: number, body: Uint8Array): Buffer {
  const head = Buffer.from(`${kind} ${pack_id} ${t_ms} `);
  const digest = hash('sha256', Buffer.concat([head, body]), 'buffer').subarray(0, DIGEST_BYTES);
  digest[0] = kind;
  return digest;
}

export function jsonDigest(kind: number, t_ms: number, record: object): Buffer {
  return rowDigest(kind, '', t_ms, Buffer.from(JSON.stringify(record)));
}

export function encodeReading(reading: PackReading): Buffer {
  const bytes = Buffer.alloc(maxEncodedBytes(reading.shape));
  const used = encodeInto(reading, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0);
  return bytes.subarray(0, used);
}
