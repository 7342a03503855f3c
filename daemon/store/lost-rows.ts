/** Rows that the identity file knows of and the database does not: it was deleted, emptied, set back, or lost its WAL. */
import type { GapRecord } from '../../core/contract/gap.ts';
import type { LogIdentity } from './identity.ts';

export interface LostRows {
  readonly kept: LogIdentity;
  /** The last row that is still there; undefined: none is, nor users or settings. */
  readonly found_seq: number | undefined;
}

/** Its numbers are those that may be missing at the centre; how many of them were used is not known exactly. */
export function lostGap(file: string, { kept, found_seq }: LostRows): GapRecord {
  const { numbers_below, last_seq, synced_seq } = kept;
  const known = last_seq === undefined ? `numbers below ${numbers_below} taken` : `rows up to ${last_seq}`;
  const state = found_seq === undefined ? 'is empty or was removed' : `ends at row ${found_seq}`;
  const users =
    found_seq === undefined
      ? '; with it went users, settings and alerts: users of the centre come back when it is reached, others must be made anew'
      : '; what was changed meanwhile in users and settings went with them';
  const centre = synced_seq === undefined ? '' : `; the centre had those up to ${synced_seq}`;
  const first_seq = Math.max(found_seq ?? 0, synced_seq ?? 0) + 1;
  return {
    reason: 'storage_lost',
    detail: `${file}: ${state}, although its log had ${known}${centre}${users}`,
    ...{ from_ms: null, to_ms: null, readings: null, packs: [] },
    ...{ first_seq, last_seq: numbers_below - 1 },
  };
}
