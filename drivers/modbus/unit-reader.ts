/** What a UnitPoller asks of the map a unit follows: read a round, then show it. */
import type { ReadFailure } from './modbus-link.ts';
import type { ReadRequest } from './reply.ts';

export type ReadUnit = (
  code: ReadRequest['code'],
  address: number,
  count: number,
  into: Uint16Array,
) => Promise<ReadFailure | undefined>;

export const STALE_PERIODS = 3;
const STALE_AT_LEAST_MS = 3000;

/** Age at which a value is stale that is to be read every `period_ms`. */
export function staleAfterMs(period_ms: number): number {
  return Math.max(STALE_PERIODS * period_ms, STALE_AT_LEAST_MS);
}

export interface UnitReader {
  /** Grows with each reply that brought the round forward; constant where a repeat begins again. */
  readonly progress: number;
  /** What was learnt about the unit may no longer hold. */
  forget(): void;
  /** A round is given up: the next one starts again. */
  abandon(): void;
  /**
   * The part that failed last gets no further repeat. True: the round goes on without it, and it is asked less
   * and less. False, or no such method: the round has failed.
   */
  leaveOut?(): boolean;
  /** Reads a round; after a failure it goes on where it failed. Never rejects. */
  read(): Promise<ReadFailure | undefined>;
  /** Values of the unit are replaced so late at worst, by what was measured: before that they are not stale. */
  ageBy(late_ms: number): void;
  /** Writes a complete round into the packs' states; `onPack` is called with each pack and what it lacks, if anything. */
  commit(mono_ms: number, onPack: (pack: number, complaint: string | undefined) => void): void;
}

/**
 * Reads parts of a round that do not depend on each other, so many at once. After one that says false no further
 * one is begun.
 */
export async function readParts<T>(
  parts: readonly T[],
  at_once: number,
  read: (part: T) => Promise<boolean>,
): Promise<void> {
  let next = 0;
  let going = true;
  const work = async () => {
    while (going && next < parts.length) if (!(await read(parts[next++]))) going = false;
  };
  await Promise.all(Array.from({ length: Math.min(at_once, parts.length) }, work));
}
