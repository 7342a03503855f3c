/**
 * The records of a batch, by kind. What cannot be understood must not hold up what comes after: it is put aside, and
 * goes to the centre as it is.
 */
import { describeError } from '../../core/errors.ts';
import type { LogBatch, LogSource } from '../store/store.ts';
import { bodyOf } from './row-digest.ts';
import type { Queryable } from './transaction.ts';

export interface RecordsOfKind<T> {
  readonly records: T[];
  readonly seqs: number[];
}

interface Undecodable {
  readonly row: number;
  readonly reason: string;
}

export class BatchRecords {
  readonly #batch: LogBatch;
  readonly #undecodable: Undecodable[] = [];

  constructor(batch: LogBatch) {
    this.#batch = batch;
  }

  get undecodable(): number {
    return this.#undecodable.length;
  }

  /** In the log's order, with their numbers. */
  of<T extends object>(kind: number): RecordsOfKind<T> {
    const batch = this.#batch;
    const found: RecordsOfKind<T> = { records: [], seqs: [] };
    for (let i = 0; i < batch.count; i++) {
      if (batch.kind[i] !== kind) continue;
      try {
        const record = JSON.parse(bodyOf(batch, i).toString('utf8')) as unknown;
        if (typeof record !== 'object' || record === null) throw new TypeError('it is no object');
        found.records.push(record as T);
        found.seqs.push(batch.seq[i]);
      } catch (error) {
        this.keepUndecodable(i, `record of kind ${kind}: ${describeError(error)}`);
      }
    }
    return found;
  }

  keepUndecodable(row: number, reason: string): void {
    this.#undecodable.push({ row, reason });
  }

  /** Rows of kinds that this version does not know: a newer one wrote them. */
  keepUnknown(known: ReadonlySet<number>): void {
    const { kind, count } = this.#batch;
    for (let i = 0; i < count; i++)
      if (!known.has(kind[i])) this.keepUndecodable(i, `unknown kind ${kind[i]}`);
  }

  /** Within the transaction of the batch. */
  async storeUndecodable(client: Queryable, gateway_id: string, source: LogSource): Promise<void> {
    const batch = this.#batch;
    for (const { row, reason } of this.#undecodable)
      await client.query(
        `INSERT INTO undecodable_rows (gateway_id, seq, kind, pack_id, t_ms, reason, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [
          gateway_id,
          batch.seq[row],
          batch.kind[row],
          source.packId(batch.pack_key[row]) ?? null,
          batch.t_ms[row],
          reason,
          bodyOf(batch, row),
        ],
      );
  }
}
