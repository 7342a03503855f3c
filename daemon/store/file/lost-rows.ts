/**
 * Rows that the identity file knows of and the database does not: it was deleted, emptied, restored from an older copy,
 * or lost its WAL.
 */
import type { GapRecord } from '../../../core/contract/gap.ts';
import type { LogIdentity } from './log-identity.ts';

export interface LostRows {
  readonly kept: LogIdentity;
  /** The last row that is still there; undefined: none is, nor users or settings. */
  readonly found_seq: number | undefined;
}

/** Numbers of which the centre may have no rows, when all that is not there yet is lost. */
export function mayLack(kept: LogIdentity | undefined): Pick<GapRecord, 'first_seq' | 'last_seq'> {
  if (!kept) return { first_seq: null, last_seq: null };
  return { first_seq: (kept.synced_seq ?? 0) + 1, last_seq: kept.numbers_below - 1 };
}

/** Its numbers are those that may be missing at the centre; how many of them were used is not known exactly. */
export function lostGap(file: string, { kept, found_seq }: LostRows): GapRecord {
  const { numbers_below, last_seq, synced_seq } = kept;
  const known = last_seq === undefined ? `numbers below ${numbers_below} taken` : `rows up to ${last_seq}`;
  const state = found_seq === undefined ? 'is empty or was removed' : `ends at row ${found_seq}`;
  const users =
    found_seq === undefined
      ? '; with it went users, settings and alerts: users of the centre come back when it is reached, others must be made again'
      : '; what was changed meanwhile in users and settings went with them';
  const centre = synced_seq === undefined ? '' : `; the centre had those up to ${synced_seq}`;
  const missing = mayLack(kept);
  return {
    reason: 'storage_lost',
    detail: `${file}: ${state}, although its log had ${known}${centre}${users}`,
    from_ms: null,
    to_ms: null,
    readings: null,
    packs: [],
    ...missing,
    first_seq: Math.max((found_seq ?? 0) + 1, missing.first_seq ?? 1),
  };
}
