/** Rows such as a gateway writes, made by one seed: every reading has a number of its own. */
import type { GapRecord } from '../../core/contract/gap.ts';
import { PackMetric } from '../../core/metrics.ts';
import { encodeInto, maxEncodedBytes, ReadingDecoder } from '../../core/reading/codec.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { numberedReading } from '../../daemon/store/testing/fixtures.ts';
import type { Draw } from './draw.ts';
import type { NewRow, Row } from './log-model.ts';

const decoder = new ReadingDecoder();

export class RowMaker {
  readonly #topology: Topology;
  readonly #draw: Draw;
  /** Bytes of the largest record. */
  readonly #largest_bytes: number;
  #readings = 0;
  #entries = 0;

  constructor(topology: Topology, draw: Draw, largest_bytes: number) {
    this.#topology = topology;
    this.#draw = draw;
    this.#largest_bytes = largest_bytes;
  }

  batch(t_ms: number): NewRow[] {
    const rows: NewRow[] = [];
    for (let left = this.#draw.whole(1, 14); left > 0; left--)
      rows.push(this.#row(t_ms + this.#draw.whole(0, 40)));
    return rows;
  }

  #row(t_ms: number): NewRow {
    const draw = this.#draw;
    if (draw.chance(0.8)) return this.#reading(t_ms);
    if (draw.chance(0.5)) return this.#audit(t_ms);
    const detail = draw.hex(draw.whole(0, this.#largest_bytes));
    const nothing = {
      from_ms: null,
      to_ms: null,
      first_seq: null,
      last_seq: null,
      readings: null,
      packs: [],
    };
    return json(LogKind.gap, t_ms, { reason: 'queue_full', detail, ...nothing } satisfies GapRecord);
  }

  #reading(t_ms: number): NewRow {
    const pack = this.#draw.whole(0, this.#topology.packs.length - 1);
    const reading = numberedReading(this.#topology, pack, ++this.#readings, t_ms);
    const bytes = Buffer.alloc(maxEncodedBytes(reading.shape));
    const body = bytes.toString(
      'latin1',
      0,
      encodeInto(reading, new DataView(bytes.buffer, bytes.byteOffset), 0),
    );
    return { kind: LogKind.reading, pack_key: pack + 1, t_ms, body };
  }

  #audit(t_ms: number): NewRow {
    const id = `00000000-0000-4000-8000-${String(++this.#entries).padStart(12, '0')}`;
    const entry = { id, t_ms, actor: 'ann', address: null, action: 'login', outcome: 'done', target: null };
    return json(LogKind.audit, t_ms, { ...entry, request_id: null });
  }
}

export function json(kind: number, t_ms: number, record: object): NewRow {
  return { kind, pack_key: 0, t_ms, body: Buffer.from(JSON.stringify(record)).toString('latin1') };
}

/** The number of a reading made here. */
export function numberOf(row: Row): number {
  const known = numbers.get(row) ?? decodeNumber(row);
  numbers.set(row, known);
  return known;
}

/** Asked for again and again. */
const numbers = new WeakMap<Row, number>();

function decodeNumber(row: Row): number {
  const bytes = Buffer.from(row.body, 'latin1');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const reading = decoder.decode(view, 0, bytes.length);
  return typeof reading === 'number' ? -1 : Math.round(reading.values[PackMetric.voltage_v] * 100);
}
