/** What the log must hold, by what was acknowledged; and what of it the centre must hold. */
import type { ClockRecord, Trust } from '../../core/contract/clock.ts';
import { type LogBatch, LogKind } from '../../daemon/store/store.ts';

export interface Row {
  readonly seq: number;
  readonly kind: number;
  readonly pack_key: number;
  readonly t_ms: number;
  /** Bytes as latin1. */
  readonly body: string;
}

export type NewRow = Omit<Row, 'seq'>;

/** What the last retention was allowed to remove. */
export interface Removal {
  readonly before_ms: number;
  readonly synced_seq: number;
  readonly short_of_room: boolean;
}

/** What is reported of the time of a row. */
export interface ReportedTime {
  /** Added to what the clock showed. */
  readonly later_ms: number;
  readonly trust: Trust;
}

/** Times before are those of a box that did not know the time: its rows are as old as what came after them. */
const EARLIEST_MS = Date.UTC(2020, 0, 1);

export class LogModel {
  /** Row `seq` is at `seq - 1`. */
  readonly rows: Row[] = [];
  readonly gone = new Set<number>();
  /** Of these the centre may have none. */
  readonly gone_unsynced = new Set<number>();
  /** By kind and id, with a space between. */
  readonly documents = new Map<string, string>();
  #times: readonly ReportedTime[] = [];

  copy(): LogModel {
    const copy = new LogModel();
    copy.rows.push(...this.rows);
    for (const seq of this.gone) copy.gone.add(seq);
    for (const seq of this.gone_unsynced) copy.gone_unsynced.add(seq);
    for (const [id, body] of this.documents) copy.documents.set(id, body);
    return copy;
  }

  /** Of row `seq` at `seq - 1`, by what the rows up to `last_seq` say of their clock. */
  times(last_seq = this.lastSeq): readonly ReportedTime[] {
    if (this.#times.length === last_seq) return this.#times;
    const times: ReportedTime[] = [];
    let trust: Trust = 'plausible';
    for (const row of this.rows.slice(0, last_seq)) {
      const record = row.kind === LogKind.clock ? (JSON.parse(row.body) as ClockRecord) : undefined;
      if (record?.reason === 'correction')
        for (let seq = record.first_seq; seq <= record.last_seq; seq++)
          times[seq - 1] = {
            later_ms: times[seq - 1].later_ms + record.offset_ms,
            trust: record.trust,
          };
      else if (record) trust = record.trust;
      times.push({ later_ms: 0, trust });
    }
    this.#times = times;
    return times;
  }

  /** A reading's time as the log has it now. */
  updatedMs(row: Row): number {
    return row.t_ms + this.times()[row.seq - 1].later_ms;
  }

  get lastSeq(): number {
    return this.rows.length;
  }

  get topology(): string | undefined {
    return this.rows.findLast(row => row.kind === LogKind.topology)?.body;
  }

  acknowledge(rows: readonly NewRow[]): void {
    for (const row of rows) this.rows.push({ seq: this.rows.length + 1, ...row });
  }

  present(): Row[] {
    return this.rows.filter(row => !this.gone.has(row.seq));
  }

  /** All rows the log now gives; throws when one is lost, changed, doubled, or out of order. */
  check(found: readonly Row[], removal: Removal | undefined): void {
    let at = 0;
    for (const row of this.rows) {
      const next = found[at];
      if (next?.seq === row.seq) {
        expectSame(next, row);
        if (this.gone.has(row.seq)) throw new Error(`row ${row.seq} was removed and is back`);
        at++;
      } else if (!this.gone.has(row.seq)) this.#remove(row, removal);
    }
    if (at < found.length)
      throw new Error(`the log has ${found.length - at} rows too many: ${rowText(found[at])}`);
  }

  /**
   * After a restart: the batch whose commit was tried last may be there, whole, or not at all; so may the record of a
   * loss that retention wrote; and a row of the topology stands at the end when it is a new one. What is there counts
   * as acknowledged from now on.
   */
  adopt(found: readonly Row[], tried: readonly NewRow[], retained: boolean, topology: string): void {
    const tail: NewRow[] = found.filter(row => row.seq > this.rows.length).map(({ seq: _, ...row }) => row);
    const is_new = this.topology !== topology;
    const last = is_new ? tail.pop() : undefined;
    if (is_new && (last?.kind !== LogKind.topology || last.body !== topology))
      throw new Error(`after a new topology the log ends with ${rowText(last)}`);
    const has_tried = tail.length === tried.length && tail.every((row, i) => row.body === tried[i].body);
    const has_gap = retained && tail.length === 1 && tail[0].kind === LogKind.gap;
    if (has_tried || has_gap) this.acknowledge(tail);
    if (last) this.acknowledge([last]);
  }

  /** Readings in the log, `to_ms` excluded. */
  readings(pack_key: number, from_ms: number, to_ms: number): Row[] {
    return this.present().filter(row => {
      if (row.kind !== LogKind.reading || row.pack_key !== pack_key) return false;
      const t_ms = this.updatedMs(row);
      return t_ms >= from_ms && t_ms < to_ms;
    });
  }

  #remove(row: Row, removal: Removal | undefined): void {
    const may_go =
      removal !== undefined &&
      row.kind !== LogKind.topology &&
      (row.seq < removal.synced_seq
        ? removal.short_of_room || this.updatedMs(row) < Math.max(removal.before_ms, EARLIEST_MS)
        : removal.short_of_room && row.kind === LogKind.reading);
    if (!may_go) throw new Error(`row ${row.seq} of ${this.rows.length} is lost: ${rowText(row)}`);
    this.gone.add(row.seq);
    if (row.seq > removal.synced_seq) this.gone_unsynced.add(row.seq);
  }
}

export function rowsOf(batch: LogBatch): Row[] {
  const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
  return Array.from({ length: batch.count }, (_, i) => ({
    seq: batch.seq[i],
    kind: batch.kind[i],
    pack_key: batch.pack_key[i],
    t_ms: batch.t_ms[i],
    body: bytes.toString('latin1', i === 0 ? 0 : batch.end[i - 1], batch.end[i]),
  }));
}

function expectSame(found: Row, expected: Row): void {
  const is_same =
    found.kind === expected.kind &&
    found.pack_key === expected.pack_key &&
    found.t_ms === expected.t_ms &&
    found.body === expected.body;
  if (!is_same) throw new Error(`row ${expected.seq} is ${rowText(found)} instead of ${rowText(expected)}`);
}

function rowText(row: Row | NewRow | undefined): string {
  if (!row) return 'nothing';
  return `kind ${row.kind}, pack key ${row.pack_key}, time ${row.t_ms}, ${row.body.length} bytes`;
}
