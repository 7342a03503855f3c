/**
 * The readings of a batch into `pack_readings`, as fast as one connection allows: COPY, of no more than is there. A
 * narrow login copies into a table of its session, from which a function of the owner moves them.
 */
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { GatewayError } from '../../core/errors.ts';
import { describeDecodeFault, ReadingDecoder } from '../../core/reading/codec.ts';
import { type LogBatch, LogKind, type LogSource } from '../store/store.ts';
import type { BatchRecords } from './batch-records.ts';
import { ColumnSet, CopyRows, copyStatement } from './copy-rows.ts';
import { OWNER } from './login.ts';

/** What is encoded between two turns of the event loop. */
const BYTES_PER_TURN = 1 << 16;

interface OpenCopy {
  readonly rows: CopyRows;
  readonly stream: ReturnType<typeof copyFrom>;
  readonly finished: Promise<void>;
}

export class ReadingCopy {
  readonly #client: pg.Client;
  readonly #gateway_id: string;
  readonly #source: LogSource;
  /** Rejects when the connection breaks. */
  readonly #broken: Promise<never>;
  /** Names the centre in errors. */
  readonly #place: string;
  readonly #decoder = new ReadingDecoder();
  login = OWNER;
  /** Columns met so far; the others need not be sent. */
  readonly #columns = new ColumnSet();
  readonly #needed = new ColumnSet();

  constructor(
    client: pg.Client,
    gateway_id: string,
    source: LogSource,
    broken: Promise<never>,
    place: string,
  ) {
    this.#place = place;
    this.#client = client;
    this.#gateway_id = gateway_id;
    this.#source = source;
    this.#broken = broken;
  }

  /** Within the transaction of the batch. Returns how many readings it stored; others are put aside. */
  async store(batch: LogBatch, records: BatchRecords): Promise<number> {
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
    const { is_narrow } = this.login;
    let copy: OpenCopy | undefined;
    let readings = 0;
    for (const i of readingsByPack(batch)) {
      const start = i === 0 ? 0 : batch.end[i - 1];
      const reading = this.#decoder.decode(view, start, batch.end[i] - start);
      const pack_id = this.#source.packId(batch.pack_key[i]);
      if (typeof reading === 'number' || pack_id === undefined) {
        const unknown_pack = `unknown pack key ${batch.pack_key[i]}`;
        records.keepUndecodable(i, typeof reading === 'number' ? describeDecodeFault(reading) : unknown_pack);
        continue;
      }
      this.#needed.setTo(reading);
      if (copy && !copy.rows.columns.includes(this.#needed)) {
        await this.#end(copy);
        copy = undefined;
      }
      this.#columns.add(this.#needed);
      if (is_narrow && readings === 0) await this.#client.query('SELECT open_incoming_readings()');
      copy ??= this.#begin(is_narrow ? 'pg_temp.incoming_readings' : 'pack_readings');
      copy.rows.addRow(reading, pack_id, batch.t_ms[i], batch.seq[i]);
      readings++;
      if (copy.rows.bytes >= BYTES_PER_TURN) await this.#write(copy);
    }
    if (copy) await this.#end(copy);
    if (is_narrow && readings > 0) await this.#move(readings);
    return readings;
  }

  async #move(sent: number): Promise<void> {
    const { rows } = await this.#client.query<{ stored: string }>(
      'SELECT store_incoming_readings($1) AS stored',
      [this.#gateway_id],
    );
    this.#compare(sent, Number(rows[0].stored));
  }

  #begin(table: string): OpenCopy {
    const columns = this.#columns.copy();
    const stream = this.#client.query(copyFrom(copyStatement(table, columns)));
    const finished = new Promise<void>((resolve, reject) =>
      stream.once('finish', resolve).on('error', reject),
    );
    finished.catch(() => {});
    return { rows: new CopyRows(this.#gateway_id, columns), stream, finished };
  }

  async #write({ rows, stream, finished }: OpenCopy): Promise<void> {
    const piece = rows.take();
    const drained = stream.write(piece);
    await Promise.race([drained ? nextTurn() : drain(stream), finished, this.#broken]);
    if (this.#client.connection.stream.writableLength === 0) rows.giveBack(piece);
  }

  async #end({ rows, stream, finished }: OpenCopy): Promise<void> {
    rows.end();
    stream.end(rows.take());
    await finished;
    this.#compare(rows.count, stream.rowCount);
  }

  /** What was taken but not stored would be lost without a word. */
  #compare(sent: number, stored: number): void {
    if (stored === sent) return;
    throw new GatewayError(
      'UPSTREAM_REFUSED',
      `${this.#place}: of ${sent} readings sent ${stored} were stored in pack_readings; nothing is taken as stored. Is there a trigger that leaves rows out?`,
    );
  }
}

/**
 * Rows with readings, pack by pack and in the log's order within each: the index takes neighbours faster than
 * strangers, and a pack's history lies together when it is read. The log's order at the centre is that of `seq`.
 */
function readingsByPack({ count, kind, pack_key }: LogBatch): Float64Array {
  const keys = new Float64Array(count);
  let readings = 0;
  for (let i = 0; i < count; i++) if (kind[i] === LogKind.reading) keys[readings++] = pack_key[i] * count + i;
  return keys
    .subarray(0, readings)
    .sort()
    .map(key => key % count);
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}

function drain(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise(resolve => stream.once('drain', resolve));
}
