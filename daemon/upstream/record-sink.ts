/** What stores one kind of record of the log at the centre. */
import type { Queryable } from './transaction.ts';

/** Stores records of one batch, in log order, each with its number, within the batch's transaction. */
export type RecordSink = (
  client: Queryable,
  gateway_id: string,
  records: readonly object[],
  seqs: readonly number[],
) => Promise<void>;
