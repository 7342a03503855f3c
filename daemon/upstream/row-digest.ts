/** The bytes of a row, and what distinguishes it from any other that could stand under its number. */
import { createHash } from 'node:crypto';
import type { LogBatch } from '../store/store.ts';

export function bodyOf(batch: LogBatch, i: number): Buffer {
  const start = i === 0 ? 0 : batch.end[i - 1];
  return Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset + start, batch.end[i] - start);
}

export function rowDigest(batch: LogBatch, i: number): string {
  const head = `${batch.seq[i]} ${batch.kind[i]} ${batch.pack_key[i]} ${batch.t_ms[i]} `;
  return createHash('sha256').update(head).update(bodyOf(batch, i)).digest('hex');
}
