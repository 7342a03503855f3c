/**
 * How far a value can be trusted. Every value carries one; a value that cannot be trusted is marked,
 * never guessed and never shown as good.
 *
 * missing: never received, or the device says it has none (its value is NaN).
 * good:    received within its stale limit and plausible.
 * stale:   received, but longer ago than its stale limit (the last value is kept).
 * suspect: received, but outside what physics or the profile allows, or flagged by the device.
 */
export const Quality = { missing: 0, good: 1, stale: 2, suspect: 3 } as const;
export type Quality = (typeof Quality)[keyof typeof Quality];
export type QualityName = keyof typeof Quality;

export const QUALITY_NAMES: readonly QualityName[] = ['missing', 'good', 'stale', 'suspect'];

/** One letter per value in the HTTP and WebSocket contract: `"gggs"` is three good cells and a stale one. */
export const QUALITY_LETTERS = 'mgsu';

export function qualityLetters(column: Uint8Array): string {
  let letters = '';
  for (let i = 0; i < column.length; i++) letters += QUALITY_LETTERS[column[i]];
  return letters;
}
